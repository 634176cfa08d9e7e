"""Which nodes are known not to answer (commands §4.5). Unknown counts as up."""

from collections.abc import Callable

import structlog

from heketipy.db.database import Database, Tx
from heketipy.domain.errors import NodeFailure
from heketipy.domain.model import Node
from heketipy.domain.states import State
from heketipy.executors.nodes import StorageNodes
from heketipy.operations.saga import all_of

log = structlog.get_logger(__name__)


class Health:
    """What the last look at the nodes has shown. Nodes that are not online are not looked at."""

    def __init__(self, db: Database, nodes: StorageNodes, *, back: Callable[[], None]) -> None:
        """`back` is called when a node answers again."""
        self._db = db
        self._nodes = nodes
        self._back = back
        self._down: frozenset[str] = frozenset()

    @property
    def down(self) -> frozenset[str]:
        """Ids of the nodes known not to answer. A new set after each look: it serves as its own epoch."""
        return self._down

    async def look(self) -> None:
        """Ask every online node whether its glusterd runs, side by side."""
        nodes = await self._db.read(_online)
        answers = await all_of(self._answers(node) for node in nodes)
        down = frozenset(node.id for node, up in zip(nodes, answers, strict=True) if up is not True)
        for node in nodes:
            if (node.id in down) != (node.id in self._down):
                log.warning("node went down" if node.id in down else "node is back", node=node.id, host=node.manage[0])
        returned = self._down - down
        if down != self._down:
            self._down = down
        if returned:
            self._back()

    async def _answers(self, node: Node) -> bool:
        try:
            await self._nodes.check(node.address)
        except NodeFailure:
            return False
        return True


def _online(tx: Tx) -> list[Node]:
    return [node for node in tx.nodes.all() if node.state is State.ONLINE]

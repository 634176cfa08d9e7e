"""What a running operation has in its hands: the nodes, its fence, its journal, and the debts it runs up."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar, Protocol, TypeVar

import cattrs

from heketipy.db.database import Database, Tx
from heketipy.domain.errors import DaemonAway, NodeFailure, NodeUnreachable
from heketipy.domain.model import Brick, NodeAddress
from heketipy.domain.operation import Operation
from heketipy.executors.nodes import BrickSpec, StorageNodes
from heketipy.executors.transport import Fence
from heketipy.operations.hosts import first_answer
from heketipy.operations.reservation import Reservations

P = TypeVar("P")
T = TypeVar("T")

POOL_IN_USE = "Its thin pool still holds other volumes, as snapshots do."

converter = cattrs.Converter(forbid_extra_keys=False)


def encode(plan: Any) -> dict[str, Any]:
    """Return a plan as a JSON object."""
    return converter.unstructure(plan)  # type: ignore[no-any-return]


def decode(kind: type[P], plan: Mapping[str, Any]) -> P:
    """Make a plan of the JSON object that `encode` returned."""
    return converter.structure(plan, kind)


@dataclass(frozen=True, slots=True)
class BricksOwed:
    """Bricks that a node still has to give up."""

    NAME: ClassVar[str] = "bricks"

    bricks: tuple[BrickSpec, ...]


@dataclass(frozen=True, slots=True)
class DetachOwed:
    """A former node that a peer still has to throw out of the trusted pool of a cluster. `host` is its storage name."""

    NAME: ClassVar[str] = "detach"

    host: str
    cluster: str


@dataclass(frozen=True, slots=True)
class Owed:
    """A debt in the making: the work and the space (KiB by device id) that is charged until it is done."""

    node: str
    work: BricksOwed | DetachOwed
    charges: Mapping[str, int]
    reason: str


class Children(Protocol):
    """Operations that are parts of another one, which begins them and waits for them."""

    def enter(self, tx: Tx, kind: str, plan: Any, *, operation: str) -> str:
        """Enter an operation into the books; return the id of its job, where its outcome will stand."""
        ...

    async def settle(self, operation: str) -> None:
        """Carry an operation out, or take back or finish it if it was begun before. It may be stuck afterwards."""
        ...


@dataclass(slots=True)
class Context:
    """One operation at work.

    `quiet` says that the last attempt is so long ago that nothing of it can still run on any node. `down` are nodes
    known not to answer. `finishing`: it could not be taken back and goes forward again, if need be without nodes that
    are away. `reservations` finds room for what can only be placed when nodes were asked. `owed` and `kept` are found
    out while bricks are destroyed: what absent nodes owe, and bricks (by id) whose space LVM did not give back, since
    other volumes still use their thin pool.
    """

    operation: Operation
    nodes: StorageNodes
    db: Database
    fence: Fence
    reservations: Reservations
    children: Children
    quiet: bool = False
    down: frozenset[str] = frozenset()
    rebalance: bool = True
    finishing: bool = False
    journal: dict[str, Any] = field(default_factory=dict)
    pivoted: bool = False
    owed: dict[str, Owed] = field(default_factory=dict)
    kept: set[str] = field(default_factory=set)

    async def note(self, **facts: Any) -> None:
        """Write down what only a node could tell, before anything is done that depends on it."""
        self.journal.update(facts)
        await self.db.write(_note, self.operation.id, dict(self.journal))

    def remember(self, **facts: Any) -> None:
        """Keep what a node told for what is written next, the pivot or the end: nothing is done before that which
        could depend on it."""
        self.journal.update(facts)

    async def passing_pivot(self) -> None:
        """Write down that there may be no way back from now on, and what was remembered."""
        if not self.pivoted:
            await self.db.write(_pivot, self.operation.id, dict(self.journal))
            self.pivoted = True

    def candidates(self, nodes: Sequence[NodeAddress], *, start: int = 0) -> list[NodeAddress]:
        """Return the nodes to try for a command that any of them could run, from the one at `start` on; those known
        to be down are left out."""
        turn = start % len(nodes) if nodes else 0
        return [node for node in (*nodes[turn:], *nodes[:turn]) if node.id not in self.down]

    async def ask_where_it_ran(
        self, node: NodeAddress, others: Sequence[NodeAddress], question: Callable[[NodeAddress], Awaitable[T]]
    ) -> T:
        """Ask the node that ran something for this operation, or have it act again.

        If it does not answer, nobody knows what still runs there, and no other node's answer would hold: it raises
        NodeUnreachable. Others are asked only when nothing can run any more, as where it says that its gluster daemon
        does not run.
        """
        try:
            return await question(node)
        except NodeUnreachable as error:
            if not (self.quiet or isinstance(error, DaemonAway)):
                raise
            rest = [other for other in others if other.id != node.id]
            return await first_answer(self.candidates(rest), question, total=len(others))

    def owe_detach(self, via: str, work: DetachOwed, error: NodeFailure) -> None:
        """Put a detach on the account of the peer that did not do it."""
        self.owed[via] = Owed(node=via, work=work, charges={}, reason=str(error))

    def owe_bricks(
        self, node: str, specs: Sequence[BrickSpec], bricks: Sequence[Brick], error: NodeUnreachable
    ) -> None:
        """Put a node's share of the clean-up on its account; the space stays charged until it is paid."""
        charges: dict[str, int] = {}
        for brick in bricks:
            charges[brick.device] = charges.get(brick.device, 0) + brick.charged_kib
        self.owed[node] = Owed(node=node, work=BricksOwed(tuple(specs)), charges=charges, reason=str(error))

    def owe_pool(self, brick: Brick, specs: Sequence[BrickSpec]) -> None:
        """Put the thin pool of a destroyed brick on its node's account, since something else still lives in it."""
        self.owed[brick.id] = Owed(
            node=brick.node,
            work=BricksOwed(tuple(specs)),
            charges={brick.device: brick.charged_kib},
            reason=POOL_IN_USE,
        )

    def frees(self, brick: Brick) -> bool:
        """Tell whether the space of a destroyed brick is free again now."""
        return brick.node not in self.owed and brick.id not in self.kept


def _note(tx: Tx, operation: str, journal: Mapping[str, Any]) -> None:
    tx.operations.set_journal(operation, journal)


def _pivot(tx: Tx, operation: str, journal: Mapping[str, Any]) -> None:
    if journal:
        tx.operations.set_journal(operation, journal)
    tx.operations.set_pivot(operation)

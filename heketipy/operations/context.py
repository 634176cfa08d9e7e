"""What a running operation has in its hands: the nodes, its fence, its journal, and the debts it runs up."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeVar

import cattrs

from heketipy.db.database import Database, Tx
from heketipy.domain.errors import NodeUnreachable
from heketipy.domain.model import Brick, NodeAddress
from heketipy.domain.operation import Operation
from heketipy.executors.nodes import BrickSpec, StorageNodes
from heketipy.executors.transport import Fence

P = TypeVar("P")

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

    bricks: tuple[BrickSpec, ...]


@dataclass(frozen=True, slots=True)
class Owed:
    """A debt in the making: the work and the space (KiB by device id) that is charged until it is done."""

    node: str
    work: BricksOwed
    charges: Mapping[str, int]
    reason: str


@dataclass(slots=True)
class Context:
    """One operation at work.

    `down` are nodes known not to answer. `owed` and `kept` are found out while bricks are destroyed: what absent nodes
    owe, and bricks (by id) whose space LVM did not give back, since other volumes still use their thin pool.
    """

    operation: Operation
    nodes: StorageNodes
    db: Database
    fence: Fence
    down: frozenset[str] = frozenset()
    rebalance: bool = True
    journal: dict[str, Any] = field(default_factory=dict)
    pivoted: bool = False
    owed: dict[str, Owed] = field(default_factory=dict)
    kept: set[str] = field(default_factory=set)

    async def note(self, **facts: Any) -> None:
        """Write down what only a node could tell, before anything is done that depends on it."""
        self.journal.update(facts)
        await self.db.write(_note, self.operation.id, dict(self.journal))

    async def passing_pivot(self) -> None:
        """Write down that there may be no way back from now on."""
        if not self.pivoted:
            await self.db.write(_pivot, self.operation.id)
            self.pivoted = True

    def candidates(self, nodes: Sequence[NodeAddress], *, start: int = 0) -> list[NodeAddress]:
        """Return the nodes to try for a command that any of them could run, from the one at `start` on; those known
        to be down are left out."""
        turn = start % len(nodes) if nodes else 0
        return [node for node in (*nodes[turn:], *nodes[:turn]) if node.id not in self.down]

    def owe(self, node: str, specs: Sequence[BrickSpec], bricks: Sequence[Brick], error: NodeUnreachable) -> None:
        """Put a node's share of the clean-up on its account; the space stays charged until it is paid."""
        charges: dict[str, int] = {}
        for brick in bricks:
            charges[brick.device] = charges.get(brick.device, 0) + brick.charged_kib
        self.owed[node] = Owed(node=node, work=BricksOwed(tuple(specs)), charges=charges, reason=str(error))

    def frees(self, brick: Brick) -> bool:
        """Tell whether the space of a destroyed brick is free again now."""
        return brick.node not in self.owed and brick.id not in self.kept


def _note(tx: Tx, operation: str, journal: Mapping[str, Any]) -> None:
    tx.operations.set_journal(operation, journal)


def _pivot(tx: Tx, operation: str) -> None:
    tx.operations.set_pivot(operation)

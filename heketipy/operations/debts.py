"""Debts: a node's share of a clean-up, which it still owes since it did not answer then."""

from collections.abc import Mapping

from heketipy.db.database import Database, Tx
from heketipy.domain.errors import NodeFailure
from heketipy.domain.model import NodeAddress
from heketipy.domain.operation import Debt
from heketipy.executors.nodes import StorageNodes
from heketipy.executors.transport import Fence
from heketipy.operations.context import BricksOwed, decode


async def pay(db: Database, nodes: StorageNodes, debt: Debt, *, epoch: int) -> bool:
    """Let a node do its share now. Returns whether the debt is paid; a failure is noted on it."""
    node = await db.read(_address, debt.node)
    if node is None:
        return False
    owed = decode(BricksOwed, debt.work)
    try:
        reclaimed = await nodes.destroy_bricks(node, list(owed.bricks), fence=Fence(debt.operation, epoch))
    except NodeFailure as error:
        await db.write(_note, debt, str(error))
        return False
    await db.write(_paid, debt, owed, reclaimed)
    return True


def _address(tx: Tx, node_id: str) -> NodeAddress | None:
    node = tx.nodes.find(node_id)
    return node.address if node else None


def _note(tx: Tx, debt: Debt, reason: str) -> None:
    tx.debts.set_error(debt.id, reason, debt.attempts + 1)


def _paid(tx: Tx, debt: Debt, owed: BricksOwed, reclaimed: Mapping[str, bool]) -> None:
    for brick in owed.bricks:
        if reclaimed[brick.id]:
            tx.devices.give(brick.device, brick.tp_size_kib + brick.pool_metadata_kib)
    tx.debts.remove(debt.id)

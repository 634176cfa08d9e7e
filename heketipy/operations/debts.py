"""Debts: a node's share of a clean-up, which it still owes since it did not answer, or refused, then."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from heketipy.db.database import Database, Tx
from heketipy.domain.errors import NodeFailure
from heketipy.domain.model import NodeAddress
from heketipy.domain.operation import Debt
from heketipy.domain.pending import OpenDebt
from heketipy.executors.nodes import BrickSpec, StorageNodes
from heketipy.executors.transport import Fence
from heketipy.operations import pools
from heketipy.operations.context import POOL_IN_USE, BricksOwed, DetachOwed, decode, encode


async def pay(db: Database, nodes: StorageNodes, debt: Debt, *, epoch: int) -> bool:
    """Let a node do its share now. Returns whether the debt is settled; a failure is noted on it.

    A debt of a node that has left the books is settled: nobody is left who could pay.
    """
    debtor = await db.read(_debtor, debt)
    if debtor is None:
        await db.write(lambda tx: tx.debts.remove(debt.id))
        return True
    fence = Fence(debt.operation, epoch)
    try:
        if BricksOwed.NAME in debt.work:
            bricks = decode(BricksOwed, debt.work[BricksOwed.NAME])
            reclaimed = await nodes.destroy_bricks(debtor.node, list(bricks.bricks), fence=fence)
            return await db.write(_bricks_paid, debt, bricks, reclaimed)
        detach = decode(DetachOwed, debt.work[DetachOwed.NAME])
        if not debtor.taken_in_again(detach):
            await nodes.detach_peer(debtor.node, detach.host, cluster=detach.cluster, fence=fence)
        await db.write(lambda tx: tx.debts.remove(debt.id))
    except NodeFailure as error:
        await db.write(_note, debt, str(error))
        return False
    return True


@dataclass(frozen=True, slots=True)
class _Debtor:
    """Who owes, and the storage names that its cluster has now."""

    node: NodeAddress
    members: frozenset[str]

    def taken_in_again(self, detach: DetachOwed) -> bool:
        return detach.host in self.members


def _debtor(tx: Tx, debt: Debt) -> _Debtor | None:
    node = tx.nodes.find(debt.node)
    if node is None:
        return None
    members = frozenset(member.storage[0] for member in tx.nodes.of_cluster(node.cluster))
    return _Debtor(node.address, members)


def _note(tx: Tx, debt: Debt, reason: str) -> None:
    tx.debts.set_error(debt.id, reason, debt.attempts + 1)


def _bricks_paid(tx: Tx, debt: Debt, owed: BricksOwed, reclaimed: Mapping[str, bool]) -> bool:
    """Give back what is free; return whether nothing is owed any more. What only snapshots keep goes on being owed."""
    tx.debts.remove(debt.id)
    kept = []
    for brick in owed.bricks:
        where = {"node": debt.node, "device": brick.device, "pool": brick.pool_name}
        if reclaimed[brick.id]:
            pools.free(tx, **where, kib=brick.tp_size_kib + brick.pool_metadata_kib)
        elif not pools.shared(tx, **where):
            kept.append(brick)
    if kept:
        tx.debts.add(replace(_of(debt, kept), attempts=debt.attempts + 1, error=POOL_IN_USE))
    return not kept


def shown(tx: Tx, debt: Debt, *, next_try: float | None) -> OpenDebt:
    """Return a debt as people see it."""
    node = tx.nodes.find(debt.node)
    detach = debt.work.get(DetachOwed.NAME)
    return OpenDebt(
        id=debt.id,
        node=debt.node,
        host=node.manage[0] if node is not None else "",
        operation=debt.operation,
        created=debt.created,
        bricks=tuple(brick["id"] for brick in pools.owed_bricks(debt.work)),
        detach=detach["host"] if detach else "",
        charged_kib=sum(debt.charges.values()),
        attempts=debt.attempts,
        reason=debt.error,
        next_try=next_try,
    )


def forgive(tx: Tx, debt: Debt, device: str) -> None:
    """Let a node off what it owes on a device that is no longer ours."""
    if device not in debt.charges:
        return
    tx.debts.remove(debt.id)
    rest = [brick for brick in decode(BricksOwed, debt.work[BricksOwed.NAME]).bricks if brick.device != device]
    if rest:
        tx.debts.add(_of(debt, rest))


def _of(debt: Debt, bricks: Sequence[BrickSpec]) -> Debt:
    """Return a debt that is about some of its bricks only."""
    charges: dict[str, int] = {}
    for brick in bricks:
        charges[brick.device] = charges.get(brick.device, 0) + brick.tp_size_kib + brick.pool_metadata_kib
    return replace(debt, work={BricksOwed.NAME: encode(BricksOwed(tuple(bricks)))}, charges=charges)

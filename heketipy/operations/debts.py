"""Debts: a node's share of a clean-up, which it still owes since it did not answer, or refused, then."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace

from heketipy.db.database import Database, Tx
from heketipy.domain.errors import CommandFailed, NodeFailure
from heketipy.domain.model import Node, NodeAddress
from heketipy.domain.operation import Debt
from heketipy.domain.pending import OpenDebt
from heketipy.executors.nodes import BrickSpec, StorageNodes
from heketipy.executors.transport import Fence
from heketipy.operations import pools
from heketipy.operations.context import POOL_IN_USE, BricksOwed, DetachOwed, decode, encode
from heketipy.operations.hosts import first_answer


async def pay(
    db: Database, nodes: StorageNodes, debt: Debt, *, epoch: int, down: Collection[str] = frozenset()
) -> bool:
    """Let a node do its share now. Returns whether the debt is settled; a failure is noted on it.

    A host is thrown out of the pool by whichever node of its cluster answers, of those that are not known to be `down`.
    A debt that nobody is left to pay is settled: bricks of a node that has left the books, a host whose former cluster
    has no node.
    """
    fence = Fence(debt.operation, epoch)
    try:
        if BricksOwed.NAME in debt.work:
            debtor = await db.read(lambda tx: tx.nodes.find(debt.node))
            if debtor is not None:
                bricks = decode(BricksOwed, debt.work[BricksOwed.NAME])
                reclaimed = await nodes.destroy_bricks(debtor.address, list(bricks.bricks), fence=fence)
                return await db.write(_bricks_paid, debt, bricks, reclaimed)
        else:
            detach = decode(DetachOwed, debt.work[DetachOwed.NAME])
            members = await db.read(lambda tx: tx.nodes.of_cluster(detach.cluster))
            known = frozenset(host for member in members for host in member.storage)
            if members and detach.host not in known:
                await _detach(nodes, _payers(members, debt, down), detach, known, fence)
        await db.write(lambda tx: tx.debts.remove(debt.id))
    except NodeFailure as error:
        await db.write(_note, debt, str(error))
        return False
    return True


def tied_to_its_node(debt: Debt) -> bool:
    """Tell whether nobody but the node itself can pay."""
    return BricksOwed.NAME in debt.work


def _payers(members: Sequence[Node], debt: Debt, down: Collection[str]) -> list[NodeAddress]:
    """Return who may be asked to pay, the one first who did not do it then: what it had begun it may end."""
    first_itself = sorted(members, key=lambda member: (member.id != debt.node, member.id))
    return [member.address for member in first_itself if member.id not in down]


async def _detach(
    nodes: StorageNodes, payers: Sequence[NodeAddress], detach: DetachOwed, known: Collection[str], fence: Fence
) -> None:
    async def by(node: NodeAddress) -> None:
        host, cluster = detach.host, detach.cluster
        try:
            await nodes.detach_peer(node, host, cluster=cluster, fence=fence)
        except CommandFailed:
            # gluster lets nobody go while another peer is down. Of two that are gone for good none would ever go.
            away = [peer for peer in await nodes.peers(node) if not peer.connected]
            names = [{peer.hostname, *peer.hostnames} for peer in away]
            others = [peer for peer in names if host not in peer]
            if not others or any(peer.intersection(known) for peer in others):
                raise
            await nodes.detach_peer(node, host, cluster=cluster, force=True, fence=fence)

    await first_answer(payers, by, total=len(payers))


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

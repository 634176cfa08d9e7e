"""Remove a node that has no devices: a peer detaches it. The node leaves the books in any case, as heketi has it; a
detach that did not work is owed by the peer."""

from collections.abc import Sequence

import structlog

from heketipy.db.database import Tx
from heketipy.domain.errors import NodeFailure
from heketipy.domain.plans import RemoveNode
from heketipy.operations import debts
from heketipy.operations.context import Context, DetachOwed
from heketipy.operations.kind import Kind, Outcome
from heketipy.operations.saga import Step

NAME = "remove-node"

log = structlog.get_logger(__name__)


def steps(plan: RemoveNode, context: Context) -> Sequence[Step]:
    """The one step of a node's removal; there is no way back from it."""
    if plan.via is None:
        return []
    via, host = plan.via, plan.node.storage[0]

    async def detach() -> None:
        try:
            await context.nodes.detach_peer(via, host, cluster=plan.node.cluster, fence=context.fence)
        except NodeFailure as error:
            log.warning("peer detach failed; the node is removed all the same", host=host, reason=str(error))
            context.owe_detach(via.id, DetachOwed(host=host, cluster=plan.node.cluster), error)

    async def begun() -> bool:
        return True

    return [Step("peer", detach, pivot=begun)]


def publish(tx: Tx, plan: RemoveNode, context: Context) -> Outcome:
    """Strike the node from the books; clients of block volumes are no longer sent there."""
    host = plan.node.storage[0]
    for block_volume in tx.block_volumes.of_cluster(plan.node.cluster):
        hosts = block_volume.target.hosts
        if host in hosts:
            tx.block_volumes.set_hosts(block_volume.id, [other for other in hosts if other != host])
    for debt in tx.debts.of_node(plan.node.id):
        if debts.tied_to_its_node(debt):
            tx.debts.remove(debt.id)  # it had to do with devices that are gone, too
    tx.nodes.remove(plan.node.id)
    return Outcome()


def release(tx: Tx, plan: RemoveNode, context: Context) -> None:
    """The node never left the books."""


KIND = Kind(name=NAME, plan=RemoveNode, steps=steps, publish=publish, release=release)

"""Add a node: a peer of the cluster probes it. The first node of a cluster has nobody to probe it, and needs none."""

from collections.abc import Sequence

from heketipy.db.database import Tx
from heketipy.domain.errors import Conflict
from heketipy.domain.model import Node
from heketipy.domain.plans import AddNode
from heketipy.operations.context import Context, decode
from heketipy.operations.kind import Kind, Outcome
from heketipy.operations.saga import Step

NAME = "add-node"


def check_hostnames(tx: Tx, node: Node) -> None:
    """Raise Conflict if a host name is taken, by a node in the books or by one that is being added."""
    tx.nodes.check_hostnames(node)
    for operation in tx.operations.of_kind(NAME):
        _check_against(node, decode(AddNode, operation.plan).node)


def _check_against(node: Node, other: Node) -> None:
    for mine, theirs in ((node.manage, other.manage), (node.storage, other.storage)):
        for host in mine:
            if host in theirs:
                raise Conflict(f"Hostname {host} already used by node with id {other.id}\n")


def steps(plan: AddNode, context: Context) -> Sequence[Step]:
    """The one step of a node add: make it a peer."""
    if plan.via is None:
        return []
    via, host = plan.via, plan.node.storage[0]

    async def probe() -> None:
        if "peers" not in context.journal:
            await context.note(peers=[peer.uuid for peer in await context.nodes.peers(via)])
        await context.nodes.probe_peer(via, host, cluster=plan.node.cluster, fence=context.fence)

    async def detach() -> None:
        # A peer may be known by another of its names, so that only a uuid tells whether it was there before.
        before = context.journal.get("peers")
        if before is None:
            return
        peers = await context.nodes.peers(via)
        if any(host in (peer.hostname, *peer.hostnames) and peer.uuid not in before for peer in peers):
            await context.nodes.detach_peer(via, host, cluster=plan.node.cluster, fence=context.fence)

    return [Step("peer", probe, undo=detach)]


def publish(tx: Tx, plan: AddNode, context: Context) -> Outcome:
    """Enter the node into the books."""
    tx.nodes.add(plan.node)
    return Outcome(result=f"/nodes/{plan.node.id}")


def release(tx: Tx, plan: AddNode, context: Context) -> None:
    """Nothing was entered yet."""


KIND = Kind(name=NAME, plan=AddNode, steps=steps, publish=publish, release=release)

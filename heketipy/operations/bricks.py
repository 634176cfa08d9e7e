"""Making and destroying an operation's bricks: on all nodes side by side, one round trip a node."""

from collections.abc import Iterable, Mapping, Sequence

from heketipy.db.database import Tx
from heketipy.domain.errors import NodeFailure, NodeUnreachable
from heketipy.domain.model import Brick, NodeAddress
from heketipy.domain.plans import by_node
from heketipy.executors.nodes import BrickSpec
from heketipy.operations import pools
from heketipy.operations.context import Context
from heketipy.operations.saga import all_of


def specs(bricks: Iterable[Brick], *, gid: int) -> list[BrickSpec]:
    """Say what nodes have to know of bricks. `gid` is the volume's group, 0 for none."""
    return [
        BrickSpec(
            id=brick.id,
            device=brick.device,
            path=brick.path,
            size_kib=brick.size_kib,
            tp_size_kib=brick.tp_size_kib,
            pool_metadata_kib=brick.pool_metadata_kib,
            type=brick.type,
            thin_pool=brick.thin_pool,
            lv=brick.lv,
            gid=gid,
        )
        for brick in bricks
    ]


def locations(bricks: Iterable[Brick], nodes: Mapping[str, NodeAddress]) -> list[tuple[str, str]]:
    """Say where bricks are, as gluster has it: storage name of the node, and path."""
    return [(nodes[brick.node].storage, brick.path) for brick in bricks]


async def create(context: Context, bricks: Sequence[Brick], nodes: Mapping[str, NodeAddress], *, gid: int) -> None:
    """Make all bricks. Waits for every node; raises the failure of one if any failed."""
    groups = by_node(bricks)
    results = await all_of(
        context.nodes.create_bricks(nodes[node], specs(group, gid=gid), fence=context.fence)
        for node, group in groups.items()
    )
    for result in results:
        if isinstance(result, Exception):
            raise result


async def destroy(context: Context, bricks: Sequence[Brick], nodes: Mapping[str, NodeAddress]) -> None:
    """Destroy all bricks. The share of a node that does not answer becomes its debt; that of a node which refuses is
    an error, raised when all others are done."""
    groups = list(by_node(bricks).items())
    results = await all_of(
        context.nodes.destroy_bricks(nodes[node], specs(group, gid=0), fence=context.fence) for node, group in groups
    )
    refused: NodeFailure | None = None
    for (node, group), result in zip(groups, results, strict=True):
        match result:
            case NodeUnreachable():
                context.owe_bricks(node, specs(group, gid=0), group, result)
            case NodeFailure():
                refused = result
            case Exception():
                raise result
            case _:
                context.owed.pop(node, None)
                context.kept.difference_update(brick.id for brick in group)
                context.kept.update(brick for brick, reclaimed in result.items() if not reclaimed)
    if refused is not None:
        raise refused


def release(tx: Tx, context: Context, bricks: Sequence[Brick]) -> None:
    """Strike destroyed bricks from the books, and give back their space as far as it is free. A pool that is kept by
    snapshots, which the books do not know, is owed until they are gone."""
    tx.bricks.remove([brick.id for brick in bricks])
    for brick in bricks:
        where = {"node": brick.node, "device": brick.device, "pool": brick.pool}
        if context.frees(brick):
            pools.free(tx, **where, kib=brick.charged_kib)
        elif brick.id in context.kept and not pools.shared(tx, **where):
            context.owe_pool(brick, specs([brick], gid=0))

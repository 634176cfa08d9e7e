"""Create a volume: its bricks on all nodes side by side, then the gluster volume, started. Nobody sees it before."""

from collections.abc import Sequence

from heketipy.db.database import Tx
from heketipy.domain.errors import CommandFailed
from heketipy.domain.plans import CreateVolume
from heketipy.operations import bricks, gluster_volume
from heketipy.operations.context import Context
from heketipy.operations.kind import Kind, Outcome
from heketipy.operations.reservation import Reservations
from heketipy.operations.saga import Step

NAME = "create-volume"


def steps(plan: CreateVolume, context: Context) -> Sequence[Step]:
    """The steps of a create. gluster runs on the node of the first brick."""
    volume = plan.volume
    nodes = {node.id: node for node in plan.nodes}
    first = nodes[plan.bricks[0].node]
    start = plan.nodes.index(first)

    async def create_bricks() -> None:
        await bricks.create(context, plan.bricks, nodes, gid=volume.gid)

    async def destroy_bricks() -> None:
        await bricks.destroy(context, plan.bricks, nodes)

    async def create_volume() -> None:
        layout = gluster_volume.layout(volume, plan.bricks, nodes)
        try:
            await context.nodes.create_volume(first, layout, fence=context.fence)
        except CommandFailed as error:
            found = await gluster_volume.find(context, volume.name, plan.nodes, start=start)
            foreign = found is not None and not gluster_volume.present(found, plan.bricks)
            raise CommandFailed(str(error), node=error.node, retryable=not foreign) from error

    async def destroy_volume() -> None:
        found = await gluster_volume.find(context, volume.name, plan.nodes, start=start)
        if gluster_volume.present(found, plan.bricks):
            await gluster_volume.destroy(context, volume.name, plan.nodes, start=start)

    return [
        Step("bricks", create_bricks, undo=destroy_bricks),
        Step("volume", create_volume, undo=destroy_volume),
    ]


def publish(tx: Tx, plan: CreateVolume, context: Context) -> Outcome:
    """Show the volume."""
    tx.bricks.set_pending([brick.id for brick in plan.bricks], "")
    tx.volumes.set_pending(plan.volume.id, "")
    return Outcome(result=f"/volumes/{plan.volume.id}")


def release(tx: Tx, plan: CreateVolume, context: Context) -> None:
    """Strike the volume and its bricks from the books."""
    bricks.release(tx, context, plan.bricks)
    tx.volumes.remove(plan.volume.id)


KIND = Kind(
    name=NAME,
    plan=CreateVolume,
    steps=steps,
    publish=publish,
    release=release,
    again=Reservations.create_again,
)

"""Delete a volume: look, stop, delete in gluster (from there on there is no way back), destroy the bricks."""

from collections.abc import Sequence

from heketipy.db.database import Tx
from heketipy.domain.errors import CommandFailed, InUse
from heketipy.domain.plans import DeleteVolume
from heketipy.operations import bricks, gluster_volume
from heketipy.operations.context import Context
from heketipy.operations.hosts import first_answer, first_success
from heketipy.operations.kind import Kind, Outcome
from heketipy.operations.saga import Step

NAME = "delete-volume"


def reserve(tx: Tx, volume_id: str, *, operation: str) -> DeleteVolume:
    """Hide the volume and claim its bricks.

    Raises NotFound, and InUse if the volume or a brick of it is being worked on.
    """
    volume = tx.volumes.get(volume_id)
    of_volume = tuple(tx.bricks.of_volume(volume_id))
    if volume.pending or any(brick.pending for brick in of_volume):
        raise InUse
    tx.volumes.set_pending(volume_id, operation)
    tx.bricks.set_pending([brick.id for brick in of_volume], operation)
    nodes = tuple(node.address for node in tx.nodes.of_cluster(volume.cluster))
    return DeleteVolume(volume=volume, bricks=of_volume, nodes=nodes)


def steps(plan: DeleteVolume, context: Context) -> Sequence[Step]:
    """The steps of a delete."""
    name = plan.volume.name
    nodes = {node.id: node for node in plan.nodes}
    start = int(plan.volume.id[:8], 16)
    fence = context.fence

    async def look() -> None:
        """Refuse what gluster would refuse, while the volume still runs; find out whose volume it is."""
        found = await gluster_volume.find(context, name, plan.nodes, start=start)
        ours = bool(gluster_volume.present(found, plan.bricks))
        if found is not None and ours:
            await _refuse_what_gluster_would(plan, context, start)
        await context.note(ours=ours, started=found is not None and found.started)

    async def stop() -> None:
        if context.journal["ours"]:
            await first_success(
                context.candidates(plan.nodes, start=start),
                lambda node: context.nodes.stop_volume(node, name, fence=fence),
                total=len(plan.nodes),
            )

    async def start_again() -> None:
        if context.journal.get("ours") and context.journal.get("started"):
            await first_success(
                context.candidates(plan.nodes, start=start),
                lambda node: context.nodes.start_volume(node, name, fence=fence),
                total=len(plan.nodes),
            )

    async def delete() -> None:
        if context.journal["ours"]:
            await first_success(
                context.candidates(plan.nodes, start=start),
                lambda node: context.nodes.delete_volume(node, name, fence=fence),
                total=len(plan.nodes),
            )

    async def deleted() -> bool:
        return not gluster_volume.present(
            await gluster_volume.find(context, name, plan.nodes, start=start), plan.bricks
        )

    async def destroy_bricks() -> None:
        await bricks.destroy(context, plan.bricks, nodes)

    return [
        Step("look", look),
        Step("stop", stop, undo=start_again),
        Step("delete", delete, pivot=deleted),
        Step("bricks", destroy_bricks),
    ]


async def _refuse_what_gluster_would(plan: DeleteVolume, context: Context, start: int) -> None:
    name = plan.volume.name
    candidates = context.candidates(plan.nodes, start=start)
    peers = await first_answer(candidates, context.nodes.peers, total=len(plan.nodes))
    away = sorted(peer.hostname for peer in peers if not peer.connected)
    if away:
        raise CommandFailed(
            f"volume delete: {name}: failed: Some of the peers are down: {', '.join(away)}",
            node=candidates[0].id,
        )
    snapshots = await first_answer(
        candidates, lambda node: context.nodes.volume_snapshots(node, name), total=len(plan.nodes)
    )
    if snapshots:
        raise CommandFailed(
            f"Unable to delete volume {name} because it contains {snapshots} snapshots", node=candidates[0].id
        )


def publish(tx: Tx, plan: DeleteVolume, context: Context) -> Outcome:
    """Strike the volume from the books."""
    bricks.release(tx, context, plan.bricks)
    tx.volumes.remove(plan.volume.id)
    return Outcome()


def release(tx: Tx, plan: DeleteVolume, context: Context) -> None:
    """Show the volume again."""
    tx.bricks.set_pending([brick.id for brick in plan.bricks], "")
    tx.volumes.set_pending(plan.volume.id, "")


KIND = Kind(name=NAME, plan=DeleteVolume, steps=steps, publish=publish, release=release)

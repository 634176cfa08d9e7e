"""A gluster volume as operations see it: is it there, is it ours, and how it goes away."""

from collections.abc import Iterable, Mapping, Sequence

from heketipy.domain.model import Brick, NodeAddress, Volume
from heketipy.domain.options import has_arbiter
from heketipy.executors.nodes import GlusterVolume, VolumeLayout
from heketipy.operations.bricks import locations
from heketipy.operations.context import Context
from heketipy.operations.hosts import first_answer, first_success


def layout(volume: Volume, bricks: Sequence[Brick], nodes: Mapping[str, NodeAddress]) -> VolumeLayout:
    """Say what gluster has to know to make the volume, or to add these bricks to it."""
    return VolumeLayout(
        name=volume.name,
        id=volume.id,
        bricks=tuple(locations(bricks, nodes)),
        durability=volume.durability,
        arbiter=has_arbiter(volume.durability, volume.options),
        options=volume.options,
    )


async def find(context: Context, name: str, nodes: Sequence[NodeAddress], *, start: int = 0) -> GlusterVolume | None:
    """Ask the nodes for a volume by name; None where gluster knows none."""
    return await first_answer(
        context.candidates(nodes, start=start),
        lambda node: context.nodes.volume(node, name),
        total=len(nodes),
    )


def present(found: GlusterVolume | None, bricks: Iterable[Brick]) -> list[str]:
    """Return the ids of those bricks that the gluster volume consists of. Paths hold random ids, so one that is there
    proves the volume to be ours."""
    if found is None:
        return []
    paths = {brick.partition(":")[2] for brick in found.bricks}
    return [brick.id for brick in bricks if brick.path in paths]


async def destroy(context: Context, name: str, nodes: Sequence[NodeAddress], *, start: int = 0) -> None:
    """Stop and delete a gluster volume that was found to be ours."""

    async def stop_and_delete(node: NodeAddress) -> None:
        await context.nodes.stop_volume(node, name, fence=context.fence)
        await context.nodes.delete_volume(node, name, fence=context.fence)

    await first_success(context.candidates(nodes, start=start), stop_and_delete, total=len(nodes))

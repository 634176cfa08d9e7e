"""A gluster volume as operations see it: what it is made of, and whether it is ours."""

from collections.abc import Iterable, Mapping, Sequence

from heketipy.domain.errors import CommandFailed
from heketipy.domain.model import Brick, NodeAddress, Volume
from heketipy.domain.options import has_arbiter
from heketipy.executors.gluster import blamed
from heketipy.executors.nodes import GlusterVolume, VolumeLayout
from heketipy.operations.bricks import locations


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


def present(found: GlusterVolume | None, bricks: Iterable[Brick]) -> list[str]:
    """Return the ids of those bricks that the gluster volume consists of. Paths hold random ids, so one that is there
    proves the volume to be ours."""
    if found is None:
        return []
    paths = {path_of(brick) for brick in found.bricks}
    return [brick.id for brick in bricks if brick.path in paths]


def culprit(error: CommandFailed, nodes: Iterable[NodeAddress]) -> str:
    """Return the id of the node on whose account gluster refused: the one that it names, else the one it ran on."""
    host = blamed(str(error))
    return next((node.id for node in nodes if host and node.storage == host), error.node)


def path_of(brick: str) -> str:
    """Return the path of a brick that gluster names `host:path`."""
    return "/" + brick.partition(":/")[2]

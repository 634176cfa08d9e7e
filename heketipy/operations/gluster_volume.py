"""A gluster volume as operations see it: what it is made of, and whether it is ours."""

from collections.abc import Iterable, Mapping, Sequence

from heketipy.db.database import Tx
from heketipy.domain.errors import CommandFailed
from heketipy.domain.model import Brick, NodeAddress, Volume
from heketipy.domain.operation import Status
from heketipy.domain.options import has_arbiter
from heketipy.domain.states import State
from heketipy.executors.gluster import are_peers_down, blamed
from heketipy.executors.nodes import GlusterVolume, VolumeLayout
from heketipy.operations.bricks import locations
from heketipy.operations.context import Context
from heketipy.operations.saga import NoWayBack


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


async def delete_made(context: Context, node: NodeAddress, name: str, bricks: Iterable[Brick]) -> None:
    """Take back a gluster volume that an operation has made.

    gluster deletes none while a peer is down. Raises NoWayBack then, if the client still waits, or if people have put a
    node of the bricks out of use: with its brick in nobody's volume it could never be given up. Else CommandFailed: the
    volume goes when the node is back.
    """
    try:
        await context.nodes.delete_volume(node, name, fence=context.fence)
    except CommandFailed as error:
        if are_peers_down(str(error)):
            holders = sorted({brick.node for brick in bricks})
            given_up = await context.db.read(_any_out_of_use, holders)
            if given_up or context.operation.status is Status.NEW:
                raise NoWayBack(str(error)) from error
        raise


def _any_out_of_use(tx: Tx, nodes: Sequence[str]) -> bool:
    return any(node.state is not State.ONLINE for node in tx.nodes.of_ids(nodes))


def path_of(brick: str) -> str:
    """Return the path of a brick that gluster names `host:path`."""
    return "/" + brick.partition(":/")[2]

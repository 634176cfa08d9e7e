"""Taking stock of a node: what LVM, the mounts, the fstab and the folders of bricks have, and what gluster says there.

What cannot be had is an error, never an empty list: a list with a gap would make orphans and losses of all else.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from heketipy.domain.errors import CommandFailed, NodeFailure
from heketipy.domain.inventory import NodeInventory, NodeMount
from heketipy.domain.model import NodeAddress
from heketipy.domain.names import MOUNT_ROOT, volume_group
from heketipy.executors import fstab, lvm, mounts
from heketipy.executors.answers import refusal
from heketipy.executors.gluster import GlusterVolume
from heketipy.executors.lvm import Lvm
from heketipy.executors.options import SHORT_COMMAND, NodeOptions
from heketipy.executors.transport import Batch, Command, Result, Transport
from heketipy.executors.volumes import Volumes

_NO_DIRECTORY = "No such file or directory"


@dataclass(frozen=True, slots=True)
class Stocktaking:
    """The verb that lists what a node has."""

    transport: Transport
    volumes: Volumes
    options: NodeOptions

    async def take(self, node: NodeAddress, devices: Iterable[str]) -> NodeInventory:
        """List what a node has; folders of these devices (ids). What gluster does not tell is None. Raises
        NodeUnreachable, CommandFailed."""
        tools = Lvm(self.options)
        folders = (MOUNT_ROOT, *(f"{MOUNT_ROOT}/{volume_group(device)}" for device in sorted(devices)))
        argvs = (
            tools.groups(),
            tools.volumes(),
            mounts.show(),
            fstab.show(self.options.fstab),
            ("ls", "-1", *folders, MOUNT_ROOT),
        )
        commands = tuple(Command(argv, timeout=SHORT_COMMAND, tolerated=True) for argv in argvs)
        results = await self.transport.run(node, Batch(commands))
        groups, volumes, mounted, lines, listed = results
        for result in (groups, volumes, mounted):
            if not result.ok:
                raise refusal(node, result)
        if not lines.ok and not fstab.is_missing(lines.stderr):
            raise refusal(node, lines)
        if not listed.ok and _NO_DIRECTORY not in listed.stderr:
            raise refusal(node, listed)
        try:
            return NodeInventory(
                groups=frozenset(lvm.read_groups(groups.stdout)),
                volumes=tuple(lvm.read_volumes(volumes.stdout)),
                mounts=tuple(_mounts(mounted)),
                fstab=tuple(NodeMount(entry.device, entry.mount_point) for entry in fstab.read(lines.stdout)),
                folders=frozenset(read_folders(listed.stdout)),
                gluster=await self._gluster(node),
            )
        except ValueError as error:
            raise CommandFailed(str(error), node=node.id) from error

    async def _gluster(self, node: NodeAddress) -> dict[str, tuple[str, ...]] | None:
        try:
            found: Sequence[GlusterVolume] = await self.volumes.all(node)
        except NodeFailure:
            return None
        return {volume.name: volume.bricks for volume in found}


def _mounts(result: Result) -> list[NodeMount]:
    """Read what is mounted. Raises ValueError where not even the root is: that is no list of mounts."""
    found = [NodeMount(mount.device, mount.point) for mount in mounts.read(result.stdout)]
    if not any(mount.point == "/" for mount in found):
        raise ValueError("the list of mounts lacks the root")
    return found


def read_folders(text: str) -> list[str]:
    """Read what `ls` printed of several directories: return the paths of what is in them."""
    found = []
    directory = ""
    for row in text.split("\n"):
        if row.startswith(MOUNT_ROOT) and row.endswith(":"):
            directory = row.removesuffix(":")
        elif row and directory:
            found.append(f"{directory}/{row}")
    return found

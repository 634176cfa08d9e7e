"""What glusterd demands of a brick, and what it does to its directory."""

from collections.abc import Sequence

from heketipy.executors.simulator import paths
from heketipy.executors.simulator.gluster_cli import Call, Refusal
from heketipy.executors.simulator.state import GlusterVolume, Node, VolumeBrick

SNAPS = "/run/gluster/snaps"
"""Where the bricks of snapshots are mounted, and of what is made of them."""

VOLUME_ID = "trusted.glusterfs.volume-id"
SAME_SERVER = (
    "Multiple bricks of a {kind} volume are present on the same server. This setup is not optimal. Bricks should be on "
    "different nodes to have best fault tolerant configuration. Use 'force' at the end of the command if you want to "
    "override this behavior. "
)
ROOT_PARTITION = (
    "The brick {brick} is being created in the root partition. It is recommended that you don't use the system's root "
    "partition for storage backend. Or use 'force' at the end of the command if you want to override this behavior."
)
MOUNT_POINT = (
    "The brick {brick} is a mount point. Please create a sub-directory under the mount point and use that as the brick "
    "directory. Or use 'force' at the end of the command if you want to override this behavior."
)


def parse(words: Sequence[str]) -> list[VolumeBrick]:
    """Return bricks written as host:path."""
    bricks = []
    for word in words:
        host, colon, path = word.rpartition(":/")
        if not colon or not host:
            raise Refusal(f"Wrong brick type: {word}, use <HOSTNAME>:<export-dir-abs-path>", status=1)
        bricks.append(VolumeBrick(host, paths.normal(f"/{path}")))
    return bricks


def validate(call: Call, bricks: Sequence[VolumeBrick], volume: GlusterVolume, *, force: bool) -> None:
    """Refuse bricks that glusterd would not take; make and mark the directories of the others."""
    if not force and volume.kind != "distribute":
        refuse_same_server(bricks, volume)
    refuse_overlap(call, bricks)
    for brick in bricks:
        node = host_of_new_brick(call, brick)
        try:
            claim(node, brick, volume.id, force=force)
        except Refusal as refusal:
            if node is call.node:
                raise
            raise Refusal(f"Staging failed on {brick.host}. Error: {refusal.text}") from refusal


def refuse_same_server(bricks: Sequence[VolumeBrick], volume: GlusterVolume) -> None:
    """Refuse two bricks of one set on one host."""
    for at in range(0, len(bricks), volume.set_size):
        hosts = [brick.host for brick in bricks[at : at + volume.set_size]]
        if len(set(hosts)) < len(hosts):
            raise Refusal(SAME_SERVER.format(kind=volume.kind))


def host_of_new_brick(call: Call, brick: VolumeBrick) -> Node:
    """Return the machine of a brick, or refuse if it is no connected peer."""
    member = call.member(brick.host)
    if member is None or member.state != "Peer in Cluster":
        raise Refusal(f"Host {brick.host} is not in 'Peer in Cluster' state")
    if not call.connected(member):
        raise Refusal(f"Host {brick.host} not connected")
    return call.node_of(member)


def refuse_overlap(call: Call, bricks: Sequence[VolumeBrick]) -> None:
    """Refuse the first path that is, holds or lies in a brick of some volume, or is on a host that cannot be had."""
    above = frozenset[str]().union(*(prefixes(brick.path) for brick in bricks))
    below = tuple(f"{brick.path}/" for brick in bricks)
    # One look at all bricks of the pool, of which there may be thousands.
    near = [
        other
        for volume in call.pool.volumes.values()
        for other in volume.bricks
        if other.path in above or other.path.startswith(below)
    ]
    for brick in bricks:
        host_of_new_brick(call, brick)
        node = call.host_of(brick)
        mine = prefixes(brick.path)
        for other in near:
            overlap = other.path in mine or other.path.startswith(f"{brick.path}/")
            if overlap and call.host_of(other) is node:
                raise Refusal(
                    f"Brick: {brick.host}:{brick.path} not available. Brick may be containing or be contained by an"
                    " existing brick."
                )


def prefixes(path: str) -> frozenset[str]:
    """Return a path and all that it lies in."""
    names = path.split("/")
    return frozenset("/".join(names[:count]) for count in range(2, len(names) + 1))


def of_snapshot(volume: GlusterVolume) -> bool:
    """Return whether a volume is a snapshot or was made of one."""
    return any(brick.path.startswith(f"{SNAPS}/") for brick in volume.bricks)


def claim(node: Node, brick: VolumeBrick, volume_id: str, *, force: bool) -> None:
    """Make the brick's directory if its parent is there, and write the volume's id on it."""
    made = False
    entry = node.entry(brick.path)
    if entry is None:
        try:
            entry = paths.make_directory(node, brick.path)
        except paths.KernelError as error:
            raise Refusal(
                f"Failed to create brick directory for brick {brick.host}:{brick.path}. Reason : {error.text} "
            ) from error
        made = True
    try:
        if not force:
            refuse_place(node, brick)
        refuse_claimed(node, brick, force=force)
    except Refusal:
        if made:
            paths.remove_directory(node, brick.path)
        raise
    entry.mark(VOLUME_ID, "0x" + volume_id.replace("-", ""))


def refuse_place(node: Node, brick: VolumeBrick) -> None:
    """Refuse a brick on the root file system, or one that is a whole file system."""
    mount = node.covering(brick.path)
    if mount is None:
        raise Refusal(ROOT_PARTITION.format(brick=f"{brick.host}:{brick.path}"))
    if mount.point == brick.path:
        raise Refusal(MOUNT_POINT.format(brick=f"{brick.host}:{brick.path}"))


def refuse_claimed(node: Node, brick: VolumeBrick, *, force: bool) -> None:
    """Refuse a directory that a volume has marked, even if that volume is gone."""
    at = brick.path
    while at and at != "/":
        entry = node.entry(at)
        if entry is not None and VOLUME_ID in entry.xattrs and not (force and at == brick.path):
            if at == brick.path:
                raise Refusal(f"{brick.path} is already part of a volume")
            raise Refusal(f"{brick.path} or a prefix of it is already part of a volume")
        at = at.rpartition("/")[0]


def refuse_absent(call: Call, volume: GlusterVolume) -> None:
    """Refuse to start a volume if the directory of one of its reachable bricks is missing, or marked by another."""
    for brick in volume.bricks:
        node = call.host_of(brick)
        if node is None or not (node is call.node or node.serves):
            continue
        entry = node.entry(brick.path)
        text = ""
        if entry is None:
            text = f"Failed to find brick directory {brick.path} for volume {volume.name}. Reason : {paths.NO_ENTRY}"
        elif VOLUME_ID not in entry.xattrs:
            text = (
                f"Failed to get extended attribute {VOLUME_ID} for brick dir {brick.path}. Reason : No data available"
            )
        elif entry.xattrs[VOLUME_ID] != "0x" + volume.id.replace("-", ""):
            text = f"Volume id mismatch for brick {brick.host}:{brick.path}."
        if text:
            raise Refusal(text if node is call.node else f"Pre Validation failed on {brick.host}. {text}")


def online(call: Call, volume: GlusterVolume, brick: VolumeBrick) -> bool:
    """Return whether the process of a brick runs and has its file system."""
    node = call.host_of(brick)
    if node is None or not node.up or node.hung or volume.status != "Started":
        return False
    entry = node.entry(brick.path)
    return entry is not None and VOLUME_ID in entry.xattrs

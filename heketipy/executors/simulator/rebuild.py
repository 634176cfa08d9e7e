"""Simulated nodes as some books describe them: for a server whose nodes never existed outside its own memory."""

import posixpath
import sys
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby

from heketipy.domain.durability import DurabilityType
from heketipy.domain.model import BlockVolume, Brick, BrickType, Device, Node, Volume
from heketipy.domain.names import lv, thin_pool, volume_group
from heketipy.executors.simulator import gluster_bricks, gluster_options, paths, xfs
from heketipy.executors.simulator.context import ROOM_FOR_METADATA_KIB, Context, World
from heketipy.executors.simulator.gluster_block import IQN_PREFIX
from heketipy.executors.simulator.simulator import Simulator
from heketipy.executors.simulator.state import BlockVolume as Block
from heketipy.executors.simulator.state import (
    Disk,
    Entry,
    GlusterVolume,
    LogicalVolume,
    Member,
    Mount,
    Pool,
    VolumeBrick,
    VolumeGroup,
)
from heketipy.executors.simulator.state import Node as Machine

MOUNT_OPTIONS = ["rw", "inode64", "noatime", "nouuid"]
KINDS = {
    DurabilityType.NONE: "distribute",
    DurabilityType.REPLICATE: "replicate",
    DurabilityType.DISPERSE: "disperse",
}
CLONES = ("/run/gluster/", "/var/run/gluster/")


def rebuild(
    simulator: Simulator,
    *,
    nodes: Iterable[Node],
    devices: Iterable[Device],
    bricks: Iterable[Brick],
    volumes: Iterable[Volume],
    block_volumes: Iterable[BlockVolume] = (),
) -> None:
    """Make nodes, disks, volume groups, bricks and started gluster volumes as the books have them.

    Books that a real node could not hold (sizes that fit without a pool's spare) are taken as they are. Bricks are gone
    through one by one, and then volumes.
    """
    known = list(nodes)
    machines = {node.id: simulator.add_node(node.manage[0], node.storage[0]) for node in known}
    above: Directories = {}
    make_pools(simulator, known)
    groups = {device.id: make_device(simulator.world, machines[device.node], device) for device in devices}
    made: dict[str, list[Made]] = defaultdict(list)
    for brick in bricks:
        if not brick.path:
            continue  # of a clone that was just being made, which no node remembers
        one = make_brick(simulator.world, machines[brick.node], groups[brick.device], brick, above)
        made[brick.volume].append(one)
    for machine in machines.values():
        lines = "".join(line(mount) for mount in machine.mount_list if not mount.point.startswith(CLONES))
        paths.write_text(machine, machine.fstab_path, lines, append=True)
    names: dict[str, str] = {}
    for volume in volumes:
        names[volume.id] = volume.name
        make_volume(simulator, volume, made.pop(volume.id, ()))
    for block_volume in block_volumes:
        make_block_volume(simulator, block_volume, names)


def make_pools(simulator: Simulator, nodes: Iterable[Node]) -> None:
    """Make the nodes of each cluster peers."""
    state = simulator.state
    for _, members in groupby(sorted(nodes, key=lambda node: node.cluster), key=lambda node: node.cluster):
        pool = Pool(members={node.manage[0]: Member(node.manage[0], node.storage[0]) for node in members})
        state.pools[str(state.next_pool)] = pool
        state.next_pool += 1


def make_device(world: World, machine: Machine, device: Device) -> VolumeGroup:
    """Make a disk with a volume group of exactly the size in the books."""
    disk = machine.disks.get(device.name)
    if disk is None or disk.vg:
        name = device.name if disk is None else f"{device.name}-{device.id}"
        disk = machine.disks[name] = Disk(path=name, size_kib=0)
    disk.size_kib = device.total_kib + ROOM_FOR_METADATA_KIB
    disk.signature, disk.pv_uuid = "LVM2_member", device.pv_uuid or world.lvm_uuid()
    disk.links = [path for path in device.paths if path != disk.path]
    disk.vg = volume_group(device.id)
    extent = device.extent_kib or 4096
    disk.pe_start_kib = ROOM_FOR_METADATA_KIB // 2
    group = machine.vgs[disk.vg] = VolumeGroup(
        name=disk.vg,
        uuid=world.lvm_uuid(),
        disk=disk.path,
        extent_kib=extent,
        extents=device.total_kib // extent,
        spare=False,
    )
    return group


Directories = dict[tuple[str, str], Entry]
"""Directories by the manage name of their machine, and their path."""


@dataclass(frozen=True, slots=True)
class Made:
    """A brick that was made: where it comes in its volume, what gluster knows of it, its directory, and its machine."""

    position: int
    brick: VolumeBrick
    directory: Entry | None
    machine: Machine


def line(mount: Mount) -> str:
    """Return the line of fstab that mounts a brick."""
    return f"{mount.device} {mount.point} xfs {','.join(MOUNT_OPTIONS)} 1 2\n"


def make_brick(world: World, machine: Machine, group: VolumeGroup, brick: Brick, above: Directories) -> Made:
    """Make the pool (clones share their origin's), the thin volume with its file system, and mount it.

    There may be tens of thousands: nothing looks for its place longer than it must, and no text is kept twice. `above`
    holds the directories of mount points that were found so far.
    """
    cloned = f"{group.name}/{brick.lv}" if brick.path.startswith(CLONES) else ""
    known = VolumeBrick(machine.storage, brick.path, brick.type is BrickType.ARBITER, lv=cloned)
    pool_name, lv_name = brick.thin_pool or thin_pool(brick.id), brick.lv or lv(brick.id)
    if pool_name not in group.lvs:
        group.lvs[pool_name] = LogicalVolume(
            name=pool_name,
            vg=group.name,
            uuid=world.lvm_uuid(),
            kind="pool",
            size_kib=brick.tp_size_kib,
            extents=-(-brick.tp_size_kib // group.extent_kib),
            metadata_extents=-(-brick.pool_metadata_kib // group.extent_kib),
        )
    if lv_name in group.lvs:
        return Made(brick.position, known, machine.entry(brick.path), machine)
    thin = group.lvs[lv_name] = LogicalVolume(
        name=lv_name,
        vg=group.name,
        uuid=world.lvm_uuid(),
        kind="thin",
        size_kib=-(-brick.size_kib // group.extent_kib) * group.extent_kib,
        pool=pool_name,
    )
    point, name = posixpath.split(paths.normal(brick.path))
    xfs.write(Context(world, machine, ("mount",)), thin, xfs.log_blocks(thin.size_kib // 4))
    directory = Entry()
    if thin.root is not None:
        thin.root.put(sys.intern(name), directory)
    parent, _, at = point.rpartition("/")
    entry = above.get((machine.manage, parent)) or above.setdefault(
        (machine.manage, parent), found_or_made(machine, parent)
    )
    at = lv_name if at == lv_name else at
    if at not in entry.children:
        entry.put(at, Entry())
    machine.mounted += 1
    machine.mounts.setdefault(point, []).append(Mount(thin.path, point, "xfs", MOUNT_OPTIONS, machine.mounted))
    return Made(brick.position, known, directory, machine)


def found_or_made(machine: Machine, path: str) -> Entry:
    """Return the directory at a path."""
    entry = machine.entry(path)
    if entry is not None:
        return entry
    paths.make_directories(machine, path)
    return found_or_made(machine, path)


def make_volume(simulator: Simulator, volume: Volume, bricks: Sequence[Made]) -> None:
    """Make a started gluster volume of those of its bricks that are in place, if any; give all of them its group."""
    if volume.gid:
        for one in bricks:
            if one.directory is not None:
                one.directory.mode, one.directory.gid = 0o2775, volume.gid
    ordered = sorted((one for one in bricks if one.position >= 0), key=lambda one: one.position)
    if not ordered:
        return
    durability = volume.durability
    kind = KINDS[durability.type]
    made = GlusterVolume(
        name=volume.name,
        id=simulator.world.uuid(),
        kind=kind,
        set_size=durability.set_size,
        arbiter=int(any(one.brick.arbiter for one in ordered)),
        redundancy=durability.dispersion[1] if kind == "disperse" else 0,
        options=gluster_options.initial(kind),
        status="Started",
    )
    options = [(name, value) for name, _, value in (option.partition(" ") for option in volume.options)]
    for name, value in (*options, ("user.heketi.id", volume.id)):
        wanted = gluster_options.group_options(value) if name == "group" else {name: value}
        for key, content in (wanted or {}).items():
            if key:
                made.options = gluster_options.put(made.options, key, content)
    made.bricks += [one.brick for one in ordered]
    mark = {gluster_bricks.VOLUME_ID: "0x" + made.id.replace("-", "")}
    for one in ordered:
        if one.directory is not None:
            one.directory.xattrs = mark
    simulator.state.pool_of(ordered[0].machine.manage).volumes[volume.name] = made


def make_block_volume(simulator: Simulator, block_volume: BlockVolume, names: Mapping[str, str]) -> None:
    """Make a block volume on its hosting volume, if that is there. The target's name holds gluster-block's id. `names`
    are those of volumes by id."""
    hosting = simulator.volumes.get(names.get(block_volume.hosting_volume, ""))
    if hosting is None:
        return
    target = block_volume.target
    hosting.blocks[block_volume.name] = Block(
        name=block_volume.name,
        gbid=target.iqn.removeprefix(IQN_PREFIX) or simulator.world.uuid(),
        size_kib=block_volume.size_gib << 20,
        hosts=list(target.hosts),
        password=target.password,
    )

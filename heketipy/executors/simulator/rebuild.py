"""Simulated nodes as some books describe them: for a server whose nodes never existed outside its own memory."""

import posixpath
from collections import defaultdict
from collections.abc import Iterable, Mapping
from itertools import groupby

from heketipy.domain.durability import DurabilityType
from heketipy.domain.model import BlockVolume, Brick, BrickType, Device, Node, Volume
from heketipy.domain.names import lv, thin_pool, volume_group
from heketipy.executors.simulator import gluster_bricks, gluster_options, mounts, paths, xfs
from heketipy.executors.simulator.context import ROOM_FOR_METADATA_KIB, Context, World
from heketipy.executors.simulator.gluster_block import IQN_PREFIX
from heketipy.executors.simulator.simulator import Simulator
from heketipy.executors.simulator.state import BlockVolume as Block
from heketipy.executors.simulator.state import (
    Disk,
    GlusterVolume,
    LogicalVolume,
    Member,
    Pool,
    VolumeBrick,
    VolumeGroup,
)
from heketipy.executors.simulator.state import Node as Machine

MOUNT_OPTIONS = "rw,inode64,noatime,nouuid"
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

    Books that a real node could not hold (sizes that fit without a pool's spare) are taken as they are.
    """
    known = list(nodes)
    owners = {volume.id: volume for volume in volumes}
    machines = {node.id: simulator.add_node(node.manage[0], node.storage[0]) for node in known}
    make_pools(simulator, known)
    groups = {device.id: make_device(simulator.world, machines[device.node], device) for device in devices}
    of_volume: dict[str, list[Brick]] = defaultdict(list)
    for brick in bricks:
        of_volume[brick.volume].append(brick)
        owner = owners.get(brick.volume)
        make_brick(simulator.world, machines[brick.node], groups[brick.device], brick, gid=owner.gid if owner else 0)
    storage = {node.id: node.storage[0] for node in known}
    for volume in owners.values():
        make_volume(simulator, volume, of_volume[volume.id], machines, storage)
    for block_volume in block_volumes:
        make_block_volume(simulator, block_volume, owners)


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


def make_brick(world: World, machine: Machine, group: VolumeGroup, brick: Brick, *, gid: int) -> None:
    """Make the pool (clones share their origin's), the thin volume with its file system, mount and fstab line."""
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
        return
    thin = group.lvs[lv_name] = LogicalVolume(
        name=lv_name,
        vg=group.name,
        uuid=world.lvm_uuid(),
        kind="thin",
        size_kib=-(-brick.size_kib // group.extent_kib) * group.extent_kib,
        pool=pool_name,
    )
    point, device = posixpath.dirname(brick.path), thin.path
    context = Context(world, machine, ("mount",))
    xfs.write(context, thin, xfs.log_blocks(thin.size_kib // 4))
    paths.make_directories(machine, point)
    if not brick.path.startswith(CLONES):
        line = f"{device} {point} xfs {MOUNT_OPTIONS} 1 2\n"
        paths.write_text(machine, machine.fstab_path, line, append=True)
    mounts.attach(context, device, point, "xfs", MOUNT_OPTIONS.split(","))
    directory = paths.make_directory(machine, brick.path)
    if gid:
        directory.gid, directory.mode = gid, 0o2775


def make_volume(
    simulator: Simulator,
    volume: Volume,
    bricks: Iterable[Brick],
    machines: Mapping[str, Machine],
    storage: Mapping[str, str],
) -> None:
    """Make a started gluster volume of bricks that are there."""
    durability = volume.durability
    kind = KINDS[durability.type]
    ordered = sorted((brick for brick in bricks if brick.position >= 0), key=lambda brick: brick.position)
    if not ordered:
        return
    made = GlusterVolume(
        name=volume.name,
        id=simulator.world.uuid(),
        kind=kind,
        set_size=durability.set_size,
        arbiter=int(any(brick.type is BrickType.ARBITER for brick in ordered)),
        redundancy=durability.dispersion[1] if kind == "disperse" else 0,
        options=gluster_options.initial(kind),
        status="Started",
    )
    for option in (*volume.options, f"user.heketi.id {volume.id}"):
        name, _, value = option.partition(" ")
        wanted = gluster_options.group_options(value) if name == "group" else {name: value}
        for key, content in (wanted or {}).items():
            if key:
                made.options = gluster_options.put(made.options, key, content)
    for brick in ordered:
        machine = machines[brick.node]
        name = f"{volume_group(brick.device)}/{brick.lv}" if brick.path.startswith(CLONES) else ""
        made.bricks.append(VolumeBrick(storage[brick.node], brick.path, brick.type is BrickType.ARBITER, lv=name))
        entry = machine.entry(brick.path)
        if entry is not None:
            entry.xattrs[gluster_bricks.VOLUME_ID] = "0x" + made.id.replace("-", "")
    simulator.state.pool_of(machines[ordered[0].node].manage).volumes[volume.name] = made


def make_block_volume(simulator: Simulator, block_volume: BlockVolume, owners: Mapping[str, Volume]) -> None:
    """Make a block volume on its hosting volume, if that is there. The target's name holds gluster-block's id."""
    owner = owners.get(block_volume.hosting_volume)
    hosting = simulator.volumes.get(owner.name) if owner is not None else None
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

"""Snapshots and clones: hidden volumes whose bricks are thin snapshots, mounted below /run/gluster/snaps."""

from collections.abc import Iterable

from heketipy.executors.simulator import gluster_bricks, gluster_options, lvm, paths
from heketipy.executors.simulator.gluster_cli import Call, Refusal, Xml, answer, refused
from heketipy.executors.simulator.gluster_reports import snapshots_of
from heketipy.executors.simulator.state import (
    Entry,
    GlusterVolume,
    LogicalVolume,
    Mount,
    Node,
    Snapshot,
    State,
    VolumeBrick,
    VolumeGroup,
)
from heketipy.executors.transport import Result

CLONE_OPTIONS = ("features.quota", "features.inode-quota", "features.quota-deem-statfs")


def failure(call: Call, refusal: Refusal, verb: str, *body: Xml | str) -> Result:
    """Return a refusal as the snapshot commands print it."""
    if call.xml:
        return refused(call, refusal, "", *body)
    return Result(refusal.status, "Snapshot command failed\n", f"snapshot {verb}: failed: {refusal.text}\n")


def named(call: Call, name: str, *, dot: str = ".") -> Snapshot:
    """Return a snapshot, or refuse."""
    found = call.pool.snapshots.get(name)
    if found is None:
        raise Refusal(f"Snapshot ({name}) does not exist{dot}", errno=30807)
    return found


def snapshot_xml(snapshot: Snapshot) -> Xml:
    """Return name and uuid of a snapshot in XML."""
    return ("snapshot", [("name", snapshot.name), ("uuid", snapshot.uuid)])


def create(call: Call) -> Result:
    """Answer `snapshot create NAME VOLUME [no-timestamp]`."""
    words = [*call.words[2:], "", ""]
    name, origin = words[0], words[1]
    try:
        if origin not in call.pool.volumes:
            raise Refusal(f"Volume ({origin}) does not exist ", errno=30806)
        now = call.context.world.now()
        if "no-timestamp" not in words:
            name = f"{name}_GMT-{now:%Y.%m.%d-%H.%M.%S}"
        if name in call.pool.snapshots:
            raise Refusal(f"Snapshot {name} already exists", errno=30812)
        volume = call.volume(origin)
        if volume.status != "Started":
            raise Refusal(f"volume {origin} is not started", errno=30810)
        limit = call.pool.snap_max_hard_limit
        if len(snapshots_of(call, origin)) >= limit:
            raise Refusal(
                f"The number of existing snaps has reached the effective maximum limit of {limit}, for the volume"
                f" ({origin}). Please delete few snapshots before taking further snapshots.",
                errno=30814,
            )
        hidden = copy_volume(call, volume, call.context.world.uuid(), mounted=False)
    except Refusal as refusal:
        return failure(call, refusal, "create")
    snapshot = Snapshot(name, call.context.world.uuid(), origin, hidden, f"{now:%Y-%m-%d %H:%M:%S} +0000")
    call.pool.snapshots[name] = snapshot
    volume.options = gluster_options.put(volume.options, "features.barrier", "disable")
    if call.xml:
        return answer(("snapCreate", [snapshot_xml(snapshot)]))
    return Result(0, f"snapshot create: success: Snap {name} created successfully\n")


def copy_volume(call: Call, source: GlusterVolume, uuid: str, *, mounted: bool, name: str = "") -> GlusterVolume:
    """Make a volume whose bricks are thin snapshots of another's; LVs are numbered per node, paths over the volume."""
    hexadecimal = uuid.replace("-", "")
    numbers: dict[str, int] = {}
    made: list[VolumeBrick] = []
    behind = []
    for brick in source.bricks:
        node = call.host_of(brick)
        if node is None or not (node is call.node or node.serves):
            raise Refusal(f"One or more bricks of volume {source.name} are down.", errno=30810)
        behind.append((brick, node, *thin_behind(node, source, brick)))
    for at, (brick, node, group, lv, below) in enumerate(behind, start=1):
        lv_name = f"{hexadecimal}_{numbers.get(node.manage, 0)}"
        numbers[node.manage] = numbers.get(node.manage, 0) + 1
        copied = lvm.snapshot_lv(call.context, group, lv, lv_name)
        entry = inside(copied, below)
        if entry is not None:
            entry.mark(gluster_bricks.VOLUME_ID, f"0x{hexadecimal}")
        made.append(
            VolumeBrick(
                brick.host,
                f"{gluster_bricks.SNAPS}/{hexadecimal}/brick{at}{below}",
                brick.arbiter,
                lv=f"{group.name}/{lv_name}",
            )
        )
    volume = GlusterVolume(
        name=name or hexadecimal,
        id=uuid,
        kind=source.kind,
        set_size=source.set_size,
        arbiter=source.arbiter,
        redundancy=source.redundancy,
        bricks=made,
        options=dict(source.options),
    )
    if mounted:
        mount_bricks(call.context.world.state, volume)
    return volume


def inside(lv: LogicalVolume, below: str) -> Entry | None:
    """Return a directory of a file system which need not be mounted."""
    entry = lv.root
    for part in below.strip("/").split("/"):
        entry = entry.children.get(part) if entry and part else entry
    return entry


def thin_behind(node: Node, volume: GlusterVolume, brick: VolumeBrick) -> tuple[VolumeGroup, LogicalVolume, str]:
    """Return the thin volume that holds a brick, and the brick's path below its mount point."""
    if brick.lv and (found := node.lv_by_path(brick.lv)):
        return *found, below_of(brick)
    mount = node.covering(brick.path)
    found = node.lv_by_path(mount.device) if mount else None
    if mount is None or found is None or found[1].kind != "thin":
        raise Refusal(
            "Snapshot is supported only for thin provisioned LV. Ensure that all bricks of"
            f" {volume.name} are thinly provisioned LV.",
            errno=30813,
        )
    return *found, brick.path[len(mount.point) :]


def below_of(brick: VolumeBrick) -> str:
    """Return the path of a snapshot's or clone's brick below its mount point."""
    return "/" + "/".join(brick.path.split("/")[6:])


def point_of(brick: VolumeBrick) -> str:
    """Return the mount point of a snapshot's or clone's brick."""
    return "/".join(brick.path.split("/")[:6])


def mount_bricks(state: State, volume: GlusterVolume, only: Node | None = None) -> None:
    """Mount the bricks of a snapshot or clone, as their origins are mounted, with nouuid."""
    for brick in volume.bricks:
        node = state.by_storage(brick.host)
        found = node.lv_by_path(brick.lv) if node and brick.lv else None
        if node is None or found is None or (only is not None and node is not only):
            continue
        point = point_of(brick)
        if point in node.mounts:
            continue
        group, lv = found
        options = ["rw"]
        for other in node.mount_list:
            device = node.lv_by_path(other.device)
            if device and device[0] is group and device[1].pool == lv.pool:
                options = [option for option in other.options if option != "nouuid"]
                break
        paths.make_directories(node, point)
        node.mounted += 1
        node.mounts[point] = [Mount(lv.path, point, "xfs", [*options, "nouuid"], node.mounted)]


def unmount_bricks(call: Call, volume: GlusterVolume) -> None:
    """Unmount the bricks of a snapshot."""
    for brick in volume.bricks:
        node = call.host_of(brick)
        if node is not None:
            node.mounts.pop(point_of(brick), None)


def activate(call: Call) -> Result:
    """Answer `snapshot activate NAME [force]`."""
    name = call.words[2] if len(call.words) > 2 else ""
    try:
        snapshot = named(call, name)
        if snapshot.active and "force" not in call.words:
            raise Refusal(f"Snapshot {name} is already activated.", errno=22)
    except Refusal as refusal:
        return failure(call, refusal, "activate")
    snapshot.active = True
    snapshot.volume.status = "Started"
    mount_bricks(call.context.world.state, snapshot.volume)
    if call.xml:
        return answer(("snapActivate", [snapshot_xml(snapshot)]))
    return Result(0, f"Snapshot activate: {name}: Snap activated successfully\n")


def deactivate(call: Call) -> Result:
    """Answer `snapshot deactivate NAME`."""
    name = call.words[2] if len(call.words) > 2 else ""
    try:
        snapshot = named(call, name)
        if not snapshot.active:
            raise Refusal(f"Snapshot {name} is already deactivated.", errno=22)
    except Refusal as refusal:
        return failure(call, refusal, "deactivate")
    snapshot.active = False
    snapshot.volume.status = "Stopped"
    unmount_bricks(call, snapshot.volume)
    if call.xml:
        return answer(("snapDeactivate", [snapshot_xml(snapshot)]))
    return Result(0, f"Snapshot deactivate: {name}: Snap deactivated successfully\n")


def clone(call: Call) -> Result:
    """Answer `snapshot clone CLONE NAME`."""
    words = [*call.words[2:], "", ""]
    clone_name, name = words[0], words[1]
    try:
        snapshot = call.pool.snapshots.get(name)
        if snapshot is None:
            raise Refusal(f"Failed to find :{name} snap")
        if clone_name in call.pool.volumes:
            raise Refusal(f"Volume with name:{clone_name} already exists", errno=30811)
        if not snapshot.active:
            raise Refusal(f"Snapshot {name} is not activated", errno=30810)
        volume = copy_volume(call, snapshot.volume, call.context.world.uuid(), mounted=True, name=clone_name)
    except Refusal as refusal:
        return failure(call, refusal, "clone")
    volume.options = {**volume.options, **dict.fromkeys(CLONE_OPTIONS, "off")}
    call.pool.volumes[clone_name] = volume
    if call.xml:
        return answer(("CloneCreate", [("volume", [("name", clone_name), ("uuid", volume.id)])]))
    return Result(0, f"snapshot clone: success: Clone {clone_name} created successfully\n")


def delete(call: Call) -> Result:
    """Answer `snapshot delete NAME|all|volume VOLUME`."""
    words = [*call.words[2:], "", ""]
    name = words[0]
    if name == "all":
        doomed: Iterable[str] = list(call.pool.snapshots)
    elif name == "volume":
        doomed = snapshots_of(call, words[1])
    else:
        try:
            doomed = [named(call, name, dot="").name]
        except Refusal as refusal:
            told: list[Xml | str] = [
                ("status", "Failure"), ("opRet", "-1"), ("opErrno", str(refusal.errno)), ("opErrstr", refusal.errstr),
                ("name", name),
            ]  # fmt: skip
            return failure(call, refusal, "delete", ("snapDelete", [("snapshots", [("snapshot", told)])]))
    listed: list[Xml | str] = []
    text = ""
    for each in doomed:
        snapshot = call.pool.snapshots.pop(each)
        remove_bricks(call, snapshot.volume)
        listed.append(("snapshot", [("status", "Success"), ("name", each), ("uuid", snapshot.uuid)]))
        text += f"snapshot delete: {each}: snap removed successfully\n"
    if call.xml:
        return answer(("snapDelete", [("snapshots", listed)]))
    return Result(0, text)


def remove_bricks(call: Call, volume: GlusterVolume) -> None:
    """Unmount and remove the thin snapshots of a snapshot."""
    unmount_bricks(call, volume)
    for brick in volume.bricks:
        node = call.host_of(brick)
        found = node.lv_by_path(brick.lv) if node else None
        if node is None:
            continue
        if found:
            lvm.remove_lv(*found)
        if node.entry(point_of(brick)) is not None:
            paths.remove_tree(node, point_of(brick))
        above = point_of(brick).rpartition("/")[0]
        entry = node.entry(above)
        if entry is not None and not entry.children:
            paths.remove_directory(node, above)


def snapshot_list(call: Call) -> Result:
    """Answer `snapshot list [VOLUME]`."""
    wanted = call.words[2] if len(call.words) > 2 else ""
    if wanted and wanted not in call.pool.volumes:
        refusal = Refusal(f"Volume ({wanted}) does not exist", errno=30806)
        return failure(call, refusal, "list")
    names = snapshots_of(call, wanted) if wanted else list(call.pool.snapshots)
    if call.xml:
        return answer(("snapList", [("count", str(len(names))), *(("snapshot", name) for name in names)]))
    return Result(0, "".join(f"{name}\n" for name in names) or "No snapshots present\n")


def info(call: Call) -> Result:
    """Answer `snapshot info [NAME]`."""
    wanted = call.words[2] if len(call.words) > 2 else ""
    try:
        found = [named(call, wanted, dot="")] if wanted else list(call.pool.snapshots.values())
    except Refusal as refusal:
        return failure(call, refusal, "info")
    listed: list[Xml | str] = []
    for snapshot in found:
        count = len(snapshots_of(call, snapshot.origin))
        origin: Xml = (
            "originVolume",
            [
                ("name", snapshot.origin),
                ("snapCount", str(count)),
                ("snapRemaining", str(call.pool.snap_max_hard_limit - count)),
            ],
        )
        hidden: Xml = (
            "snapVolume",
            [("name", snapshot.volume.name), ("status", "Started" if snapshot.active else "Stopped"), origin],
        )
        listed.append(
            (
                "snapshot",
                [
                    ("name", snapshot.name),
                    ("uuid", snapshot.uuid),
                    ("description", ""),
                    ("createTime", snapshot.created),
                    ("volCount", "1"),
                    hidden,
                ],
            )
        )
    if call.xml:
        return answer(("snapInfo", [("count", str(len(found))), ("snapshots", listed)]))
    return Result(
        0, "".join(f"Snapshot : {s.name}\nSnap UUID : {s.uuid}\n\n" for s in found) or "No snapshots present\n"
    )


def config(call: Call) -> Result:
    """Answer `snapshot config [VOLUME] snap-max-hard-limit N`."""
    words = call.words[2:]
    if "snap-max-hard-limit" not in words:
        return Result(0, f"Snapshot System Configuration:\nsnap-max-hard-limit : {call.pool.snap_max_hard_limit}\n")
    value = words[words.index("snap-max-hard-limit") + 1 :][:1]
    if not value or not value[0].isdecimal() or not 1 <= int(value[0]) <= 256:
        text = f"Invalid snap-max-hard-limit {''.join(value)}. Expected range 1 - 256"
        return Result(1, "Snapshot command failed\n", f"Snapshot Config : failed: {text}\n")
    call.pool.snap_max_hard_limit = int(value[0])
    return Result(0, "snapshot config: snap-max-hard-limit for System set successfully\n")

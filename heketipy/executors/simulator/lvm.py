"""LVM: pvcreate, vgcreate, lvcreate and their opposites, with the accounting of extents that LVM really does.

An area for metadata stands before the first extent (`--metadatasize`, rounded up to `--dataalignment`), and the first
thin pool of a group makes a hidden spare as large as its metadata, which grows with the largest and goes with the last
pool. So a group holds less than its disk, and less than heketi's books believe.
"""

import copy
import math
import re
from collections.abc import Iterable

from heketipy.executors.simulator import lvm_reports
from heketipy.executors.simulator.context import (
    ROOM_FOR_METADATA_KIB,
    BadOption,
    Context,
    Options,
    Tool,
    done,
    failed,
    read_options,
)
from heketipy.executors.simulator.state import Disk, LogicalVolume, VolumeGroup
from heketipy.executors.transport import Result

COMMON_FLAGS = "q|quiet v|verbose d|debug y|yes t|test noudevsync nolocking reportformat-unused"
COMMON_VALUED = "A|autobackup config devices profile commandprofile metadataprofile nohistory-unused"
NOT_BACKED_UP = "  WARNING: This metadata update is NOT backed up.\n"
SIGNATURES = {
    "xfs": (0, "58 46 53 42"),
    "ext4": (0x438, "53 ef"),
    "LVM2_member": (0x218, "4c 56 4d 32 20 30 30 31"),
    "dos": (0x1FE, "55 aa"),
    "gpt": (0x200, "45 46 49 20 50 41 52 54"),
}
"""Where wipefs finds a signature, and its bytes."""


def size_kib(text: str, default: str = "m") -> int:
    """Return a size of LVM's command line in KiB, rounded up. A number without a unit is MiB (`default`)."""
    found = re.fullmatch(r"\s*([0-9.]+)\s*([bskmgtp]?)(?:i?b)?\s*", text, re.IGNORECASE)
    if not found:
        raise BadOption(f"Invalid argument {text}")
    unit = (found[2] or default).lower()
    bytes_in = {"b": 1, "s": 512, "k": 1 << 10, "m": 1 << 20, "g": 1 << 30, "t": 1 << 40, "p": 1 << 50}[unit]
    return math.ceil(float(found[1]) * bytes_in / 1024)


def display(kib: int) -> str:
    """Return a size as LVM's messages show it."""
    value = float(kib)
    for unit in ("KiB", "MiB", "GiB", "TiB"):
        if value < 1024 or unit == "TiB":
            break
        value /= 1024
    return f"{value:.2f} {unit}"


def command(context: Context, flags: str = "", valued: str = "") -> Options:
    """Parse the options of an LVM command."""
    return read_options(context.args, f"{COMMON_FLAGS} {flags}", f"{COMMON_VALUED} {valued}")


def backup_warning(options: Options) -> str:
    """Return what LVM says when it was told to keep no backup."""
    return NOT_BACKED_UP if options.last("autobackup", "y") in {"n", "0"} else ""


def said(options: Options, text: str) -> str:
    """Return a message unless -q was given."""
    return "" if "quiet" in options else text


def no_group(name: str) -> str:
    """Return LVM's complaint about a group that does not exist."""
    return f'  Volume group "{name}" not found\n  Cannot process volume group {name}\n'


def pvcreate(context: Context) -> Result:
    """Make disks physical volumes."""
    options = command(context, "f|force norestorefile", "metadatasize dataalignment dataalignmentoffset u|uuid Z|zero")
    out = ""
    for path in options.rest:
        disk = context.disk(path)
        if disk is None:
            return failed(5, f"  No device found for {path}.\n", out)
        forced = len(options.values.get("force", []))
        if refusal := pv_refusal(context, disk, options, forced):
            return failed(5, refusal, out)
        if disk.vg:
            del context.node.vgs[disk.vg]
        if disk.signature not in {"", "LVM2_member"}:
            out += said(options, f"  Wiping {disk.signature} signature on {disk.path}.\n")
        make_pv(context, disk, options)
        out += said(options, f'  Physical volume "{disk.path}" successfully created.\n')
    return done(out)


def pv_refusal(context: Context, disk: Disk, options: Options, forced: int) -> str:
    """Return why a disk cannot become a physical volume; "" if it can."""
    if context.node.hides(disk):
        return f"  Cannot use {disk.path}: device is rejected by filter config\n"
    if disk.path == "/dev/vda" or context.node.mounts_of(disk):
        mounted = f"  Can't open {disk.path} exclusively.  Mounted filesystem?\n"
        reading = "  Error opening device {0} for reading at 0 length {1}.\n"
        return (
            mounted + mounted + reading.format(disk.path, 512) + mounted + reading.format(disk.path, 4096)
            + f"  Cannot use {disk.path}: device has a signature\n"
        )  # fmt: skip
    if disk.vg and (forced < 2 or context.node.vgs[disk.vg].lvs):
        return (
            f'  Can\'t initialize physical volume "{disk.path}" of volume group "{disk.vg}" without -ff\n'
            f"  {disk.path}: physical volume not initialized.\n"
        )
    if disk.signature not in {"", "LVM2_member"} and "yes" not in options:
        offset = SIGNATURES.get(disk.signature, (0, ""))[0]
        return (
            f"WARNING: {disk.signature} signature detected on {disk.path} at offset {offset}. Wipe it? [y/n]: [n]\n"
            f"  Aborted wiping of {disk.signature}.\n  1 existing signature left on the device.\n"
        )
    return ""


def make_pv(context: Context, disk: Disk, options: Options) -> None:
    """Write a physical volume's label: a new uuid, and where its first extent will be."""
    alignment = size_kib(options.last("dataalignment", "1m"), "k")
    metadata = size_kib(options.last("metadatasize")) + 4 if "metadatasize" in options else 1024
    disk.signature, disk.root, disk.vg = "LVM2_member", None, ""
    disk.pe_start_kib = math.ceil(metadata / alignment) * alignment
    disk.pv_uuid = context.world.lvm_uuid()


def pvremove(context: Context) -> Result:
    """Take the label of physical volumes away."""
    options = command(context, "f|force")
    out = ""
    for path in options.rest:
        disk = context.disk(path)
        if disk is None:
            return failed(5, f"  No device found for {path}.\n", out)
        if not disk.pv_uuid:
            return failed(5, f"  No PV found on device {path}.\n", out)
        if disk.vg and len(options.values.get("force", [])) < 2:
            return failed(
                5,
                f"  PV {disk.path} is used by VG {disk.vg} so please use vgreduce first.\n"
                "  (If you are certain you need pvremove, then confirm by using --force twice.)\n"
                f"  {disk.path}: physical volume label not removed.\n",
                out,
            )
        context.node.vgs.pop(disk.vg, None)
        forget_label(disk)
        out += said(options, f'  Labels on physical volume "{disk.path}" successfully wiped.\n')
    return done(out)


def forget_label(disk: Disk) -> None:
    """Make a disk blank."""
    disk.signature, disk.pv_uuid, disk.vg, disk.pe_start_kib, disk.root = "", "", "", 0, None


def vgcreate(context: Context) -> Result:
    """Make a volume group of one disk (which becomes a physical volume if it is none)."""
    options = command(
        context,
        "f|force",
        "s|physicalextentsize metadatasize dataalignment addtag l|maxlogicalvolumes p|maxphysicalvolumes c|clustered",
    )
    name, *devices = options.rest or [""]
    if name in context.node.vgs:
        return failed(5, f"  A volume group called {name} already exists.\n")
    if len(devices) != 1:
        return failed(3, "  Please enter physical volume(s)\n")
    disk = context.disk(devices[0])
    if disk is None:
        return failed(5, f"  No device found for {devices[0]}.\n")
    if disk.vg:
        return failed(
            5,
            f"  Physical volume '{disk.path}' is already in volume group '{disk.vg}'\n"
            f"  Unable to add physical volume '{disk.path}' to volume group '{disk.vg}'\n"
            f"  {disk.path}: physical volume not initialized.\n",
        )
    if not disk.pv_uuid:
        if refusal := pv_refusal(context, disk, options, 0):
            return failed(5, refusal)
        make_pv(context, disk, options)
    extent_kib = size_kib(options.last("physicalextentsize", "4m"))
    make_group(context, disk, name, extent_kib)
    return done(said(options, f'  Volume group "{name}" successfully created\n'), backup_warning(options))


def make_group(context: Context, disk: Disk, name: str, extent_kib: int) -> VolumeGroup:
    """Put a physical volume into a new group."""
    room = disk.size_kib - disk.pe_start_kib
    lenient = context.world.accept_anything
    if lenient:
        room = min(room, disk.size_kib - ROOM_FOR_METADATA_KIB)
    disk.vg = name
    group = context.node.vgs[name] = VolumeGroup(
        name=name,
        uuid=context.world.lvm_uuid(),
        disk=disk.path,
        extent_kib=extent_kib,
        extents=room // extent_kib,
        spare=not lenient,
    )
    return group


def vgremove(context: Context) -> Result:
    """Remove volume groups; with -f or -y their logical volumes too."""
    options = command(context, "f|force", "S|select")
    out = ""
    for name in options.rest:
        group = context.node.vgs.get(name)
        if group is None:
            return failed(5, no_group(name), out)
        if group.lvs and not ("force" in options or "yes" in options):
            return failed(
                5,
                f'Do you really want to remove volume group "{name}" containing {len(group.lvs)} logical volumes?'
                f' [y/n]: [n]\n  Volume group "{name}" not removed\n',
                out,
            )
        for lv in group.lvs.values():
            if context.node.mounts_of(lv):
                return failed(5, f"  Logical volume {name}/{lv.name} contains a filesystem in use.\n", out)
        drop_group(context, group)
        out += said(options, f'  Volume group "{name}" successfully removed\n')
    return done(out)


def drop_group(context: Context, group: VolumeGroup) -> None:
    """Forget a group; its disk stays a physical volume."""
    context.node.disks[group.disk].vg = ""
    del context.node.vgs[group.name]


def lvcreate(context: Context) -> Result:
    """Make a thin pool, a thin volume in it, both at once, a snapshot of a thin volume, or a linear volume."""
    options = command(
        context,
        "T|thin s|snapshot K|ignoreactivationskip wipesignatures-unused",
        "L|size V|virtualsize n|name poolmetadatasize c|chunksize type thinpool l|extents addtag a|activate "
        "k|setactivationskip Z|zero W|wipesignatures poolmetadataspare discards p|permission errorwhenfull r|readahead",
    )
    target = (options.rest or [""])[0].removeprefix("/dev/")
    if "thinpool" in options and "/" not in target:
        target = f"{target}/{options.last('thinpool').rpartition('/')[2]}"
    group_name, _, pool_name = target.partition("/")
    group = context.node.vgs.get(group_name)
    if group is None:
        return failed(5, no_group(group_name))
    if "snapshot" in options and not options.last("size"):
        return lvcreate_snapshot(context, options, group, pool_name)
    if "thin" in options or options.last("type").startswith("thin") or "thinpool" in options:
        return lvcreate_thin(context, options, group, pool_name)
    return lvcreate_linear(context, options, group)


def lvcreate_snapshot(context: Context, options: Options, group: VolumeGroup, origin_name: str) -> Result:
    """Make a thin snapshot: it shares the pool and the content of its origin."""
    origin = group.lvs.get(origin_name)
    if origin is None:
        return failed(5, f'  Failed to find logical volume "{group.name}/{origin_name}"\n')
    name = options.last("name")
    if name in group.lvs:
        return failed(5, f'  Logical Volume "{name}" already exists in volume group "{group.name}"\n')
    snapshot_lv(context, group, origin, name)
    return done(said(options, f'  Logical volume "{name}" created.\n'), backup_warning(options))


def snapshot_lv(context: Context, group: VolumeGroup, origin: LogicalVolume, name: str) -> LogicalVolume:
    """Make a thin volume whose content is, at this moment, that of another."""
    lv = group.lvs[name] = LogicalVolume(
        name=name,
        vg=group.name,
        uuid=context.world.lvm_uuid(),
        kind="thin",
        size_kib=origin.size_kib,
        pool=origin.pool,
        origin=origin.name,
        signature=origin.signature,
        fs_uuid=origin.fs_uuid,
        written_kib=origin.written_kib,
        root=copy.deepcopy(origin.root),
    )
    return lv


def lvcreate_linear(context: Context, options: Options, group: VolumeGroup) -> Result:
    """Make a linear volume."""
    name = options.last("name") or free_name(group)
    if name in group.lvs:
        return failed(5, f'  Logical Volume "{name}" already exists in volume group "{group.name}"\n')
    if "size" in options:
        extents = math.ceil(size_kib(options.last("size")) / group.extent_kib)
    else:
        extents = extents_of(options.last("extents", "0"), group)
    if extents > group.free_extents:
        return failed(
            5,
            f'  Volume group "{group.name}" has insufficient free space'
            f" ({group.free_extents} extents): {extents} required.\n",
        )
    group.lvs[name] = LogicalVolume(
        name=name,
        vg=group.name,
        uuid=context.world.lvm_uuid(),
        kind="linear",
        size_kib=extents * group.extent_kib,
        extents=extents,
        tags=tuple(options.values.get("addtag", ())),
    )
    return done(said(options, f'  Logical volume "{name}" created.\n'), backup_warning(options))


def extents_of(text: str, group: VolumeGroup) -> int:
    """Return a number of extents: `100`, `50%VG`, `100%FREE`."""
    share, percent, of = text.partition("%")
    if not percent:
        return int(text)
    whole = group.free_extents if of.upper() in {"FREE", "PVS"} else group.extents
    return whole * int(share) // 100


def free_name(group: VolumeGroup) -> str:
    """Return the first of lvol0, lvol1, … that is free."""
    number = 0
    while f"lvol{number}" in group.lvs:
        number += 1
    return f"lvol{number}"


def lvcreate_thin(context: Context, options: Options, group: VolumeGroup, pool_name: str) -> Result:
    """Make a thin pool (if a size is given) and a thin volume (if a virtual size is given)."""
    chunk_kib = size_kib(options.last("chunksize", "64k"), "k")
    if chunk_kib % 64:
        return failed(
            3,
            f"  Thin pool chunk size {display(chunk_kib)} must be a multiple of 64.00 KiB.\n"
            "  Run `lvcreate --help' for more information.\n",
        )
    warnings = ""
    thin_name = options.last("name")
    wants_pool = "size" in options or "extents" in options
    if not pool_name:
        pool_name = (thin_name if "virtualsize" not in options else "") or free_name(group)
    if wants_pool and pool_name in group.lvs:
        return failed(5, f"  Logical volume {pool_name} already exists in Volume group {group.name}.\n")
    if "virtualsize" in options and thin_name in group.lvs:
        return failed(5, f'  Logical Volume "{thin_name}" already exists in volume group "{group.name}"\n')
    if wants_pool:
        pool = wanted_pool(context, options, group, pool_name, chunk_kib)
        least = smallest_chunk_kib(pool, group)
        if chunk_kib < least:
            warnings += f"  WARNING: Chunk size is smaller then suggested minimum size {display(least)}.\n"
        if refusal := pool_refusal(group, pool):
            return failed(5, warnings + refusal)
        group.lvs[pool_name] = pool
        if group.spare:
            group.spare_extents = max(group.spare_extents, pool.metadata_extents)
    elif group.lvs.get(pool_name) is None or group.lvs[pool_name].kind != "pool":
        return failed(5, f'  Failed to find logical volume "{group.name}/{pool_name}"\n')
    out = said(options, f'  Logical volume "{pool_name}" created.\n') if "virtualsize" not in options else ""
    if "virtualsize" in options:
        name = thin_name or free_name(group)
        size = size_kib(options.last("virtualsize"))
        group.lvs[name] = LogicalVolume(
            name=name,
            vg=group.name,
            uuid=context.world.lvm_uuid(),
            kind="thin",
            size_kib=math.ceil(size / group.extent_kib) * group.extent_kib,
            pool=pool_name,
            tags=tuple(options.values.get("addtag", ())),
        )
        out = said(options, f'  Logical volume "{name}" created.\n')
        warnings += overcommitted(group)
    return done(out, warnings + backup_warning(options))


def wanted_pool(context: Context, options: Options, group: VolumeGroup, name: str, chunk_kib: int) -> LogicalVolume:
    """Return the pool that was asked for, not yet in its group."""
    if "size" in options:
        extents = math.ceil(size_kib(options.last("size")) / group.extent_kib)
    else:
        extents = extents_of(options.last("extents"), group)
    data_kib = extents * group.extent_kib
    if "poolmetadatasize" in options:
        metadata_kib = size_kib(options.last("poolmetadatasize"))
    else:
        metadata_kib = max(2048, data_kib // chunk_kib * 64 // 1024)
    metadata_kib = min(max(metadata_kib, 2048), 16 << 20)
    return LogicalVolume(
        name=name,
        vg=group.name,
        uuid=context.world.lvm_uuid(),
        kind="pool",
        size_kib=data_kib,
        extents=extents,
        metadata_extents=math.ceil(metadata_kib / group.extent_kib),
        chunk_kib=chunk_kib,
    )


def smallest_chunk_kib(pool: LogicalVolume, group: VolumeGroup) -> int:
    """Return the chunk size below which LVM thinks the metadata too small (64 bytes a chunk, a power of two)."""
    wanted = pool.size_kib * 64 / (pool.metadata_extents * group.extent_kib * 1024)
    return int(2 ** math.ceil(math.log2(max(wanted, 64))))


def pool_refusal(group: VolumeGroup, pool: LogicalVolume) -> str:
    """Return why a pool does not fit; "" if it does."""
    free = group.free_extents
    if group.spare:
        free -= max(0, pool.metadata_extents - group.spare_extents)
    needed = pool.extents
    if free < 0 or pool.extents <= free < pool.extents + pool.metadata_extents:
        needed = pool.extents + pool.metadata_extents
    if needed <= free:
        return ""
    return (
        f'  Volume group "{group.name}" has insufficient free space'
        f" ({group.free_extents} extents): {needed} required.\n"
    )


def overcommitted(group: VolumeGroup) -> str:
    """Return LVM's warning if the thin volumes of a group promise more than its pools have."""
    volumes = [lv for lv in group.lvs.values() if lv.kind == "thin"]
    pools = [lv for lv in group.lvs.values() if lv.kind == "pool"]
    promised, there = sum(lv.size_kib for lv in volumes), sum(lv.size_kib for lv in pools)
    if promised <= there:
        return ""
    return (
        f"  WARNING: Sum of all thin volume sizes ({display(promised)})"
        f" exceeds the size of thin pools ({display(there)}).\n"
    )


def targets(
    context: Context, names: Iterable[str], select: str = ""
) -> tuple[list[tuple[VolumeGroup, LogicalVolume]], str]:
    """Return the volumes that arguments name (`vg/lv`, a path, `vg` for all of it), and complaints about the others."""
    found: list[tuple[VolumeGroup, LogicalVolume]] = []
    errors = ""
    wanted = list(names)
    if select and not wanted:
        wanted = list(context.node.vgs)
    for name in wanted:
        hit = context.node.lv_by_path(name)
        if hit:
            found.append(hit)
            continue
        if name.startswith("/dev/mapper/"):
            errors += f'  Failed to find logical volume "{name.removeprefix("/dev/mapper/").replace("-", "/", 1)}"\n'
            continue
        group_name, _, lv_name = name.removeprefix("/dev/").partition("/")
        group = context.node.vgs.get(group_name)
        if group is None:
            errors += no_group(group_name)
        elif lv_name:
            errors += f'  Failed to find logical volume "{group_name}/{lv_name}"\n'
        else:
            found += [(group, lv) for lv in group.lvs.values()]
    if select:
        chosen = lvm_reports.selection(select)
        found = [(group, lv) for group, lv in found if chosen(lvm_reports.View(context).lv(group, lv))]
    return found, errors


def lvremove(context: Context) -> Result:
    """Remove logical volumes; a pool takes its thin volumes along."""
    options = command(context, "f|force noudevsync", "S|select")
    found, errors = targets(context, options.rest, options.last("select"))
    out, warned = "", ""
    for group, lv in found:
        if lv.name not in group.lvs:
            continue
        doomed = [*group.thins(lv.name), lv] if lv.kind == "pool" else [lv]
        if not ("force" in options or "yes" in options):
            errors += (
                f"Do you really want to remove active logical volume {group.name}/{lv.name}? [y/n]: [n]\n"
                f"  Logical volume {group.name}/{lv.name} not removed.\n"
            )
            continue
        busy = [one for one in doomed if context.node.mounts_of(one)]
        if busy:
            errors += f"  Logical volume {group.name}/{busy[0].name} contains a filesystem in use.\n"
            continue
        for one in doomed:
            remove_lv(group, one)
            out += said(options, f'  Logical volume "{one.name}" successfully removed.\n')
        warned = backup_warning(options)
    return Result(5 if errors else 0, out, errors + warned)


def remove_lv(group: VolumeGroup, lv: LogicalVolume) -> None:
    """Take a volume out of its group; the spare goes with the last pool."""
    del group.lvs[lv.name]
    heir = next((other for other in group.lvs.values() if lv.fs_uuid and other.fs_uuid == lv.fs_uuid), None)
    if heir is not None:
        heir.own_kib += lv.own_kib
    for other in group.lvs.values():
        if other.origin == lv.name:
            other.origin = ""
    if lv.kind == "pool" and not any(other.kind == "pool" for other in group.lvs.values()):
        group.spare_extents = 0


def lvchange(context: Context) -> Result:
    """Activate, deactivate, tag."""
    options = command(
        context,
        "K|ignoreactivationskip f|force refresh",
        "a|activate addtag deltag k|setactivationskip p|permission S|select",
    )
    found, errors = targets(context, options.rest, options.last("select"))
    for group, lv in found:
        wanted = options.last("activate")
        if wanted.endswith("n") and context.node.mounts_of(lv):
            errors += f"  Logical volume {group.name}/{lv.name} contains a filesystem in use.\n"
            continue
        if wanted:
            lv.active = not wanted.endswith("n")
        tags = [*lv.tags, *(tag for tag in options.values.get("addtag", []) if tag not in lv.tags)]
        lv.tags = tuple(tag for tag in tags if tag not in options.values.get("deltag", []))
    return Result(5 if errors else 0, "", errors or backup_warning(options))


def lvrename(context: Context) -> Result:
    """Rename a volume: `vg old new` or `vg/old new`."""
    options = command(context)
    words = options.rest if len(options.rest) == 3 else [*options.rest[0].split("/", 1), *options.rest[1:]]
    group_name, old, new = [*words, "", "", ""][:3]
    new = new.rpartition("/")[2]
    group = context.node.vgs.get(group_name)
    if group is None:
        return failed(5, no_group(group_name))
    if old not in group.lvs:
        return failed(5, f'  Existing logical volume "{old}" not found in volume group "{group_name}"\n')
    if new in group.lvs:
        return failed(5, f'  Logical Volume "{new}" already exists in volume group "{group_name}"\n')
    lv = group.lvs.pop(old)
    lv.name = new
    group.lvs[new] = lv
    for other in group.lvs.values():
        other.pool = new if other.pool == old else other.pool
        other.origin = new if other.origin == old else other.origin
    return done(said(options, f'  Renamed "{old}" to "{new}" in volume group "{group_name}"\n'))


def vgchange(context: Context) -> Result:
    """Activate or deactivate whole groups."""
    options = command(context, "refresh monitor-unused", "a|activate addtag deltag")
    for name in options.rest or list(context.node.vgs):
        group = context.node.vgs.get(name)
        if group is None:
            return failed(5, no_group(name))
        if "activate" in options:
            for lv in group.lvs.values():
                lv.active = not options.last("activate").endswith("n") or bool(context.node.mounts_of(lv))
    return done()


def scan(_: Context) -> Result:
    """Find nothing new: pvscan, vgscan."""
    return done()


def version(_: Context) -> Result:
    """Say which version is simulated."""
    return done("  LVM version:     2.03.16(2) (2022-05-18)\n  Library version: 1.02.185 (2022-05-18)\n")


def wipefs(context: Context) -> Result:
    """Show the signatures of a device, or with --all erase them."""
    options = read_options(
        context.args,
        "a|all f|force n|no-act q|quiet p|parsable J|json noheadings i|noheadings V|version",
        "b|backup o|offset t|types O|output",
    )
    if "version" in options:
        return done("wipefs from util-linux 2.38.1\n")
    out, errors = "", ""
    for path in options.rest:
        device = context.disk(path) or context.node.device(path)
        if device is None:
            errors += f"wipefs: error: {path}: probing initialization failed: No such file or directory\n"
            continue
        offset, code = SIGNATURES.get(device.signature, (0, ""))
        if "all" not in options:
            out += shown_signature(options, path, device, offset)
            continue
        if is_busy(context, device) and "force" not in options:
            errors += f"wipefs: error: {path}: probing initialization failed: Device or resource busy\n"
            continue
        if device.signature and "quiet" not in options:
            count = len(code.split())
            out += f"{path}: {count} bytes were erased at offset 0x{offset:08x} ({device.signature}): {code}\n"
        if "no-act" not in options:
            wipe(context, device)
    return failed(1, errors, out) if errors else done(out)


def shown_signature(options: Options, path: str, device: Disk | LogicalVolume, offset: int) -> str:
    """Return what wipefs without --all prints about a device."""
    uuid = device.pv_uuid if isinstance(device, Disk) else device.fs_uuid
    short = path.rpartition("/")[2]
    if not device.signature:
        return '{\n   "signatures": [\n\n   ]\n}\n' if "json" in options else ""
    if "json" in options:
        kind = f'"type":"{device.signature}", "uuid":"{uuid}", "label":null'
        row = f'{{"device":"{short}", "offset":"0x{offset:x}", {kind}}}'
        return f'{{\n   "signatures": [\n      {row}\n   ]\n}}\n'
    if "parsable" in options:
        head = "" if "noheadings" in options else "# offset,uuid,label,type\n"
        return f"{head}0x{offset:x},{uuid},,{device.signature}\n"
    head = "" if "noheadings" in options else f"DEVICE OFFSET TYPE {'UUID':<38} LABEL\n"
    return f"{head}{short:<6} 0x{offset:<4x} {device.signature:<4} {uuid:<38} \n"


def is_busy(context: Context, device: Disk | LogicalVolume) -> bool:
    """Return whether somebody holds a device open: a mount, or the logical volumes on it."""
    if context.node.mounts_of(device) or (isinstance(device, Disk) and device.path == "/dev/vda"):
        return True
    return isinstance(device, Disk) and bool(device.vg) and bool(context.node.vgs[device.vg].lvs)


def wipe(context: Context, device: Disk | LogicalVolume) -> None:
    """Erase what a device holds; a volume group on it is gone as well."""
    if isinstance(device, Disk):
        context.node.vgs.pop(device.vg, None)
        forget_label(device)
    else:
        device.signature, device.fs_uuid, device.root = "", "", None


def lvm(context: Context) -> Result:
    """Run `lvm SUBCOMMAND`."""
    sub = context.args[0] if context.args else ""
    tool = COMMANDS.get(sub)
    if tool is None:
        return failed(2, f"  No such command '{sub}'.  Try 'lvm help'.\n")
    return tool(Context(context.world, context.node, context.argv[1:], context.stdin))


def lvmconfig(context: Context) -> Result:
    """Print the section `devices` of the configuration: what is set in it."""
    options = command(context, "l|list withcomments", "typeconfig atversion f|file unconfigured")
    if options.rest not in ([], ["devices"]) or not context.node.lvm_filter:
        return failed(5, f"  Configuration node {' '.join(options.rest)} not found\n") if options.rest else done()
    patterns = ",".join(f'"{pattern}"' for pattern in context.node.lvm_filter)
    return done(f"devices {{\n\tfilter=[{patterns}]\n}}\n")


def guarded(tool: Tool) -> Tool:
    """Let a tool answer an option that it does not know as LVM does."""

    def run(context: Context) -> Result:
        try:
            return tool(context)
        except BadOption as error:
            return failed(3, f"  {context.argv[0]}: {error}\n  Error during parsing of command line.\n")

    return run


COMMANDS: dict[str, Tool] = {
    name: guarded(tool)
    for name, tool in {
        "pvcreate": pvcreate, "pvremove": pvremove, "vgcreate": vgcreate, "vgremove": vgremove, "lvcreate": lvcreate,
        "lvremove": lvremove, "lvchange": lvchange, "lvrename": lvrename, "vgchange": vgchange, "pvscan": scan,
        "vgscan": scan, "lvscan": scan, "version": version, "pvs": lvm_reports.pvs, "vgs": lvm_reports.vgs,
        "lvs": lvm_reports.lvs, "vgdisplay": lvm_reports.vgdisplay, "lvmconfig": lvmconfig,
    }.items()
}  # fmt: skip

TOOLS: dict[str, Tool] = {
    **{k: v for k, v in COMMANDS.items() if k != "version"},
    "lvm": lvm,
    "wipefs": guarded(wipefs),
}

"""mount, umount and their kin: what is mounted where, and what /etc/fstab mounts at boot."""

import json
from dataclasses import dataclass

from heketipy.executors.simulator import paths
from heketipy.executors.simulator.context import BadOption, Context, Options, Tool, done, failed, read_options
from heketipy.executors.simulator.state import Disk, LogicalVolume, Mount, Node, words
from heketipy.executors.transport import Result

DMESG = "       dmesg(1) may have more information after failed mount system call.\n"
KNOWN_OPTIONS = frozenset(
    words(
        """
        rw ro defaults noatime atime relatime strictatime nodiratime nouuid inode64 inode32 attr2 noattr2 noquota
        uquota usrquota gquota grpquota pquota prjquota swalloc largeio nolargeio discard nodiscard norecovery
        noalign wsync sync async dirsync suid nosuid dev nodev exec noexec auto noauto user nouser users nofail
        _netdev lazytime nolazytime mand nomand iversion ikeep noikeep filestreams
        """
    )
)
KNOWN_VALUED = ("logbufs", "logbsize", "logdev", "rtdev", "allocsize", "sunit", "swidth", "context", "fscontext")


ROOT_KIB = 20 << 20
"""Size of the root file system."""


def mount(context: Context) -> Result:
    """List what is mounted, or mount a device, or with -a all of fstab."""
    options = read_options(
        context.args, "a|all f|fake n|no-mtab r|read-only w|rw v|verbose l|show-labels bind",
        "t|types o|options T|fstab source target L|label U|uuid",
    )  # fmt: skip
    if "all" in options:
        return mount_all(context, options.last("fstab", context.node.fstab_path))
    rest = [*options.values.get("source", []), *options.values.get("target", []), *options.rest]
    if not rest:
        return done("".join(line(context.node, m) for m in paths.all_mounts(context.node)))
    given = [option for text in options.values.get("options", []) for option in text.split(",") if option]
    if len(rest) == 1:
        found = fstab_line(context.node, rest[0])
        if found is None:
            return failed(1, f"mount: {rest[0]}: can't find in {context.node.fstab_path}.\n")
        return attach(context, found.device, found.point, found.fstype, [*found.options, *given])
    return attach(context, rest[0], rest[1], options.last("types", "auto"), given)


def line(node: Node, m: Mount) -> str:
    """Return a mount as mount lists it."""
    return f"{m.device} on {m.point} type {m.fstype} ({','.join(paths.kernel_options(node, m))})\n"


def attach(context: Context, source: str, point: str, fstype: str, given: list[str]) -> Result:
    """Mount one device."""
    node = context.node
    point = paths.normal(point)
    target = node.entry(point)
    device = context.node.device(source)
    if target is None or not target.directory:
        return refused(point, "mount point does not exist.")
    if device is None or (isinstance(device, LogicalVolume) and not device.active):
        return refused(point, f"special device {source} does not exist.")
    shown = name_of(node, source)
    if any(m.device == device.path for m in node.mounts.get(point, ())):
        return refused(point, f"{shown} already mounted on {point}.")
    if fstype not in {"auto", "xfs", "ext4", device.signature}:
        return refused(point, f"unknown filesystem type '{fstype}'.")
    unknown = [o for o in given if o not in KNOWN_OPTIONS and not o.startswith(KNOWN_VALUED)]
    mountable = device.root is not None and device.signature not in {"", "LVM2_member"}
    if unknown or not mountable or fstype not in {"auto", device.signature}:
        return refused(
            point,
            f"wrong fs type, bad option, bad superblock on {shown}, missing codepage or helper program, or other"
            " error.",
        )
    node.mounted += 1
    node.mounts.setdefault(point, []).append(Mount(shown, point, device.signature, given, node.mounted))
    return done()


def refused(point: str, text: str) -> Result:
    """Return a failure of mount."""
    return failed(32, f"mount: {point}: {text}\n{DMESG}")


def name_of(node: Node, source: str) -> str:
    """Return the name under which the kernel knows a device."""
    device = node.device(source)
    return device.path if device else source


@dataclass(frozen=True, slots=True)
class FstabLine:
    """One line of fstab."""

    device: str
    point: str
    fstype: str
    options: list[str]


def fstab_lines(text: str) -> list[FstabLine]:
    """Return the lines of an fstab which mean something."""
    rows = map(str.split, text.splitlines())
    return [
        FstabLine(row[0], paths.normal(row[1]), row[2], row[3].split(","))
        for row in rows
        if len(row) >= 4 and not row[0].startswith("#")
    ]


def fstab_line(node: Node, wanted: str) -> FstabLine | None:
    """Return the line of fstab about a device or a mount point."""
    for found in fstab_lines(node.fstab):
        if wanted == found.device or paths.normal(wanted) == found.point:
            return found
    return None


def mount_all(context: Context, fstab: str) -> Result:
    """Mount all that an fstab names and that is not mounted."""
    errors = ""
    try:
        text = paths.read_text(context.node, fstab)
    except paths.KernelError:
        return failed(1, f"mount: {fstab}: parse error\n")
    for found in fstab_lines(text):
        if found.point == "/" or found.point in context.node.mounts or "noauto" in found.options:
            continue
        result = attach(context, found.device, found.point, found.fstype, found.options)
        errors += result.stderr
    return failed(64 if errors else 0, errors)


def umount(context: Context) -> Result:
    """Unmount mount points or devices."""
    options = read_options(context.args, "l|lazy f|force n|no-mtab q|quiet v|verbose R|recursive A|all-targets", "")
    errors = ""
    for target in options.rest:
        errors += detach(context.node, target, recursive="recursive" in options)
    return failed(32, errors) if errors else done()


def detach(node: Node, target: str, *, recursive: bool) -> str:
    """Unmount one target; return the complaint, or ""."""
    point = paths.normal(target)
    if target.startswith("/dev/") and (device := node.device(target)) is not None:
        found = node.mounts_of(device)
        if not found:
            return f"umount: {target}: not mounted.\n"
        point = found[-1].point
    if point not in node.mounts:
        there = node.entry(point) is not None
        return f"umount: {target}: {'not mounted' if there else 'no mount point specified'}.\n"
    below = [other for other in node.mounts if other.startswith(f"{point}/")]
    if below and not recursive:
        return f"umount: {target}: target is busy.\n"
    for other in sorted(below, reverse=True):
        del node.mounts[other]
    node.mounts[point].pop()
    if not node.mounts[point]:
        del node.mounts[point]
    return ""


def mountpoint(context: Context) -> Result:
    """Say whether a directory is a mount point."""
    options = read_options(context.args, "q|quiet d|fs-devno x|devno nofollow", "")
    path = options.rest[0] if options.rest else ""
    point = paths.normal(path)
    if context.node.entry(point) is None:
        return failed(1, "" if "quiet" in options else f"mountpoint: {path}: {paths.NO_ENTRY}\n")
    mounted = any(m.point == point for m in paths.all_mounts(context.node))
    said = "" if "quiet" in options else f"{path} is {'' if mounted else 'not '}a mountpoint\n"
    return done(said) if mounted else failed(32, "", said)


def findmnt(context: Context) -> Result:
    """List mounts: -S source, -M or --mountpoint, -T target, -t types, -o columns, -n, -r, -l, -P, -J."""
    options = read_options(
        context.args,
        "n|noheadings r|raw l|list P|pairs J|json f|first-only u|notruncate k|kernel m|mtab a|ascii A|all v|nofsroot",
        "S|source M|mountpoint T|target t|types o|output",
    )
    node = context.node
    found = paths.all_mounts(node)
    rest = list(options.rest)
    source = options.last("source") or (rest.pop(0) if rest and rest[0].startswith("/dev/") else "")
    if source:
        found = [m for m in found if m.device in {source, name_of(node, source)}]
    if point := options.last("mountpoint") or (rest.pop(0) if rest else ""):
        found = [m for m in found if m.point == paths.normal(point)]
    if target := options.last("target"):
        covering = node.covering(paths.normal(target))
        found = [m for m in found if (m is covering if covering else m.point == "/")]
    if types := options.last("types"):
        found = [m for m in found if m.fstype in types.split(",")]
    if "first-only" in options:
        found = found[:1]
    columns = options.last("output", "TARGET,SOURCE,FSTYPE,OPTIONS").upper().split(",")
    rows = [mount_columns(context, m) for m in found]
    return Result(0 if rows else 1, mount_table(options, columns, rows) if rows else "")


def mount_columns(context: Context, m: Mount) -> dict[str, str]:
    """Return the columns of findmnt."""
    device = context.node.device(m.device)
    uuid = device.fs_uuid if isinstance(device, LogicalVolume) else ""
    return {
        "TARGET": m.point,
        "SOURCE": m.device,
        "FSTYPE": m.fstype,
        "OPTIONS": ",".join(paths.kernel_options(context.node, m)),
        "UUID": uuid,
    }


def mount_table(options: Options, columns: list[str], rows: list[dict[str, str]]) -> str:
    """Return rows as findmnt prints them."""
    if "json" in options:
        listed = [{column.lower(): row.get(column, "") for column in columns} for row in rows]
        return json.dumps({"filesystems": listed}, indent=3) + "\n"
    if "pairs" in options:
        return "".join(" ".join(f'{c}="{row.get(c, "")}"' for c in columns) + "\n" for row in rows)
    table = [[row.get(column, "") for column in columns] for row in rows]
    if "noheadings" not in options:
        table.insert(0, columns)
    if "raw" in options:
        return "".join(" ".join(cells) + "\n" for cells in table)
    widths = [max(len(cells[at]) for cells in table) for at in range(len(columns))]
    return "".join(
        " ".join(cell.ljust(width) for cell, width in zip(cells, widths, strict=True)).rstrip() + "\n"
        for cells in table
    )


def df(context: Context) -> Result:
    """Show the sizes of file systems, in KiB (-B1 and --output are known)."""
    options = read_options(context.args, "k P|portability h|human-readable T|print-type l|local", "B|block-size output")
    found = paths.all_mounts(context.node)
    if options.rest:
        found = [context.node.covering(paths.normal(path)) or root_mount(found) for path in options.rest]
        for path in options.rest:
            if context.node.entry(paths.normal(path)) is None:
                return failed(1, f"df: {path}: {paths.NO_ENTRY}\n")
    unit = 1 if options.last("block-size") in {"1", "1B"} else 1024
    heading = "1B-blocks" if unit == 1 else "1K-blocks"
    lines = [["Filesystem", heading, "Used", "Available", "Use%", "Mounted on"]]
    for m in found:
        device = context.node.device(m.device)
        total = device.size_kib * 1024 // unit if device else 0
        used = device.written_kib * 1024 // unit if isinstance(device, LogicalVolume) else 0
        if m.point == "/":
            total, used = ROOT_KIB * 1024 // unit, (ROOT_KIB - context.node.root_free_kib) * 1024 // unit
        share = f"{-(-100 * used // total) if total else 0}%"
        lines.append([m.device, str(total), str(used), str(total - used), share, m.point])
    widths = [max(len(cells[at]) for cells in lines) for at in range(5)]
    return done(
        "".join(
            f"{a:<{widths[0]}} {b:>{widths[1]}} {c:>{widths[2]}} {d:>{widths[3]}} {e:>{widths[4]}} {f}\n"
            for a, b, c, d, e, f in lines
        )
    )


def root_mount(found: list[Mount]) -> Mount:
    """Return the mount of the root file system."""
    return next(m for m in found if m.point == "/")


def blkid(context: Context) -> Result:
    """Show type and uuid of what is on devices: -o value|export, -s TAG, -p."""
    options = read_options(
        context.args, "p|probe i|info l|list-one g|garbage-collect", "o|output s|match-tag c|cache-file"
    )
    out = ""
    for path in options.rest:
        device = context.disk(path) or context.node.device(path)
        if device is None or not device.signature:
            continue
        uuid = device.pv_uuid if isinstance(device, Disk) else device.fs_uuid
        tags = {"UUID": uuid, "TYPE": device.signature}
        wanted = options.values.get("match-tag", list(tags))
        chosen = {name: value for name, value in tags.items() if name in wanted and value}
        match options.last("output"):
            case "value":
                out += "".join(f"{value}\n" for value in chosen.values())
            case "export":
                out += f"DEVNAME={path}\n" + "".join(f"{n}={v}\n" for n, v in chosen.items())
            case _:
                out += f"{path}: " + " ".join(f'{n}="{v}"' for n, v in chosen.items()) + "\n"
    return done(out) if out else failed(2, "")


def udevadm(context: Context) -> Result:
    """Answer `info --query=symlink|name|path --name=DEVICE`; settle and trigger do nothing."""
    verb = context.args[0] if context.args else ""
    if verb in {"settle", "trigger", "control"}:
        return done()
    if verb == "--version":
        return done("252\n")
    if verb != "info":
        return failed(1, f"Unknown command {verb}.\n")
    options = read_options(context.args[1:], "r|root x|export a|attribute-walk", "q|query n|name p|path")
    path = options.last("name") or "".join(options.rest[:1])
    full = path if path.startswith("/") else f"/dev/{path}"
    disk = context.disk(full)
    if disk is None:
        lv = context.node.lv_by_path(full)
        if lv is None:
            return failed(1, f'Unknown device "{path}": No such device\n')
        return done(f"mapper/{lv[0].name}-{lv[1].name} {lv[0].name}/{lv[1].name}\n")
    links = [link.removeprefix("/dev/") for link in disk.links if not link.startswith("/dev/block/")]
    if disk.pv_uuid:
        links.append(f"disk/by-id/lvm-pv-uuid-{disk.pv_uuid}")
    match options.last("query", "all"):
        case "symlink":
            return done(" ".join(links) + "\n" if links else "\n")
        case "name":
            return done(disk.path.removeprefix("/dev/") + "\n")
        case "path":
            return done(f"/devices/virtual/block/{disk.path.rpartition('/')[2]}\n")
    body = [f"N: {disk.path.removeprefix('/dev/')}", *(f"S: {link}" for link in links), f"E: DEVNAME={disk.path}"]
    return done("".join(f"{row}\n" for row in body))


def lsblk(context: Context) -> Result:
    """List block devices and what LVM has made of them: -b, -n, -o, -d, -P, -J, -p."""
    options = read_options(
        context.args, "b|bytes n|noheadings d|nodeps P|pairs J|json p|paths r|raw l|list", "o|output"
    )
    columns = options.last("output", "NAME,SIZE,TYPE,FSTYPE,MOUNTPOINT").upper().split(",")
    wanted = [context.disk(path) for path in options.rest] if options.rest else list(context.node.disks.values())
    if None in wanted:
        nothing = '{\n   "blockdevices": [\n\n   ]\n}\n' if "json" in options else ""
        return failed(32, f"lsblk: {options.rest[0]}: not a block device\n", nothing)
    disks = [disk for disk in wanted if disk is not None]
    if "json" in options:
        listed = [listing(context, options, columns, disk) for disk in disks]
        return done(json.dumps({"blockdevices": listed}, indent=3) + "\n")
    return done(mount_table(options, columns, [block_columns(context, options, disk) for disk in disks]))


def listing(context: Context, options: Options, columns: list[str], device: Disk | LogicalVolume) -> dict[str, object]:
    """Return a block device and its children as lsblk lists them in JSON."""
    row = block_columns(context, options, device)
    listed: dict[str, object] = {column.lower(): row.get(column, "") or None for column in columns}
    if "SIZE" in columns and "bytes" in options:
        listed["size"] = device.size_kib * 1024
    group = context.node.vgs.get(device.vg) if isinstance(device, Disk) else None
    volumes = [lv for lv in group.lvs.values() if lv.active and lv.kind != "pool"] if group else []
    if volumes and "nodeps" not in options:
        listed["children"] = [listing(context, options, columns, lv) for lv in volumes]
    return listed


def block_columns(context: Context, options: Options, device: Disk | LogicalVolume) -> dict[str, str]:
    """Return the columns of lsblk."""
    mounted = context.node.mounts_of(device)
    tables = {"dos", "gpt"}
    disk = isinstance(device, Disk)
    return {
        "NAME": device.path if "paths" in options else device.path.rpartition("/")[2],
        "SIZE": str(device.size_kib * 1024) if "bytes" in options else f"{device.size_kib >> 20}G",
        "TYPE": "disk" if disk else "lvm",
        "FSTYPE": "" if device.signature in tables else device.signature,
        "PTTYPE": device.signature if device.signature in tables else "",
        "UUID": device.pv_uuid if isinstance(device, Disk) else device.fs_uuid,
        "MOUNTPOINT": mounted[0].point if mounted else "/" if device.path == "/dev/vda" else "",
    }


def blockdev(context: Context) -> Result:
    """Answer --getsize64."""
    path = context.args[-1] if context.args else ""
    device = context.disk(path) or context.node.device(path)
    if device is None:
        return failed(1, f"blockdev: cannot open {path}: {paths.NO_ENTRY}\n")
    return done(f"{device.size_kib * 1024}\n")


def guarded(tool: Tool) -> Tool:
    """Let a tool answer an option that it does not know as util-linux does."""

    def run(context: Context) -> Result:
        try:
            return tool(context)
        except BadOption as error:
            name = context.argv[0]
            return failed(1, f"{name}: {error}\nTry '{name} --help' for more information.\n")

    return run


TOOLS: dict[str, Tool] = {
    name: guarded(tool)
    for name, tool in {
        "mount": mount, "umount": umount, "findmnt": findmnt, "mountpoint": mountpoint, "df": df, "blkid": blkid,
        "udevadm": udevadm, "lsblk": lsblk, "blockdev": blockdev,
    }.items()
}  # fmt: skip

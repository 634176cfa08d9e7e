"""mkfs.xfs: what it writes, and what it refuses."""

import re

from heketipy.executors.simulator.context import BadOption, Context, Options, Tool, done, failed, read_options
from heketipy.executors.simulator.state import Disk, Entry, LogicalVolume
from heketipy.executors.transport import Result

SMALLEST_KIB = 300 << 10
"""xfsprogs 5.19 and later make nothing smaller."""

USAGE = """Usage: mkfs.xfs
/* blocksize */\t\t[-b size=num]
/* config file */\t[-c options=xxx]
/* metadata */\t\t[-m crc=0|1,finobt=0|1,uuid=xxx,rmapbt=0|1,reflink=0|1,
\t\t\t    inobtcount=0|1,bigtime=0|1]
/* data subvol */\t[-d agcount=n,agsize=n,file,name=xxx,size=num,
\t\t\t    (sunit=value,swidth=value|su=num,sw=num|noalign),
\t\t\t    sectsize=num
/* force overwrite */\t[-f]
/* inode size */\t[-i perblock=n|size=num,maxpct=n,attr=0|1|2,
\t\t\t    projid32bit=0|1,sparse=0|1,nrext64=0|1]
/* no discard */\t[-K]
/* log subvol */\t[-l agnum=n,internal,size=num,logdev=xxx,version=n
\t\t\t    sunit=value|su=num,sectsize=num,lazy-count=0|1]
/* label */\t\t[-L label (maximum 12 characters)]
/* naming */\t\t[-n size=num,version=2|ci,ftype=0|1]
/* no-op info only */\t[-N]
/* prototype file */\t[-p fname]
/* quiet */\t\t[-q]
/* realtime subvol */\t[-r extsize=num,size=num,rtdev=xxx]
/* sectorsize */\t[-s size=num]
/* version */\t\t[-V]
\t\t\tdevicename
<devicename> is required unless -d name=xxx is given.
<num> is xxx (bytes), xxxs (sectors), xxxb (fs blocks), xxxk (xxx KiB),
      xxxm (xxx MiB), xxxg (xxx GiB), xxxt (xxx TiB) or xxxp (xxx PiB).
<value> is xxx (512 byte blocks).
"""


def mkfs_xfs(context: Context) -> Result:
    """Make an XFS on a device."""
    options = read_options(context.args, "f q K N V", "b c d i l L m n p r s")
    if "V" in options:
        return done("mkfs.xfs version 6.1.0\n")
    if len(options.rest) != 1:
        return failed(1, f"no device name given in argument list\n{USAGE}")
    path = options.rest[0]
    device = context.node.device(path)
    if device is None:
        return failed(1, f"Error accessing specified device {path}: No such file or directory\n{USAGE}")
    if context.node.mounts_of(device):
        return failed(1, f"mkfs.xfs: {path} contains a mounted filesystem\n{USAGE}")
    if device.signature and "f" not in options:
        return failed(
            1,
            f"mkfs.xfs: {path} appears to contain an existing filesystem ({device.signature}).\n"
            "mkfs.xfs: Use the -f option to force overwrite.\n",
        )
    given = suboptions(options)
    stripe_kib = chunk_of(context, path)
    said = ""
    if stripe_kib and device.size_kib < 1 << 20 and "d.su" not in given:
        stripe = stripe_kib * 2
        said = f"mkfs.xfs: small data volume, ignoring data volume stripe unit {stripe} and stripe width {stripe}\n"
        stripe_kib = 0
    if device.size_kib < SMALLEST_KIB:
        return failed(1, f"{said}Filesystem must be larger than 300MB.\n{USAGE}")
    blocks = device.size_kib // 4
    if "d.su" in given and log_blocks(blocks) >= blocks // groups(blocks, striped=True):
        return failed(1, f"internal log size {log_blocks(blocks)} too large, must fit in allocation group\n{USAGE}")
    if "N" not in options:
        write(context, device, log_blocks(blocks))
    return done("" if "q" in options else geometry(path, device.size_kib, given, stripe_kib, options), said)


def suboptions(options: Options) -> dict[str, str]:
    """Return `-i size=512` as {"i.size": "512"}, for all of them."""
    found = {}
    for letter, values in options.values.items():
        for item in ",".join(values).split(","):
            name, _, value = item.partition("=")
            if value and letter not in "LVp":
                found[f"{letter}.{name}"] = value
    return found


def chunk_of(context: Context, path: str) -> int:
    """Return the stripe unit that the device reports, KiB: the chunk of a thin volume's pool."""
    found = context.node.lv_by_path(path)
    if found is None or found[1].kind != "thin":
        return 0
    group, lv = found
    return group.lvs[lv.pool].chunk_kib


def log_blocks(blocks: int) -> int:
    """Return the size of the log: 64 MiB, more on large volumes, at most 2 GiB."""
    return min(max(16384, blocks // 2048), 524288)


def write(context: Context, device: Disk | LogicalVolume, log: int) -> None:
    """Put an empty file system on a device."""
    device.signature, device.root = "xfs", Entry()
    if isinstance(device, LogicalVolume):
        device.fs_uuid = context.world.uuid()
        device.written_kib = device.own_kib = min(device.size_kib, log * 4 + 10 * 256)


def kib(text: str) -> int:
    """Return a number with mkfs.xfs' suffixes in KiB."""
    found = re.fullmatch(r"(\d+)([bskmgt]?)", text)
    if not found:
        raise BadOption(f"invalid value {text}")
    return (
        int(found[1])
        * {"": 1, "s": 512, "b": 4096, "k": 1 << 10, "m": 1 << 20, "g": 1 << 30, "t": 1 << 40}[found[2]]
        // 1024
    )


def geometry(path: str, size_kib: int, given: dict[str, str], stripe_kib: int, options: Options) -> str:
    """Return the table that mkfs.xfs prints."""
    blocks = size_kib // 4
    unit = width = stripe_kib // 4
    if "d.su" in given:
        unit = kib(given["d.su"]) // 4
        width = unit * int(given.get("d.sw", "1"))
    count = groups(blocks, striped=bool(unit))
    percentage = given.get("i.maxpct") or ("25" if size_kib < 1 << 30 else "5" if size_kib < 50 << 30 else "1")
    inode = given.get("i.size", "512")
    lines = (
        f"meta-data={path:<22} isize={inode:<6} agcount={count}, agsize={-(-blocks // count)} blks",
        "         =                       sectsz=512   attr=2, projid32bit=1",
        "         =                       crc=1        finobt=1, sparse=1, rmapbt=0",
        "         =                       reflink=1    bigtime=1 inobtcount=1 nrext64=0",
        f"data     =                       bsize=4096   blocks={blocks}, imaxpct={percentage}",
        f"         =                       sunit={unit:<6} swidth={width} blks",
        f"naming   =version 2              bsize={given.get('n.size', '4096'):<6} ascii-ci=0, ftype=1",
        f"log      =internal log           bsize=4096   blocks={log_blocks(blocks)}, version=2",
        f"         =                       sectsz=512   sunit={unit if unit <= 64 else 8} blks, lazy-count=1",
        "realtime =none                   extsz=4096   blocks=0, rtextents=0",
    )
    discarded = "" if "K" in options else "Discarding blocks...Done.\n"
    return "".join(f"{line}\n" for line in lines) + discarded


def groups(blocks: int, *, striped: bool) -> int:
    """Return the number of allocation groups."""
    mib = blocks // 256
    if mib >= 32 << 20:
        return -(-mib // (1 << 20))
    if not striped:
        return 4 if mib < 4 << 20 else -(-mib // (1 << 20))
    for limit, count in ((512 << 10, 32), (8 << 10, 16), (127, 8), (63, 4), (31, 2)):
        if mib > limit:
            return count
    return 1


def mkfs(context: Context) -> Result:
    """Run `mkfs -t xfs …`."""
    words = list(context.args)
    if words[:2] != ["-t", "xfs"]:
        return failed(
            1, f"mkfs: failed to execute mkfs.{words[1] if words[1:] else 'ext2'}: No such file or directory\n"
        )
    return TOOLS["mkfs.xfs"](Context(context.world, context.node, ("mkfs.xfs", *words[2:]), context.stdin))


def xfs_info(context: Context) -> Result:
    """Say what is known of a mounted file system."""
    path = context.args[-1] if context.args else ""
    mount = context.node.covering(path)
    if mount is None or mount.point != path.rstrip("/"):
        return failed(1, f"{path}: Not a XFS mount point.\n")
    device = context.node.device(mount.device)
    size = device.size_kib if device else 0
    return done(geometry(mount.device, size, {}, chunk_of(context, mount.device), Options({"K": [""]}, [])))


def guarded(tool: Tool) -> Tool:
    """Let a tool answer an option that it does not know as mkfs.xfs does."""

    def run(context: Context) -> Result:
        try:
            return tool(context)
        except BadOption as error:
            return failed(1, f"mkfs.xfs: {error}\n{USAGE}")

    return run


TOOLS: dict[str, Tool] = {"mkfs.xfs": guarded(mkfs_xfs), "mkfs": mkfs, "xfs_info": xfs_info}

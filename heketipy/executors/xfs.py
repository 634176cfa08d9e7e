"""XFS: how a brick's file system is made, and wiping a disk before its first use."""

from heketipy.executors.options import NodeOptions


def mkfs(device: str, *, arbiter: bool, options: NodeOptions) -> tuple[str, ...]:
    """Make a file system. Without `-f`: where one is found already, it is left alone and the command fails."""
    stripe = (
        ("-d", f"su={options.xfs_su},sw={options.xfs_sw}") if options.xfs_su and options.xfs_sw and not arbiter else ()
    )
    return (
        "mkfs.xfs",
        "-i",
        "maxpct=100" if arbiter else "size=512",
        *stripe,
        "-n",
        "size=8192",
        device,
    )


def wipe(device: str) -> tuple[str, ...]:
    """Erase the signatures of whatever is on a disk. A disk in use is refused."""
    return ("wipefs", "--all", device)

"""Making and removing entries of a node's file systems, with the errors of the kernel."""

import posixpath
from dataclasses import dataclass

from heketipy.executors.simulator.state import Entry, Mount, Node

NO_ENTRY = "No such file or directory"
EXISTS = "File exists"
NOT_EMPTY = "Directory not empty"
BUSY = "Device or resource busy"
NOT_DIRECTORY = "Not a directory"
IS_DIRECTORY = "Is a directory"


@dataclass(frozen=True)
class KernelError(Exception):
    """What the kernel says to a system call, as strerror spells it."""

    text: str


def normal(path: str) -> str:
    """Return an absolute path without `.`, `..` and doubled slashes, `/var/run` being `/run`."""
    normed = "/" + posixpath.normpath(posixpath.join("/", path)).lstrip("/")
    if normed == "/var/run" or normed.startswith("/var/run/"):
        return normed.removeprefix("/var")
    return path if path == normed else normed  # not the same text once more: many are kept


def parent(node: Node, path: str) -> tuple[Entry, str]:
    """Return the directory that holds a path, and the path's last component."""
    above, name = posixpath.split(normal(path))
    entry = node.entry(above)
    if entry is None:
        raise KernelError(NO_ENTRY)
    if not entry.directory:
        raise KernelError(NOT_DIRECTORY)
    return entry, name


def make_directory(node: Node, path: str) -> Entry:
    """Make one directory whose parent exists."""
    if node.entry(normal(path)) is not None:
        raise KernelError(EXISTS)
    above, name = parent(node, path)
    return above.put(name, Entry())


def make_directories(node: Node, path: str) -> None:
    """Make a directory and what is missing above it."""
    path = normal(path)
    at = ""
    for part in path.strip("/").split("/"):
        at = f"{at}/{part}"
        entry = node.entry(at)
        if entry is None:
            make_directory(node, at)
        elif not entry.directory:
            raise KernelError(EXISTS if at == path else NOT_DIRECTORY)


def remove_directory(node: Node, path: str) -> None:
    """Remove an empty directory which is no mount point."""
    path = normal(path)
    entry = node.entry(path)
    if entry is None:
        raise KernelError(NO_ENTRY)
    if not entry.directory:
        raise KernelError(NOT_DIRECTORY)
    if path == "/" or path in node.mounts:
        raise KernelError(BUSY)
    if entry.children:
        raise KernelError(NOT_EMPTY)
    above, name = parent(node, path)
    above.drop(name)


def remove_file(node: Node, path: str) -> None:
    """Remove a file."""
    above, name = parent(node, path)
    entry = node.entry(normal(path))
    if entry is None:
        raise KernelError(NO_ENTRY)
    if entry.directory:
        raise KernelError(IS_DIRECTORY)
    above.drop(name)


def remove_tree(node: Node, path: str) -> None:
    """Remove a path and all below it; what is mounted below it is emptied, and its mount point stays."""
    entry = node.entry(normal(path))
    if entry is None:
        raise KernelError(NO_ENTRY)
    if not entry.directory:
        return remove_file(node, path)
    problem: KernelError | None = None
    for name in list(entry.children):
        try:
            remove_tree(node, f"{normal(path)}/{name}")
        except KernelError as error:
            problem = error
    if problem is not None:
        raise problem
    return remove_directory(node, path)


def read_text(node: Node, path: str) -> str:
    """Return the text of a file; those of /proc that say what is mounted are made up on the spot."""
    path = normal(path)
    if path in {"/proc/mounts", "/proc/self/mounts", "/etc/mtab"}:
        return "".join(
            f"{m.device} {m.point} {m.fstype} {','.join(kernel_options(node, m))} 0 0\n" for m in all_mounts(node)
        )
    entry = node.entry(path)
    if entry is None:
        raise KernelError(NO_ENTRY)
    if entry.directory:
        raise KernelError(IS_DIRECTORY)
    return entry.text


def write_text(node: Node, path: str, text: str, *, append: bool = False) -> None:
    """Write a file, or add to it; it is made if need be."""
    above, name = parent(node, path)
    entry = node.entry(normal(path))
    if entry is None:
        entry = above.put(name, Entry(directory=False, mode=0o644))
    if entry.directory:
        raise KernelError(IS_DIRECTORY)
    entry.text = entry.text + text if append else text


def all_mounts(node: Node) -> list[Mount]:
    """Return what is mounted, the machine's own first."""
    return [*SYSTEM_MOUNTS, *node.mount_list]


def kernel_options(node: Node, mount: Mount) -> list[str]:
    """Return the options that the kernel shows for a mount."""
    if mount.fstype != "xfs":
        return mount.options
    given = mount.options
    shown = ["ro" if "ro" in given else "rw"]
    shown += [option for option in ("nosuid", "nodev", "noexec", "sync") if option in given]
    access = [option for option in ("noatime", "nodiratime") if option in given]
    shown += access or ["relatime"]
    shown += [option for option in ("nouuid",) if option in given]
    shown += ["attr2", "discard"] if "discard" in given else ["attr2"]
    shown += ["inode32" if "inode32" in given else "inode64", "logbufs=8"]
    found = node.lv_by_path(mount.device)
    if found and found[1].kind == "thin":
        chunk = found[0].lvs[found[1].pool].chunk_kib
        shown += [f"logbsize={min(chunk, 256)}k", f"sunit={chunk * 2}", f"swidth={chunk * 2}"]
    else:
        shown += ["logbsize=32k"]
    quota = [option for option in given if option in {"uquota", "usrquota", "prjquota", "pquota", "gquota"}]
    return [*shown, *(quota or ["noquota"])]


SYSTEM_MOUNTS = [
    Mount("sysfs", "/sys", "sysfs", ["rw", "nosuid", "nodev", "noexec", "relatime"]),
    Mount("proc", "/proc", "proc", ["rw", "nosuid", "nodev", "noexec", "relatime"]),
    Mount("udev", "/dev", "devtmpfs", ["rw", "nosuid", "relatime", "size=290352k", "mode=755", "inode64"]),
    Mount("tmpfs", "/run", "tmpfs", ["rw", "nosuid", "nodev", "noexec", "relatime", "size=60852k", "mode=755"]),
    Mount("/dev/vda", "/", "ext4", ["rw", "relatime"]),
]
"""What is mounted on every machine, and is none of our business."""

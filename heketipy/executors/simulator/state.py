"""What the simulated nodes are made of. Plain data, all of it fit for JSON; the tools change it.

Names and units are those of the tools: KiB for sizes, extents for what LVM allocates. A `Node` answers questions about
itself (which device is behind this path, what is mounted there); it decides nothing.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

FSTAB = "/etc/fstab"
REJECTED = "Peer Rejected"
"""What glusterd calls a peer that answers, and is not the one that it was."""

_NOTHING: Final[Mapping[str, Any]] = {}
"""What most entries have, of which there are three for each brick; all share it."""


@dataclass(slots=True)
class Entry:
    """A file or directory of a file system. `xattrs` are replaced, never changed; `children` by `put` and `drop`."""

    directory: bool = True
    mode: int = 0o755
    uid: int = 0
    gid: int = 0
    text: str = ""
    xattrs: Mapping[str, str] = field(default_factory=lambda: _NOTHING)
    children: "Mapping[str, Entry]" = field(default_factory=lambda: _NOTHING)

    def put(self, name: str, entry: "Entry") -> "Entry":
        """Give the directory an entry, and return it."""
        if self.children and isinstance(self.children, dict):
            self.children[name] = entry
        else:
            self.children = {name: entry}
        return entry

    def drop(self, name: str) -> None:
        """Take an entry that it has out of the directory."""
        if isinstance(self.children, dict):
            del self.children[name]

    def mark(self, name: str, value: str) -> None:
        """Set an extended attribute."""
        self.xattrs = {**self.xattrs, name: value}


@dataclass(slots=True)
class Disk:
    """A block device of a node. `signature` is what wipefs would find: "", "xfs", "ext4", "LVM2_member", …"""

    path: str
    size_kib: int
    signature: str = ""
    links: list[str] = field(default_factory=list)
    pv_uuid: str = ""
    pe_start_kib: int = 0
    vg: str = ""
    root: Entry | None = None


@dataclass(slots=True)
class LogicalVolume:
    """A thin pool, a thin volume or a linear volume.

    `extents` are those of its data, `metadata_extents` a pool's own. A thin volume maps `written_kib`; `own_kib` of
    them it does not share with the volume that it is a snapshot of.
    """

    name: str
    vg: str
    uuid: str
    kind: str
    size_kib: int
    extents: int = 0
    metadata_extents: int = 0
    chunk_kib: int = 256
    pool: str = ""
    origin: str = ""
    active: bool = True
    tags: tuple[str, ...] = ()
    signature: str = ""
    fs_uuid: str = ""
    written_kib: int = 0
    own_kib: int = 0
    root: Entry | None = None

    @property
    def path(self) -> str:
        """The name that mount shows."""
        return mapper_path(self.vg, self.name)


@dataclass(slots=True)
class VolumeGroup:
    """One PV, its extents, and what was allocated of them.

    `spare_extents` is the hidden `lvol0_pmspare`: as large as the largest pool metadata that the group has seen, and
    gone with the last pool; with `spare` false the group makes none.
    """

    name: str
    uuid: str
    disk: str
    extent_kib: int
    extents: int
    lvs: dict[str, LogicalVolume] = field(default_factory=dict)
    spare_extents: int = 0
    spare: bool = True

    @property
    def used_extents(self) -> int:
        """Allocated extents, the spare included."""
        return self.spare_extents + sum(lv.extents + lv.metadata_extents for lv in self.lvs.values())

    @property
    def free_extents(self) -> int:
        """Extents that the next lvcreate may take."""
        return self.extents - self.used_extents

    def thins(self, pool: str) -> list[LogicalVolume]:
        """Return the thin volumes of a pool."""
        return [lv for lv in self.lvs.values() if lv.kind == "thin" and lv.pool == pool]


@dataclass(slots=True)
class Mount:
    """A mounted file system: the name of its device as mount shows it, its point, the options as given."""

    device: str
    point: str
    fstype: str
    options: list[str]
    number: int = 0


@dataclass(slots=True)
class Node:
    """A machine: reached by its manage name, known to gluster by its storage name.

    `epochs` holds the highest epoch that each operation was served with. `up`, `accepts_key`, `glusterd` and `blockd`
    (gluster-block's daemon) are switches for faults; so are `hung` (connections are taken, and nothing is answered) and
    `noticed`: whether its peers have found out that it does not answer.
    """

    manage: str
    storage: str
    uuid: str
    root: Entry
    disks: dict[str, Disk] = field(default_factory=dict)
    vgs: dict[str, VolumeGroup] = field(default_factory=dict)
    mounts: dict[str, list[Mount]] = field(default_factory=dict)
    mounted: int = 0
    epochs: dict[str, int] = field(default_factory=dict)
    up: bool = True
    accepts_key: bool = True
    glusterd: bool = True
    blockd: bool = True
    hung: bool = False
    noticed: bool = True
    fstab_path: str = FSTAB
    boots: int = 1
    op_version: int = 100000
    clock_ahead: float = 0.0
    root_free_kib: int = 10 << 20
    missing: tuple[str, ...] = ()
    """Tools and kernel modules that are not installed."""
    lvm_filter: tuple[str, ...] = ()
    """Patterns of LVM's `filter`, as `r|/dev/sdb|`."""

    @property
    def serves(self) -> bool:
        """Whether its glusterd answers."""
        return self.up and self.glusterd and not self.hung

    @property
    def lvs(self) -> dict[str, LogicalVolume]:
        """Logical volumes by `vg/lv`, pools included."""
        return {f"{vg.name}/{lv.name}": lv for vg in self.vgs.values() for lv in vg.lvs.values()}

    @property
    def mount_list(self) -> list[Mount]:
        """What is mounted, in the order in which it was."""
        return sorted((m for stack in self.mounts.values() for m in stack), key=lambda m: m.number)

    @property
    def fstab(self) -> str:
        """The text of the fstab that this node boots with."""
        entry = self.entry(self.fstab_path)
        return entry.text if entry is not None else ""

    @property
    def dirs(self) -> list[str]:
        """Directories below the root that a fresh node does not have, as one sees them now, in order."""
        return [path for path, entry in self.walk() if entry.directory and path not in FRESH]

    def entry(self, path: str) -> Entry | None:
        """Return what is at an absolute path, looking through mounts; None if there is nothing."""
        current: Entry | None = self._root_of("/") or self.root
        at = ""
        for part in parts(path):
            if current is None or not current.directory:
                return None
            at = f"{at}/{part}"
            current = self._root_of(at) or current.children.get(part)
        return current

    def walk(self) -> Iterator[tuple[str, Entry]]:
        """Yield path and entry of everything that one sees below the root."""
        stack = [("", self.root)]
        while stack:
            at, entry = stack.pop()
            for name, child in sorted(entry.children.items(), reverse=True):
                path = f"{at}/{name}"
                stack.append((path, self._root_of(path) or child))
            if at:
                yield at, entry

    def covering(self, path: str) -> Mount | None:
        """Return the mount whose file system holds a path; None for the root's."""
        at = list(parts(path))
        while at:
            if stack := self.mounts.get("/" + "/".join(at)):
                return stack[-1]
            at.pop()
        return None

    def _root_of(self, point: str) -> Entry | None:
        stack = self.mounts.get(point)
        if not stack:
            return None
        device = self.device(stack[-1].device)
        return device.root if device is not None else None

    def device(self, path: str) -> Disk | LogicalVolume | None:
        """Return the disk or logical volume behind one of its names in /dev."""
        disk = self.disk(path)
        if disk is not None:
            return disk
        found = self.lv_by_path(path)
        return found[1] if found else None

    def disk(self, path: str) -> Disk | None:
        """Return the disk behind its name or one of its links."""
        if path in self.disks:
            return self.disks[path]
        uuid = path.removeprefix("/dev/disk/by-id/lvm-pv-uuid-")
        for disk in self.disks.values():
            if path in disk.links or (uuid != path and disk.pv_uuid == uuid):
                return disk
        return None

    def hides(self, disk: Disk) -> bool:
        """Tell whether LVM's filter rejects a disk: the first pattern that matches decides."""
        for pattern in self.lvm_filter:
            if any(re.search(pattern[2:-1], name) for name in (disk.path, *disk.links)):
                return pattern.startswith("r")
        return False

    def lv_by_path(self, path: str) -> tuple[VolumeGroup, LogicalVolume] | None:
        """Return group and volume of `/dev/mapper/x-y`, `/dev/x/y` or `x/y`."""
        if path.startswith("/dev/mapper/"):
            vg_name, _, lv_name = path.removeprefix("/dev/mapper/").replace("--", "\0").partition("-")
            vg_name, lv_name = vg_name.replace("\0", "-"), lv_name.replace("\0", "-")
        else:
            vg_name, _, lv_name = path.removeprefix("/dev/").partition("/")
        vg = self.vgs.get(vg_name)
        lv = vg.lvs.get(lv_name) if vg else None
        return (vg, lv) if vg and lv else None

    def mounts_of(self, device: Disk | LogicalVolume) -> list[Mount]:
        """Return where a device is mounted."""
        path = device.path
        mounts = [m for stack in self.mounts.values() for m in stack if m.device == path]
        return sorted(mounts, key=lambda m: m.number)


@dataclass(slots=True)
class VolumeBrick:
    """A brick as gluster sees it: storage name and path. `to_heal` is what heal info counts."""

    host: str
    path: str
    arbiter: bool = False
    to_heal: int = 0
    lv: str = ""


@dataclass(slots=True)
class BlockVolume:
    """A block volume of gluster-block. `refused` are the sizes of hosts that did not take part in a resize."""

    name: str
    gbid: str
    size_kib: int
    hosts: list[str] = field(default_factory=list)
    password: str = ""
    refused: dict[str, int] = field(default_factory=dict)


@dataclass(slots=True)
class GlusterVolume:
    """A gluster volume. `options` are in gluster's order, latest first. `kind` is distribute, replicate or disperse.
    `blocks` are the block volumes on it, by name."""

    name: str
    id: str
    kind: str
    set_size: int
    arbiter: int = 0
    redundancy: int = 0
    bricks: list[VolumeBrick] = field(default_factory=list)
    options: dict[str, str] = field(default_factory=dict)
    status: str = "Created"
    rebalance: str = ""
    blocks: dict[str, BlockVolume] = field(default_factory=dict)

    @property
    def sets(self) -> int:
        """How many sets of bricks it has."""
        return len(self.bricks) // self.set_size


@dataclass(slots=True)
class Snapshot:
    """A snapshot of a gluster volume; `volume` is the hidden volume which holds its bricks."""

    name: str
    uuid: str
    origin: str
    volume: GlusterVolume
    created: str
    active: bool = False


@dataclass(slots=True)
class Member:
    """A peer in a trusted pool: the node's manage name, the name under which it was probed, gluster's state of it.
    `uuid` is the one that the pool knows, if the machine has another by now."""

    node: str
    hostname: str
    state: str = "Peer in Cluster"
    uuid: str = ""


@dataclass(slots=True)
class Pool:
    """A trusted pool: its members, and the volumes and snapshots that all of them know. `locked`: a command that waits
    for a silent peer holds the locks of all."""

    members: dict[str, Member] = field(default_factory=dict)
    volumes: dict[str, GlusterVolume] = field(default_factory=dict)
    snapshots: dict[str, Snapshot] = field(default_factory=dict)
    locked: bool = False
    snap_max_hard_limit: int = 256


@dataclass(slots=True)
class State:
    """Everything. Nodes are keyed by manage name, pools by a number that means nothing."""

    nodes: dict[str, Node] = field(default_factory=dict)
    pools: dict[str, Pool] = field(default_factory=dict)
    next_pool: int = 1

    def by_storage(self, storage: str) -> Node | None:
        """Return the node with a storage name (a manage name will do as well)."""
        for node in self.nodes.values():
            if node.storage == storage:
                return node
        return self.nodes.get(storage)

    def pool_of(self, manage: str) -> Pool:
        """Return the trusted pool of a node: one of its own, if nobody has probed it, or it was set up anew since."""
        for pool in self.pools.values():
            member = pool.members.get(manage)
            if member is not None and member.state != REJECTED:
                return pool
        pool = Pool(members={manage: Member(node=manage, hostname=self.nodes[manage].storage)})
        self.pools[str(self.next_pool)] = pool
        self.next_pool += 1
        return pool


def words(text: str) -> list[str]:
    """Return the words of a text."""
    return text.split()


FRESH = frozenset(
    words(
        """
        /boot /dev /dev/mapper /etc /home /mnt /opt /proc /root /run /run/gluster /run/lock /srv /sys /tmp /usr
        /var /var/lib /var/lib/glusterd /var/lock /var/log /var/log/glusterfs /var/tmp
        """
    )
)
"""Directories of a node on which nothing was done yet."""


def fresh_root() -> Entry:
    """Return the root file system of a machine on which nothing was done yet."""
    root = Entry()
    for path in sorted(FRESH):
        at = root
        for part in parts(path):
            at = at.children.get(part) or at.put(part, Entry())
    root.children["etc"].put("fstab", Entry(directory=False, mode=0o644, text="/dev/vda / ext4 defaults 0 1\n"))
    return root


def parts(path: str) -> Iterator[str]:
    """Yield the components of a path; `/var/run` is `/run`."""
    found = [part for part in path.split("/") if part not in {"", "."}]
    if found[:2] == ["var", "run"]:
        found = found[1:]
    yield from found


def mapper_path(vg: str, lv: str) -> str:
    """Return the name that the device mapper gives a logical volume."""
    return f"/dev/mapper/{vg.replace('-', '--')}-{lv.replace('-', '--')}"

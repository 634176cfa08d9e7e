"""What the books know: clusters, nodes, devices, bricks, volumes. Frozen values; rows and JSON are made elsewhere.

Sizes carry their unit in the name: GiB for volumes, KiB for bricks and devices.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import IntEnum

from heketipy.domain.durability import Durability
from heketipy.domain.names import thin_pool
from heketipy.domain.states import State

Tags = Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Cluster:
    """A set of nodes that are gluster peers. `file` and `block` say what new volumes it may host."""

    id: str
    file: bool
    block: bool


@dataclass(frozen=True, slots=True)
class Node:
    """A storage server. Commands go to its first manage name; bricks are addressed by its first storage name."""

    id: str
    cluster: str
    zone: int
    manage: tuple[str, ...]
    storage: tuple[str, ...]
    state: State = State.ONLINE
    tags: Tags = field(default_factory=dict)

    @property
    def address(self) -> "NodeAddress":
        """Where it is reached."""
        return NodeAddress(id=self.id, manage=self.manage[0], storage=self.storage[0])


@dataclass(frozen=True, slots=True)
class NodeAddress:
    """What is needed to run something on a node: its id, its manage name and its storage name."""

    id: str
    manage: str
    storage: str


@dataclass(frozen=True, slots=True)
class Device:
    """A disk of a node, made an LVM volume group `vg_<id>`. Invariant: total = free + used, all KiB."""

    id: str
    node: str
    name: str
    total_kib: int
    free_kib: int
    used_kib: int
    extent_kib: int
    state: State = State.ONLINE
    tags: Tags = field(default_factory=dict)
    paths: tuple[str, ...] = ()
    pv_uuid: str = ""


class BrickType(IntEnum):
    """What a brick holds. The numbers are those of heketi's database."""

    UNKNOWN = 0
    NORMAL = 1
    ARBITER = 2


@dataclass(frozen=True, slots=True)
class Brick:
    """A thin logical volume with an XFS on one device.

    `position` is its place in gluster's order of the volume's bricks, from 0; -1 while it is no part of the volume yet,
    but is to take the place of another brick. It charges its device with `tp_size_kib + pool_metadata_kib`; `size_kib`
    is the size of the file system. `pending` is the id of the operation that is adding or deleting it, or "".
    """

    id: str
    volume: str
    device: str
    node: str
    position: int
    path: str
    size_kib: int
    tp_size_kib: int
    pool_metadata_kib: int
    type: BrickType
    thin_pool: str = ""
    lv: str = ""
    pending: str = ""

    @property
    def charged_kib(self) -> int:
        """The space its thin pool takes on its device: once, however many bricks of clones share the pool."""
        return self.tp_size_kib + self.pool_metadata_kib

    @property
    def pool(self) -> str:
        """The name of its thin pool; old records leave it to be told by the brick's id."""
        return self.thin_pool or thin_pool(self.id)


@dataclass(frozen=True, slots=True)
class Snapshot:
    """Room for snapshots: the thin pool is `factor` times the brick. The factor is the exact value of a float32."""

    enable: bool = False
    factor: float = 1.0


@dataclass(frozen=True, slots=True)
class BlockInfo:
    """The books of a block-hosting volume, GiB: what is free for block volumes and what is held back."""

    free_gib: int = 0
    reserved_gib: int = 0
    restriction: str = ""


@dataclass(frozen=True, slots=True)
class Volume:
    """A gluster volume. `pending` is the id of the operation that is creating or deleting it, or ""."""

    id: str
    name: str
    cluster: str
    size_gib: int
    durability: Durability
    gid: int = 0
    snapshot: Snapshot = Snapshot()
    options: tuple[str, ...] = ()
    block: bool = False
    block_info: BlockInfo = BlockInfo()
    requested_clusters: tuple[str, ...] = ()
    pending: str = ""


@dataclass(frozen=True, slots=True)
class BlockTarget:
    """How an iSCSI initiator reaches a block volume: portals (storage names), name of the target, and CHAP's user and
    password, empty where none is asked for. All of it comes from gluster-block; the password is no part of any text.
    """

    hosts: tuple[str, ...] = ()
    iqn: str = ""
    username: str = ""
    password: str = field(default="", repr=False)


@dataclass(frozen=True, slots=True)
class BlockVolume:
    """A file on a hosting volume that gluster-block exports as an iSCSI target.

    `usable_gib` is what it really provides: less than `size_gib` after an expansion that some of its hosts refused, 0
    in old records. `ha_count` is the number of its hosts. `pending` is the id of the operation that is creating or
    deleting it, or "".
    """

    id: str
    name: str
    cluster: str
    hosting_volume: str
    size_gib: int
    usable_gib: int = 0
    ha_count: int = 0
    auth: bool = False
    target: BlockTarget = BlockTarget()
    requested_clusters: tuple[str, ...] = ()
    pending: str = ""


@dataclass(frozen=True, slots=True)
class VolumeSpec:
    """What was asked for: a volume create, after its form was checked."""

    size_gib: int
    name: str = ""
    durability: Durability = field(default_factory=Durability)
    gid: int = 0
    snapshot: Snapshot = Snapshot()
    options: tuple[str, ...] = ()
    clusters: tuple[str, ...] = ()
    block: bool = False


@dataclass(frozen=True, slots=True)
class BlockVolumeSpec:
    """What was asked for: a block volume create, after its form was checked. `ha_count` 0 means every host."""

    size_gib: int
    name: str = ""
    clusters: tuple[str, ...] = ()
    ha_count: int = 0
    auth: bool = False


@dataclass(frozen=True, slots=True)
class NodeSpec:
    """What was asked for: a node add, after its form was checked."""

    cluster: str
    zone: int
    manage: tuple[str, ...]
    storage: tuple[str, ...]
    tags: Tags = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class DeviceSpec:
    """What was asked for: a device add, after its form was checked. `destroy_data` allows its content to be wiped."""

    node: str
    name: str
    tags: Tags = field(default_factory=dict)
    destroy_data: bool = False

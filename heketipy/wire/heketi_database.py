"""heketi's database as JSON (operations §4.3): read by its rules, every record brought into its full form.

Members match in any case, unknown ones are skipped, values are not judged; what is left out is zero or empty.
"""

import re
from collections.abc import Iterator, Set
from typing import Any, Final, TypeVar

from pydantic import BaseModel, Field

from heketipy.wire.decode import WrongTypeError, read
from heketipy.wire.json_text import NotJsonError, Object, Value, parse, parse_shallow

Entry = dict[str, Any]
Entries = dict[str, list[Entry]]
Record = TypeVar("Record", bound=BaseModel)

_SURROGATE: Final = re.compile(r"\\u[dD][89a-fA-F]")


class UnreadableError(ValueError):
    """A file that holds no such database. `str()` says why in heketi's way, as far as that is sensible."""


class Mark(BaseModel):
    """The operation that an object is marked by."""

    Id: str = ""


class ClusterInfo(BaseModel):
    """A cluster."""

    id: str = ""
    nodes: list[str] = Field(default_factory=list)
    volumes: list[str] = Field(default_factory=list)
    block: bool = False
    file: bool = False
    blockvolumes: list[str] = Field(default_factory=list)


class ClusterRecord(BaseModel):
    """A record of a cluster."""

    Info: ClusterInfo = Field(default_factory=ClusterInfo)


class Replicate(BaseModel):
    """Copies."""

    replica: int = 0


class Disperse(BaseModel):
    """Erasure coding."""

    data: int = 0
    redundancy: int = 0


class Durability(BaseModel):
    """How data is kept safe."""

    type: str = ""
    replicate: Replicate = Field(default_factory=Replicate)
    disperse: Disperse = Field(default_factory=Disperse)


class Snapshot(BaseModel):
    """Room for snapshots."""

    enable: bool = False
    factor: float = 0.0


class GlusterMount(BaseModel):
    """How a volume is mounted, as it was when the record was last written."""

    hosts: list[str] | None = None
    device: str = ""
    options: dict[str, str] | None = None


class Mount(BaseModel):
    """Ways to mount a volume."""

    glusterfs: GlusterMount = Field(default_factory=GlusterMount)


class BlockInfo(BaseModel):
    """The books of a hosting volume."""

    freesize: int = 0
    reservedsize: int = 0
    blockvolume: list[str] = Field(default_factory=list)
    restriction: str = ""


class VolumeInfo(BaseModel):
    """A volume."""

    size: int = 0
    clusters: list[str] = Field(default_factory=list)
    name: str = ""
    durability: Durability = Field(default_factory=Durability)
    gid: int = 0
    glustervolumeoptions: list[str] = Field(default_factory=list)
    block: bool = False
    snapshot: Snapshot = Field(default_factory=Snapshot)
    id: str = ""
    cluster: str = ""
    mount: Mount = Field(default_factory=Mount)
    blockinfo: BlockInfo = Field(default_factory=BlockInfo)


class VolumeRecord(BaseModel):
    """A record of a volume."""

    Info: VolumeInfo = Field(default_factory=VolumeInfo)
    Bricks: list[str] = Field(default_factory=list)
    GlusterVolumeOptions: list[str] | None = None
    Pending: Mark = Field(default_factory=Mark)


class BrickInfo(BaseModel):
    """A brick."""

    id: str = ""
    path: str = ""
    device: str = ""
    node: str = ""
    volume: str = ""
    size: int = 0


class BrickRecord(BaseModel):
    """A record of a brick."""

    Info: BrickInfo = Field(default_factory=BrickInfo)
    TpSize: int = 0
    PoolMetadataSize: int = 0
    Pending: Mark = Field(default_factory=Mark)
    LvmThinPool: str = ""
    LvmLv: str = ""
    SubType: int = 0


class HostNames(BaseModel):
    """Names of a node."""

    manage: list[str] = Field(default_factory=list)
    storage: list[str] = Field(default_factory=list)


class NodeInfo(BaseModel):
    """A node."""

    zone: int = 0
    hostnames: HostNames = Field(default_factory=HostNames)
    cluster: str = ""
    tags: dict[str, str] = Field(default_factory=dict)
    id: str = ""


class NodeRecord(BaseModel):
    """A record of a node."""

    State: str = ""
    Info: NodeInfo = Field(default_factory=NodeInfo)
    Devices: list[str] = Field(default_factory=list)


class Storage(BaseModel):
    """Space of a device, KiB."""

    total: int = 0
    free: int = 0
    used: int = 0


class DeviceInfo(BaseModel):
    """A device."""

    name: str = ""
    tags: dict[str, str] = Field(default_factory=dict)
    storage: Storage = Field(default_factory=Storage)
    id: str = ""
    paths: list[str] = Field(default_factory=list)
    pv_uuid: str = ""


class DeviceRecord(BaseModel):
    """A record of a device."""

    State: str = ""
    Info: DeviceInfo = Field(default_factory=DeviceInfo)
    Bricks: list[str] = Field(default_factory=list)
    NodeId: str = ""
    ExtentSize: int = 0


class BlockTarget(BaseModel):
    """How a block volume is reached."""

    hosts: list[str] | None = None
    iqn: str = ""
    lun: int = 0
    username: str = ""
    password: str = ""


class BlockVolumeInfo(BaseModel):
    """A block volume."""

    size: int = 0
    clusters: list[str] = Field(default_factory=list)
    name: str = ""
    hacount: int = 0
    auth: bool = False
    id: str = ""
    blockvolume: BlockTarget = Field(default_factory=BlockTarget)
    cluster: str = ""
    blockhostingvolume: str = ""
    usablesize: int = 0


class BlockVolumeRecord(BaseModel):
    """A record of a block volume."""

    Info: BlockVolumeInfo = Field(default_factory=BlockVolumeInfo)
    Pending: Mark = Field(default_factory=Mark)


class AttributeRecord(BaseModel):
    """A fact about the database."""

    Key: str = ""
    Value: str = ""


class ActionRecord(BaseModel):
    """A change of a pending operation."""

    Change: int = 0
    Id: str = ""
    Delta: int | None = None


class PendingRecord(BaseModel):
    """A record of a pending operation."""

    Id: str = ""
    Timestamp: int = 0
    Type: int = 0
    Actions: list[ActionRecord] = Field(default_factory=list)
    Status: str = ""


_LEFT_OUT_WHEN_EMPTY: Final[dict[type[BaseModel], Set[str]]] = {
    Replicate: {"replica"},
    Disperse: {"data", "redundancy"},
    Durability: {"type"},
    BlockInfo: {"freesize", "reservedsize", "blockvolume", "restriction"},
    VolumeInfo: {"clusters", "gid", "glustervolumeoptions", "block"},
    NodeInfo: {"tags"},
    DeviceInfo: {"tags", "paths", "pv_uuid"},
    BlockVolumeInfo: {"clusters", "hacount", "auth", "cluster", "blockhostingvolume", "usablesize"},
}
"""Members that heketi leaves out of a record when there is nothing to say."""

_RECORDS: Final[dict[str, type[BaseModel]]] = {
    "clusterentries": ClusterRecord,
    "volumeentries": VolumeRecord,
    "brickentries": BrickRecord,
    "nodeentries": NodeRecord,
    "deviceentries": DeviceRecord,
    "blockvolumeentries": BlockVolumeRecord,
    "dbattributeentries": AttributeRecord,
    "pendingoperations": PendingRecord,
}


def read_database(content: bytes) -> Entries:
    """Return the records of each section, in the order of the file. What follows the first JSON value is not looked at.

    Raises UnreadableError.
    """
    if not content.strip():
        raise UnreadableError("EOF")
    try:
        value = _parsed(content)
        return {section: [_entry(record) for record in _records(value, section)] for section in _RECORDS}
    except NotJsonError as error:
        cut = error.offset >= len(content.decode("utf-8", "replace").rstrip())
        raise UnreadableError("unexpected EOF" if cut else str(error)) from error
    except WrongTypeError as error:
        raise UnreadableError(f"json: {error}") from error


def _parsed(content: bytes) -> Value:
    text = content.decode("utf-8", "replace")
    if _SURROGATE.search(text):
        return parse(text, allow_more=True)
    return parse_shallow(text)


def _records(value: Value, section: str) -> Iterator[BaseModel]:
    """Return the records of a section. The names that they have in the file do not matter."""
    model = _RECORDS[section]
    for name, members in _members(value, "the whole"):
        if name.lower() == section:
            for key, record in _members(members, section):
                yield _read(model, record, f"{section}.{key}")


def _read(model: type[Record], value: Value, where: str) -> Record:
    try:
        return read(model, value)
    except WrongTypeError as error:
        raise WrongTypeError(f"{where}.{error.where}", error.needed, error.found) from error


def _members(value: Value, where: str) -> list[tuple[str, Value]]:
    if value is None:
        return []
    if not isinstance(value, Object):
        raise WrongTypeError(where, "an object", value)
    return value.members


def _entry(record: BaseModel) -> Entry:
    """Return a record's members in heketi's order, without those that it leaves out."""
    left_out: Set[str] = _LEFT_OUT_WHEN_EMPTY.get(type(record), frozenset())
    members = ((name, getattr(record, name)) for name in type(record).model_fields)
    return {name: _plain(value) for name, value in members if value or name not in left_out}


def _plain(value: Any) -> Any:
    if isinstance(value, BaseModel):
        return _entry(value)
    if isinstance(value, list):
        return [_plain(item) for item in value]
    if isinstance(value, dict):
        return dict(sorted(value.items()))
    return value

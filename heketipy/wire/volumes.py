"""Bodies of the volume routes. Sizes of volumes are GiB, those of bricks KiB."""

import re
from hashlib import sha256

from pydantic import BaseModel, ConfigDict, Field

from heketipy.domain.details import VolumeDetails
from heketipy.domain.dry_run import BrickPlace, VolumeOutlook
from heketipy.domain.durability import ALLOWED_DISPERSE, MAX_REPLICA, Durability, DurabilityType
from heketipy.domain.errors import InvalidRequest
from heketipy.domain.model import BlockInfo, BrickType, Snapshot, Volume, VolumeSpec
from heketipy.wire import checks
from heketipy.wire.devices import BrickInfo, brick_infos
from heketipy.wire.encode import Json
from heketipy.wire.float32 import shortest

MAX_NAME = 128
"""Longest name of a gluster volume that heketi's brick paths leave room for: glusterd keeps, for each brick,
a file named after the volume, the host and the brick's path (102 characters), and file names end at 255."""

GID_LIMIT = 2147483647
MIN_FACTOR = 1.0
MAX_FACTOR = 100.0

NAME = "^([a-zA-Z0-9_-]+|[a-zA-Z0-9_][a-zA-Z0-9_.-]*)?$"
"""Names as the document has them: heketi's, and those that can be made usable."""

_NAME = re.compile(r"[a-zA-Z0-9_-]+")
_REPAIRABLE = re.compile(r"[a-zA-Z0-9_][a-zA-Z0-9_.-]*")


class Replicate(BaseModel):
    """Copies, for the type replicate."""

    replica: int = Field(default=0, description="1 to 3; 0 means 2.")


class Disperse(BaseModel):
    """Erasure coding, for the type disperse: 2+1, 4+2, 8+3 or 8+4."""

    data: int = Field(default=0)
    redundancy: int = Field(default=0)


class DurabilityInfo(BaseModel):
    """How data is kept safe. Only the numbers of the type in force count."""

    type: str = Field(
        default="",
        json_schema_extra={"enum": ["", *DurabilityType]},
        description="`none` (also if empty), `replicate` or `disperse`.",
    )
    replicate: Replicate = Field(default_factory=Replicate)
    disperse: Disperse = Field(default_factory=Disperse)

    def check(self) -> None:
        """Raise InvalidRequest where type or numbers are not supported."""
        match self.type:
            case "" | DurabilityType.NONE:
                return
            case DurabilityType.REPLICATE:
                if not 0 <= self.replicate.replica <= MAX_REPLICA:
                    raise InvalidRequest("Invalid replica value")
            case DurabilityType.DISPERSE:
                data, redundancy = self.disperse.data, self.disperse.redundancy
                if (data, redundancy) not in ALLOWED_DISPERSE:
                    raise InvalidRequest(f"Invalid dispersion combination: {data}+{redundancy}")
            case _:
                raise InvalidRequest("Unknown durability type")

    def value(self) -> Durability:
        """Return the domain's value. Numbers of other types are kept as they came: they are shown again."""
        return Durability(
            type=DurabilityType(self.type or DurabilityType.NONE),
            replica=self.replicate.replica,
            data=self.disperse.data,
            redundancy=self.disperse.redundancy,
        )


class SnapshotInfo(BaseModel):
    """Room for snapshots."""

    enable: bool = False
    factor: float = Field(
        default=0.0,
        description="Thin pool by brick, 1 to 100, rounded to 32 bits. Required if enabled, else ignored.",
    )

    def check(self) -> None:
        """Raise InvalidRequest where the factor is out of bounds."""
        if self.enable and not MIN_FACTOR <= self.factor <= MAX_FACTOR:
            raise InvalidRequest("Invalid snapshot factor")

    def value(self) -> Snapshot:
        """Return the domain's value."""
        return Snapshot(enable=True, factor=self.factor) if self.enable else Snapshot()


class VolumeCreateRequest(BaseModel):
    """A volume to be made."""

    size: int = Field(default=0, ge=1, description="GiB. Required.")
    clusters: list[str] = Field(default_factory=list, description="Ids of the clusters that may host it; none: all.")
    name: str = Field(
        default="",
        pattern=NAME,
        description="Letters, digits, `_` and `-`; by default made of the id. A dot becomes `-`, and a name "
        "that is too long for gluster is shortened: the answer shows the name in force.",
    )
    durability: DurabilityInfo = Field(default_factory=DurabilityInfo)
    gid: int = Field(
        default=0, ge=0, lt=GID_LIMIT, description="Group that may write, 0 to 2147483646; 0: root's alone."
    )
    glustervolumeoptions: list[str] = Field(
        default_factory=list, description="As `<option> <value>`, set on the gluster volume."
    )
    block: bool = Field(default=False, description="Whether it is to host block volumes.")
    snapshot: SnapshotInfo = Field(default_factory=SnapshotInfo)

    def check(self) -> None:
        """Raise InvalidRequest where the form is wrong, in heketi's order. The books are not asked."""
        checks.refuse({"name": _name_failure(self.name), "size": checks.positive(self.size)})
        if self.gid < 0:
            raise InvalidRequest("Bad group id less than zero")
        if self.gid >= GID_LIMIT:
            raise InvalidRequest("Bad group id equal or greater than 2**32")
        if self.durability.type not in ("", *DurabilityType):
            raise InvalidRequest("Unknown durability type")
        self.snapshot.check()
        self.durability.check()

    def spec(self) -> VolumeSpec:
        """Return what is asked for: ids and options trimmed, empty ones dropped, the name made usable.

        A list of clusters that holds nothing but empty texts keeps one: it must not come to mean all
        clusters.
        """
        clusters = tuple(cluster.strip() for cluster in self.clusters)
        return VolumeSpec(
            size_gib=self.size,
            name=usable_name(self.name),
            durability=self.durability.value(),
            gid=self.gid,
            snapshot=self.snapshot.value(),
            options=tuple(option for text in self.glustervolumeoptions if (option := text.strip())),
            clusters=tuple(cluster for cluster in clusters if cluster) or clusters[:1],
            block=self.block,
        )


class VolumeExpandRequest(BaseModel):
    """By how much a volume is to grow."""

    expand_size: int = Field(default=0, ge=1, description="GiB to be added. Required.")

    def check(self) -> None:
        """Raise InvalidRequest where the form is wrong."""
        checks.refuse({"expand_size": checks.positive(self.expand_size)})


class VolumeCloneRequest(BaseModel):
    """A copy of a volume."""

    name: str = Field(default="", pattern=NAME, description="As in a volume create; by default made of the copy's id.")

    def check(self) -> None:
        """Raise InvalidRequest where the form is wrong."""
        checks.refuse({"name": _name_failure(self.name)})

    def usable_name(self) -> str:
        """Return the name under which gluster can keep the copy, or ""."""
        return usable_name(self.name)


def usable_name(name: str) -> str:
    """Return the name under which gluster can keep a volume, the same for the same name.

    Names of Kubernetes hold dots and may be long; what heketi accepts and gluster can keep stays as it is.
    """
    if len(name) > MAX_NAME:
        digest = sha256(name.encode()).hexdigest()[:12]
        name = f"{name[: MAX_NAME - 1 - len(digest)]}-{digest}"
    return name.replace(".", "-")


def _name_failure(name: str) -> str:
    if not name or _NAME.fullmatch(name) or _REPAIRABLE.fullmatch(name):
        return ""
    return checks.BAD_FORMAT


class _Answer(BaseModel):
    model_config = ConfigDict(extra="forbid")


class DurabilityAnswer(_Answer):
    """How data is kept safe, as it was asked for: a default is not shown."""

    type: str
    replicate: Replicate
    disperse: Disperse


class SnapshotAnswer(_Answer):
    """Room for snapshots; the factor is 1 where there is none."""

    enable: bool
    factor: float


class GlusterMount(_Answer):
    """How to mount a volume: any of the hosts will do."""

    hosts: list[str] = Field(min_length=1, description="All nodes of the cluster.")
    device: str
    options: dict[str, str]


class Mount(_Answer):
    """Ways to mount a volume."""

    glusterfs: GlusterMount


class BlockInfoAnswer(_Answer):
    """The books of a block-hosting volume; empty for others. Zero and empty members are left out."""

    freesize: int = Field(default=0, description="GiB.")
    reservedsize: int = Field(default=0, description="GiB.")
    blockvolume: list[str] = Field(default_factory=list, description="Ids, ascending.")
    restriction: str = ""


class VolumeInfoResponse(_Answer):
    """A volume and its bricks."""

    size: int = Field(description="GiB.")
    name: str
    durability: DurabilityAnswer
    gid: int = Field(default=0, description="Left out when 0.")
    glustervolumeoptions: list[str] = Field(
        default_factory=list, description="The server's and the request's, in the order of their setting."
    )
    block: bool = Field(default=False, description="Left out when false.")
    snapshot: SnapshotAnswer
    id: str
    cluster: str
    mount: Mount
    blockinfo: BlockInfoAnswer
    bricks: list[BrickInfo] = Field(description="Ascending by id.")


class BrickPlaceAnswer(_Answer):
    """A brick that would be made."""

    node: str
    host: str = Field(description="The node's first manage name.")
    zone: int
    device: str
    name: str = Field(description="Path of the device.")
    size: int = Field(description="KiB.")
    arbiter: bool = Field(default=False, description="Left out when false.")


class VolumeDryRunResponse(_Answer):
    """The volume that would be made. Nothing is held for it: a create may come to another place, or too late."""

    size: int = Field(description="GiB.")
    name: str = Field(default="", description="Left out when it would be made of the id.")
    durability: DurabilityAnswer
    gid: int = Field(default=0, description="Left out when 0.")
    glustervolumeoptions: list[str] = Field(default_factory=list, description="Those that would be set.")
    block: bool = Field(default=False, description="Left out when false.")
    snapshot: SnapshotAnswer
    cluster: str
    bricks: list[BrickPlaceAnswer] = Field(description="In gluster's order.")
    largest_size_gib: int = Field(
        description="The largest size that fits now, with the same demands, in any of the clusters that may host it."
    )


class VolumeListResponse(_Answer):
    """All volumes; those being created or deleted are left out."""

    volumes: list[str] = Field(description="Ids, ascending.")


def volume_info(details: VolumeDetails) -> Json:
    """Return the members of a VolumeInfoResponse."""
    volume = details.volume
    result: dict[str, object] = {
        "size": volume.size_gib,
        "name": volume.name,
        "durability": _durability(volume.durability),
    }
    if volume.gid:
        result["gid"] = volume.gid
    if volume.options:
        result["glustervolumeoptions"] = list(volume.options)
    if volume.block:
        result["block"] = True
    result["snapshot"] = {"enable": volume.snapshot.enable, "factor": shortest(volume.snapshot.factor)}
    result["id"] = volume.id
    result["cluster"] = volume.cluster
    result["mount"] = {"glusterfs": _mount(volume, details.hosts)}
    result["blockinfo"] = _block_info(volume.block_info, details.block_volumes)
    result["bricks"] = brick_infos(details.bricks)
    return result


def volume_outlook(outlook: VolumeOutlook) -> Json:
    """Return the members of a VolumeDryRunResponse."""
    spec = outlook.spec
    result: dict[str, object] = {"size": spec.size_gib}
    if spec.name:
        result["name"] = spec.name
    result["durability"] = _durability(spec.durability)
    if spec.gid:
        result["gid"] = spec.gid
    if outlook.options:
        result["glustervolumeoptions"] = list(outlook.options)
    if spec.block:
        result["block"] = True
    result["snapshot"] = {"enable": spec.snapshot.enable, "factor": shortest(spec.snapshot.factor)}
    result["cluster"] = outlook.cluster
    result["bricks"] = [_brick_place(place) for place in outlook.bricks]
    result["largest_size_gib"] = outlook.largest_gib
    return result


def _brick_place(place: BrickPlace) -> Json:
    result: dict[str, object] = {
        "node": place.node.id,
        "host": place.node.manage[0],
        "zone": place.node.zone,
        "device": place.device.id,
        "name": place.device.name,
        "size": place.brick.size_kib,
    }
    if place.brick.type is BrickType.ARBITER:
        result["arbiter"] = True
    return result


def _durability(durability: Durability) -> Json:
    disperse: dict[str, int] = {}
    if durability.data:
        disperse["data"] = durability.data
    if durability.redundancy:
        disperse["redundancy"] = durability.redundancy
    return {
        "type": durability.type,
        "replicate": {"replica": durability.replica} if durability.replica else {},
        "disperse": disperse,
    }


def _mount(volume: Volume, hosts: tuple[str, ...]) -> Json:
    first, *others = hosts
    return {
        "hosts": list(hosts),
        "device": f"{first}:{volume.name}",
        "options": {"backup-volfile-servers": ",".join(others)},
    }


def _block_info(info: BlockInfo, block_volumes: tuple[str, ...]) -> Json:
    result: dict[str, object] = {}
    if info.free_gib:
        result["freesize"] = info.free_gib
    if info.reserved_gib:
        result["reservedsize"] = info.reserved_gib
    if block_volumes:
        result["blockvolume"] = list(block_volumes)
    if info.restriction:
        result["restriction"] = info.restriction
    return result

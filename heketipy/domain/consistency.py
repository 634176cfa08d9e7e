"""heketi's check of its database (operations §4.5): whether records that name each other agree, and whether sizes add
up.

It looks at records in heketi's form (our own books hold most of these rules by constraints, but what was taken over
from heketi need not), and says what it finds in heketi's words. Of each record only what is compared is kept.
"""

from bisect import bisect_left
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from sys import intern
from typing import Any, Final

from heketipy.domain.pending import Change

Entry = Mapping[str, Any]
Ids = Sequence[str]


@dataclass(frozen=True, slots=True)
class Finding:
    """How a kind of records is. `pending` counts those that an operation has marked."""

    total: int = 0
    pending: int = 0
    ok: int = 0
    not_ok: int = 0
    inconsistencies: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Report:
    """How every kind of records is, by heketi's names, in its order."""

    findings: Mapping[str, Finding]

    @property
    def total(self) -> int:
        """How many inconsistencies there are."""
        return sum(len(finding.inconsistencies) for finding in self.findings.values())


@dataclass(frozen=True, slots=True)
class _Cluster:
    nodes: Ids
    volumes: Ids
    block_volumes: Ids


@dataclass(frozen=True, slots=True)
class _Volume:
    cluster: str
    pending: str
    bricks: Ids
    block_volumes: Ids
    hosts: Ids
    block: bool
    size: int
    free: int
    reserved: int


@dataclass(frozen=True, slots=True)
class _Brick:
    volume: str
    device: str
    node: str
    pending: str
    charged: int


@dataclass(frozen=True, slots=True)
class _Node:
    cluster: str
    devices: Ids


@dataclass(frozen=True, slots=True)
class _Device:
    node: str
    bricks: Ids
    total: int
    free: int
    used: int


@dataclass(frozen=True, slots=True)
class _BlockVolume:
    cluster: str
    volume: str
    pending: str
    size: int


@dataclass(slots=True)
class Records:
    """The records of a database, as far as they are compared."""

    clusters: dict[str, _Cluster] = field(default_factory=dict)
    volumes: dict[str, _Volume] = field(default_factory=dict)
    bricks: dict[str, _Brick] = field(default_factory=dict)
    nodes: dict[str, _Node] = field(default_factory=dict)
    devices: dict[str, _Device] = field(default_factory=dict)
    block_volumes: dict[str, _BlockVolume] = field(default_factory=dict)
    operations: dict[str, Sequence[tuple[int, str]]] = field(default_factory=dict)

    @classmethod
    def of(cls, sections: Iterable[tuple[str, Iterable[tuple[str, Entry]]]]) -> "Records":
        """Take what is compared out of all records; `sections` are named as in heketi's dump."""
        records = cls()
        for name, entries in sections:
            if name in _READERS:
                member, read = _READERS[name]
                getattr(records, member).update((intern(id), read(entry)) for id, entry in entries)
        return records


def _ids(ids: Ids | None) -> Ids:
    return tuple(map(intern, ids or ()))


def _read_cluster(entry: Entry) -> _Cluster:
    info = entry["Info"]
    return _Cluster(info["nodes"], info["volumes"], info["blockvolumes"])


def _read_volume(entry: Entry) -> _Volume:
    info = entry["Info"]
    books = info["blockinfo"]
    return _Volume(
        cluster=info["cluster"],
        pending=entry["Pending"]["Id"],
        bricks=_ids(entry["Bricks"]),
        block_volumes=books.get("blockvolume", ()),
        hosts=info["mount"]["glusterfs"]["hosts"] or (),
        block=info.get("block", False),
        size=info["size"],
        free=books.get("freesize", 0),
        reserved=books.get("reservedsize", 0),
    )


def _read_brick(entry: Entry) -> _Brick:
    info = entry["Info"]
    charged = entry["TpSize"] + entry["PoolMetadataSize"]
    # Each id is named by several records, and kept once.
    return _Brick(
        intern(info["volume"]), intern(info["device"]), intern(info["node"]), intern(entry["Pending"]["Id"]), charged
    )


def _read_node(entry: Entry) -> _Node:
    return _Node(entry["Info"]["cluster"], entry["Devices"])


def _read_device(entry: Entry) -> _Device:
    storage = entry["Info"]["storage"]
    return _Device(entry["NodeId"], _ids(entry["Bricks"]), storage["total"], storage["free"], storage["used"])


def _read_block_volume(entry: Entry) -> _BlockVolume:
    info = entry["Info"]
    return _BlockVolume(
        info.get("cluster", ""), info.get("blockhostingvolume", ""), entry["Pending"]["Id"], info["size"]
    )


def _read_operation(entry: Entry) -> Sequence[tuple[int, str]]:
    return [(action["Change"], action["Id"]) for action in entry["Actions"]]


_READERS: Final[Mapping[str, tuple[str, Callable[[Entry], Any]]]] = {
    "clusterentries": ("clusters", _read_cluster),
    "volumeentries": ("volumes", _read_volume),
    "brickentries": ("bricks", _read_brick),
    "nodeentries": ("nodes", _read_node),
    "deviceentries": ("devices", _read_device),
    "blockvolumeentries": ("block_volumes", _read_block_volume),
    "pendingoperations": ("operations", _read_operation),
}


def check(records: Records) -> Report:
    """Compare everything with everything."""
    check = _Check(records)
    return Report(
        {
            "clusters": _finding(records.clusters, check.cluster),
            "volumes": _finding(records.volumes, check.volume, _pending),
            "bricks": _finding(records.bricks, check.brick, _pending),
            "nodes": _finding(records.nodes, check.node),
            "devices": _finding(records.devices, check.device),
            "blockvolumes": _finding(records.block_volumes, check.block_volume, _pending),
            "dbattributes": Finding(),
            "pendingoperations": _finding(records.operations, check.operation),
        }
    )


def _pending(record: Any) -> bool:
    return bool(record.pending)


def _finding(
    records: Mapping[str, Any],
    judge: Callable[[str, Any], Iterator[str]],
    is_pending: Callable[[Any], bool] = lambda _: False,
) -> Finding:
    texts: list[str] = []
    pending = wrong = 0
    for id, record in sorted(records.items()):
        found = list(judge(id, record))
        texts += found
        wrong += bool(found)
        pending += is_pending(record)
    return Finding(len(records), pending, len(records) - wrong, wrong, tuple(texts))


@dataclass(frozen=True, slots=True)
class _Check:
    """Judges single records. The words are heketi's."""

    all: Records

    def cluster(self, id: str, cluster: _Cluster) -> Iterator[str]:
        """Compare a cluster with what it says to have."""
        for kind, ids, known in (
            ("node", cluster.nodes, self.all.nodes),
            ("volume", cluster.volumes, self.all.volumes),
            ("blockvolume", cluster.block_volumes, self.all.block_volumes),
        ):
            for other in ids:
                record: Any = known.get(other)
                if record is None:
                    yield f"Cluster {id} unknown {kind} {other}"
                elif record.cluster != id:
                    yield f"Cluster {id} no link back to cluster from {kind} {other}"

    def volume(self, id: str, volume: _Volume) -> Iterator[str]:
        """Compare a volume with its cluster, its bricks and its block volumes."""
        yield from self._mark("Volume", id, volume.pending)
        cluster = self.all.clusters.get(volume.cluster)
        if cluster is None:
            yield f"Volume {id} unknown cluster {volume.cluster}"
        else:
            if not _listed(cluster.volumes, id):
                yield f"Volume {id} no link back to volume from cluster {volume.cluster}"
            if len(volume.hosts) != len(cluster.nodes):
                yield (
                    f"Volume {id} mount hosts list([{' '.join(volume.hosts)}]) is not same as list of all nodes of"
                    f" the cluster([{' '.join(cluster.nodes)}])"
                )
        yield from self._back_to_volume(id, "brick", volume.bricks, self.all.bricks)
        yield from self._back_to_volume(id, "blockvolume", volume.block_volumes, self.all.block_volumes)
        yield from self._block_sizes(id, volume)

    def _back_to_volume(self, id: str, kind: str, ids: Ids, known: Mapping[str, Any]) -> Iterator[str]:
        for other in ids:
            record = known.get(other)
            if record is None:
                yield f"Volume {id} unknown {kind} {other}"
            elif record.volume != id:
                yield f"Volume {id} no link back to volume from {kind} {other}"

    def _block_sizes(self, id: str, volume: _Volume) -> Iterator[str]:
        known = (self.all.block_volumes.get(other) for other in volume.block_volumes)
        sum_of_sizes = sum(record.size for record in known if record is not None)
        if volume.block:
            if sum_of_sizes != volume.size - volume.free - volume.reserved:
                yield (
                    f"Volume {id} blocksize differs aggregateSize {sum_of_sizes} != volumeSize {volume.size}"
                    f" - freeSize {volume.free} - reservedSize {volume.reserved}"
                )
        elif sum_of_sizes:
            yield f"Volume {id} has blockvolumes but not block flag"

    def brick(self, id: str, brick: _Brick) -> Iterator[str]:
        """Compare a brick with its node, its volume and its device."""
        yield from self._mark("Brick", id, brick.pending)
        if brick.node not in self.all.nodes:
            yield f"Brick {id} unknown node {brick.node}"
        volume = self.all.volumes.get(brick.volume)
        if volume is None:
            yield f"Brick {id} unknown volume {brick.volume}"
        elif not _listed(volume.bricks, id):
            yield f"Brick {id} no link back to brick from volume {brick.volume}"
        device = self.all.devices.get(brick.device)
        if device is None:
            yield f"Brick {id} unknown device {brick.device}"
        elif not _listed(device.bricks, id):
            yield f"Brick {id} no link back to brick from device {brick.device}"

    def node(self, id: str, node: _Node) -> Iterator[str]:
        """Compare a node with its devices and its cluster."""
        for other in node.devices:
            device = self.all.devices.get(other)
            if device is None:
                yield f"Node {id} unknown device {other}"
            elif device.node != id:
                yield f"Node {id} no link back to node from device {other}"
        cluster = self.all.clusters.get(node.cluster)
        if cluster is None:
            yield f"Node {id} unknown cluster {node.cluster}"
        elif not _listed(cluster.nodes, id):
            yield f"Node {id} no link back to node from cluster {node.cluster}"

    def device(self, id: str, device: _Device) -> Iterator[str]:
        """Compare a device with its node and its bricks, and its sizes with theirs."""
        node = self.all.nodes.get(device.node)
        if node is None:
            yield f"Device {id} unknown node {device.node}"
        elif not _listed(node.devices, id):
            yield f"Device {id} no link back to device from node {device.node}"
        charged = 0
        for other in device.bricks:
            brick = self.all.bricks.get(other)
            if brick is None:
                yield f"Device {id} unknown brick {other}"
                continue
            charged += brick.charged
            if brick.device != id:
                yield f"Device {id} no link back to device from brick {other}"
        if device.total != device.free + device.used:
            yield f"Device {id} size values differ Total({device.total}) != Free({device.free}) + Used({device.used})"
        if device.used != charged:
            yield f"Device {id} size values differ Used({device.used}) != aggregateBricksSize({charged})"

    def block_volume(self, id: str, block_volume: _BlockVolume) -> Iterator[str]:
        """Compare a block volume with its cluster and its hosting volume."""
        yield from self._mark("BlockVolume", id, block_volume.pending)
        cluster = self.all.clusters.get(block_volume.cluster)
        if cluster is None:
            yield f"BlockVolume {id} unknown cluster {block_volume.cluster}"
        elif not _listed(cluster.block_volumes, id):
            yield f"BlockVolume {id} no link back to blockVolume from cluster {block_volume.cluster}"
        volume = self.all.volumes.get(block_volume.volume)
        if volume is None:
            yield f"BlockVolume {id} unknown volume {block_volume.volume}"
        elif not _listed(volume.block_volumes, id):
            yield f"BlockVolume {id} no link back to blockVolume from volume {block_volume.volume}"

    def operation(self, id: str, changes: Sequence[tuple[int, str]]) -> Iterator[str]:
        """Compare a pending operation with the marks of what it changes."""
        for change, other in changes:
            match change:
                case Change.ADD_BRICK | Change.DELETE_BRICK:
                    yield from _marked(id, other, "bricks", self.all.bricks)
                case (
                    Change.ADD_VOLUME
                    | Change.DELETE_VOLUME
                    | Change.CLONE_VOLUME
                    | Change.SNAPSHOT_VOLUME
                    | Change.ADD_VOLUME_CLONE
                ):
                    yield from _marked(id, other, "volumes", self.all.volumes)
                case Change.ADD_BLOCK_VOLUME | Change.DELETE_BLOCK_VOLUME:
                    yield from _marked(id, other, "blockvolumes", self.all.block_volumes)
                case Change.EXPAND_VOLUME:
                    yield from _there(id, other, "volumes", self.all.volumes)
                case Change.EXPAND_BLOCK_VOLUME:
                    yield from _there(id, other, "blockvolumes", self.all.block_volumes)
                case Change.REMOVE_DEVICE:
                    pass
                case _:
                    yield f"Pending Op {id} unexpected change type {change}"

    def _mark(self, kind: str, id: str, operation: str) -> Iterator[str]:
        if operation and operation not in self.all.operations:
            yield f"{kind} {id} marked pending but no pending op {operation}"


def _listed(ids: Ids, id: str) -> bool:
    """Look an id up in a list that should be sorted. In one that is not it may not be found: heketi's check does so,
    and its reports are compared."""
    place = bisect_left(ids, id)
    return place < len(ids) and ids[place] == id


def _marked(operation: str, id: str, kind: str, known: Mapping[str, Any]) -> Iterator[str]:
    record = known.get(id)
    if record is None or record.pending != operation:
        yield f"pending op {operation} id in change missing {id} not found in {kind}"


def _there(operation: str, id: str, kind: str, known: Mapping[str, Any]) -> Iterator[str]:
    if id not in known:
        yield f"pending op {operation}: change id missing {id} not found in {kind}"

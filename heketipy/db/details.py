"""What GETs show, in few queries: an object with all that belongs to it."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from sqlalchemy import BindParameter, Connection, bindparam, select

from heketipy.db import bricks, devices, nodes, tables, volumes
from heketipy.db.block_volumes import BlockVolumes
from heketipy.db.clusters import Clusters
from heketipy.domain.details import ClusterContents, ClusterDetails, DeviceDetails, NodeDetails, VolumeDetails
from heketipy.domain.errors import NotFound
from heketipy.domain.model import Brick, Device, Volume

_brick = tables.bricks.c
_node_id: BindParameter[Any] = bindparam("node")

_NODE = select(*nodes.COLUMNS).where(tables.nodes.c.id == _node_id)
_DEVICE = select(*devices.COLUMNS).where(tables.devices.c.id == bindparam("device"))
_NODES = select(*nodes.COLUMNS).order_by(tables.nodes.c.id)
_DEVICES = select(*devices.COLUMNS).order_by(tables.devices.c.id)
_DEVICES_OF_NODE = select(*devices.COLUMNS).where(tables.devices.c.node == _node_id).order_by(tables.devices.c.id)
_BRICKS = select(*bricks.COLUMNS)
_BRICKS_OF_DEVICE = _BRICKS.where(_brick.device == bindparam("device")).order_by(_brick.id)
_BRICKS_OF_NODE = _BRICKS.join(tables.devices, tables.devices.c.id == _brick.device).where(
    tables.devices.c.node == _node_id
)
_IN_PLACE = _brick.position >= 0
_BRICKS_OF_VOLUME = _BRICKS.where(_brick.volume == bindparam("volume"), _IN_PLACE)
_VOLUMES = select(*volumes.COLUMNS, tables.clusters.c.topology).join(
    tables.clusters, tables.clusters.c.id == tables.volumes.c.cluster
)
_VOLUME = _VOLUMES.where(tables.volumes.c.id == bindparam("volume"))
_VISIBLE_OF_CLUSTER = _VOLUMES.where(
    tables.volumes.c.cluster == bindparam("cluster"), tables.volumes.c.pending == ""
).order_by(tables.volumes.c.id)
_STORAGE_NAMES = (
    select(tables.nodes.c.storage).where(tables.nodes.c.cluster == bindparam("cluster")).order_by(tables.nodes.c.id)
)


class Hosts:
    """The mount hosts of each cluster, as last seen by a reader, with the topology count that they belong to.

    A read compares the count, which comes with the volume's row, so nothing has to be invalidated. The writer does not
    put anything in here: what it sees may yet be rolled back.
    """

    def __init__(self) -> None:
        self._hosts: dict[str, tuple[int, tuple[str, ...]]] = {}

    def get(self, cluster: str, topology: int) -> tuple[str, ...] | None:
        """Return the hosts if they are those of this count."""
        known = self._hosts.get(cluster)
        return known[1] if known is not None and known[0] == topology else None

    def keep(self, cluster: str, topology: int, hosts: tuple[str, ...]) -> None:
        """Remember the hosts of a cluster."""
        self._hosts[cluster] = (topology, hosts)


class Details:
    """Looks at an object and what belongs to it. `hosts` is None in a transaction that writes."""

    def __init__(
        self, connection: Connection, clusters: Clusters, block_volumes: BlockVolumes, hosts: Hosts | None
    ) -> None:
        self._connection = connection
        self._clusters = clusters
        self._block_volumes = block_volumes
        self._hosts = hosts

    def cluster(self, id: str) -> ClusterDetails:
        """Return a cluster with the ids of its nodes and visible volumes. Raises NotFound."""
        cluster = self._clusters.get(id)
        return ClusterDetails(
            cluster,
            nodes=tuple(self._clusters.node_ids(id)),
            volumes=tuple(self._clusters.volume_ids(id)),
            block_volumes=tuple(self._block_volumes.ids_of_cluster(id)),
        )

    def device(self, id: str) -> DeviceDetails:
        """Return a device with its bricks. Raises NotFound."""
        row = self._connection.execute(_DEVICE, {"device": id}).one_or_none()
        if row is None:
            raise NotFound
        found = self._connection.execute(_BRICKS_OF_DEVICE, {"device": id})
        return DeviceDetails(devices.from_row(row), tuple(map(bricks.from_row, found)))

    def node(self, id: str) -> NodeDetails:
        """Return a node with its devices and their bricks. Raises NotFound."""
        row = self._connection.execute(_NODE, {"node": id}).one_or_none()
        if row is None:
            raise NotFound
        node = nodes.from_row(row)
        rows = self._connection.execute(_DEVICES_OF_NODE, {"node": id})
        held = _by_device(self._connection.execute(_BRICKS_OF_NODE, {"node": id}))
        return NodeDetails(node, tuple(_device_with(devices.from_row(row), held) for row in rows))

    def volume(self, id: str, *, visible: bool = True) -> VolumeDetails:
        """Return a volume with its bricks and mount hosts. Raises NotFound, also for a volume that is being created
        or deleted unless `visible` is false."""
        row = self._connection.execute(_VOLUME, {"volume": id}).one_or_none()
        if row is None:
            raise NotFound
        volume = volumes.from_row(row[:-1])
        if visible and volume.pending:
            raise NotFound
        found = map(bricks.from_row, self._connection.execute(_BRICKS_OF_VOLUME, {"volume": id}))
        return VolumeDetails(volume, _sorted(found), self._hosts_of(volume.cluster, row[-1]), self._held_by(volume))

    def site(self) -> Iterator[ClusterContents]:
        """Return all clusters, ascending by id, with what is in each. Each is made when it is asked for."""
        found = sorted(map(bricks.from_row, self._connection.execute(_BRICKS)), key=lambda brick: brick.id)
        of_volumes: dict[str, list[Brick]] = {}
        for brick in found:
            if brick.position >= 0:
                of_volumes.setdefault(brick.volume, []).append(brick)
        nodes_of: dict[str, list[NodeDetails]] = {}
        for node in self._nodes(found):
            nodes_of.setdefault(node.node.cluster, []).append(node)
        for cluster in self._clusters.all():
            yield ClusterContents(
                cluster, volumes=self._volumes_of(cluster.id, of_volumes), nodes=nodes_of.get(cluster.id, ())
            )

    def _volumes_of(self, cluster: str, held: Mapping[str, Sequence[Brick]]) -> Iterator[VolumeDetails]:
        for *row, topology in self._connection.execute(_VISIBLE_OF_CLUSTER, {"cluster": cluster}):
            volume = volumes.from_row(row)
            yield VolumeDetails(
                volume, tuple(held.get(volume.id, ())), self._hosts_of(cluster, topology), self._held_by(volume)
            )

    def _nodes(self, held: Iterable[Brick]) -> Iterator[NodeDetails]:
        on: dict[str, list[Brick]] = {}
        for brick in held:
            on.setdefault(brick.device, []).append(brick)
        by_node: dict[str, list[DeviceDetails]] = {}
        for row in self._connection.execute(_DEVICES):
            device = devices.from_row(row)
            by_node.setdefault(device.node, []).append(_device_with(device, on))
        for node in map(nodes.from_row, self._connection.execute(_NODES)):
            yield NodeDetails(node, tuple(by_node.get(node.id, ())))

    def _held_by(self, volume: Volume) -> tuple[str, ...]:
        return tuple(self._block_volumes.ids_on(volume.id)) if volume.block else ()

    def _hosts_of(self, cluster: str, topology: int) -> tuple[str, ...]:
        known = self._hosts.get(cluster, topology) if self._hosts is not None else None
        if known is not None:
            return known
        names = self._connection.execute(_STORAGE_NAMES, {"cluster": cluster}).scalars()
        hosts = tuple(storage[0] for storage in names if storage)
        if self._hosts is not None:
            self._hosts.keep(cluster, topology, hosts)
        return hosts


def _sorted(found: Any) -> tuple[Brick, ...]:
    return tuple(sorted(found, key=lambda brick: brick.id))


def _by_device(rows: Any) -> dict[str, list[Brick]]:
    held: dict[str, list[Brick]] = {}
    for row in rows:
        brick = bricks.from_row(row)
        held.setdefault(brick.device, []).append(brick)
    return held


def _device_with(device: Device, held: dict[str, list[Brick]]) -> DeviceDetails:
    return DeviceDetails(device, _sorted(held.get(device.id, ())))

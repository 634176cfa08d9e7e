"""What GETs show, in few queries: an object with all that belongs to it."""

from collections.abc import Callable, Iterator
from typing import Any

from sqlalchemy import BindParameter, Connection, bindparam, select

from heketipy.db import bricks, devices, nodes, tables, volumes
from heketipy.db.block_volumes import BlockVolumes
from heketipy.db.clusters import Clusters
from heketipy.domain.details import ClusterContents, ClusterDetails, DeviceDetails, NodeDetails, VolumeDetails
from heketipy.domain.errors import NotFound
from heketipy.domain.model import Brick, Device, Volume

_PER_FETCH = 250

_brick = tables.bricks.c
_node_id: BindParameter[Any] = bindparam("node")

_NODE = select(*nodes.COLUMNS).where(tables.nodes.c.id == _node_id)
_DEVICE = select(*devices.COLUMNS).where(tables.devices.c.id == bindparam("device"))
_DEVICES_OF_NODE = select(*devices.COLUMNS).where(tables.devices.c.node == _node_id).order_by(tables.devices.c.id)
_BRICKS = select(*bricks.COLUMNS)
_BRICKS_OF_DEVICE = _BRICKS.where(_brick.device == bindparam("device")).order_by(_brick.id)
_BRICKS_OF_NODE = _BRICKS.join(tables.devices, tables.devices.c.id == _brick.device).where(
    tables.devices.c.node == _node_id
)
_IN_PLACE = _brick.position >= 0
_BRICKS_OF_VOLUME = _BRICKS.where(_brick.volume == bindparam("volume"), _IN_PLACE)
_BRICKS_OF_VOLUMES = _BRICKS.where(_brick.volume.in_(bindparam("volumes", expanding=True)), _IN_PLACE)
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
        held = _by(lambda brick: brick.device, self._connection.execute(_BRICKS_OF_NODE, {"node": id}))
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
        """Return all clusters, ascending by id, with what is in each. Volumes and nodes are made when they are asked
        for, with their own bricks: all bricks of a large site should not have to be in memory."""
        for cluster in self._clusters.all():
            yield ClusterContents(
                cluster,
                volumes=self._volumes_of(cluster.id),
                nodes=map(self.node, self._clusters.node_ids(cluster.id)),
            )

    def _volumes_of(self, cluster: str) -> Iterator[VolumeDetails]:
        found = self._connection.execute(
            _VISIBLE_OF_CLUSTER, {"cluster": cluster}, execution_options={"yield_per": _PER_FETCH}
        )
        for rows in found.partitions():
            wanted = {"volumes": [row[0] for row in rows]}
            held = _by(lambda brick: brick.volume, self._connection.execute(_BRICKS_OF_VOLUMES, wanted))
            for *row, topology in rows:
                volume = volumes.from_row(row)
                yield VolumeDetails(
                    volume,
                    _sorted(held.get(volume.id, ())),
                    self._hosts_of(cluster, topology),
                    self._held_by(volume),
                )

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


def _by(owner: Callable[[Brick], str], rows: Any) -> dict[str, list[Brick]]:
    held: dict[str, list[Brick]] = {}
    for row in rows:
        brick = bricks.from_row(row)
        held.setdefault(owner(brick), []).append(brick)
    return held


def _device_with(device: Device, held: dict[str, list[Brick]]) -> DeviceDetails:
    return DeviceDetails(device, _sorted(held.get(device.id, ())))

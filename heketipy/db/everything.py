"""All of the books in one look, one table after another, as an export wants them: rows come as they are asked for, so
that a large site does not have to fit into memory twice."""

from collections.abc import Callable, Iterator
from itertools import groupby
from operator import itemgetter
from typing import Any

from sqlalchemy import Connection, Select, select

from heketipy.db import block_volumes, bricks, devices, nodes, tables, volumes
from heketipy.domain.model import BlockVolume, Brick, Cluster, Device, Node, Volume

_PER_FETCH = 500

_brick, _device, _node = tables.bricks.c, tables.devices.c, tables.nodes.c
_volume, _block_volume, _cluster = tables.volumes.c, tables.block_volumes.c, tables.clusters.c

_CLUSTERS = select(_cluster.id, _cluster.file, _cluster.block).order_by(_cluster.id)
_NODES = select(*nodes.COLUMNS).order_by(_node.id)
_DEVICES = select(*devices.COLUMNS).order_by(_device.id)
_VOLUMES = select(*volumes.COLUMNS).order_by(_volume.id)
_BRICKS = select(*bricks.COLUMNS).order_by(_brick.id)
_BLOCK_VOLUMES = select(*block_volumes.COLUMNS).order_by(_block_volume.id)

_LINKS = {
    "nodes of clusters": select(_node.cluster, _node.id).order_by(_node.id),
    "volumes of clusters": select(_volume.cluster, _volume.id).order_by(_volume.id),
    "block volumes of clusters": select(_block_volume.cluster, _block_volume.id).order_by(_block_volume.id),
    "block volumes of volumes": select(_block_volume.hosting_volume, _block_volume.id).order_by(_block_volume.id),
    "devices of nodes": select(_device.node, _device.id).order_by(_device.id),
}
_IN_PLACE = _brick.position >= 0
_BRICKS_OF_DEVICES = select(_brick.device, _brick.id).where(_IN_PLACE).order_by(_brick.device, _brick.id)
_BRICKS_OF_VOLUMES = select(_brick.volume, _brick.id).where(_IN_PLACE).order_by(_brick.volume, _brick.id)
_HOSTS = select(_node.cluster, _node.storage).order_by(_node.id)

Links = dict[str, list[str]]
"""Ids by the id of what they belong to, ascending."""

Alongside = Callable[[str], list[str]]
"""Returns the ids, ascending, of what belongs to an object. To be asked for objects ascending by id, each once: so not
all has to be in memory at a time."""


class Everything:
    """All tables, each ascending by id. A brick that is still to take another one's place belongs to nothing yet."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def clusters(self) -> Iterator[Cluster]:
        """Return all clusters."""
        return (Cluster(*row) for row in self._rows(_CLUSTERS))

    def nodes(self) -> Iterator[Node]:
        """Return all nodes."""
        return map(nodes.from_row, self._rows(_NODES))

    def devices(self) -> Iterator[Device]:
        """Return all devices."""
        return map(devices.from_row, self._rows(_DEVICES))

    def volumes(self) -> Iterator[Volume]:
        """Return all volumes, visible or not."""
        return map(volumes.from_row, self._rows(_VOLUMES))

    def bricks(self) -> Iterator[Brick]:
        """Return all bricks."""
        return map(bricks.from_row, self._rows(_BRICKS))

    def block_volumes(self) -> Iterator[BlockVolume]:
        """Return all block volumes, visible or not."""
        return map(block_volumes.from_row, self._rows(_BLOCK_VOLUMES))

    def nodes_of_clusters(self) -> Links:
        """Return the nodes of each cluster."""
        return self._links("nodes of clusters")

    def volumes_of_clusters(self) -> Links:
        """Return the volumes of each cluster."""
        return self._links("volumes of clusters")

    def block_volumes_of_clusters(self) -> Links:
        """Return the block volumes of each cluster."""
        return self._links("block volumes of clusters")

    def block_volumes_of_volumes(self) -> Links:
        """Return the block volumes on each hosting volume."""
        return self._links("block volumes of volumes")

    def devices_of_nodes(self) -> Links:
        """Return the devices of each node."""
        return self._links("devices of nodes")

    def bricks_of_devices(self) -> Alongside:
        """Return the bricks on each device."""
        return _alongside(self._rows(_BRICKS_OF_DEVICES))

    def bricks_of_volumes(self) -> Alongside:
        """Return the bricks of each volume."""
        return _alongside(self._rows(_BRICKS_OF_VOLUMES))

    def hosts_of_clusters(self) -> Links:
        """Return the names that clients of each cluster mount from, in the order of the nodes' ids."""
        hosts: Links = {}
        for cluster, storage in self._connection.execute(_HOSTS):
            hosts.setdefault(cluster, []).extend(storage[:1])
        return hosts

    def _links(self, name: str) -> Links:
        links: Links = {}
        for owner, id in self._rows(_LINKS[name]):
            links.setdefault(owner, []).append(id)
        return links

    def _rows(self, statement: Select[Any]) -> Iterator[Any]:
        return iter(self._connection.execute(statement, execution_options={"yield_per": _PER_FETCH}))


def _alongside(rows: Iterator[Any]) -> Alongside:
    groups = groupby(rows, key=itemgetter(0))
    owner, found = next(groups, (None, iter(())))

    def of(id: str) -> list[str]:
        nonlocal owner, found
        while owner is not None and owner < id:
            owner, found = next(groups, (None, iter(())))
        return [row[1] for row in found] if owner == id else []

    return of

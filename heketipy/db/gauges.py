"""What there is in numbers: one query a table, whatever its size."""

from collections import Counter
from typing import Any

from sqlalchemy import Connection, Select, func, select

from heketipy.db import tables
from heketipy.domain.gauges import ClusterGauge, DeviceGauge, NodeGauge, SiteGauges

_volumes, _bricks, _nodes, _devices = tables.volumes.c, tables.bricks.c, tables.nodes.c, tables.devices.c

_CLUSTERS = select(tables.clusters.c.id).order_by(tables.clusters.c.id)
_VOLUMES = select(_volumes.cluster, func.count()).where(_volumes.pending == "").group_by(_volumes.cluster)
_NODES = select(_nodes.id, _nodes.cluster, _nodes.manage, _nodes.storage).order_by(_nodes.id)
_BRICKS = select(_bricks.device, func.count()).group_by(_bricks.device)
_BLOCK_VOLUMES = (
    select(tables.block_volumes.c.cluster, func.count())
    .where(tables.block_volumes.c.pending == "")
    .group_by(tables.block_volumes.c.cluster)
)
_DEVICES = select(
    _devices.node,
    _devices.id,
    _devices.name,
    _devices.pv_uuid,
    _devices.total_kib,
    _devices.free_kib,
    _devices.used_kib,
).order_by(_devices.id)
_DEBTS = select(func.count()).select_from(tables.debts)


class Gauges:
    """Counts the books."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def site(self) -> SiteGauges:
        """Return everything."""
        nodes = self._connection.execute(_NODES).all()
        place = {node.id: index for index, node in enumerate(nodes)}
        bricks = self._by(_BRICKS)
        devices = tuple(
            DeviceGauge(place[node], id, name, pv_uuid, total, free, used, bricks.get(id, 0))
            for node, id, name, pv_uuid, total, free, used in self._connection.execute(_DEVICES)
        )
        devices_of = Counter(device.node for device in devices)
        return SiteGauges(
            clusters=self._clusters(Counter(node.cluster for node in nodes)),
            nodes=tuple(
                NodeGauge(node.cluster, _first(node.manage), _first(node.storage), devices_of[index])
                for index, node in enumerate(nodes)
            ),
            devices=devices,
            debts=self._connection.execute(_DEBTS).scalar_one(),
        )

    def _clusters(self, nodes: Counter[str]) -> tuple[ClusterGauge, ...]:
        volumes, block_volumes = self._by(_VOLUMES), self._by(_BLOCK_VOLUMES)
        ids = self._connection.execute(_CLUSTERS).scalars()
        return tuple(ClusterGauge(id, volumes.get(id, 0), block_volumes.get(id, 0), nodes[id]) for id in ids)

    def _by(self, statement: Select[Any]) -> dict[str, int]:
        return dict(map(tuple, self._connection.execute(statement)))


def _first(names: list[str]) -> str:
    return names[0] if names else ""

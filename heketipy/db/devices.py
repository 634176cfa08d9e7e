"""Devices in the books, and their space."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import BindParameter, Connection, Executable, Update, bindparam, delete, insert, select, update

from heketipy.db import tables
from heketipy.db.rows import portions, touched
from heketipy.db.views import Allocations
from heketipy.domain.errors import NoSpace, NotFound
from heketipy.domain.model import Device, Tags
from heketipy.domain.states import State

_c = tables.devices.c
_id: BindParameter[Any] = bindparam("id")
_kib: BindParameter[Any] = bindparam("kib")

COLUMNS = (
    _c.id,
    _c.node,
    _c.name,
    _c.total_kib,
    _c.free_kib,
    _c.used_kib,
    _c.extent_kib,
    _c.state,
    _c.tags,
    _c.paths,
    _c.pv_uuid,
)
"""What `from_row` wants, in its order."""

_ALL = select(*COLUMNS).order_by(_c.id)
_FIND = select(*COLUMNS).where(_c.id == _id)
_OF_NODE = _ALL.where(_c.node == bindparam("node"))
_OF_CLUSTER = _ALL.join(tables.nodes, tables.nodes.c.id == _c.node).where(
    tables.nodes.c.cluster == bindparam("cluster")
)
_OF_IDS = _ALL.where(_c.id.in_(bindparam("ids", expanding=True)))
_PV_UUIDS = select(_c.id, _c.pv_uuid).where(_c.pv_uuid != "").order_by(_c.id)
_ADD = insert(tables.devices)
_REMOVE = delete(tables.devices).where(_c.id == bindparam("device"))
_CLUSTER_OF_NODE = select(tables.nodes.c.cluster).where(tables.nodes.c.id == bindparam("node"))
_SPACE = (
    select(tables.nodes.c.cluster, _c.free_kib, _c.used_kib)
    .join(tables.devices, _c.node == tables.nodes.c.id)
    .where(_c.id == bindparam("device"))
)
_device = _c.id == bindparam("device")


def _update(**values: Any) -> Update:
    return update(tables.devices).where(_device).values(**values)


_SET_STATE = _update(state=bindparam("new_state"))
_SET_TAGS = _update(tags=bindparam("new_tags"))
_SET_SIZES = _update(total_kib=bindparam("total"), free_kib=bindparam("free"), used_kib=bindparam("used"))
_SET_PATHS = _update(paths=bindparam("new_paths"), pv_uuid=bindparam("new_pv_uuid"))
_MOVE = _update(free_kib=_c.free_kib - _kib, used_kib=_c.used_kib + _kib)


def from_row(row: Sequence[Any]) -> Device:
    """Return the device that a row of COLUMNS describes."""
    id, node, name, total, free, used, extent, state, tags, paths, pv_uuid = row
    return Device(id, node, name, total, free, used, extent, State(state), tags, tuple(paths), pv_uuid)


class Devices:
    """The table of devices."""

    def __init__(self, connection: Connection, allocations: Allocations) -> None:
        self._connection = connection
        self._allocations = allocations

    def find(self, id: str) -> Device | None:
        """Return a device, or None."""
        row = self._connection.execute(_FIND, {"id": id}).one_or_none()
        return None if row is None else from_row(row)

    def get(self, id: str) -> Device:
        """Return a device. Raises NotFound."""
        device = self.find(id)
        if device is None:
            raise NotFound
        return device

    def all(self) -> list[Device]:
        """Return all devices, ascending by id."""
        return [from_row(row) for row in self._connection.execute(_ALL)]

    def of_node(self, node: str) -> list[Device]:
        """Return the devices of a node, ascending by id."""
        return [from_row(row) for row in self._connection.execute(_OF_NODE, {"node": node})]

    def of_cluster(self, cluster: str) -> list[Device]:
        """Return the devices of a cluster, ascending by id."""
        return [from_row(row) for row in self._connection.execute(_OF_CLUSTER, {"cluster": cluster})]

    def of_ids(self, ids: Sequence[str]) -> list[Device]:
        """Return those of these devices that there are."""
        return [
            from_row(row) for some in portions(ids) for row in self._connection.execute(_OF_IDS, {"ids": list(some)})
        ]

    def pv_uuids(self) -> dict[str, str]:
        """Return the LVM UUIDs of the devices that have one, by device id."""
        return dict(map(tuple, self._connection.execute(_PV_UUIDS)))

    def add(self, device: Device) -> None:
        """Add a device without bricks. Raises NotFound if there is no such node."""
        cluster = self._connection.execute(_CLUSTER_OF_NODE, {"node": device.node}).scalar_one_or_none()
        if cluster is None:
            raise NotFound
        self._connection.execute(
            _ADD,
            {
                "id": device.id,
                "node": device.node,
                "name": device.name,
                "total_kib": device.total_kib,
                "free_kib": device.free_kib,
                "used_kib": device.used_kib,
                "extent_kib": device.extent_kib,
                "state": device.state.value,
                "tags": dict(device.tags),
                "paths": list(device.paths),
                "pv_uuid": device.pv_uuid,
            },
        )
        self._allocations.reshaped(cluster)

    def set_state(self, id: str, state: State) -> None:
        """Change the state. Raises NotFound."""
        self._reshape(id, _SET_STATE, new_state=state.value)

    def set_tags(self, id: str, tags: Tags) -> None:
        """Replace all tags. Raises NotFound."""
        self._reshape(id, _SET_TAGS, new_tags=dict(tags))

    def set_sizes(self, id: str, *, total_kib: int, free_kib: int, used_kib: int) -> None:
        """Write down what a node said about the space. Raises NotFound."""
        cluster, _, _ = self._space(id)
        values = {"device": id, "total": total_kib, "free": free_kib, "used": used_kib}
        self._connection.execute(_SET_SIZES, values)
        self._allocations.resized(cluster, id, total_kib=total_kib, free_kib=free_kib)

    def set_identity(self, id: str, *, paths: Sequence[str], pv_uuid: str) -> None:
        """Write down under which paths the device is known and its LVM UUID. Raises NotFound."""
        touched(self._connection.execute(_SET_PATHS, {"device": id, "new_paths": list(paths), "new_pv_uuid": pv_uuid}))

    def take(self, id: str, kib: int) -> None:
        """Charge the device. Raises NoSpace if it has less free, NotFound if there is none."""
        cluster, free, _ = self._space(id)
        if kib > free:
            raise NoSpace
        self._connection.execute(_MOVE, {"device": id, "kib": kib})
        self._allocations.taken(cluster, id, kib)

    def give(self, id: str, kib: int) -> int:
        """Give space back, and return how much that was: never more than is used, since what a node reported at a
        resync may be less than what our bricks had charged, and a delete must not fail of that. Raises NotFound."""
        cluster, _, used = self._space(id)
        given = min(kib, used)
        self._connection.execute(_MOVE, {"device": id, "kib": -given})
        self._allocations.given(cluster, id, given)
        return given

    def remove(self, id: str) -> None:
        """Remove a device that has no bricks any more. Raises NotFound."""
        self._reshape(id, _REMOVE)

    def _space(self, id: str) -> tuple[str, int, int]:
        row = self._connection.execute(_SPACE, {"device": id}).one_or_none()
        if row is None:
            raise NotFound
        cluster, free, used = row
        return cluster, free, used

    def _reshape(self, id: str, statement: Executable, **values: Any) -> None:
        cluster, _, _ = self._space(id)
        self._connection.execute(statement, {"device": id, **values})
        self._allocations.reshaped(cluster)

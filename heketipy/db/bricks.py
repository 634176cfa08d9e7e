"""Bricks in the books."""

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from sqlalchemy import BindParameter, Connection, and_, bindparam, delete, insert, or_, select, update

from heketipy.db import tables
from heketipy.db.rows import portions
from heketipy.domain.errors import NotFound
from heketipy.domain.model import Brick, BrickType

_c = tables.bricks.c

COLUMNS = (
    _c.id,
    _c.volume,
    _c.device,
    _c.node,
    _c.position,
    _c.path,
    _c.size_kib,
    _c.tp_size_kib,
    _c.pool_metadata_kib,
    _c.type,
    _c.thin_pool,
    _c.lv,
    _c.pending,
)
"""What `from_row` wants, in its order."""

_ids: BindParameter[Any] = bindparam("ids", expanding=True)

_UNORDERED = select(*COLUMNS)
_ALL = _UNORDERED.order_by(_c.id)
_FIND = select(*COLUMNS).where(_c.id == bindparam("id"))
_OF_VOLUME = select(*COLUMNS).where(_c.volume == bindparam("volume"), _c.position >= 0).order_by(_c.position, _c.id)
_OF_DEVICE = _ALL.where(_c.device == bindparam("device"))
_OF_DEVICES = _ALL.where(_c.device.in_(_ids))
_ON_POOL = _ALL.where(
    _c.device == bindparam("device"),
    or_(_c.thin_pool == bindparam("pool"), and_(_c.thin_pool == "", _c.id == bindparam("brick"))),
)
_PENDING = _ALL.where(_c.pending == bindparam("operation"))
_ADD = insert(tables.bricks)
_REMOVE = delete(tables.bricks).where(_c.id.in_(_ids))
_SET_PENDING = update(tables.bricks).where(_c.id.in_(_ids)).values(pending=bindparam("operation"))

_TYPES = {type.value: type for type in BrickType}


def from_row(row: Sequence[Any]) -> Brick:
    """Return the brick that a row of COLUMNS describes."""
    id, volume, device, node, position, path, size, tp_size, metadata, type, thin_pool, lv, pending = row
    return Brick(
        id, volume, device, node, position, path, size, tp_size, metadata, _TYPES[type], thin_pool, lv, pending
    )


class Bricks:
    """The table of bricks. The space that they charge is the business of `devices.take` and `give`."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def find(self, id: str) -> Brick | None:
        """Return a brick, or None."""
        row = self._connection.execute(_FIND, {"id": id}).one_or_none()
        return None if row is None else from_row(row)

    def get(self, id: str) -> Brick:
        """Return a brick. Raises NotFound."""
        brick = self.find(id)
        if brick is None:
            raise NotFound
        return brick

    def all(self) -> list[Brick]:
        """Return all bricks, ascending by id."""
        return [from_row(row) for row in self._connection.execute(_ALL)]

    def one_by_one(self) -> Iterator[Brick]:
        """Yield all bricks in some order, for who must not have them all in memory; to be used up at once."""
        yield from map(from_row, self._connection.execute(_UNORDERED))

    def of_volume(self, volume: str) -> list[Brick]:
        """Return the bricks of a volume in gluster's order. Those of a running expand are at the end; one that is to
        take the place of another is not among them."""
        return [from_row(row) for row in self._connection.execute(_OF_VOLUME, {"volume": volume})]

    def of_device(self, device: str) -> list[Brick]:
        """Return the bricks on a device, ascending by id."""
        return [from_row(row) for row in self._connection.execute(_OF_DEVICE, {"device": device})]

    def of_devices(self, devices: Sequence[str]) -> dict[str, list[Brick]]:
        """Return the bricks on each of these devices, ascending by id."""
        found: dict[str, list[Brick]] = {device: [] for device in devices}
        for some in portions(list(found)):
            for row in self._connection.execute(_OF_DEVICES, {"ids": list(some)}):
                brick = from_row(row)
                found[brick.device].append(brick)
        return found

    def on_pool(self, device: str, pool: str) -> list[Brick]:
        """Return the bricks that live in a thin pool of a device: more than one where a volume was cloned."""
        values = {"device": device, "pool": pool, "brick": pool.removeprefix("tp_")}
        return [from_row(row) for row in self._connection.execute(_ON_POOL, values)]

    def pending(self, operation: str) -> list[Brick]:
        """Return the bricks that an operation is adding or deleting, ascending by id."""
        return [from_row(row) for row in self._connection.execute(_PENDING, {"operation": operation})]

    def add(self, bricks: Iterable[Brick]) -> None:
        """Add bricks of a volume and devices that are in the books."""
        rows = [
            {
                "id": brick.id,
                "volume": brick.volume,
                "device": brick.device,
                "node": brick.node,
                "position": brick.position,
                "path": brick.path,
                "size_kib": brick.size_kib,
                "tp_size_kib": brick.tp_size_kib,
                "pool_metadata_kib": brick.pool_metadata_kib,
                "type": int(brick.type),
                "thin_pool": brick.thin_pool,
                "lv": brick.lv,
                "pending": brick.pending,
            }
            for brick in bricks
        ]
        if rows:
            self._connection.execute(_ADD, rows)

    def remove(self, ids: Iterable[str]) -> None:
        """Remove these bricks; those that are not there are removed already."""
        for some in portions(list(ids)):
            self._connection.execute(_REMOVE, {"ids": list(some)})

    def set_pending(self, ids: Iterable[str], operation: str) -> None:
        """Mark bricks as being added or deleted by an operation; "" says that they are not any more."""
        for some in portions(list(ids)):
            self._connection.execute(_SET_PENDING, {"ids": list(some), "operation": operation})

"""Volumes in the books."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import BindParameter, Connection, bindparam, delete, func, insert, select, update

from heketipy.db import tables
from heketipy.db.rows import portions, touched
from heketipy.domain.durability import Durability, DurabilityType
from heketipy.domain.errors import NotFound
from heketipy.domain.model import BlockInfo, Snapshot, Volume

_c = tables.volumes.c
_id: BindParameter[Any] = bindparam("id")
_cluster: BindParameter[Any] = bindparam("cluster")

COLUMNS = (
    _c.id,
    _c.name,
    _c.cluster,
    _c.size_gib,
    _c.durability,
    _c.replica,
    _c.disperse_data,
    _c.disperse_redundancy,
    _c.gid,
    _c.snapshot_enable,
    _c.snapshot_factor,
    _c.options,
    _c.block,
    _c.block_free_gib,
    _c.block_reserved_gib,
    _c.block_restriction,
    _c.requested_clusters,
    _c.pending,
)
"""What `from_row` wants, in its order."""

_ALL = select(*COLUMNS).order_by(_c.id)
_FIND = select(*COLUMNS).where(_c.id == _id)
_OF_IDS = _ALL.where(_c.id.in_(bindparam("ids", expanding=True)))
_HOSTING = _ALL.where(_c.block)
_IDS = select(_c.id).order_by(_c.id)
_VISIBLE_IDS = _IDS.where(_c.pending == "")
_BY_NAME = select(_c.id).where(_c.cluster == _cluster, _c.name == bindparam("name"))
_COUNT = select(func.count()).select_from(tables.volumes).where(_c.cluster == _cluster)
_ADD = insert(tables.volumes)
_volume = _c.id == bindparam("volume")
_SET_SIZE = update(tables.volumes).where(_volume).values(size_gib=bindparam("gib"))
_SET_BLOCK_INFO = (
    update(tables.volumes)
    .where(_volume)
    .values(
        block_free_gib=bindparam("free"),
        block_reserved_gib=bindparam("reserved"),
        block_restriction=bindparam("restriction"),
    )
)
_SET_PENDING = update(tables.volumes).where(_volume).values(pending=bindparam("operation"))
_REMOVE = delete(tables.volumes).where(_c.id == _id)


def from_row(row: Sequence[Any]) -> Volume:
    """Return the volume that a row of COLUMNS describes."""
    (
        id,
        name,
        cluster,
        size,
        durability,
        replica,
        data,
        redundancy,
        gid,
        snapshot_enable,
        snapshot_factor,
        options,
        block,
        block_free,
        block_reserved,
        block_restriction,
        requested_clusters,
        pending,
    ) = row
    return Volume(
        id=id,
        name=name,
        cluster=cluster,
        size_gib=size,
        durability=Durability(DurabilityType(durability), replica, data, redundancy),
        gid=gid,
        snapshot=Snapshot(snapshot_enable, snapshot_factor),
        options=tuple(options),
        block=block,
        block_info=BlockInfo(block_free, block_reserved, block_restriction),
        requested_clusters=tuple(requested_clusters),
        pending=pending,
    )


class Volumes:
    """The table of volumes. One is visible as long as no operation creates or deletes it."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def find(self, id: str) -> Volume | None:
        """Return a volume, visible or not, or None."""
        row = self._connection.execute(_FIND, {"id": id}).one_or_none()
        return None if row is None else from_row(row)

    def get(self, id: str) -> Volume:
        """Return a volume, visible or not. Raises NotFound."""
        volume = self.find(id)
        if volume is None:
            raise NotFound
        return volume

    def ids(self, *, visible: bool = True) -> list[str]:
        """Return all ids, ascending; those of volumes being created or deleted only if `visible` is false."""
        return list(self._connection.execute(_VISIBLE_IDS if visible else _IDS).scalars())

    def all(self) -> list[Volume]:
        """Return all volumes, visible or not, ascending by id."""
        return [from_row(row) for row in self._connection.execute(_ALL)]

    def hosting(self) -> list[Volume]:
        """Return all volumes that host block volumes, visible or not, ascending by id."""
        return [from_row(row) for row in self._connection.execute(_HOSTING)]

    def of_ids(self, ids: Sequence[str]) -> list[Volume]:
        """Return those of these volumes that there are, visible or not."""
        return [
            from_row(row) for some in portions(ids) for row in self._connection.execute(_OF_IDS, {"ids": list(some)})
        ]

    def with_name(self, cluster: str, name: str) -> str | None:
        """Return the id of the cluster's volume of that name, visible or not, or None."""
        return self._connection.execute(_BY_NAME, {"cluster": cluster, "name": name}).scalar_one_or_none()

    def name_in_use(self, cluster: str, name: str) -> bool:
        """Tell whether a volume of the cluster, visible or not, has that name."""
        return self.with_name(cluster, name) is not None

    def count(self, cluster: str) -> int:
        """Return how many volumes a cluster has, visible or not."""
        return int(self._connection.execute(_COUNT, {"cluster": cluster}).scalar_one())

    def add(self, volume: Volume) -> None:
        """Add a volume without bricks."""
        self._connection.execute(
            _ADD,
            {
                "id": volume.id,
                "name": volume.name,
                "cluster": volume.cluster,
                "size_gib": volume.size_gib,
                "durability": volume.durability.type.value,
                "replica": volume.durability.replica,
                "disperse_data": volume.durability.data,
                "disperse_redundancy": volume.durability.redundancy,
                "gid": volume.gid,
                "snapshot_enable": volume.snapshot.enable,
                "snapshot_factor": volume.snapshot.factor,
                "options": list(volume.options),
                "block": volume.block,
                "block_free_gib": volume.block_info.free_gib,
                "block_reserved_gib": volume.block_info.reserved_gib,
                "block_restriction": volume.block_info.restriction,
                "requested_clusters": list(volume.requested_clusters),
                "pending": volume.pending,
            },
        )

    def set_size(self, id: str, gib: int) -> None:
        """Change the size. Raises NotFound."""
        touched(self._connection.execute(_SET_SIZE, {"volume": id, "gib": gib}))

    def set_block_info(self, id: str, info: BlockInfo) -> None:
        """Change the books of a block-hosting volume. Raises NotFound."""
        values = {"free": info.free_gib, "reserved": info.reserved_gib, "restriction": info.restriction}
        touched(self._connection.execute(_SET_BLOCK_INFO, {"volume": id, **values}))

    def set_pending(self, id: str, operation: str) -> None:
        """Hide a volume as being created or deleted by an operation; "" publishes it. Raises NotFound."""
        touched(self._connection.execute(_SET_PENDING, {"volume": id, "operation": operation}))

    def remove(self, id: str) -> None:
        """Remove a volume that has no bricks any more. Raises NotFound."""
        touched(self._connection.execute(_REMOVE, {"id": id}))

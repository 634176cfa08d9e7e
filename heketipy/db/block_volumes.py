"""Block volumes in the books."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import BindParameter, Connection, bindparam, delete, func, insert, select, update

from heketipy.db import tables
from heketipy.db.rows import touched
from heketipy.domain.errors import NotFound
from heketipy.domain.model import BlockTarget, BlockVolume

_c = tables.block_volumes.c
_id: BindParameter[Any] = bindparam("id")
_block_volume = _c.id == bindparam("block_volume")

COLUMNS = (
    _c.id,
    _c.name,
    _c.cluster,
    _c.hosting_volume,
    _c.size_gib,
    _c.usable_gib,
    _c.ha_count,
    _c.auth,
    _c.hosts,
    _c.iqn,
    _c.username,
    _c.password,
    _c.requested_clusters,
    _c.pending,
)
"""What `from_row` wants, in its order."""

_ALL = select(*COLUMNS).order_by(_c.id)
_FIND = select(*COLUMNS).where(_c.id == _id)
_OF_CLUSTER = _ALL.where(_c.cluster == _id)
_IDS = select(_c.id).order_by(_c.id)
_VISIBLE_IDS = _IDS.where(_c.pending == "")
_IDS_OF_CLUSTER = _IDS.where(_c.cluster == _id)
_VISIBLE_IDS_OF_CLUSTER = _VISIBLE_IDS.where(_c.cluster == _id)
_IDS_ON = _IDS.where(_c.hosting_volume == _id)
_VISIBLE_IDS_ON = _VISIBLE_IDS.where(_c.hosting_volume == _id)
_HOLDING = select(_c.hosting_volume).where(_c.name == bindparam("name"))
_TAKEN = select(_c.hosting_volume, func.sum(_c.size_gib)).group_by(_c.hosting_volume)
_ADD = insert(tables.block_volumes)
_SET_TARGET = (
    update(tables.block_volumes)
    .where(_block_volume)
    .values(
        ha_count=bindparam("hosts_number"),
        hosts=bindparam("new_hosts", type_=tables.block_volumes.c.hosts.type),
        iqn=bindparam("new_iqn"),
        username=bindparam("new_username"),
        password=bindparam("new_password"),
    )
)
_SET_HOSTS = (
    update(tables.block_volumes)
    .where(_block_volume)
    .values(hosts=bindparam("new_hosts", type_=tables.block_volumes.c.hosts.type))
)
_SET_SIZE = (
    update(tables.block_volumes).where(_block_volume).values(size_gib=bindparam("gib"), usable_gib=bindparam("usable"))
)
_SET_PENDING = update(tables.block_volumes).where(_block_volume).values(pending=bindparam("operation"))
_REMOVE = delete(tables.block_volumes).where(_c.id == _id)


def from_row(row: Sequence[Any]) -> BlockVolume:
    """Return the block volume that a row of COLUMNS describes."""
    id, name, cluster, hosting, size, usable, ha_count, auth, hosts, iqn, username, password, requested, pending = row
    return BlockVolume(
        id=id,
        name=name,
        cluster=cluster,
        hosting_volume=hosting,
        size_gib=size,
        usable_gib=usable,
        ha_count=ha_count,
        auth=auth,
        target=BlockTarget(tuple(hosts), iqn, username, password),
        requested_clusters=tuple(requested),
        pending=pending,
    )


class BlockVolumes:
    """The table of block volumes. One is visible as long as no operation creates or deletes it."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def find(self, id: str) -> BlockVolume | None:
        """Return a block volume, visible or not, or None."""
        row = self._connection.execute(_FIND, {"id": id}).one_or_none()
        return None if row is None else from_row(row)

    def get(self, id: str) -> BlockVolume:
        """Return a block volume, visible or not. Raises NotFound."""
        found = self.find(id)
        if found is None:
            raise NotFound
        return found

    def ids(self, *, visible: bool = True) -> list[str]:
        """Return all ids, ascending; those of block volumes being created or deleted only if `visible` is false."""
        return list(self._connection.execute(_VISIBLE_IDS if visible else _IDS).scalars())

    def all(self) -> list[BlockVolume]:
        """Return all block volumes, visible or not, ascending by id."""
        return [from_row(row) for row in self._connection.execute(_ALL)]

    def of_cluster(self, cluster: str) -> list[BlockVolume]:
        """Return the block volumes of a cluster, visible or not, ascending by id."""
        return [from_row(row) for row in self._connection.execute(_OF_CLUSTER, {"id": cluster})]

    def ids_of_cluster(self, cluster: str, *, visible: bool = True) -> list[str]:
        """Return the ids of a cluster's block volumes, ascending."""
        statement = _VISIBLE_IDS_OF_CLUSTER if visible else _IDS_OF_CLUSTER
        return list(self._connection.execute(statement, {"id": cluster}).scalars())

    def ids_on(self, hosting_volume: str, *, visible: bool = True) -> list[str]:
        """Return the ids of the block volumes on a hosting volume, ascending."""
        statement = _VISIBLE_IDS_ON if visible else _IDS_ON
        return list(self._connection.execute(statement, {"id": hosting_volume}).scalars())

    def holding(self, name: str) -> set[str]:
        """Return the ids of the hosting volumes that have a block volume of a name, visible or not."""
        return set(self._connection.execute(_HOLDING, {"name": name}).scalars())

    def taken_gib(self) -> dict[str, int]:
        """Return what the block volumes of each hosting volume take, visible or not, by its id."""
        return {hosting: int(taken) for hosting, taken in self._connection.execute(_TAKEN)}

    def add(self, block_volume: BlockVolume) -> None:
        """Add a block volume. What it takes of its hosting volume is not booked here."""
        self._connection.execute(
            _ADD,
            {
                "id": block_volume.id,
                "name": block_volume.name,
                "cluster": block_volume.cluster,
                "hosting_volume": block_volume.hosting_volume,
                "size_gib": block_volume.size_gib,
                "usable_gib": block_volume.usable_gib,
                "ha_count": block_volume.ha_count,
                "auth": block_volume.auth,
                "hosts": list(block_volume.target.hosts),
                "iqn": block_volume.target.iqn,
                "username": block_volume.target.username,
                "password": block_volume.target.password,
                "requested_clusters": list(block_volume.requested_clusters),
                "pending": block_volume.pending,
            },
        )

    def set_target(self, id: str, target: BlockTarget) -> None:
        """Say how it is reached, with as many hosts as there are. Raises NotFound."""
        values = {
            "hosts_number": len(target.hosts),
            "new_hosts": list(target.hosts),
            "new_iqn": target.iqn,
            "new_username": target.username,
            "new_password": target.password,
        }
        touched(self._connection.execute(_SET_TARGET, {"block_volume": id, **values}))

    def set_hosts(self, id: str, hosts: Sequence[str]) -> None:
        """Change the hosts that a client is told, and nothing else. Raises NotFound."""
        touched(self._connection.execute(_SET_HOSTS, {"block_volume": id, "new_hosts": list(hosts)}))

    def set_size(self, id: str, gib: int, *, usable_gib: int) -> None:
        """Change the size, and what of it is usable. Raises NotFound."""
        touched(self._connection.execute(_SET_SIZE, {"block_volume": id, "gib": gib, "usable": usable_gib}))

    def set_pending(self, id: str, operation: str) -> None:
        """Hide it as being created or deleted by an operation; "" publishes it. Raises NotFound."""
        touched(self._connection.execute(_SET_PENDING, {"block_volume": id, "operation": operation}))

    def remove(self, id: str) -> None:
        """Remove a block volume. What it took of its hosting volume is not given back here. Raises NotFound."""
        touched(self._connection.execute(_REMOVE, {"id": id}))

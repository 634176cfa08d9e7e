"""Clusters in the books."""

from typing import Any

from sqlalchemy import BindParameter, Connection, bindparam, delete, insert, select, update

from heketipy.db import tables
from heketipy.db.rows import touched
from heketipy.db.views import Allocations
from heketipy.domain.errors import NotFound
from heketipy.domain.model import Cluster

_c = tables.clusters.c
_id: BindParameter[Any] = bindparam("id")

_FIND = select(_c.id, _c.file, _c.block).where(_c.id == _id)
_IDS = select(_c.id).order_by(_c.id)
_ALL = select(_c.id, _c.file, _c.block).order_by(_c.id)
_ADD = insert(tables.clusters)
_SET_FLAGS = (
    update(tables.clusters)
    .where(_c.id == bindparam("cluster"))
    .values(file=bindparam("new_file"), block=bindparam("new_block"))
)
_REMOVE = delete(tables.clusters).where(_c.id == _id)
_NODE_IDS = select(tables.nodes.c.id).where(tables.nodes.c.cluster == _id).order_by(tables.nodes.c.id)
_VOLUME_IDS = select(tables.volumes.c.id).where(tables.volumes.c.cluster == _id).order_by(tables.volumes.c.id)
_VISIBLE_IDS = _VOLUME_IDS.where(tables.volumes.c.pending == "")


class Clusters:
    """The table of clusters."""

    def __init__(self, connection: Connection, allocations: Allocations) -> None:
        self._connection = connection
        self._allocations = allocations

    def find(self, id: str) -> Cluster | None:
        """Return a cluster, or None."""
        row = self._connection.execute(_FIND, {"id": id}).one_or_none()
        return None if row is None else Cluster(*row)

    def get(self, id: str) -> Cluster:
        """Return a cluster. Raises NotFound."""
        cluster = self.find(id)
        if cluster is None:
            raise NotFound
        return cluster

    def ids(self) -> list[str]:
        """Return all ids, ascending."""
        return list(self._connection.execute(_IDS).scalars())

    def all(self) -> list[Cluster]:
        """Return all clusters, ascending by id."""
        return [Cluster(*row) for row in self._connection.execute(_ALL)]

    def add(self, cluster: Cluster) -> None:
        """Add a cluster without nodes."""
        self._connection.execute(_ADD, {"id": cluster.id, "file": cluster.file, "block": cluster.block})

    def set_flags(self, id: str, *, file: bool, block: bool) -> None:
        """Say what new volumes the cluster may host. Raises NotFound."""
        touched(self._connection.execute(_SET_FLAGS, {"cluster": id, "new_file": file, "new_block": block}))

    def remove(self, id: str) -> None:
        """Remove a cluster that holds nothing any more. Raises NotFound."""
        self._allocations.reshaped(id)
        touched(self._connection.execute(_REMOVE, {"id": id}))

    def node_ids(self, id: str) -> list[str]:
        """Return the ids of its nodes, ascending."""
        return list(self._connection.execute(_NODE_IDS, {"id": id}).scalars())

    def volume_ids(self, id: str, *, visible: bool = True) -> list[str]:
        """Return the ids of its volumes, ascending; those being created or deleted only if `visible` is false."""
        statement = _VISIBLE_IDS if visible else _VOLUME_IDS
        return list(self._connection.execute(statement, {"id": id}).scalars())

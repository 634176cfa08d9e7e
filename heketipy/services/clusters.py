"""Clusters: create, list, look at, set flags, delete. All of it is a matter of the books alone."""

from heketipy.db.database import Database, Tx
from heketipy.domain.details import ClusterDetails
from heketipy.domain.errors import Conflict
from heketipy.domain.ids import IdSource
from heketipy.domain.model import Cluster
from heketipy.domain.plans import AddNode
from heketipy.operations import node_add
from heketipy.operations.context import decode
from heketipy.services.admission import Admission


class Clusters:
    """Use cases about clusters."""

    def __init__(self, db: Database, admission: Admission, *, ids: IdSource) -> None:
        self._db = db
        self._admission = admission
        self._new_id = ids

    async def create(self, *, file: bool, block: bool) -> ClusterDetails:
        """Enter an empty cluster."""
        self._admission.check_open()
        cluster = Cluster(id=self._new_id(), file=file, block=block)
        await self._db.write(lambda tx: tx.clusters.add(cluster))
        return ClusterDetails(cluster=cluster)

    async def ids(self) -> list[str]:
        """Return the ids of all clusters, ascending."""
        return await self._db.read(lambda tx: tx.clusters.ids())

    async def info(self, cluster_id: str) -> ClusterDetails:
        """Return a cluster with the ids of its nodes and visible volumes. Raises NotFound."""
        return await self._db.read(lambda tx: tx.details.cluster(cluster_id))

    async def set_flags(self, cluster_id: str, *, file: bool, block: bool) -> None:
        """Say what new volumes the cluster may host. Raises NotFound."""
        self._admission.check_open()
        await self._db.write(lambda tx: tx.clusters.set_flags(cluster_id, file=file, block=block))

    async def delete(self, cluster_id: str) -> None:
        """Strike an empty cluster. Raises NotFound, Conflict."""
        self._admission.check_open()
        await self._db.write(_delete, cluster_id)


def _delete(tx: Tx, cluster_id: str) -> None:
    tx.clusters.get(cluster_id)
    if (
        tx.clusters.node_ids(cluster_id)
        or tx.clusters.volume_ids(cluster_id, visible=False)
        or _gets_a_node(tx, cluster_id)
    ):
        raise Conflict(f"Unable to delete cluster [{cluster_id}] because it contains volumes and/or nodes")
    tx.clusters.remove(cluster_id)


def _gets_a_node(tx: Tx, cluster_id: str) -> bool:
    return any(
        decode(AddNode, operation.plan).node.cluster == cluster_id for operation in tx.operations.of_kind(node_add.NAME)
    )

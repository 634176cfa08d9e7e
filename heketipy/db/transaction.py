"""What a transaction's function gets in hand: the repositories, all on one connection."""

from collections.abc import Callable

from sqlalchemy import Connection

from heketipy.db.block_volumes import BlockVolumes
from heketipy.db.bricks import Bricks
from heketipy.db.clusters import Clusters
from heketipy.db.debts import Debts
from heketipy.db.details import Details, Hosts
from heketipy.db.devices import Devices
from heketipy.db.everything import Everything
from heketipy.db.gauges import Gauges
from heketipy.db.heketi_records import HeketiRecords
from heketipy.db.jobs import Jobs
from heketipy.db.meta import Meta
from heketipy.db.nodes import Nodes
from heketipy.db.operations import Operations
from heketipy.db.views import Allocations
from heketipy.db.volumes import Volumes
from heketipy.domain.placement import ClusterView

Hook = Callable[[], object]


class Tx:
    """One transaction. It belongs to the function that it was given to, and is of no use after that has returned."""

    __slots__ = (
        "_allocations",
        "block_volumes",
        "bricks",
        "clusters",
        "debts",
        "details",
        "devices",
        "everything",
        "gauges",
        "heketi_records",
        "hooks",
        "jobs",
        "meta",
        "nodes",
        "operations",
        "undone",
        "volumes",
    )

    def __init__(self, connection: Connection, allocations: Allocations, hosts: Hosts | None) -> None:
        self._allocations = allocations
        self.hooks: list[Hook] = []
        self.undone: list[Hook] = []
        self.clusters = Clusters(connection, allocations)
        self.nodes = Nodes(connection, allocations)
        self.devices = Devices(connection, allocations)
        self.bricks = Bricks(connection)
        self.volumes = Volumes(connection)
        self.block_volumes = BlockVolumes(connection)
        self.operations = Operations(connection)
        self.jobs = Jobs(connection)
        self.debts = Debts(connection)
        self.meta = Meta(connection)
        self.everything = Everything(connection)
        self.heketi_records = HeketiRecords(connection)
        self.gauges = Gauges(connection)
        self.details = Details(connection, self.clusters, self.block_volumes, hosts)

    def view(self, cluster: str, down: frozenset[str] = frozenset()) -> ClusterView:
        """Return what the allocator sees of a cluster; `down` are ids of nodes that get nothing new.

        In a transaction that writes this is the writer's own view, in step with everything done so far: look at it,
        place with it, and change it through the repositories only. In one that reads it is built anew each time.
        Raises NotFound.
        """
        return self._allocations.view(cluster, down, lambda: self._built(cluster, down))

    def after_commit(self, hook: Hook) -> None:
        """Have something called on the event loop once this transaction is committed, whether or not anybody still
        waits for it. Nothing is called if it is rolled back."""
        self.hooks.append(hook)

    def after_rollback(self, hook: Hook) -> None:
        """Have something called, on the writer's thread, if this transaction is rolled back, for whatever reason, or if
        it is not known what became of its commit."""
        self.undone.append(hook)

    def _built(self, cluster: str, down: frozenset[str]) -> ClusterView:
        return ClusterView.build(self.nodes.of_cluster(cluster), self.devices.of_cluster(cluster), down=down)

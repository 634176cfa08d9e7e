"""The allocator's views of clusters, kept in memory by the writer thread and by nobody else.

A view is built from the books once and then kept in step by the repositories, as part of the same transaction. It is
never repaired: when a transaction that changed anything in it does not commit, when the topology changes, or when
another server has committed, it is dropped, and the next one who asks builds it anew.
"""

from collections.abc import Callable

from sqlalchemy import Connection, bindparam, select, update

from heketipy.db import tables
from heketipy.domain.errors import NotFound
from heketipy.domain.placement import ClusterView

_MOST_PER_CLUSTER = 4
"""Sets of down nodes for which a view of one cluster is kept at a time."""

_GENERATION = select(tables.clusters.c.generation).where(tables.clusters.c.id == bindparam("id"))

_RAISE = (
    update(tables.clusters)
    .where(tables.clusters.c.id == bindparam("cluster"))
    .values(generation=tables.clusters.c.generation + 1)
    .returning(tables.clusters.c.generation)
)


class Views:
    """All views in memory, by cluster, with the generation of the cluster that they show."""

    def __init__(self) -> None:
        self._generations: dict[str, int] = {}
        self._views: dict[str, dict[frozenset[str], ClusterView]] = {}

    def get(self, cluster: str, down: frozenset[str], generation: int) -> ClusterView | None:
        """Return the view if there is one of this generation; older ones of the cluster are dropped."""
        if self._generations.get(cluster) != generation:
            self.forget(cluster)
            return None
        views = self._views[cluster]
        view = views.pop(down, None)
        if view is not None:
            views[down] = view
        return view

    def keep(self, cluster: str, down: frozenset[str], generation: int, view: ClusterView) -> None:
        """Remember a view; the one that was not asked for longest makes room."""
        views = self._views.setdefault(cluster, {})
        self._generations[cluster] = generation
        views[down] = view
        if len(views) > _MOST_PER_CLUSTER:
            del views[next(iter(views))]

    def of(self, cluster: str) -> tuple[ClusterView, ...]:
        """Return every view of the cluster."""
        return tuple(self._views.get(cluster, {}).values())

    def advance(self, cluster: str, generation: int | None) -> None:
        """Note that our own transaction raised the generation, and drop views that miss what another server did
        in between."""
        if self._generations.get(cluster) == (generation or 0) - 1:
            self._generations[cluster] += 1
        else:
            self.forget(cluster)

    def forget(self, cluster: str) -> None:
        """Drop every view of a cluster."""
        self._generations.pop(cluster, None)
        self._views.pop(cluster, None)

    def clear(self) -> None:
        """Drop everything."""
        self._generations.clear()
        self._views.clear()


class Allocations:
    """What one transaction does to the views: repositories tell it as they write."""

    def __init__(self, connection: Connection, views: Views) -> None:
        self._connection = connection
        self._views = views
        self._changed: set[str] = set()

    def view(self, cluster: str, down: frozenset[str], build: Callable[[], ClusterView]) -> ClusterView:
        """Return the view of a cluster, from memory where it is still true. Raises NotFound."""
        generation = self._connection.execute(_GENERATION, {"id": cluster}).scalar_one_or_none()
        if generation is None:
            raise NotFound
        view = self._views.get(cluster, down, generation)
        if view is None:
            view = build()
            self._views.keep(cluster, down, generation, view)
        return view

    def taken(self, cluster: str, device: str, kib: int) -> None:
        """Tell that a device has `kib` less free space."""
        self._change(cluster)
        for view in self._views.of(cluster):
            view.take(device, kib)

    def given(self, cluster: str, device: str, kib: int) -> None:
        """Tell that a device has `kib` more free space."""
        self._change(cluster)
        for view in self._views.of(cluster):
            view.give(device, kib)

    def resized(self, cluster: str, device: str, *, total_kib: int, free_kib: int) -> None:
        """Tell what a node said about the space of a device."""
        self._change(cluster)
        for view in self._views.of(cluster):
            view.resize(device, total_kib=total_kib, free_kib=free_kib)

    def reshaped(self, cluster: str) -> None:
        """Tell that nodes or devices came, went, or changed in another way."""
        self._change(cluster)
        self._views.forget(cluster)

    def abandoned(self) -> None:
        """Drop the views after a rollback. A refusal that had changed nothing leaves them: a full site is asked again
        and again, and must not have its views built again and again."""
        if self._changed:
            self._views.clear()

    def _change(self, cluster: str) -> None:
        if cluster not in self._changed:
            self._changed.add(cluster)
            self._views.advance(cluster, self._connection.execute(_RAISE, {"cluster": cluster}).scalar_one_or_none())

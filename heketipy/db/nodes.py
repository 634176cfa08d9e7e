"""Nodes in the books, and who has which host name."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import BindParameter, Connection, bindparam, delete, insert, select, update

from heketipy.db import tables
from heketipy.db.rows import portions, touched
from heketipy.db.views import Allocations
from heketipy.domain.errors import Conflict, NotFound
from heketipy.domain.model import Node, Tags
from heketipy.domain.states import State

_c = tables.nodes.c
_names = tables.hostnames.c
_id: BindParameter[Any] = bindparam("id")

COLUMNS = (_c.id, _c.cluster, _c.zone, _c.manage, _c.storage, _c.state, _c.tags)
"""What `from_row` wants, in its order."""

_ALL = select(*COLUMNS).order_by(_c.id)
_FIND = select(*COLUMNS).where(_c.id == _id)
_OF_CLUSTER = _ALL.where(_c.cluster == bindparam("cluster"))
_OF_IDS = _ALL.where(_c.id.in_(bindparam("ids", expanding=True)))
_NEXT = _OF_CLUSTER.where(_c.id >= bindparam("start")).limit(bindparam("count"))
_ADD = insert(tables.nodes)
_ADD_NAMES = insert(tables.hostnames)
_OWNERS = select(_names.name, _names.node).where(
    _names.kind == bindparam("kind"), _names.name.in_(bindparam("names", expanding=True))
)
_node = _c.id == bindparam("node")
_SET_STATE = update(tables.nodes).where(_node).values(state=bindparam("new_state")).returning(_c.cluster)
_SET_TAGS = update(tables.nodes).where(_node).values(tags=bindparam("new_tags")).returning(_c.cluster)
_REMOVE_NAMES = delete(tables.hostnames).where(_names.node == _id)
_REMOVE = delete(tables.nodes).where(_c.id == _id)
_DEVICE_IDS = select(tables.devices.c.id).where(tables.devices.c.node == _id).order_by(tables.devices.c.id)
_TOPOLOGY = (
    update(tables.clusters)
    .where(tables.clusters.c.id == bindparam("cluster"))
    .values(topology=tables.clusters.c.topology + 1)
)


def from_row(row: Sequence[Any]) -> Node:
    """Return the node that a row of COLUMNS describes."""
    id, cluster, zone, manage, storage, state, tags = row
    return Node(id, cluster, zone, tuple(manage), tuple(storage), State(state), tags)


class Nodes:
    """The table of nodes."""

    def __init__(self, connection: Connection, allocations: Allocations) -> None:
        self._connection = connection
        self._allocations = allocations

    def find(self, id: str) -> Node | None:
        """Return a node, or None."""
        row = self._connection.execute(_FIND, {"id": id}).one_or_none()
        return None if row is None else from_row(row)

    def get(self, id: str) -> Node:
        """Return a node. Raises NotFound."""
        node = self.find(id)
        if node is None:
            raise NotFound
        return node

    def all(self) -> list[Node]:
        """Return all nodes, ascending by id."""
        return [from_row(row) for row in self._connection.execute(_ALL)]

    def of_cluster(self, cluster: str) -> list[Node]:
        """Return the nodes of a cluster, ascending by id."""
        return [from_row(row) for row in self._connection.execute(_OF_CLUSTER, {"cluster": cluster})]

    def some_of_cluster(self, cluster: str, *, start: str, count: int) -> list[Node]:
        """Return so many nodes of a cluster, or all if there are no more: those that follow `start` in the order of the
        ids, at whose end it begins anew. No matter how large the cluster is, this costs the same."""
        values = {"cluster": cluster, "start": start, "count": count}
        found = [from_row(row) for row in self._connection.execute(_NEXT, values)]
        if len(found) < count:
            values |= {"start": "", "count": count - len(found)}
            found += [node for row in self._connection.execute(_NEXT, values) if (node := from_row(row)).id < start]
        return found

    def of_ids(self, ids: Sequence[str]) -> list[Node]:
        """Return those of these nodes that there are."""
        return [
            from_row(row) for some in portions(ids) for row in self._connection.execute(_OF_IDS, {"ids": list(some)})
        ]

    def add(self, node: Node) -> None:
        """Add a node without devices. Raises Conflict if another node has one of its names: manage names are unique
        among manage names, storage names among storage names, in all clusters."""
        self.check_hostnames(node)
        self._connection.execute(
            _ADD,
            {
                "id": node.id,
                "cluster": node.cluster,
                "zone": node.zone,
                "manage": list(node.manage),
                "storage": list(node.storage),
                "state": node.state.value,
                "tags": dict(node.tags),
            },
        )
        names = [("manage", name) for name in dict.fromkeys(node.manage)]
        names += [("storage", name) for name in dict.fromkeys(node.storage)]
        if names:
            rows = [{"kind": kind, "name": name, "node": node.id} for kind, name in names]
            self._connection.execute(_ADD_NAMES, rows)
        self._moved(node.cluster)

    def check_hostnames(self, node: Node) -> None:
        """Raise Conflict if another node has one of the names of a node that may be added; manage names come first."""
        self._demand_free("manage", node.manage)
        self._demand_free("storage", node.storage)

    def owner_of(self, kind: str, names: Sequence[str]) -> tuple[str, str] | None:
        """Return the first of these names that some node has, and that node's id. `kind` is `manage` or `storage`."""
        if not names:
            return None
        owners: dict[str, str] = dict(
            map(tuple, self._connection.execute(_OWNERS, {"kind": kind, "names": list(names)}))
        )
        return next(((name, owners[name]) for name in names if name in owners), None)

    def set_state(self, id: str, state: State) -> None:
        """Change the state. Raises NotFound."""
        self._reshape(self._connection.execute(_SET_STATE, {"node": id, "new_state": state.value}).scalar_one_or_none())

    def set_tags(self, id: str, tags: Tags) -> None:
        """Replace all tags. Raises NotFound."""
        self._reshape(self._connection.execute(_SET_TAGS, {"node": id, "new_tags": dict(tags)}).scalar_one_or_none())

    def remove(self, id: str) -> None:
        """Remove a node that has no devices any more, and free its names. Raises NotFound."""
        cluster = self.get(id).cluster
        self._connection.execute(_REMOVE_NAMES, {"id": id})
        touched(self._connection.execute(_REMOVE, {"id": id}))
        self._moved(cluster)

    def device_ids(self, id: str) -> list[str]:
        """Return the ids of its devices, ascending."""
        return list(self._connection.execute(_DEVICE_IDS, {"id": id}).scalars())

    def _demand_free(self, kind: str, names: Sequence[str]) -> None:
        taken = self.owner_of(kind, names)
        if taken is not None:
            name, node = taken
            raise Conflict(f"Hostname {name} already used by node with id {node}\n")

    def _moved(self, cluster: str) -> None:
        self._connection.execute(_TOPOLOGY, {"cluster": cluster})
        self._allocations.reshaped(cluster)

    def _reshape(self, cluster: str | None) -> None:
        if cluster is None:
            raise NotFound
        self._allocations.reshaped(cluster)

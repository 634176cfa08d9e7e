"""The volume in which heketi's database lies on Kubernetes: gluster's caches could spoil it, and are switched off."""

from typing import Final

from heketipy.db.database import Database, Tx
from heketipy.domain.errors import CommandFailed, NotFound
from heketipy.domain.model import NodeAddress
from heketipy.executors.nodes import StorageNodes
from heketipy.operations.hosts import first_answer

LEVEL: Final = "user.heketi.dbstoragelevel"
"""The option that says which of the options below a volume has."""

_NOTHING_YET: Final = "0"

OPTIONS: Final = (
    ("performance.stat-prefetch", "off"),
    ("performance.write-behind", "off"),
    ("performance.open-behind", "off"),
    ("performance.quick-read", "off"),
    ("performance.strict-o-direct", "on"),
    ("performance.read-ahead", "off"),
    ("performance.io-cache", "off"),
    ("performance.readdir-ahead", "off"),
    (LEVEL, "1"),
)
"""heketi's, in its order: the level comes last, so that what was broken off is done again."""


class DatabaseVolume:
    """The use case about it."""

    def __init__(self, db: Database, nodes: StorageNodes) -> None:
        self._db = db
        self._nodes = nodes

    async def update(self, name: str) -> bool:
        """Give a volume the options that it lacks; tell whether it lacked any.

        Raises NotFound for a volume that is not in the books, CommandFailed, NodeUnreachable.
        """
        nodes = await self._db.read(_nodes, name)

        async def on(node: NodeAddress) -> bool:
            found = await self._nodes.volume(node, name)
            if found is None:
                raise CommandFailed(f"Unable to get info for {name}: Volume does not exist", node=node.id)
            if found.options.get(LEVEL, _NOTHING_YET) != _NOTHING_YET:
                return False
            await self._nodes.set_options(node, name, OPTIONS)
            return True

        return await first_answer(nodes, on, total=len(nodes))


def _nodes(tx: Tx, name: str) -> list[NodeAddress]:
    """Return the nodes of the cluster in which there is a volume of that name."""
    for cluster in tx.clusters.ids():
        if tx.volumes.with_name(cluster, name) is not None:
            return [node.address for node in tx.nodes.of_cluster(cluster)]
    raise NotFound(f"Volume {name} not found")

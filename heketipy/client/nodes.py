"""Routes of nodes."""

from collections.abc import Mapping, Sequence

from heketipy.client.connection import Connection, Json, segment


class Nodes:
    """Storage servers. An answer has the members of NodeInfoResponse."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    async def add(
        self, cluster: str, *, zone: int, manage: Sequence[str], storage: Sequence[str], tags: Mapping[str, str] = {}
    ) -> Json:
        """Take a node into a cluster. Its first names count: `manage` for commands, `storage` for gluster."""
        body: Json = {
            "zone": zone,
            "hostnames": {"manage": list(manage), "storage": list(storage)},
            "cluster": cluster,
        }
        if tags:
            body["tags"] = dict(tags)
        return await self._connection.work("POST", "/nodes", body)

    async def info(self, id: str) -> Json:
        """Show a node, its devices and their bricks."""
        return await self._connection.get(f"/nodes/{segment(id)}")

    async def set_state(self, id: str, state: str) -> None:
        """Change a node's state to `online`, `offline` or `failed`."""
        await self._connection.work("POST", f"/nodes/{segment(id)}/state", {"state": state})

    async def delete(self, id: str) -> None:
        """Let a node go that has no devices."""
        await self._connection.work("DELETE", f"/nodes/{segment(id)}")

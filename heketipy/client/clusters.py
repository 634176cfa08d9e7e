"""Routes of clusters."""

from heketipy.client.connection import Connection, Json, ids, segment


class Clusters:
    """Sets of nodes that hold volumes together. An answer has the members of ClusterInfoResponse."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    async def create(self, *, file: bool = True, block: bool = True) -> Json:
        """Make an empty cluster."""
        return await self._connection.call("POST", "/clusters", {"file": file, "block": block}, status=201)

    async def ids(self) -> list[str]:
        """List all clusters."""
        return ids(await self._connection.get("/clusters"), "clusters")

    async def info(self, id: str) -> Json:
        """Show a cluster."""
        return await self._connection.get(f"/clusters/{segment(id)}")

    async def set_flags(self, id: str, *, file: bool, block: bool) -> None:
        """Say what a cluster may host."""
        await self._connection.call("POST", f"/clusters/{segment(id)}/flags", {"file": file, "block": block})

    async def delete(self, id: str) -> None:
        """Forget a cluster without nodes and volumes."""
        await self._connection.call("DELETE", f"/clusters/{segment(id)}")

"""Routes of volumes."""

from typing import Any

from heketipy.client.connection import Connection, Json, ids, segment


class Volumes:
    """File volumes. An answer has the members of VolumeInfoResponse; sizes of volumes are GiB, of bricks KiB."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    async def create(self, size_gib: int, **members: Any) -> Json:
        """Make a volume. `members` are the other members of VolumeCreateRequest."""
        return await self._connection.work("POST", "/volumes", {"size": size_gib, **members})

    async def dry_run(self, size_gib: int, **members: Any) -> Json:
        """Ask what a create would lead to: the members of VolumeDryRunResponse. Nothing is made.

        heketi does not know the question, and would make the volume: it is not asked, and MisunderstoodError raised.
        """
        await self._connection.check_heketipy("dry run")
        return await self._connection.call("POST", "/volumes?dry-run=true", {"size": size_gib, **members})

    async def ids(self) -> list[str]:
        """List all volumes."""
        return ids(await self._connection.get("/volumes"), "volumes")

    async def info(self, id: str) -> Json:
        """Show a volume and its bricks."""
        return await self._connection.get(f"/volumes/{segment(id)}")

    async def expand(self, id: str, *, by_gib: int) -> Json:
        """Let a volume grow."""
        return await self._connection.work("POST", f"/volumes/{segment(id)}/expand", {"expand_size": by_gib})

    async def delete(self, id: str) -> None:
        """Delete a volume and its data."""
        await self._connection.work("DELETE", f"/volumes/{segment(id)}")

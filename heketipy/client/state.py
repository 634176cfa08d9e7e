"""Routes that compare the books with nodes and gluster."""

from collections.abc import Sequence

from heketipy.client.connection import Connection, Json


class State:
    """The state of the site."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    async def examine_gluster(self) -> str:
        """Return the examiner's answer as the server wrote it: indented JSON."""
        return await self._connection.text("/internal/state/examine/gluster")

    async def drift(self) -> Json:
        """Show in what the books, the nodes and gluster differ: the members of DriftResponse. heketi refuses it with
        status 404."""
        return await self._connection.get("/internal/state/drift")

    async def propose_clean_up(self, findings: Sequence[str] = ()) -> Json:
        """Show what a clean-up of these findings (none: all) would do: the members of DriftCleanUpResponse."""
        return await self._connection.call("POST", "/internal/state/drift/clean-up", _body(findings, dry_run=True))

    async def clean_up(self, findings: Sequence[str] = ()) -> None:
        """Put these findings (none: all orphans) into quarantine."""
        await self._connection.work("POST", "/internal/state/drift/clean-up", _body(findings, dry_run=False))

    async def release(self, findings: Sequence[str]) -> None:
        """Give what is in quarantine its former name."""
        await self._connection.work("POST", "/internal/state/drift/release", {"findings": list(findings)})


def _body(findings: Sequence[str], *, dry_run: bool) -> Json:
    return {"findings": list(findings), "dry_run": dry_run}

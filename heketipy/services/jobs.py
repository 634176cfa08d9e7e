"""Jobs: what a client polls after its request was accepted. Rows in the books, readable again and again."""

import asyncio
from collections.abc import Callable, Iterable

from heketipy.db.database import Database, Tx
from heketipy.domain.errors import NotFound
from heketipy.domain.ids import IdSource
from heketipy.domain.operation import Job


class Jobs:
    """Starts, ends and finds jobs, and wakes those who wait for one.

    An ended job is kept for `retention` seconds.
    """

    def __init__(self, db: Database, *, ids: IdSource, clock: Callable[[], float], retention: float = 86400.0) -> None:
        self._db = db
        self._ids = ids
        self._clock = clock
        self._retention = retention
        self._waiting: dict[str, set[asyncio.Future[Job]]] = {}

    def open(self, tx: Tx, operation: str) -> str:
        """Enter a job for an operation, and return its id."""
        job = Job(id=self._ids(), operation=operation, created=self._clock())
        tx.jobs.add(job)
        return job.id

    def closed(self, tx: Tx, *, result: str = "", error: str = "", code: str = "") -> str:
        """Enter a job that has ended already, and return its id: heketi tells some outcomes only through the queue."""
        now = self._clock()
        job = Job(id=self._ids(), operation="", created=now, ended=now, result=result, error=error, code=code)
        tx.jobs.add(job)
        return job.id

    def ended(self, jobs: Iterable[Job]) -> None:
        """Hand these to everybody who waits for one."""
        for job in jobs:
            for waiting in self._waiting.get(job.id, ()):
                if not waiting.done():
                    waiting.set_result(job)

    async def wait(self, job_id: str, seconds: float) -> Job:
        """Return a job as soon as it has ended, or as it is after so many seconds.

        Raises NotFound, with a text that is not the one by which clients take a volume for gone (K6).
        """
        end: asyncio.Future[Job] = asyncio.get_running_loop().create_future()
        self._waiting.setdefault(job_id, set()).add(end)
        try:
            job = await self._db.glance(_get, job_id)
            if job.ended is None and seconds > 0:
                await asyncio.wait([end], timeout=seconds)
            return end.result() if end.done() else job
        finally:
            waiting = self._waiting[job_id]
            waiting.discard(end)
            if not waiting:
                del self._waiting[job_id]

    async def purge(self) -> int:
        """Forget jobs that ended long ago, and return how many."""
        return await self._db.write(_purge, self._clock() - self._retention)


def _get(tx: Tx, job_id: str) -> Job:
    job = tx.jobs.find(job_id)
    if job is None:
        raise NotFound(f"No such job: {job_id}. Results are kept for a limited time.")
    return job


def _purge(tx: Tx, older_than: float) -> int:
    return tx.jobs.purge(older_than)

"""Pending operations: look at them, and have those cleaned up that nobody works on."""

from collections.abc import Callable, Sequence

from heketipy.db.database import Database, Tx
from heketipy.domain.errors import NotFound
from heketipy.domain.operation import Job, Status
from heketipy.domain.pending import PendingCounts, PendingRecord
from heketipy.operations.records import record
from heketipy.operations.runner import Runner
from heketipy.services.cleaner import CLEAN_UP, Cleaner
from heketipy.services.interchange.entries import PENDING
from heketipy.services.interchange.revival import from_heketi
from heketipy.services.jobs import Jobs

_TO_CLEAN = (Status.STALE, Status.FAILED)


class Operations:
    """Use cases about pending operations, as far as heketi would record them.

    Records that were taken over from heketi and mean nothing to us are shown, too; nobody can clean them up.
    """

    def __init__(
        self, db: Database, runner: Runner, cleaner: Cleaner, jobs: Jobs, *, clock: Callable[[], float]
    ) -> None:
        self._db = db
        self._runner = runner
        self._cleaner = cleaner
        self._jobs = jobs
        self._clock = clock

    async def pending(self) -> list[PendingRecord]:
        """Return all of them, ascending by id."""
        return await self._db.read(_records, self._runner.at_work)

    async def counts(self) -> PendingCounts:
        """Count them."""
        records = await self.pending()
        statuses = [one.status for one in records]
        return PendingCounts(
            total=len(records),
            in_flight=sum(one.at_work for one in records),
            stale=statuses.count(Status.STALE),
            failed=statuses.count(Status.FAILED),
            new=statuses.count(""),
        )

    async def info(self, operation_id: str) -> PendingRecord:
        """Return one. Raises NotFound, with a text that names the id."""
        for found in await self.pending():
            if found.id == operation_id:
                return found
        raise NotFound(f"Id not found: {operation_id}")

    async def clean_up(self, ids: Sequence[str]) -> str:
        """Start to take back or finish what is stale or failed: all of it, or what is named; return a job's id.

        The job succeeds whatever becomes of the operations: what fails again stays pending, and shows it.
        """
        job = await self._db.write(lambda tx: self._jobs.open(tx, CLEAN_UP))
        self._runner.accompany(f"clean-up {job}", self._clean_up(frozenset(ids), job))
        return job

    async def _clean_up(self, ids: frozenset[str], job: str) -> None:
        operations = await self._db.read(lambda tx: tx.operations.by_status(*_TO_CLEAN))
        wanted = [operation.id for operation in operations if not ids or operation.id in ids]
        for operation in wanted:
            self._runner.recover(operation)
        if not ids:
            await self._cleaner.pay_now()
        await self._runner.ended(wanted)
        self._jobs.ended([await self._db.write(_finish, job, self._clock())])


def _finish(tx: Tx, job: str, now: float) -> Job:
    tx.jobs.finish(job, ended=now)
    return tx.jobs.get(job)


def _records(tx: Tx, at_work: frozenset[str]) -> list[PendingRecord]:
    found = (record(operation, at_work=operation.id in at_work) for operation in tx.operations.all())
    ours = [one for one in found if one is not None]
    kept = [from_heketi(one.entry) for one in tx.heketi_records.of(PENDING).values() if one.ours is None]
    return sorted([*ours, *kept], key=lambda one: one.id)

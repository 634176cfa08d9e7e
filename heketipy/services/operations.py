"""Pending operations: look at them, and have those cleaned up that nobody works on."""

from collections.abc import Callable, Sequence

from heketipy.db.database import Database, Tx
from heketipy.domain.errors import NotFound
from heketipy.domain.operation import Job, Operation, Status
from heketipy.domain.pending import PendingCounts, PendingRecord, UnrecordedOperation, Unsettled
from heketipy.operations import debts
from heketipy.operations.records import RECORDED, record, shown
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
        return await self._db.read(self._records)

    async def unsettled(self) -> Unsettled:
        """Return all of them, those that heketi has no record of, and what nodes owe."""
        return await self._db.read(self._unsettled)

    async def counts(self) -> PendingCounts:
        """Count them."""
        records, owed = await self._db.read(lambda tx: (self._records(tx), len(tx.debts.all())))
        statuses = [one.status for one in records]
        return PendingCounts(
            total=len(records),
            in_flight=sum(one.at_work for one in records),
            stale=statuses.count(Status.STALE),
            failed=statuses.count(Status.FAILED),
            new=statuses.count(""),
            debts=owed,
        )

    async def info(self, operation_id: str) -> PendingRecord:
        """Return one. Raises NotFound, with a text that names the id."""
        for found in await self.pending():
            if found.id == operation_id:
                return found
        raise NotFound(f"Id not found: {operation_id}")

    def _records(self, tx: Tx) -> list[PendingRecord]:
        ours = [one for one in map(self._record, tx.operations.all()) if one is not None]
        kept = [from_heketi(one.entry) for one in tx.heketi_records.of(PENDING).values() if one.ours is None]
        return sorted([*ours, *kept], key=lambda one: one.id)

    def _record(self, operation: Operation) -> PendingRecord | None:
        return record(operation, at_work=self._at_work(operation), next_try=self._next_try(operation))

    def _at_work(self, operation: Operation) -> bool:
        return self._runner.works_on(operation.id)

    def _next_try(self, operation: Operation) -> float | None:
        """Tell when one that is stuck is taken up again; a part of another operation, when that one is."""
        waits = operation.status is not Status.NEW and not self._at_work(operation)
        return self._runner.backoff.next_try(operation.id) if waits else None

    def _unsettled(self, tx: Tx) -> Unsettled:
        others = [operation for operation in tx.operations.all() if operation.kind not in RECORDED]
        return Unsettled(
            records=self._records(tx),
            unrecorded=[
                UnrecordedOperation(
                    id=operation.id,
                    kind=operation.kind,
                    status=shown(operation.status),
                    at_work=self._at_work(operation),
                    reason=operation.error,
                    next_try=self._next_try(operation),
                )
                for operation in sorted(others, key=lambda one: one.id)
            ],
            debts=[debts.shown(tx, debt, next_try=self._cleaner.next_payment(debt)) for debt in tx.debts.all()],
        )

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

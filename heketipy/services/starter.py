"""From a reservation to running work: one write transaction makes operation and job, its commit starts the work."""

from collections.abc import Callable
from typing import Any

from heketipy.db.database import Tx
from heketipy.domain.ids import IdSource
from heketipy.domain.operation import Operation
from heketipy.operations.context import encode
from heketipy.operations.runner import Runner
from heketipy.services.admission import Admission, enter
from heketipy.services.jobs import Jobs


class Starter:
    """Enters operations into the books, to be started when that is committed."""

    def __init__(
        self,
        runner: Runner,
        jobs: Jobs,
        admission: Admission,
        *,
        epoch: int,
        ids: IdSource,
        clock: Callable[[], float],
    ) -> None:
        self.runner = runner
        self.jobs = jobs
        self.admission = admission
        self.new_id = ids
        self._epoch = epoch
        self._clock = clock

    def follow(self, tx: Tx, operation: str) -> str:
        """Return a job of an operation that exists already; one that is stuck is taken up again for a new job."""
        for job in tx.jobs.unfinished_of(operation):
            return job.id
        tx.after_commit(lambda: self.runner.recover(operation))
        return self.jobs.open(tx, operation)

    def begin(self, tx: Tx, kind: str, plan: Any) -> str:
        """Enter an operation that counts among those taken on; return its job's id. Raises Busy."""
        enter(tx, self.admission)
        return self.enter(tx, kind, plan, operation=self.new_id(), admitted=True)

    def enter(self, tx: Tx, kind: str, plan: Any, *, operation: str, admitted: bool = False) -> str:
        """Enter an operation with its plan, and return its job's id. `admitted`: it leaves admission when it ends."""
        entered = Operation(id=operation, kind=kind, created=self._clock(), epoch=self._epoch, plan=encode(plan))
        tx.operations.add(entered)
        self.runner.expect(operation)
        tx.after_rollback(lambda: self.runner.expect_no_more(operation))
        job = self.jobs.open(tx, operation)
        done = self.admission.leave if admitted else None
        tx.after_commit(lambda: self.runner.start(entered, done=done))
        return job

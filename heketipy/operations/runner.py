"""The runner owns the tasks of all operations: no request, however it ends, can cancel one.

It carries out what was reserved, takes back or finishes what failed, and settles the operation's row together with the
books and the job in one transaction. What ends without settling its row is picked up again; so is, at the next start,
what a dead server left.
"""

import asyncio
import contextlib
from collections.abc import Callable, Coroutine, Iterable, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field, replace
from typing import Any

import structlog

from heketipy.db.database import Database, Tx
from heketipy.domain.errors import CannotAllocate, DaemonAway, HeketipyError, NodeFailure, NodeUnreachable, explain
from heketipy.domain.ids import IdSource
from heketipy.domain.operation import Debt, Job, Operation, Status
from heketipy.executors.nodes import StorageNodes
from heketipy.executors.transport import Fence, Superseded
from heketipy.operations import saga
from heketipy.operations.context import Context, decode, encode
from heketipy.operations.kind import Kind, Outcome
from heketipy.operations.kinds import KINDS
from heketipy.operations.reservation import Reservations
from heketipy.telemetry import metrics

INTERRUPTED = "The server was stopped while this was in progress; it has been taken back. Please ask again."
FROM_HEKETI = 0
"""The epoch of operations that were taken over from heketi. Those of servers begin at 1."""

INTERNAL = "Internal error: the operation was taken back; the server's log says more."

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Work:
    """One attempt at an operation."""

    kind: Kind[Any]
    operation: Operation
    plan: Any
    context: Context
    steps: Sequence[saga.Step]
    begun: list[saga.Step] = field(default_factory=list)


class Backoff:
    """When to try again what is stuck: 5 s after the first failure, then twice as long each time, up to 10 minutes."""

    FIRST = 5.0
    LONGEST = 600.0

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._waits: dict[str, tuple[float, float]] = {}

    def failed(self, key: str) -> None:
        """Note one more failure."""
        wait = min(self._waits.get(key, (0.0, self.FIRST / 2))[1] * 2, self.LONGEST)
        self._waits[key] = (self._clock() + wait, wait)

    def succeeded(self, key: str) -> None:
        """Forget about it."""
        self._waits.pop(key, None)

    def clear(self) -> None:
        """Forget about everything: all is due."""
        self._waits.clear()

    def due(self, key: str) -> bool:
        """Tell whether it is time to try again."""
        return self._clock() >= self._waits.get(key, (0.0, 0.0))[0]

    def next_try(self, key: str) -> float:
        """Tell from when on it is tried again, in seconds since 1970: now, at the earliest."""
        return max(self._clock(), self._waits.get(key, (0.0, 0.0))[0])


class Runner:
    """Runs operations. All methods belong to the event loop's thread.

    `running` operations are worked on at a time, the others wait in the order of their start. `ended` is called with
    the jobs that have got their result. `quiet_after` seconds after an attempt nothing of it can run on a
    node any more: that is longer than the limit of any command, which the nodes enforce.
    """

    def __init__(
        self,
        db: Database,
        nodes: StorageNodes,
        reservations: Reservations,
        *,
        epoch: int,
        ids: IdSource,
        clock: Callable[[], float],
        running: int,
        retries: int,
        rebalance: bool,
        quiet_after: float,
        ended: Callable[[Sequence[Job]], None],
    ) -> None:
        self._db = db
        self._nodes = nodes
        self._reservations = reservations
        self._epoch = epoch
        self._ids = ids
        self._clock = clock
        self._retries = retries
        self._rebalance = rebalance
        self._quiet_after = quiet_after
        self._ended = ended
        self._slots = asyncio.Semaphore(running)
        self._tasks: dict[str, asyncio.Task[None]] = {}
        self._expected: set[str] = set()
        self._closing = False
        self._since = clock()
        self._last_attempt: dict[str, float] = {}
        self.backoff = Backoff(clock)

    @property
    def at_work(self) -> frozenset[str]:
        """Ids of the operations that are running or waiting for their turn."""
        return frozenset(self._tasks)

    def works_on(self, operation: str) -> bool:
        """Tell whether an operation is running or waiting for its turn."""
        return operation in self._tasks

    def expect(self, operation: str) -> None:
        """Note an operation that is being committed, from the thread that does it: `start` follows. Between the two,
        whoever looks at the books would take it for one that nobody works on."""
        self._expected.add(operation)

    def expect_no_more(self, operation: str) -> None:
        """Note, from the same thread, that an operation will not be started. If its commit has happened all the same,
        it is found in the books, and taken back."""
        self._expected.discard(operation)

    def start(self, operation: Operation, *, done: Callable[[], None] | None = None) -> None:
        """Carry out what was reserved. Called when the reservation is committed; `done` when the work has ended."""
        self._expected.discard(operation.id)
        self._begin(operation.id, self._carry_out, done, known=operation)

    def recover(self, operation: str) -> None:
        """Take back or finish what an earlier attempt, or a dead server, left unsettled."""
        if operation not in self._tasks and operation not in self._expected:
            self._begin(operation, self._recover, None)

    def accompany(self, name: str, work: Coroutine[Any, Any, None]) -> None:
        """Own the task of something that goes along with operations, as those of operations are owned."""
        task = asyncio.create_task(work, name=name)
        self._tasks[name] = task

        def ended(task: asyncio.Task[None]) -> None:
            self._tasks.pop(name, None)
            error = None if task.cancelled() or self._closing else task.exception()
            if error is not None:
                log.error("work beside operations failed", work=name, reason=explain(error), exc_info=error)

        task.add_done_callback(ended)

    async def ended(self, operations: Iterable[str]) -> None:
        """Wait until nobody works on these operations any more, settled or not."""
        tasks = [self._tasks[operation] for operation in operations if operation in self._tasks]
        if tasks:
            await asyncio.wait(tasks)

    async def drain(self) -> None:
        """Wait until everything that was started has ended."""
        while self._tasks:
            await asyncio.wait(list(self._tasks.values()))

    async def close(self) -> None:
        """Stop. What is unsettled stays in the books for the next start."""
        self._closing = True
        tasks = list(self._tasks.values())
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def enter(self, tx: Tx, kind: str, plan: Any, *, operation: str) -> str:
        """Enter an operation that is a part of another one; return its job's id. `settle` begins it."""
        now = self._clock()
        tx.operations.add(Operation(id=operation, kind=kind, created=now, epoch=self._epoch, plan=encode(plan)))
        job = Job(id=self._ids(), operation=operation, created=now)
        tx.jobs.add(job)
        return job.id

    async def settle(self, operation: str) -> None:
        """Carry out a part of another operation, in its turn: waiting for one's own could go round in a circle."""
        if operation not in self._tasks:
            self._begin(operation, self._carry_on, None, slots=contextlib.nullcontext())
        task = self._tasks[operation]
        await asyncio.wait([task])
        error = None if task.cancelled() else task.exception()
        if error is not None and not isinstance(error, Exception):
            raise error

    def _begin(
        self,
        operation: str,
        action: Callable[[Operation], Any],
        done: Callable[[], None] | None,
        *,
        slots: AbstractAsyncContextManager[Any] | None = None,
        known: Operation | None = None,
    ) -> None:
        work = self._work(operation, action, slots or self._slots, known)
        task = asyncio.create_task(work, name=f"operation {operation}")
        self._tasks[operation] = task

        def ended(task: asyncio.Task[None]) -> None:
            self._tasks.pop(operation, None)
            if done is not None:
                done()
            if task.cancelled() or self._closing:
                return
            error = task.exception()
            if isinstance(error, Exception):
                log.error("an operation ended unsettled", operation=operation, reason=explain(error), exc_info=error)
                self._last_attempt[operation] = self._clock()
                self.backoff.failed(operation)

        task.add_done_callback(ended)

    async def _work(
        self,
        operation_id: str,
        action: Callable[[Operation], Any],
        slots: AbstractAsyncContextManager[Any],
        known: Operation | None,
    ) -> None:
        async with slots:
            with (
                structlog.contextvars.bound_contextvars(operation=operation_id),
                metrics.OPERATIONS_RUNNING.track_inprogress(),
            ):
                operation = known or await self._db.read(_find, operation_id)
                if operation is not None:
                    await action(operation)

    def _prepare(self, operation: Operation, *, quiet: bool = False) -> Work:
        kind = KINDS[operation.kind]
        plan = decode(kind.plan, operation.plan)
        context = Context(
            operation=operation,
            nodes=self._nodes,
            db=self._db,
            fence=Fence(operation.id, self._epoch),
            reservations=self._reservations,
            children=self,
            quiet=quiet,
            down=self._reservations.down(),
            rebalance=self._rebalance,
            journal=dict(operation.journal),
            pivoted=operation.pivoted,
        )
        return Work(kind=kind, operation=operation, plan=plan, context=context, steps=kind.steps(plan, context))

    async def _carry_on(self, operation: Operation) -> None:
        fresh = operation.status is Status.NEW
        await (self._carry_out(operation) if fresh else self._recover(operation))

    async def _carry_out(self, operation: Operation | None) -> None:
        while operation is not None:
            work = self._prepare(operation)
            log.info("operation begins", kind=work.kind.name, attempt=operation.attempt)
            try:
                await saga.forward(work.steps, begun=work.begun, passing_pivot=work.context.passing_pivot)
            except Superseded:
                raise  # another server has taken it over, and settles it
            except Exception as error:
                operation = await self._failed(work, error)
            else:
                operation = None
                await self._publish(work)

    async def _failed(self, work: Work, error: Exception) -> Operation | None:
        """Bring a failed attempt to its end; return the next attempt if there is one."""
        log.warning("operation failed", kind=work.kind.name, reason=explain(error), exc_info=_unexpected(error))
        try:
            if work.context.pivoted and await saga.passed_pivot(work.steps):
                await saga.resume(work.steps)
                await self._publish(work)
                return None
            await saga.unwind(work.begun)
        except Superseded:
            raise
        except saga.NoWayBack as refusal:
            await self._finish(work, refusal, _for_user(error))
            return None
        except Exception as refusal:
            await self._stuck(work, refusal, _for_user(error))
            return None
        return await self._take_back(work, error)

    async def _recover(self, operation: Operation) -> None:
        last = self._last_attempt.get(operation.id, self._since)
        work = self._prepare(operation, quiet=self._clock() - last > self._quiet_after)
        log.info("taking up an unsettled operation", kind=work.kind.name, pivoted=operation.pivoted)
        if work.kind.finishes and operation.epoch == FROM_HEKETI and not operation.pivoted:
            await self._carry_out(operation)
            return
        try:
            if operation.pivoted and await saga.passed_pivot(work.steps):
                await saga.resume(work.steps)
                await self._publish(work)
            else:
                await saga.unwind(saga.may_have_begun(work.steps))
                await self._settle(work, work.kind.release, _interrupted(operation))
        except Superseded:
            raise
        except saga.NoWayBack as refusal:
            await self._finish(work, refusal, _interrupted(operation))
        except Exception as refusal:
            await self._stuck(work, refusal, _interrupted(operation))

    async def _finish(self, work: Work, refusal: saga.NoWayBack, outcome: Outcome) -> None:
        """Finish what cannot be taken back. `outcome` is what the client is told if that fails, too."""
        log.warning("operation cannot be taken back; it is finished instead", reason=str(refusal))
        work.context.finishing = True
        try:
            await saga.finish(work.steps, refusal)
        except Superseded:
            raise
        except Exception as error:
            await self._stuck(work, error, outcome)
        else:
            await self._publish(work)

    async def _publish(self, work: Work) -> None:
        await self._settle(work, work.kind.publish, None)

    async def _take_back(self, work: Work, error: Exception) -> Operation | None:
        again = work.kind.again
        left = work.operation.attempt <= self._retries
        if again is not None and left and isinstance(error, NodeFailure) and error.retryable:
            try:
                return await self._db.write(self._reserve_again, work, again, error.node)
            except CannotAllocate as refusal:
                log.warning("no other place was found", reason=str(refusal))
        await self._settle(work, work.kind.release, _for_user(error))
        return None

    def _reserve_again(self, tx: Tx, work: Work, again: Callable[..., Any], without: str) -> Operation:
        self._release(tx, work)
        try:
            plan = again(self._reservations, tx, work.plan, work.operation.id, frozenset({without}))
        except CannotAllocate:
            # On the few nodes of a small site there may be no other place; the same nodes may do better this time.
            plan = again(self._reservations, tx, work.plan, work.operation.id, frozenset())
        old = work.operation
        new = Operation(
            id=old.id,
            kind=old.kind,
            created=old.created,
            epoch=self._epoch,
            plan=encode(plan),
            attempt=old.attempt + 1,
        )
        tx.operations.remove(old.id)
        tx.operations.add(new)
        return new

    async def _settle(
        self, work: Work, end: Callable[[Tx, Any, Context], Outcome | None], outcome: Outcome | None
    ) -> None:
        jobs = await self._db.write(self._settled, work, end, outcome)
        self.backoff.succeeded(work.operation.id)
        self._last_attempt.pop(work.operation.id, None)
        self._count(work, "done" if outcome is None else "taken back")
        log.info("operation ended", kind=work.kind.name, outcome="done" if outcome is None else outcome.error)
        self._ended(jobs)

    def _settled(
        self,
        tx: Tx,
        work: Work,
        end: Callable[[Tx, Any, Context], Outcome | None],
        outcome: Outcome | None,
    ) -> list[Job]:
        outcome = self._release(tx, work, end) or outcome or Outcome()
        tx.operations.remove(work.operation.id)
        return _finish_jobs(tx, work.operation.id, outcome, self._clock())

    def _release(
        self, tx: Tx, work: Work, end: Callable[[Tx, Any, Context], Outcome | None] | None = None
    ) -> Outcome | None:
        """Let the kind change the books, and enter what absent nodes owe."""
        outcome = (end or work.kind.release)(tx, work.plan, work.context)
        for owed in work.context.owed.values():
            tx.debts.add(
                Debt(
                    id=self._ids(),
                    node=owed.node,
                    operation=work.operation.id,
                    created=self._clock(),
                    work={owed.work.NAME: encode(owed.work)},
                    charges=owed.charges,
                    error=owed.reason,
                )
            )
        return outcome

    async def _stuck(self, work: Work, refusal: Exception, outcome: Outcome) -> None:
        reason = explain(refusal)
        log.error("operation is stuck", kind=work.kind.name, reason=reason, exc_info=_unexpected(refusal))
        jobs = await self._db.write(self._mark_stuck, work.operation.id, reason, outcome)
        nothing_sent = isinstance(refusal, NodeUnreachable) and not refusal.sent
        if work.operation.id not in self._last_attempt or not nothing_sent:
            # What a dead node was not even sent does not run there. Else it would never become quiet around it.
            self._last_attempt[work.operation.id] = self._clock()
        self._count(work, "failed")
        self.backoff.failed(work.operation.id)
        self._ended(jobs)

    def _count(self, work: Work, outcome: str) -> None:
        seconds = self._clock() - work.operation.created
        metrics.operation_ended(work.kind.name, outcome, seconds=seconds)

    def _mark_stuck(self, tx: Tx, operation: str, reason: str, outcome: Outcome) -> list[Job]:
        tx.operations.set_status(operation, Status.FAILED, error=reason)
        return _finish_jobs(tx, operation, outcome, self._clock())


def _find(tx: Tx, operation: str) -> Operation | None:
    return tx.operations.find(operation)


def _finish_jobs(tx: Tx, operation: str, outcome: Outcome, now: float) -> list[Job]:
    """Give the operation's open jobs their result. A job that has one keeps it: the first cause counts."""
    code = outcome.code if outcome.error else ""
    ended = [
        replace(job, ended=now, result=outcome.result, error=outcome.error, code=code)
        for job in tx.jobs.unfinished_of(operation)
    ]
    for job in ended:
        tx.jobs.finish(job.id, result=job.result, error=job.error, code=job.code, ended=now)
    return ended


def _for_user(error: Exception) -> Outcome:
    if isinstance(error, NodeUnreachable):
        return Outcome(error=_naming(error), code=error.code)
    if isinstance(error, HeketipyError):
        return Outcome(error=str(error), code=error.code)
    return Outcome(error=INTERNAL, code="internal")


def _naming(error: NodeUnreachable) -> str:
    """Return heketi's text, and on a line of its own which node it is about: not every text says so."""
    text = str(error)
    of_several = "\n" in text or text.startswith("All ")
    if not error.node or of_several:
        return text
    what = "does not run glusterd" if isinstance(error, DaemonAway) else "does not answer"
    return f"{text}\nNode {error.node} {what}."


def _interrupted(operation: Operation) -> Outcome:
    return Outcome(error=operation.error or INTERRUPTED, code="interrupted")


def _unexpected(error: Exception) -> Exception | None:
    """Return an error whose traceback belongs in the log."""
    return None if isinstance(error, HeketipyError) else error

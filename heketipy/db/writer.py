"""The one thread that writes.

Transactions run one after the other, in the order in which they were asked for. Those that wait in line at the same
time share one commit, since to bring a commit safely to the disk takes longer than most of them: each runs inside a
savepoint of its own, and is told its result after the commit.
"""

import asyncio
import contextvars
from collections import defaultdict, deque
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from typing import Any, TypeVar

import structlog
from sqlalchemy import Connection
from sqlalchemy.exc import DBAPIError

from heketipy.db.failures import DRIVER_ERRORS, translated
from heketipy.db.store import Store
from heketipy.db.transaction import Hook, Tx
from heketipy.db.views import Allocations, Views
from heketipy.domain.errors import HeketipyError

log = structlog.get_logger(__name__)

R = TypeVar("R")

TOGETHER = 16
"""How many transactions share a commit at most: the first of them waits for the last."""


class _Asked:
    """A transaction that somebody waits for, on a loop of theirs."""

    def __init__(self, fn: Callable[[Tx], Any]) -> None:
        self.fn = fn
        self.context = contextvars.copy_context()
        self.loop = asyncio.get_running_loop()
        self.future: asyncio.Future[Any] = self.loop.create_future()
        self.result: Any = None
        self.error: BaseException | None = None
        self.tx: Tx | None = None

    def run(self, tx: Tx) -> None:
        """Do what was asked for. Raises what it raises."""
        self.tx, self.error = tx, None
        self.result = self.context.run(self.fn, tx)

    def undone(self) -> None:
        """Tell whoever wants to know that it is not known to be committed."""
        tx, self.tx = self.tx, None
        for hook in tx.undone if tx is not None else ():
            try:
                hook()
            except Exception:
                log.exception("what was to be told of a transaction that was undone failed")

    def deliver(self) -> None:
        """Call what was to be called, and tell the result. Runs on the loop of those who wait."""
        hooks: Sequence[Hook] = self.tx.hooks if self.tx is not None else ()
        for hook in hooks:
            self.loop.call_soon(hook, context=self.context)
        if self.future.done():
            return
        if self.error is not None:
            self.future.set_exception(self.error)
        else:
            self.future.set_result(self.result)


class Writer:
    """Runs transactions on a thread of its own, on a connection that it opens when it is needed.

    `before` is called on that thread before each commit's first transaction, for what must not wait in line.
    """

    def __init__(self, store: Store, before: Callable[[], None]) -> None:
        self._store = store
        self._before = before
        self._views = Views()
        self._connection: Connection | None = None
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="writer")
        self._line: deque[_Asked] = deque()
        self._awake = False
        self.commits = 0

    async def run(self, fn: Callable[[Tx], R]) -> R:
        """Run `fn(tx)` in its turn, and return its result once it is committed. Whoever is cancelled in line has asked
        for nothing."""
        asked = _Asked(fn)
        self._line.append(asked)
        if not self._awake:
            self.wake()
        result: R = await asked.future
        return result

    def wake(self) -> None:
        """Have `before` called, and what waits in line worked off. Raises RuntimeError after the end."""
        self._awake = True
        try:
            self._thread.submit(self._work_off)
        except BaseException:
            self._awake = False
            raise

    def close(self) -> None:
        """Finish what waits in line, and close the connection. Blocks."""
        self._thread.submit(self.drop)
        self._thread.shutdown()

    def connection(self) -> Connection:
        """Return the connection, opened. On the writer's thread only."""
        if self._connection is None:
            self._connection = self._store.connect_writer()
        return self._connection

    def abandon(self) -> None:
        """Drop the connection, which rolls back, and every view: nobody knows what state they are in."""
        self._views.clear()
        self.drop()

    def drop(self) -> None:
        """Close the connection."""
        connection, self._connection = self._connection, None
        if connection is not None:
            with suppress(*DRIVER_ERRORS):
                connection.close()

    def _work_off(self) -> None:
        try:
            self._work_off_line()
        except BaseException:
            self._awake = False
            raise

    def _work_off_line(self) -> None:
        while True:
            self._before()
            some = self._next()
            if some:
                self._commit(some)
                continue
            self._awake = False
            if not self._line:
                return
            # Somebody has come who saw us awake.
            self._awake = True

    def _next(self) -> list[_Asked]:
        """Take those who are next in line, without those who have gone."""
        some: list[_Asked] = []
        while self._line and len(some) < TOGETHER:
            asked = self._line.popleft()
            if not asked.future.cancelled():
                some.append(asked)
        return some

    def _commit(self, some: Sequence[_Asked]) -> None:
        """Run these in one transaction, and tell each what became of it."""
        try:
            connection = self._begin()
        except BaseException as error:
            self._failed(some, error)
            return
        try:
            for asked in some:
                self._run(asked, connection, alone=len(some) == 1)
        except BaseException as error:
            if len(some) == 1:
                self._failed(some, error)
                return
            # Each runs alone now: whose fault it was is told so, and nobody else.
            self._undo(some)
            for asked in some:
                self._commit([asked])
            return
        try:
            if all(asked.error for asked in some):
                connection.rollback()
            else:
                connection.commit()
                self.commits += 1
        except BaseException as error:
            # Nothing is run again: where the connection was lost, it may have been committed.
            self._failed(some, error)
            return
        _deliver(some)

    def _failed(self, some: Sequence[_Asked], error: BaseException) -> None:
        self._undo(some)
        told = self._failure(error)
        for asked in some:
            asked.error = told
        _deliver(some)

    def _undo(self, some: Sequence[_Asked]) -> None:
        self.abandon()
        for asked in some:
            asked.undone()

    def _run(self, asked: _Asked, connection: Connection, *, alone: bool) -> None:
        allocations = Allocations(connection, self._views)
        savepoint = None if alone else connection.begin_nested()
        try:
            asked.run(Tx(connection, allocations, None))
        except HeketipyError as error:
            if savepoint is not None:
                savepoint.rollback()
            allocations.abandoned()
            asked.undone()
            asked.error = error
        else:
            if savepoint is not None:
                savepoint.commit()

    def _failure(self, error: BaseException) -> BaseException:
        if isinstance(error, DRIVER_ERRORS):
            told: BaseException = translated(error, self._store.where)
        elif isinstance(error, StopIteration):
            told = RuntimeError("a transaction's function raised StopIteration")  # no future carries that one
        else:
            return error
        told.__cause__ = error
        return told

    def _begin(self) -> Connection:
        """Open a transaction. A connection that the server has dropped since it was last used is opened anew, once:
        nothing has happened on it yet."""
        known = self._connection
        try:
            return self._begin_on(self.connection())
        except DBAPIError as error:
            if known is None or not error.connection_invalidated:
                raise
            self.abandon()
            return self._begin_on(self.connection())

    def _begin_on(self, connection: Connection) -> Connection:
        connection.begin()
        self._store.seize(connection)
        return connection


def _deliver(some: Sequence[_Asked]) -> None:
    """Have the results told, by one call for each loop. A loop that is closed is told nothing; what it would have
    started is found in the books."""
    loops: dict[asyncio.AbstractEventLoop, list[_Asked]] = defaultdict(list)
    for asked in some:
        loops[asked.loop].append(asked)
    for loop, waiting in loops.items():
        with suppress(RuntimeError):
            loop.call_soon_threadsafe(_tell, waiting)


def _tell(waiting: Sequence[_Asked]) -> None:
    for asked in waiting:
        try:
            asked.deliver()
        except Exception:
            log.exception("the result of a transaction could not be told")

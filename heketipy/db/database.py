"""The books: transactions as plain functions, run on threads of their own.

`await db.write(fn, …)` runs `fn(tx, …)` on the one writer thread (`db/writer.py`), `await db.read(fn, …)` on
one of a few reader threads, where it sees one moment. So nothing can be awaited inside a transaction. A function that
raises is rolled back; what leaves this module is a domain error, or a mistake in the code.
"""

import asyncio
import contextvars
import threading
from collections import deque
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from typing import Concatenate, ParamSpec, Self, TypeVar

import structlog
from sqlalchemy import Connection
from sqlalchemy.exc import DBAPIError

from heketipy.db import migrations
from heketipy.db.details import Hosts
from heketipy.db.failures import DRIVER_ERRORS, translated
from heketipy.db.migrations import Tree
from heketipy.db.postgresql import PostgresqlStore, is_url
from heketipy.db.read_only import REFUSAL, ReadOnlySqlite
from heketipy.db.readers import Readers
from heketipy.db.rotation import Rotation
from heketipy.db.sqlite import JournalMode, SqliteStore
from heketipy.db.store import Store
from heketipy.db.transaction import Tx
from heketipy.db.views import Allocations, Views
from heketipy.db.writer import Writer
from heketipy.domain.errors import StorageFailure

log = structlog.get_logger(__name__)

P = ParamSpec("P")
R = TypeVar("R")

__all__ = ["Database", "JournalMode", "Tx"]


class Database:
    """An open database. Made by `open`; `close` it when nothing uses it any more."""

    def __init__(self, store: Store, *, readers: int, read_only: bool = False) -> None:
        self._store = store
        self.read_only = read_only
        self._hosts = Hosts()
        self._writer = Writer(store, before=self._settle_if_asked)
        self._readers = Readers(store, readers)
        self._reader_threads = ThreadPoolExecutor(readers, thread_name_prefix="reader")
        self._settlings: deque[Future[None]] = deque()
        self._copying = threading.Lock()

    @classmethod
    def open(
        cls,
        where: str | Path,
        *,
        journal_mode: JournalMode = JournalMode.AUTO,
        readers: int = 4,
        busy_timeout: float = 30.0,
        wait: float = 0.0,
        backups: Rotation | None = None,
        read_only: bool = False,
        tree: Tree = migrations.SHIPPED,
    ) -> Self:
        """Open the database, making or migrating it where needed.

        `where` is the path of an SQLite file or a URL `postgresql://…`. `wait` says how many seconds a file may be in
        use by another server; `backups` where an existing file is copied before it is migrated (default: beside it).
        `read_only` books are only looked at: nothing is made, migrated or locked, and every write is refused.
        Blocks. Raises StorageFailure, and leaves what is there untouched, if it is not ours, newer, damaged or in use.
        """
        store: Store
        text = str(where)
        scheme, is_any_url, _ = text.removeprefix("sqlite:///").partition("://")
        if is_any_url and not is_url(text):
            raise StorageFailure(f"There is no support for the databases of {scheme}: give a path, or postgresql://…")
        if is_url(text):
            store = PostgresqlStore(text)
        elif read_only:
            store = ReadOnlySqlite(Path(text.removeprefix("sqlite:///")), busy_timeout=busy_timeout)
        else:
            path = Path(text.removeprefix("sqlite:///"))
            store = SqliteStore.open(
                path, journal_mode=journal_mode, busy_timeout=busy_timeout, wait=wait, inspect=tree.demand_known
            )
        try:
            if read_only:
                _demand_current(store, tree)
            else:
                _migrate(store, tree, backups)
                store.begin()
        except BaseException:
            store.close()
            raise
        return cls(store, readers=readers, read_only=read_only)

    @property
    def where(self) -> str:
        """Its name for people: the path, or the URL without password."""
        return self._store.where

    @property
    def path(self) -> Path | None:
        """The absolute path of the file; None on PostgreSQL."""
        return self._store.path

    @property
    def commits(self) -> int:
        """How many commits there were since it was opened. Transactions that wait at the same time share one."""
        return self._writer.commits

    async def write(self, fn: Callable[Concatenate[Tx, P], R], *args: P.args, **kwargs: P.kwargs) -> R:
        """Run `fn(tx, …)` in a transaction, after all that were asked for before, and return its result once it is
        committed. Whoever is cancelled while waiting in line has asked for nothing; once begun, it is finished, and its
        hooks are called, whether or not anybody still waits. `fn` may be called again, when what it did was rolled back
        before its commit since another function failed. Raises StorageFailure if the books are read-only, or if they
        fail; where the connection to a server was lost during a commit, it may have happened all the same.
        """
        if self.read_only:
            raise StorageFailure(REFUSAL)
        return await self._writer.run(lambda tx: fn(tx, *args, **kwargs))

    async def read(self, fn: Callable[Concatenate[Tx, P], R], *args: P.args, **kwargs: P.kwargs) -> R:
        """Run `fn(tx, …)` so that it sees the books as they are at one moment, and return its result."""
        context = contextvars.copy_context()
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(
            self._reader_threads, lambda: context.run(self._read, lambda tx: fn(tx, *args, **kwargs))
        )

    async def glance(self, fn: Callable[Concatenate[Tx, P], R], *args: P.args, **kwargs: P.kwargs) -> R:
        """Do what `read` does, for a function that looks at a handful of rows by their keys.

        To hand it to another thread and back would take longer than the look itself. So it runs at once, and everything
        else waits for it, where no reader ever waits for a writer; elsewhere, and if that fails, it is a `read`.
        """
        with suppress(*DRIVER_ERRORS), self._readers.at_hand() as connection:
            if connection is not None:
                return self._look(connection, fn, *args, **kwargs)
        return await self.read(fn, *args, **kwargs)

    async def settle(self) -> None:
        """Put everything into the one file, before any transaction that waits in line, and go on without a write-ahead
        log: from now on a copy of the file is complete. Reads wait for it, a few milliseconds."""
        if self.read_only:
            return
        done: Future[None] = Future()
        self._settlings.append(done)
        self._writer.wake()
        await asyncio.wrap_future(done)

    async def backup(self, target: Path) -> None:
        """Copy the file, as it is at one moment, to a new one, while everything goes on. Raises StorageFailure."""
        await asyncio.to_thread(self.copy_to, target)

    def copy_to(self, target: Path) -> None:
        """Do what `backup` does, from a thread of the caller's own."""
        with self._copying:
            self._store.backup(target)

    def close(self) -> None:
        """Finish what has begun and close the file, complete. Blocks shortly. Must be called once, at the end."""
        self._reader_threads.shutdown(cancel_futures=True)
        self._writer.close()
        with self._readers.paused(), self._copying:
            self._store.close()

    def _read(self, fn: Callable[[Tx], R]) -> R:
        try:
            try:
                return self._read_once(fn)
            except DBAPIError as error:
                if not error.connection_invalidated:
                    raise
                return self._read_once(fn)
        except DRIVER_ERRORS as error:
            raise translated(error, self.where) from error

    def _read_once(self, fn: Callable[[Tx], R]) -> R:
        with self._readers.connection() as connection:
            return self._look(connection, fn)

    def _look(
        self, connection: Connection, fn: Callable[Concatenate[Tx, P], R], *args: P.args, **kwargs: P.kwargs
    ) -> R:
        connection.begin()
        try:
            return fn(Tx(connection, Allocations(connection, Views()), self._hosts), *args, **kwargs)
        finally:
            connection.rollback()

    def _settle_if_asked(self) -> None:
        while self._settlings:
            done = self._settlings.popleft()
            if done.set_running_or_notify_cancel():
                try:
                    self._settle()
                except Exception as error:
                    done.set_exception(error)
                else:
                    done.set_result(None)

    def _settle(self) -> None:
        try:
            with self._copying, self._readers.paused():
                self._store.settle(self._writer.connection())
        except DRIVER_ERRORS as error:
            self._writer.abandon()
            raise translated(error, self.where) from error


def _demand_current(store: Store, tree: Tree) -> None:
    """Raise StorageFailure unless the schema is the one that the code is written for."""
    try:
        with store.connect_reader() as connection:
            tree.demand_known(connection, store.where)
            revision = migrations.current(connection)
    except DRIVER_ERRORS as error:
        raise translated(error, store.where) from error
    if revision != tree.head:
        raise StorageFailure(
            f"The database {store.where} was written by an older version of heketipy: let a server that may write open"
            " it once"
        )


def _migrate(store: Store, tree: Tree, backups: Rotation | None) -> None:
    """Bring the schema to what the code is written for; a database that has something in it is copied before."""
    try:
        with store.connect_reader() as connection:
            tree.demand_known(connection, store.where)
            revision = migrations.current(connection)
        if revision == tree.head:
            return
        if revision is not None and store.path is not None:
            rotation = backups or Rotation.beside(store.path)
            copied = rotation.copy(store.backup, before=tree.head)
            log.info("database backed up before its migration", backup=str(copied), revision=tree.head)
        with store.foreign_keys_off() as connection, connection.begin():
            store.seize(connection)
            revision = migrations.current(connection)
            if revision is None:
                tree.make(connection)
            elif revision != tree.head:
                tree.upgrade(connection)
    except DRIVER_ERRORS as error:
        raise translated(error, store.where) from error

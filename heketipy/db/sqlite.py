"""The books in one SQLite file.

People treat it as one file: they stop the server, copy it and put it back, sometimes from a network mount. So it is
kept complete at its path whenever that is possible, what is acknowledged survives a power cut, and what lies at the
path and is not ours is left alone.
"""

import os
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from enum import StrEnum
from pathlib import Path
from typing import Any, Self

import structlog
from sqlalchemy import Connection, Engine, NullPool, create_engine, event
from sqlalchemy.exc import DBAPIError

from heketipy.db import leftovers
from heketipy.db.failures import DRIVER_ERRORS, translated
from heketipy.db.lock import ServerLock
from heketipy.domain.errors import StorageFailure

log = structlog.get_logger(__name__)

_MAGIC = b"SQLite format 3\x00"
_BOLT_MAGIC = 0xED0CDAED
_SETTLE_TIMEOUT_MS = 2000
"""How long settling waits for a foreign program that reads the file: it happens when a server is about to end."""
_NETWORK_FILE_SYSTEMS = ("nfs", "cifs", "smb", "9p", "ceph", "fuse.", "glusterfs", "afs", "ocfs2", "gfs2")


Inspection = Callable[[Connection, str], None]


class JournalMode(StrEnum):
    """How SQLite keeps its journal."""

    AUTO = "auto"
    """WAL where it can work; `delete` on network file systems and where WAL turns out not to work."""
    WAL = "wal"
    DELETE = "delete"
    TRUNCATE = "truncate"
    PERSIST = "persist"


class SqliteStore:
    """An open SQLite file, locked against other servers."""

    def __init__(self, path: Path, lock: ServerLock, *, busy_timeout: float) -> None:
        self._path = path
        self._lock = lock
        self._busy_timeout = busy_timeout
        self._wal = False
        self._writer = self._engine(begin="BEGIN IMMEDIATE", pragmas=("PRAGMA synchronous = FULL",))
        self._reader = self._engine(begin="BEGIN", pragmas=("PRAGMA query_only = ON",))
        self._hasty_reader = self._engine(begin="BEGIN", pragmas=("PRAGMA query_only = ON", "PRAGMA busy_timeout = 0"))

    @classmethod
    def open(
        cls,
        path: Path,
        *,
        journal_mode: JournalMode,
        inspect: Inspection,
        busy_timeout: float = 30.0,
        wait: float = 0.0,
    ) -> Self:
        """Open the file, or make it. `inspect` looks at what is in it before anything is written, and raises to refuse
        it. Raises StorageFailure, and changes nothing, if the file is in use or no SQLite file."""
        path = path.resolve()
        if not path.parent.is_dir():
            raise StorageFailure(f"The directory {path.parent} of the database does not exist")
        recognise(path)
        lock = ServerLock.acquire(path, wait=wait)
        try:
            _make_private(path)
            store = cls(path, lock, busy_timeout=busy_timeout)
            with store._in_our_words():
                leftovers.put_aside(path, lock)
                store._inspect(inspect)
                store._set_journal_mode(journal_mode)
        except BaseException:
            lock.release()
            raise
        return store

    def begin(self) -> None:
        """Mark the file as this server's, once its schema is the right one. Where that cannot be written, since the
        disk is full, the server starts all the same: reading, and removing volumes, may be what is needed now."""
        driver = sqlite3.connect(self._path, timeout=self._busy_timeout, isolation_level=None)
        try:
            leftovers.mark(driver, self._lock)
        except (sqlite3.OperationalError, StorageFailure) as error:
            log.warning("the database could not be marked", path=self.where, error=str(error))
        finally:
            driver.close()

    @property
    def where(self) -> str:
        """The path."""
        return str(self._path)

    @property
    def path(self) -> Path:
        """The path, absolute and free of links."""
        return self._path

    def connect_writer(self) -> Connection:
        """Open a connection whose transactions begin as writers."""
        return self._writer.connect()

    def connect_reader(self) -> Connection:
        """Open a connection that cannot write."""
        return self._reader.connect()

    def connect_at_once(self) -> Connection | None:
        """With a write-ahead log readers do not wait for writers."""
        return self._hasty_reader.connect() if self._wal else None

    def seize(self, writer: Connection) -> None:
        """Nothing to do: BEGIN IMMEDIATE has waited."""

    def settle(self, writer: Connection) -> None:
        """Put the content of the write-ahead log into the file and leave WAL for good."""
        self._wal = False
        driver: Any = writer.connection.driver_connection
        driver.execute(f"PRAGMA busy_timeout = {_SETTLE_TIMEOUT_MS}").fetchall()
        try:
            driver.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
            (mode,) = driver.execute("PRAGMA journal_mode = DELETE").fetchone()
        finally:
            driver.execute(f"PRAGMA busy_timeout = {round(self._busy_timeout * 1000)}").fetchall()
        if mode != "delete":
            raise StorageFailure(f"The database {self.where} could not leave journal mode {mode}")

    def backup(self, target: Path) -> None:
        """Copy the file in one step of SQLite's backup: writers go on meanwhile under WAL, and wait otherwise."""
        copy(self._path, target)

    def close(self) -> None:
        """Let other servers have the file."""
        self._lock.release()

    def foreign_keys_off(self) -> Connection:
        """Open a writer on which foreign keys are not enforced, for migrations: inside a transaction they could not
        be switched off any more, and the rebuild of a table would then take its children along."""
        return self._engine(
            begin="BEGIN IMMEDIATE", pragmas=("PRAGMA synchronous = FULL",), foreign_keys=False
        ).connect()

    def _engine(self, *, begin: str, pragmas: tuple[str, ...], foreign_keys: bool = True) -> Engine:
        def connect() -> sqlite3.Connection:
            connection = sqlite3.connect(
                self._path,
                timeout=self._busy_timeout,
                isolation_level=None,
                check_same_thread=False,
                cached_statements=512,
            )
            connection.execute(f"PRAGMA foreign_keys = {'ON' if foreign_keys else 'OFF'}")
            for pragma in pragmas:
                connection.execute(pragma)
            return connection

        engine = create_engine("sqlite+pysqlite://", creator=connect, poolclass=NullPool)

        @event.listens_for(engine, "begin")
        def _begin(connection: Connection) -> None:
            driver: Any = connection.connection.driver_connection
            driver.execute(begin)

        return engine

    def _inspect(self, inspect: Inspection) -> None:
        """Look at the content without changing anything. A file that was left in WAL mode and is now where WAL does not
        work can be read only by one who is alone."""
        try:
            with self.connect_reader() as connection:
                inspect(connection, self.where)
        except DBAPIError as error:
            if not _wal_failed(error.orig):
                raise
            alone = ("PRAGMA locking_mode = EXCLUSIVE", "PRAGMA query_only = ON")
            with self._engine(begin="BEGIN", pragmas=alone).connect() as connection:
                inspect(connection, self.where)

    def _set_journal_mode(self, mode: JournalMode) -> None:
        if mode is JournalMode.AUTO:
            network = network_file_system(self._path, _mounts())
            if network is not None:
                log.info("no WAL for a database on a network file system", type=network)
            mode = JournalMode.DELETE if network is not None else JournalMode.WAL
            if mode is JournalMode.WAL and not self._wal_works():
                log.warning("WAL does not work here: the database uses journal mode delete", path=self.where)
                mode = JournalMode.DELETE
        driver = sqlite3.connect(self._path, timeout=self._busy_timeout, isolation_level=None)
        try:
            if mode is not JournalMode.WAL:
                # A file left in WAL mode can be opened without shared memory only by one who is alone.
                driver.execute("PRAGMA locking_mode = EXCLUSIVE").fetchall()
            (actual,) = driver.execute(f"PRAGMA journal_mode = {mode.value}").fetchone()
        finally:
            driver.close()
        if actual != mode.value:
            raise StorageFailure(f"The database {self._path} cannot be used with journal mode {mode.value}")
        self._wal = mode is JournalMode.WAL

    def _wal_works(self) -> bool:
        driver = sqlite3.connect(self._path, timeout=self._busy_timeout, isolation_level=None)
        try:
            (mode,) = driver.execute("PRAGMA journal_mode = WAL").fetchone()
            driver.execute("BEGIN IMMEDIATE")
            driver.execute("ROLLBACK")
        except sqlite3.OperationalError as error:
            if not _wal_failed(error):
                raise
            return False
        finally:
            driver.close()
        return bool(mode == "wal")

    @contextmanager
    def _in_our_words(self) -> Iterator[None]:
        try:
            yield
        except DRIVER_ERRORS as error:
            raise translated(error, self.where) from error


def recognise(path: Path) -> None:
    """Raise StorageFailure unless there is nothing yet, an empty file, or an SQLite file at the path."""
    try:
        with path.open("rb") as file:
            head = file.read(32)
    except FileNotFoundError:
        return
    except OSError as error:
        raise StorageFailure(f"The database {path} cannot be read: {error.strerror}") from error
    if not head or head.startswith(_MAGIC):
        return
    if _BOLT_MAGIC in (int.from_bytes(head[16:20], "little"), int.from_bytes(head[16:20], "big")):
        raise StorageFailure(
            f"The file {path} is a BoltDB database of heketi; it was left untouched. To take its content over, "
            f"export it with heketi (`heketi db export --dbfile {path} --jsonfile FILE`) and import that into a new "
            "database; or set `db` (HEKETI_DB_PATH) to another path."
        )
    raise StorageFailure(f"The file {path} is no database of heketipy; it was left untouched")


def copy(source: Path, target: Path) -> None:
    """Copy a live SQLite file to a new one that is complete in itself, checked, and on the disk when this returns.
    Raises StorageFailure, and leaves no half copy."""
    partial = target.with_name(target.name + ".part")
    try:
        _discard(partial)
        _make_private(partial)
        reader, writer = sqlite3.connect(source, timeout=60.0), sqlite3.connect(partial, isolation_level=None)
        try:
            for connection in (reader, writer):
                connection.execute("PRAGMA cache_size = -256")  # KiB: each page is looked at once
            # All pages in one step: if it stopped in between, every commit of the server would make it begin anew.
            reader.backup(writer, pages=-1)
            writer.execute("PRAGMA journal_mode = DELETE").fetchall()
            leftovers.unmark(writer)
            problems = [text for (text,) in writer.execute("PRAGMA quick_check(1)") if text != "ok"]
        finally:
            writer.close()
            reader.close()
        if problems:
            raise StorageFailure(f"The database {source} is damaged: {problems[0]}")
        _sync(partial)
        partial.rename(target)
        _sync(target.parent)
    except (sqlite3.Error, OSError) as error:
        reason = error.strerror if isinstance(error, OSError) else str(error)
        raise StorageFailure(f"The backup {target} could not be made: {reason}") from error
    finally:
        _discard(partial)


def _discard(database: Path) -> None:
    """Remove a database that nobody uses, and the journal of a transaction that failed in it."""
    for path in (database, database.with_name(f"{database.name}-journal")):
        path.unlink(missing_ok=True)


def _make_private(path: Path) -> None:
    """Make the file, if it is not there, so that only its owner may read it: it holds names and keys of hosts."""
    try:
        os.close(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_CLOEXEC, 0o600))
    except OSError as error:
        raise StorageFailure(f"The file {path} cannot be written: {error.strerror}") from error


def _sync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def network_file_system(path: Path, mounts: str) -> str | None:
    """Return the type of the path's file system if WAL must not be trusted there. `mounts` is what the kernel says in
    /proc/self/mountinfo."""
    best, found = "", None
    for line in mounts.splitlines():
        fields, _, rest = line.partition(" - ")
        point = fields.split(" ")[4].replace("\\040", " ")
        inside = point == "/" or f"{path}/".startswith(f"{point}/")
        if inside and len(point) >= len(best):
            best, found = point, rest.split(" ")[0]
    return found if found is not None and found.startswith(_NETWORK_FILE_SYSTEMS) else None


def _mounts() -> str:
    try:
        return Path("/proc/self/mountinfo").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ""


def _wal_failed(error: object) -> bool:
    """Whether an error is one of those by which a file system says that it cannot do what WAL needs."""
    name = error.sqlite_errorname if isinstance(error, sqlite3.OperationalError) else ""
    return name.startswith(("SQLITE_CANTOPEN", "SQLITE_IOERR", "SQLITE_PROTOCOL", "SQLITE_READONLY"))

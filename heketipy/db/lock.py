"""One server per SQLite file: a lock beside it, held for the life of the process.

The lock is the kernel's, on an open file, so that it is gone with the process however that ends. What the file says
(who holds it) is only for people. The file is never removed: a server that waits on a removed one would not meet the
next one. It is not the database itself that is locked, since on network file systems that would meet SQLite's own.
"""

import errno
import fcntl
import json
import os
import socket
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Self

import structlog

from heketipy.domain.errors import StorageFailure

log = structlog.get_logger(__name__)

_NOT_SUPPORTED = {errno.ENOLCK, errno.EOPNOTSUPP, errno.ENOSYS}
_RETRY_EVERY = 0.1


class ServerLock:
    """The right to use a database file. `mark` is a number that the last holder noted, for `leftovers`."""

    def __init__(self, descriptor: int, mark: int | None) -> None:
        self._descriptor = descriptor
        self.mark = mark

    @classmethod
    def acquire(cls, database: Path, *, wait: float = 0.0) -> Self:
        """Take the lock of a database file, waiting so many seconds at most. Raises StorageFailure, naming the
        holder."""
        path = database.with_name(database.name + ".lock")
        deadline = time.monotonic() + wait
        while True:
            descriptor = _open(path)
            if _locked(descriptor, path) and _still_there(descriptor, path):
                lock = cls(descriptor, _noted_mark(descriptor))
                lock.set_mark(lock.mark)
                return lock
            text = f"The database {database} is in use by {_holder(descriptor)}"
            os.close(descriptor)
            if time.monotonic() >= deadline:
                raise StorageFailure(text)
            time.sleep(_RETRY_EVERY)

    def set_mark(self, mark: int | None) -> None:
        """Sign the lock file, and note a mark in it that survives a power cut. Raises StorageFailure."""
        now = datetime.now(UTC).isoformat("T", "seconds")
        holder = {"pid": os.getpid(), "host": socket.gethostname(), "started": now, "mark": mark}
        try:
            os.ftruncate(self._descriptor, 0)
            os.pwrite(self._descriptor, (json.dumps(holder) + "\n").encode(), 0)
            os.fsync(self._descriptor)
        except OSError as error:
            raise StorageFailure(f"The lock file of the database cannot be written: {error.strerror}") from error
        self.mark = mark

    def release(self) -> None:
        """Give the lock back."""
        os.close(self._descriptor)


def _open(path: Path) -> int:
    try:
        return os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
    except OSError as error:
        raise StorageFailure(f"The lock file {path} cannot be made: {error.strerror}") from error


def _locked(descriptor: int, path: Path) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except OSError as error:
        if error.errno not in _NOT_SUPPORTED:
            raise StorageFailure(f"The lock file {path} cannot be locked: {error.strerror}") from error
        log.warning("this file system cannot lock files: let only one server use the database", path=str(path))
    return True


def _still_there(descriptor: int, path: Path) -> bool:
    """Whether the file that we locked is the one that the next server will find."""
    try:
        return os.path.samestat(os.fstat(descriptor), path.stat())
    except FileNotFoundError:
        return False


def _record(descriptor: int) -> dict[str, Any]:
    try:
        record = json.loads(os.pread(descriptor, 4096, 0))
    except ValueError:
        return {}
    return record if isinstance(record, dict) else {}


def _noted_mark(descriptor: int) -> int | None:
    mark = _record(descriptor).get("mark")
    return mark if isinstance(mark, int) else None


def _holder(descriptor: int) -> str:
    record = _record(descriptor)
    try:
        return f"the server with pid {record['pid']} on {record['host']}, started {record['started']}"
    except KeyError:
        return "another server"

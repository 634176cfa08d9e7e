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
from typing import Self

import structlog

from heketipy.domain.errors import StorageFailure

log = structlog.get_logger(__name__)

_NOT_SUPPORTED = {errno.ENOLCK, errno.EOPNOTSUPP, errno.ENOSYS}
_RETRY_EVERY = 0.1


class ServerLock:
    """The right to use a database file."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor

    @classmethod
    def acquire(cls, database: Path, *, wait: float = 0.0) -> Self:
        """Take the lock of a database file, waiting so many seconds at most. Raises StorageFailure, naming the
        holder."""
        path = database.with_name(database.name + ".lock")
        deadline = time.monotonic() + wait
        while True:
            descriptor = _open(path)
            if _locked(descriptor, path) and _still_there(descriptor, path):
                _sign(descriptor)
                return cls(descriptor)
            text = f"The database {database} is in use by {_holder(descriptor)}"
            os.close(descriptor)
            if time.monotonic() >= deadline:
                raise StorageFailure(text)
            time.sleep(_RETRY_EVERY)

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


def _sign(descriptor: int) -> None:
    holder = {"pid": os.getpid(), "host": socket.gethostname(), "started": datetime.now(UTC).isoformat("T", "seconds")}
    os.ftruncate(descriptor, 0)
    os.pwrite(descriptor, (json.dumps(holder) + "\n").encode(), 0)


def _holder(descriptor: int) -> str:
    try:
        holder = json.loads(os.pread(descriptor, 4096, 0))
        return f"the server with pid {holder['pid']} on {holder['host']}, started {holder['started']}"
    except (ValueError, KeyError, TypeError):
        return "another server"

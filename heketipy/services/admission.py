"""Admission: how much work is taken on. More than can run at once is accepted and waits; too much is refused."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager

from heketipy.db.database import Tx
from heketipy.domain.errors import Busy, CannotAllocate, CannotBegin, InUse

SHUTTING_DOWN = "Server is shutting down. Retry operation later."


class Admission:
    """Counts operations that are taken on: running, waiting, or just being reserved. Safe from any thread.

    `limit` of them are allowed. Deletes are always let in (a client that is refused one may never ask again), but
    count.
    """

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._lock = threading.Lock()
        self._inside = 0
        self._closed = False

    @property
    def inside(self) -> int:
        """How many operations are taken on."""
        return self._inside

    def enter(self, *, always: bool = False) -> None:
        """Take one on. Raises Busy."""
        with self._lock:
            if self._closed:
                raise Busy(SHUTTING_DOWN)
            if self._inside >= self._limit and not always:
                raise Busy
            self._inside += 1

    def leave(self) -> None:
        """One has ended, or was not reserved after all."""
        with self._lock:
            self._inside -= 1

    def check_open(self) -> None:
        """Raise Busy if no new work is taken on at all any more."""
        if self._closed:
            raise Busy(SHUTTING_DOWN)

    def close(self) -> None:
        """Take on no new work from now on."""
        self._closed = True


@contextmanager
def admitted(tx: Tx, admission: Admission, prefix: str, *, always: bool = False) -> Iterator[None]:
    """Let one in around its reservation, out again if nothing comes of that; the text of a refusal gets a prefix."""
    enter(tx, admission, always=always)
    try:
        yield
    except CannotAllocate as error:
        raise CannotAllocate(f"{prefix}: {error}") from error
    except (InUse, CannotBegin) as error:
        raise CannotBegin(f"{prefix}: {error}") from error


def enter(tx: Tx, admission: Admission, *, always: bool = False) -> None:
    """Let one in, and out again if its transaction is rolled back. Raises Busy."""
    admission.enter(always=always)
    tx.after_rollback(admission.leave)

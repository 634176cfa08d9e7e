"""A few connections for readers, each used by one thread at a time."""

import threading
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy import Connection

from heketipy.db.failures import DRIVER_ERRORS
from heketipy.db.store import Store


class Readers:
    """At most `size` connections, opened as needed and kept."""

    def __init__(self, store: Store, size: int) -> None:
        self._store = store
        self._size = size
        self._permits = threading.Semaphore(size)
        self._idle: deque[Connection] = deque()
        self._pausing = threading.Lock()
        self._at_hand = threading.Lock()
        self._kept: Connection | None = None

    @contextmanager
    def connection(self) -> Iterator[Connection]:
        """Lend a connection. One whose use ended in an exception is closed, since nobody knows what state it is in."""
        with self._permits:
            connection = self._idle.pop() if self._idle else self._store.connect_reader()
            try:
                yield connection
            except BaseException:
                connection.close()
                raise
            self._idle.append(connection)

    @contextmanager
    def at_hand(self) -> Iterator[Connection | None]:
        """Lend one more connection, for short looks by a thread that must not wait; None where it would have to.

        After an error of the driver it is closed.
        """
        if not self._at_hand.acquire(blocking=False):
            yield None
            return
        try:
            if self._kept is None:
                self._kept = self._store.connect_at_once()
            yield self._kept
        except DRIVER_ERRORS:
            self._drop_kept()
            raise
        finally:
            self._at_hand.release()

    def _drop_kept(self) -> None:
        kept, self._kept = self._kept, None
        if kept is not None:
            kept.close()

    @contextmanager
    def paused(self) -> Iterator[None]:
        """Wait until nobody reads, close every connection, and let nobody read meanwhile."""
        with self._pausing, self._at_hand:
            self._drop_kept()
            taken = 0
            try:
                while taken < self._size:
                    self._permits.acquire()
                    taken += 1
                while self._idle:
                    self._idle.pop().close()
                yield
            finally:
                self._permits.release(taken)

"""A few connections for readers, each used by one thread at a time."""

import threading
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy import Connection

from heketipy.db.store import Store


class Readers:
    """At most `size` connections, opened as needed and kept."""

    def __init__(self, store: Store, size: int) -> None:
        self._store = store
        self._size = size
        self._permits = threading.Semaphore(size)
        self._idle: deque[Connection] = deque()
        self._pausing = threading.Lock()

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
    def paused(self) -> Iterator[None]:
        """Wait until nobody reads, close every connection, and let nobody read meanwhile."""
        with self._pausing:
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

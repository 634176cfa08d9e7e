"""Single facts in the books: the epoch, attributes of a database taken over from heketi, pinned ssh host keys."""

import time

from sqlalchemy import Connection, bindparam, delete, insert, select, update

from heketipy.db import tables

_c = tables.meta.c
_hosts = tables.host_keys.c

_GET = select(_c.value).where(_c.key == bindparam("key"))
_ALL = select(_c.key, _c.value).order_by(_c.key)
_UPDATE = update(tables.meta).where(_c.key == bindparam("the_key")).values(value=bindparam("new_value"))
_INSERT = insert(tables.meta)
_REMOVE = delete(tables.meta).where(_c.key == bindparam("key"))
_KEY_OF = select(_hosts.key).where(_hosts.host == bindparam("host"))
_PIN = insert(tables.host_keys)
_UNPIN = delete(tables.host_keys).where(_hosts.host == bindparam("host"))

EPOCH = "epoch"
_DRIFT = "drift"


class Meta:
    """The tables of single facts."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def get(self, key: str) -> str | None:
        """Return a fact, or None."""
        return self._connection.execute(_GET, {"key": key}).scalar_one_or_none()

    def all(self) -> dict[str, str]:
        """Return all facts, ascending by key."""
        return dict(map(tuple, self._connection.execute(_ALL)))

    def set(self, key: str, value: str) -> None:
        """Write down a fact."""
        if self._connection.execute(_UPDATE, {"the_key": key, "new_value": value}).rowcount == 0:
            self._connection.execute(_INSERT, {"key": key, "value": value})

    def remove(self, key: str) -> None:
        """Forget a fact, if there is one."""
        self._connection.execute(_REMOVE, {"key": key})

    def epoch(self) -> int:
        """Return the epoch in force; 0 before the first."""
        return int(self.get(EPOCH) or 0)

    def raise_epoch(self) -> int:
        """Begin a new epoch, and return it: from now on nodes refuse what servers of older ones send.

        Epochs follow the clock, so that books which were put back from a backup get no epoch that nodes have seen
        already; a clock that was put back does no harm either.
        """
        epoch = max(self.epoch() + 1, int(time.time()))
        self.set(EPOCH, str(epoch))
        return epoch

    def drift(self, device: str) -> str:
        """Return in what a device differed from the books when it was looked at last; "" for in nothing."""
        return self.get(f"{_DRIFT} {device}") or ""

    def set_drift(self, device: str, text: str) -> None:
        """Write down in what a device differs from the books."""
        if text:
            self.set(f"{_DRIFT} {device}", text)
        else:
            self.remove(f"{_DRIFT} {device}")

    def host_key(self, host: str) -> str | None:
        """Return the ssh key that is pinned for a host, or None."""
        return self._connection.execute(_KEY_OF, {"host": host}).scalar_one_or_none()

    def pin_host_key(self, host: str, key: str) -> None:
        """Pin the ssh key of a host, in place of an older one."""
        self._connection.execute(_UNPIN, {"host": host})
        self._connection.execute(_PIN, {"host": host, "key": key})

    def unpin_host_key(self, host: str) -> None:
        """Forget the ssh key of a host, so that the next one seen is trusted."""
        self._connection.execute(_UNPIN, {"host": host})

"""An SQLite file that is only looked at: nothing is made, locked, migrated or marked, and another server may use it."""

import sqlite3
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, NullPool, create_engine, event

from heketipy.db.sqlite import copy, recognise
from heketipy.domain.errors import StorageFailure

REFUSAL = "database is in read-only mode"


class ReadOnlySqlite:
    """A store whose transactions can only read."""

    def __init__(self, path: Path, *, busy_timeout: float = 30.0) -> None:
        """Raises StorageFailure where there is no SQLite file."""
        self._path = path.resolve()
        if not self._path.exists():
            raise StorageFailure(f"open {path}: no such file or directory")
        recognise(self._path)

        def connect() -> sqlite3.Connection:
            connection = sqlite3.connect(
                f"{self._path.as_uri()}?mode=ro",
                uri=True,
                timeout=busy_timeout,
                isolation_level=None,
                check_same_thread=False,
                cached_statements=512,
            )
            connection.execute("PRAGMA query_only = ON")
            return connection

        self._engine = create_engine("sqlite+pysqlite://", creator=connect, poolclass=NullPool)

        @event.listens_for(self._engine, "begin")
        def _begin(connection: Connection) -> None:
            driver: Any = connection.connection.driver_connection
            driver.execute("BEGIN")

    def begin(self) -> None:
        """Nothing to do: the file is not ours."""

    @property
    def where(self) -> str:
        """The path."""
        return str(self._path)

    @property
    def path(self) -> Path:
        """The path, absolute and free of links."""
        return self._path

    def connect_writer(self) -> Connection:
        """Refuse."""
        raise StorageFailure(REFUSAL)

    def connect_reader(self) -> Connection:
        """Open a connection that cannot write."""
        return self._engine.connect()

    def connect_at_once(self) -> Connection | None:
        """Nobody looks at it in a hurry."""
        return None

    def seize(self, writer: Connection) -> None:
        """Refuse."""
        raise StorageFailure(REFUSAL)

    def foreign_keys_off(self) -> Connection:
        """Refuse."""
        raise StorageFailure(REFUSAL)

    def settle(self, writer: Connection) -> None:
        """Nothing to do: nothing was written."""

    def backup(self, target: Path) -> None:
        """Copy the file to a new one."""
        copy(self._path, target)

    def close(self) -> None:
        """Nothing is held."""

"""The books on a PostgreSQL server, which several servers of ours may share.

In place of SQLite's one writer there is an advisory lock, taken first in every transaction that writes: so whoever
holds it sees everything that was committed before, and no transaction has to be repeated.
"""

from pathlib import Path

from sqlalchemy import URL, Connection, NullPool, create_engine, make_url, text
from sqlalchemy.exc import ArgumentError, NoSuchModuleError

from heketipy.domain.errors import StorageFailure

_LOCK = text("SELECT pg_advisory_xact_lock(7451913840012347)")
_PREFIXES = ("postgresql://", "postgresql+psycopg://", "postgres://")
_OPTIONS = "-c lock_timeout=60s -c idle_in_transaction_session_timeout=120s"


def is_url(where: str) -> bool:
    """Tell whether a text names a PostgreSQL database."""
    return where.lower().startswith(_PREFIXES)


def normalised(where: str) -> URL:
    """Return the URL with our driver in it. Raises StorageFailure."""
    _, _, rest = where.partition("://")
    try:
        url = make_url(f"postgresql+psycopg://{rest}")
    except (ArgumentError, ValueError) as error:
        raise StorageFailure("The URL of the PostgreSQL database is malformed") from error
    password = url.query.get("password")
    return url.set(password=str(password)).difference_update_query(["password"]) if password else url


def shown(where: str) -> str:
    """Return a URL as it may be shown: without passwords. Raises StorageFailure."""
    url = normalised(where).difference_update_query(["sslpassword"])
    return url.render_as_string(hide_password=True)


class PostgresqlStore:
    """A database on a PostgreSQL server."""

    def __init__(self, where: str) -> None:
        url = normalised(where)
        self._where = shown(where)
        options = {} if "options" in url.query else {"options": _OPTIONS}
        try:
            self._writer = create_engine(url, poolclass=NullPool, connect_args=options)
        except (ImportError, NoSuchModuleError) as error:
            raise StorageFailure(
                "PostgreSQL needs the driver psycopg: install heketipy with the extra `postgresql`"
            ) from error
        self._reader = self._writer.execution_options(isolation_level="REPEATABLE READ", postgresql_readonly=True)

    def begin(self) -> None:
        """Nothing to do: there is no file to be mixed up."""

    @property
    def where(self) -> str:
        """The URL, without password."""
        return self._where

    @property
    def path(self) -> Path | None:
        """None: there is no file."""
        return None

    def connect_writer(self) -> Connection:
        """Open a connection that may write."""
        return self._writer.connect()

    def connect_reader(self) -> Connection:
        """Open a connection whose transactions see one moment each."""
        return self._reader.connect()

    def connect_at_once(self) -> Connection | None:
        """Everything waits for the network."""
        return None

    def seize(self, writer: Connection) -> None:
        """Take the advisory lock, which ends with the transaction."""
        writer.execute(_LOCK)

    def settle(self, writer: Connection) -> None:
        """Nothing to do: the server keeps its own files."""

    def backup(self, target: Path) -> None:
        """Refuse: PostgreSQL has its own tools."""
        raise StorageFailure("A PostgreSQL database is backed up with PostgreSQL's own tools (pg_dump)")

    def foreign_keys_off(self) -> Connection:
        """Open a writer: PostgreSQL alters tables in place, so nothing has to be switched off."""
        return self._writer.connect()

    def close(self) -> None:
        """Nothing is held."""

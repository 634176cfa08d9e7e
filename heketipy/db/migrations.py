"""The tree of migrations, and taking a database along it.

Alembic is imported only to change a schema: that costs a server's start a good part of a second, and nearly always the
schema is the right one already, or there is none yet. So what the tree knows is read from its file names:
`<revision>_<what it does>.py`, one line of revisions numbered upwards.
"""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sqlalchemy import Column, Connection, MetaData, PrimaryKeyConstraint, String, Table, insert, inspect, select

import heketipy
from heketipy.db import tables
from heketipy.domain.errors import StorageFailure

_VERSION = Table(
    "alembic_version",
    MetaData(),
    Column("version_num", String(32), nullable=False),
    PrimaryKeyConstraint("version_num", name="alembic_version_pkc"),
)
"""Where Alembic keeps the revision, as Alembic makes it."""
_FILE_NAME = re.compile(r"(?P<revision>[0-9]{4})_\w+\.py")


def _shipped() -> Path:
    package = Path(heketipy.__file__).parent
    inside = package / "_migrations"
    return inside if inside.is_dir() else package.parent / "migrations"


@dataclass(frozen=True, slots=True)
class Tree:
    """A folder of migrations. `whole` is the schema that all of them make, where that is known."""

    folder: Path
    whole: MetaData | None = None

    @property
    def revisions(self) -> tuple[str, ...]:
        """All revisions, oldest first. Raises StorageFailure if there are none: then the installation is damaged."""
        names = (_FILE_NAME.fullmatch(file.name) for file in (self.folder / "versions").glob("*.py"))
        found = tuple(sorted(name["revision"] for name in names if name is not None))
        if not found:
            raise StorageFailure(f"No migrations were found in {self.folder}: heketipy is not installed properly")
        return found

    @property
    def head(self) -> str:
        """The revision that the code is written for."""
        return self.revisions[-1]

    def demand_known(self, connection: Connection, where: str) -> None:
        """Raise StorageFailure if the database holds something else, or was written by a newer version."""
        revision = current(connection)
        if revision is None:
            foreign = [name for name in inspect(connection).get_table_names() if name != _VERSION.name]
            if foreign:
                raise StorageFailure(
                    f"The database {where} holds something else (a table {foreign[0]!r}); it was left untouched"
                )
        elif revision not in self.revisions:
            raise StorageFailure(
                f"The database {where} was written by a newer version of heketipy (its schema is {revision}, this "
                f"version knows those up to {self.head}); it was left untouched. Use that version, "
                "or put back a backup."
            )

    def make(self, connection: Connection) -> None:
        """Make the newest schema in an empty database, in the transaction that is open on the connection.

        What Alembic advises for new databases: make the tables as they are wanted, and write down the revision.
        """
        if self.whole is None:
            self.upgrade(connection)
            return
        self.whole.create_all(connection, checkfirst=False)
        _VERSION.create(connection, checkfirst=True)  # empty where all migrations were taken back
        connection.execute(insert(_VERSION).values(version_num=self.head))

    def upgrade(self, connection: Connection, revision: str = "head") -> None:
        """Take the schema to a newer revision, in the transaction that is open on the connection."""
        self._run(connection, "upgrade", revision)

    def downgrade(self, connection: Connection, revision: str) -> None:
        """Take the schema back to an older revision (`base` for none), in the transaction that is open."""
        self._run(connection, "downgrade", revision)

    def _run(self, connection: Connection, direction: str, revision: str) -> None:
        from alembic import command
        from alembic.config import Config

        config = Config()
        config.set_main_option("script_location", str(self.folder).replace("%", "%%"))
        config.attributes["connection"] = connection
        move: Callable[[Config, str], None] = getattr(command, direction)
        move(config, revision)
        _demand_whole(connection)


SHIPPED = Tree(_shipped(), tables.metadata)
"""The migrations of this version: inside the installed package, or beside it in a checkout."""


def current(connection: Connection) -> str | None:
    """Return the revision of a database's schema, or None if it has none of ours."""
    if not inspect(connection).has_table(_VERSION.name):
        return None
    revision: str | None = connection.execute(select(_VERSION.c.version_num)).scalar_one_or_none()
    return revision


def _demand_whole(connection: Connection) -> None:
    """Raise if a migration, which ran with foreign keys switched off, left a row that points at nothing."""
    if connection.dialect.name != "sqlite":
        return
    broken: Sequence[Any] = connection.exec_driver_sql("PRAGMA foreign_key_check").all()
    if broken:
        table, row, parent, _ = broken[0]
        raise StorageFailure(f"The migration would leave row {row} of {table} without its row of {parent}")

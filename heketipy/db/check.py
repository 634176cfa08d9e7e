"""Compare the schema that the migrations make with the one that the code is written for.

    python -m heketipy.db.check [postgresql://…]

Without an argument a throw-away SQLite file is migrated; with one, an empty PostgreSQL database. What differs is
printed, and makes the exit status 1. It is meant for those who change tables.
"""

import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from sqlalchemy import CheckConstraint, Connection, Table, inspect

from heketipy.db.migrations import SHIPPED, Tree
from heketipy.db.postgresql import PostgresqlStore, is_url
from heketipy.db.sqlite import JournalMode, SqliteStore
from heketipy.db.store import Store
from heketipy.db.tables import metadata


def differences(connection: Connection) -> list[str]:
    """Return in what the schema of a migrated database differs from `tables`, in words; empty if in nothing."""
    from alembic.autogenerate import compare_metadata
    from alembic.migration import MigrationContext

    context = MigrationContext.configure(connection, opts={"compare_type": True, "compare_server_default": True})
    found: list[Any] = compare_metadata(context, metadata)
    return [_described(one) for one in found] + sorted(_checks(connection)) + sorted(_cascades(connection))


def _described(difference: Any) -> str:
    if isinstance(difference, list):
        return "; ".join(map(_described, difference))
    return " ".join(str(getattr(part, "name", None) or part) for part in difference)


def _tables(connection: Connection) -> list[Table]:
    return [table for table in metadata.sorted_tables if inspect(connection).has_table(table.name)]


def _checks(connection: Connection) -> Iterator[str]:
    """Alembic does not compare CHECK constraints. Their texts come back in the database's own spelling, so that only
    the names are compared."""
    for table in _tables(connection):
        wanted = {str(one.name) for one in table.constraints if isinstance(one, CheckConstraint)}
        there = {str(one["name"]) for one in inspect(connection).get_check_constraints(table.name)}
        yield from (f"{table.name} lacks the constraint {name}" for name in wanted - there)
        yield from (f"{table.name} has a constraint {name} too many" for name in there - wanted)


def _cascades(connection: Connection) -> Iterator[str]:
    for table in _tables(connection):
        for key in inspect(connection).get_foreign_keys(table.name):
            if key.get("options", {}).get("ondelete") not in (None, "NO ACTION"):
                yield f"{table.name}: {key['name']} deletes by cascade"


def check(store: Store, tree: Tree = SHIPPED) -> list[str]:
    """Migrate an empty database and return in what it differs from the tables."""
    with store.foreign_keys_off() as connection, connection.begin():
        tree.upgrade(connection)
        return differences(connection)


def main() -> int:
    """Check, say what differs, and return the exit status."""
    if len(sys.argv) > 1 and is_url(sys.argv[1]):
        found = check(PostgresqlStore(sys.argv[1]))
    else:
        with tempfile.TemporaryDirectory(prefix="heketipy-check-") as folder:
            store = SqliteStore.open(
                Path(folder) / "heketi.db", journal_mode=JournalMode.DELETE, inspect=SHIPPED.demand_known
            )
            found = check(store)
            store.close()
    for difference in found:
        print(difference)
    print(
        f"{len(found)} differences between the migrations and the tables" if found else "The schema is as it should be"
    )
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())

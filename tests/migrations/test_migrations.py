import shutil
import subprocess
import sys
import textwrap
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Connection, inspect, text

from heketipy.db import migrations
from heketipy.db.check import check, differences
from heketipy.db.database import Database, Tx
from heketipy.db.heketi_records import HeketiRecord
from heketipy.db.migrations import SHIPPED, Tree
from heketipy.db.postgresql import PostgresqlStore, is_url
from heketipy.db.rotation import Rotation
from heketipy.db.sqlite import JournalMode, SqliteStore
from heketipy.db.store import Store
from heketipy.db.tables import metadata
from heketipy.domain.errors import StorageFailure
from heketipy.domain.operation import Debt, Job, Operation
from tests.support.site import add_site, add_volume, block_volume, hosting_volume, id_of

LIMIT = 60.0

REBUILDS_NODES = """
    with op.batch_alter_table("nodes") as batch:
        batch.add_column(sa.Column("rack", sa.Text, nullable=False, server_default="none"))
        batch.create_check_constraint("ck_nodes_rack", "rack <> ''")
"""


@contextmanager
def store_of(where: str) -> Iterator[Store]:
    store: Store
    if is_url(where):
        store = PostgresqlStore(where)
    else:
        store = SqliteStore.open(Path(where), journal_mode=JournalMode.WAL, inspect=lambda *_: None)
    yield store
    store.close()


@contextmanager
def migrating(where: str) -> Iterator[Connection]:
    with store_of(where) as store, store.foreign_keys_off() as connection, connection.begin():
        yield connection


@pytest.fixture
def longer(tmp_path: Path) -> "Longer":
    return Longer(tmp_path / "migrations")


class Longer:
    """The shipped tree with one more migration."""

    def __init__(self, folder: Path) -> None:
        shutil.copytree(SHIPPED.folder, folder, ignore=shutil.ignore_patterns("__pycache__"))
        self.tree = Tree(folder)
        self.old_head = SHIPPED.head
        self.head = f"{int(SHIPPED.head) + 1:04d}"

    def with_migration(self, body: str, *, undo: str = "    pass\n") -> Tree:
        lines = [
            "import os",
            "import sqlalchemy as sa",
            "from alembic import op",
            f"revision = {self.head!r}",
            f"down_revision = {self.old_head!r}",
            "def upgrade():",
            textwrap.indent(textwrap.dedent(body).strip("\n"), "    "),
            "def downgrade():",
            undo,
        ]
        (self.tree.folder / "versions" / f"{self.head}_longer.py").write_text("\n".join(lines))
        return self.tree


def add_everything(tx: Tx) -> None:
    add_site(tx)
    add_volume(tx, 1)
    add_volume(tx, 2, pending=id_of("operation", 1))
    tx.volumes.add(hosting_volume(3))
    tx.block_volumes.add(block_volume(1, on=3))
    tx.operations.add(Operation(id_of("operation", 1), "create-volume", 1.5, 1, {"a": [1, None]}))
    tx.jobs.add(Job(id_of("job", 1), id_of("operation", 1), 1.5))
    tx.debts.add(Debt("0" * 32, id_of("node", 1), id_of("operation", 1), 2.5, {}, {id_of("device", 10): 3}))
    tx.meta.raise_epoch()
    tx.meta.pin_host_key("node1", "ssh-ed25519 AAAA")
    tx.heketi_records.add("brickentries", {"b" * 32: HeketiRecord({"a": None}, None)})


async def fill(where: str) -> dict[str, list[Any]]:
    db = Database.open(where)
    await db.write(add_everything)
    db.close()
    with store_of(where) as store, store.connect_reader() as connection:
        filled = content(connection)
    assert all(filled.values())
    return filled


def content(connection: Connection) -> dict[str, list[Any]]:
    """Return every row of every table that the code knows."""
    tables: dict[str, list[Any]] = {}
    for table in metadata.sorted_tables:
        rows = connection.execute(table.select())
        tables[table.name] = sorted(tuple(map(str, row)) for row in rows)
    return tables


def described(connection: Connection) -> dict[str, Any]:
    """Return what the database itself says of each table, Alembic's own included."""
    look = inspect(connection)
    return {
        name: (
            [{**column, "type": str(column["type"])} for column in look.get_columns(name)],
            look.get_pk_constraint(name),
            sorted(map(str, look.get_foreign_keys(name))),
            sorted(map(str, look.get_indexes(name))),
            sorted(map(str, look.get_unique_constraints(name))),
            sorted(map(str, look.get_check_constraints(name))),
        )
        for name in look.get_table_names()
    }


def revision_of(where: str) -> str | None:
    with store_of(where) as store, store.connect_reader() as connection:
        return migrations.current(connection)


def content_of(where: str) -> tuple[str | None, dict[str, list[Any]]]:
    with store_of(where) as store, store.connect_reader() as connection:
        return migrations.current(connection), content(connection)


def test_the_migrations_make_the_schema_that_the_code_is_written_for(where: str) -> None:
    with store_of(where) as store:
        assert check(store) == []


def test_a_new_database_is_made_at_once_and_is_what_the_migrations_make(where: str) -> None:
    with migrating(where) as connection:
        SHIPPED.make(connection)
        assert differences(connection) == []
        assert migrations.current(connection) == SHIPPED.head
        made = described(connection)
        SHIPPED.downgrade(connection, "base")
        SHIPPED.upgrade(connection)
        assert described(connection) == made


@pytest.mark.parametrize(
    "change",
    [
        "CREATE TABLE more (id TEXT)",
        "ALTER TABLE nodes ADD COLUMN rack TEXT",
        "DROP INDEX ix_bricks_device",
        "CREATE INDEX ix_more ON nodes (zone)",
        "DROP TABLE debts",
    ],
)
def test_a_schema_that_differs_is_noticed(where: str, change: str) -> None:
    with migrating(where) as connection:
        SHIPPED.upgrade(connection)
        connection.execute(text(change))
        assert len(differences(connection)) >= 1


def test_a_lost_constraint_is_noticed(postgresql_server: Any) -> None:
    with migrating(postgresql_server.empty_database()) as connection:
        SHIPPED.upgrade(connection)
        connection.execute(text("ALTER TABLE devices DROP CONSTRAINT ck_devices_free"))
        connection.execute(text("ALTER TABLE volumes DROP CONSTRAINT uq_volumes_cluster_name"))
        connection.execute(text("ALTER TABLE bricks DROP CONSTRAINT fk_bricks_volume"))
        found = "\n".join(differences(connection))
    for name in ("ck_devices_free", "uq_volumes_cluster_name", "fk_bricks_volume"):
        assert name in found


async def test_every_migration_can_be_taken_back_and_made_again_without_loss(where: str) -> None:
    expected = await fill(where)
    for revision in reversed(SHIPPED.revisions):
        with migrating(where) as connection:
            SHIPPED.downgrade(connection, revision)
            kept = set(inspect(connection).get_table_names())
            SHIPPED.upgrade(connection)
        # A table that is made anew is empty, of course.
        expected = {name: rows if name in kept else [] for name, rows in expected.items()}
        assert content_of(where) == (SHIPPED.head, expected)


def test_taking_everything_back_leaves_nothing(where: str) -> None:
    with migrating(where) as connection:
        SHIPPED.upgrade(connection)
        SHIPPED.downgrade(connection, "base")
    assert revision_of(where) is None
    Database.open(where).close()
    assert revision_of(where) == SHIPPED.head


async def test_a_full_database_is_migrated_whole(where: str, longer: Longer) -> None:
    before = await fill(where)
    tree = longer.with_migration(REBUILDS_NODES)
    db = Database.open(where, tree=tree)
    # What points at the rebuilt table still does, and still may not dangle.
    with pytest.raises(Exception, match="refuses this change"):
        await db.write(lambda tx: tx.nodes.remove(id_of("node", 1)))
    db.close()
    assert content_of(where) == (longer.head, before)
    with store_of(where) as store, store.connect_reader() as connection:
        racks = connection.execute(text("SELECT DISTINCT rack FROM nodes")).scalars().all()
        assert racks == ["none"]


@pytest.mark.parametrize("end", ["os._exit(9)", "raise ZeroDivisionError"])
@pytest.mark.parametrize("place", ["before", "after"])
async def test_a_crash_in_the_middle_of_a_migration_leaves_the_old_database(
    where: str, longer: Longer, end: str, place: str
) -> None:
    before = await fill(where)
    work = textwrap.dedent(REBUILDS_NODES) + 'op.drop_table("meta")\n'
    tree = longer.with_migration(f"{end}\n{work}" if place == "before" else f"{work}\n{end}")
    program = """
        import sys
        from pathlib import Path
        from heketipy.db.database import Database
        from heketipy.db.migrations import Tree
        Database.open(sys.argv[1], tree=Tree(Path(sys.argv[2])))
    """
    command = [sys.executable, "-c", textwrap.dedent(program), where, str(tree.folder)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=LIMIT)
    assert done.returncode == (9 if "exit" in end else 1)
    assert ("ZeroDivisionError" in done.stderr) is ("Zero" in end)
    assert content_of(where) == (longer.old_head, before)
    repaired = longer.with_migration(REBUILDS_NODES)
    Database.open(where, tree=repaired).close()
    assert content_of(where) == (longer.head, before)


async def test_a_migration_that_would_leave_dangling_rows_is_refused(tmp_path: Path, longer: Longer) -> None:
    where = str(tmp_path / "heketi.db")
    before = await fill(where)
    tree = longer.with_migration("""op.execute("DELETE FROM nodes")""")
    with pytest.raises(StorageFailure, match="would leave row"):
        Database.open(where, tree=tree)
    assert content_of(where) == (longer.old_head, before)


async def test_an_existing_file_is_copied_before_it_is_migrated(tmp_path: Path, longer: Longer) -> None:
    where = tmp_path / "heketi.db"
    before = await fill(str(where))
    assert not Rotation.beside(where).folder.exists()
    Database.open(where, tree=longer.with_migration(REBUILDS_NODES)).close()
    (copied,) = Rotation.beside(where).copies(before_migration=True)
    assert copied.name.endswith(f"-before-{longer.head}.db")
    assert content_of(str(copied)) == (longer.old_head, before)
    assert Rotation.beside(where).copies() == ()


async def test_nothing_is_migrated_that_could_not_be_copied(tmp_path: Path, longer: Longer) -> None:
    where = tmp_path / "heketi.db"
    before = await fill(str(where))
    Rotation.beside(where).folder.write_text("in the way")
    with pytest.raises(StorageFailure, match="for backups cannot be used"):
        Database.open(where, tree=longer.with_migration(REBUILDS_NODES))
    assert content_of(str(where)) == (longer.old_head, before)


async def test_an_older_program_refuses_the_migrated_database(where: str, longer: Longer) -> None:
    tree = longer.with_migration(REBUILDS_NODES)
    Database.open(where, tree=tree).close()
    with pytest.raises(StorageFailure, match="newer version"):
        Database.open(where)


def test_something_else_in_the_database_is_left_alone(where: str) -> None:
    with migrating(where) as connection:
        connection.execute(text("CREATE TABLE places (url TEXT)"))
    with pytest.raises(StorageFailure, match="holds something else"):
        Database.open(where)
    with migrating(where) as connection:
        connection.execute(text("DROP TABLE places"))
    Database.open(where).close()


def test_an_installation_without_migrations_says_so(tmp_path: Path) -> None:
    with pytest.raises(StorageFailure, match="not installed properly"):
        Database.open(tmp_path / "heketi.db", tree=Tree(tmp_path / "absent"))


def test_a_folder_with_strange_characters_is_no_obstacle(tmp_path: Path) -> None:
    folder = tmp_path / "100 %(x)s"
    shutil.copytree(SHIPPED.folder, folder)
    Database.open(tmp_path / "heketi.db", tree=Tree(folder)).close()


def test_revisions_are_numbered_in_one_line() -> None:
    from alembic.config import Config
    from alembic.script import ScriptDirectory

    config = Config()
    config.set_main_option("script_location", str(SHIPPED.folder))
    line = [script.revision for script in ScriptDirectory.from_config(config).walk_revisions()]
    assert tuple(reversed(line)) == SHIPPED.revisions


def test_the_program_that_checks_says_that_all_is_well() -> None:
    command = [sys.executable, "-W", "error", "-m", "heketipy.db.check"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=LIMIT)
    assert (done.returncode, done.stdout) == (0, "The schema is as it should be\n")

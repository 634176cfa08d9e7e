import asyncio
import sqlite3
import stat
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import structlog

from heketipy.db.backups import Backups
from heketipy.db.database import Database, Tx
from heketipy.db.rotation import Rotation
from heketipy.domain.errors import StorageFailure
from heketipy.domain.model import Cluster
from tests.support.site import add_site, id_of

LIMIT = 60.0
HOUR = timedelta(hours=1)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "heketi.db"


def add_pair(tx: Tx, number: int) -> None:
    """Add two rows that belong together."""
    tx.clusters.add(Cluster(id_of("cluster", number), file=True, block=True))
    tx.meta.set(f"pair {number}", "x" * 500)


def pairs_in(copy: Path) -> int:
    with closing(sqlite3.connect(copy)) as driver:
        assert driver.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
        assert driver.execute("PRAGMA journal_mode").fetchone() == ("delete",)
        (clusters,) = driver.execute("SELECT count(*) FROM clusters").fetchone()
        (facts,) = driver.execute("SELECT count(*) FROM meta").fetchone()
        assert clusters == facts
        return int(clusters)


def everything(tx: Tx) -> list[object]:
    return [(one.cluster, list(one.volumes), list(one.nodes)) for one in tx.details.site()]


async def test_a_backup_is_a_database_that_a_server_can_start_with(path: Path) -> None:
    db = Database.open(path)
    await db.write(add_site)
    await db.backup(path.with_name("copy.db"))
    before = await db.read(everything)
    db.close()
    restored = Database.open(path.with_name("copy.db"))
    assert await restored.read(everything) == before
    restored.close()


@pytest.mark.parametrize("settled", [False, True])
async def test_a_backup_shows_one_moment_while_writers_go_on(path: Path, settled: bool) -> None:
    db = Database.open(path)
    await db.write(add_pair, 0)
    if settled:
        await db.settle()
    stop = asyncio.Event()
    written = 1

    async def write() -> None:
        nonlocal written
        while not stop.is_set():
            await db.write(add_pair, written)
            written += 1

    writing = asyncio.create_task(write())
    counts = []
    for number in range(5):
        least = written
        await db.backup(path.with_name(f"copy{number}.db"))
        counts.append(pairs_in(path.with_name(f"copy{number}.db")))
        assert least <= counts[-1] <= written + 1
    stop.set()
    await writing
    assert counts == sorted(counts)
    db.close()


async def test_only_the_owner_may_read_a_backup(path: Path) -> None:
    db = Database.open(path)
    made = await Backups(db, Rotation.beside(path), every=HOUR).make()
    db.close()
    assert stat.S_IMODE(made.stat().st_mode) == 0o600
    assert stat.S_IMODE(made.parent.stat().st_mode) == 0o700


async def test_the_newest_are_kept(path: Path) -> None:
    db = Database.open(path)
    rotation = Rotation.beside(path, keep=3)
    backups = Backups(db, rotation, every=HOUR)
    rotation.copy(db.copy_to, before="0002")
    made = [await backups.make() for _ in range(5)]
    assert rotation.copies() == tuple(made[2:])
    assert len(rotation.copies(before_migration=True)) == 1
    db.close()


async def test_files_of_others_in_the_folder_are_left_alone_and_leftovers_of_ours_are_not(path: Path) -> None:
    db = Database.open(path)
    rotation = Rotation.beside(path, keep=1)
    rotation.folder.mkdir()
    mine = rotation.folder / "heketi-the good one.db"
    mine.write_text("precious")
    leftover = rotation.folder / "heketi-20200101T000000.000Z.db.part"
    leftover.write_text("half")
    backups = Backups(db, rotation, every=HOUR)
    await backups.make()
    newest = await backups.make()
    assert sorted(rotation.folder.iterdir()) == sorted([mine, newest])
    db.close()


async def test_a_backup_that_fails_removes_none_of_the_old(path: Path) -> None:
    db = Database.open(path)
    rotation = Rotation.beside(path, keep=1)
    kept = await Backups(db, rotation, every=HOUR).make()

    def fail(target: Path) -> None:
        raise StorageFailure("no room")

    with pytest.raises(StorageFailure):
        rotation.copy(fail)
    assert rotation.copies() == (kept,)
    db.close()


async def test_a_damaged_database_does_not_replace_good_backups(path: Path) -> None:
    db = Database.open(path)
    await db.write(lambda tx: [add_pair(tx, number) for number in range(500)])
    db.close()
    with path.open("r+b") as file:
        file.seek(path.stat().st_size // 2)
        file.write(b"\xff" * 20_000)
    db = Database.open(path)
    with pytest.raises(StorageFailure):
        await db.backup(path.with_name("copy.db"))
    assert not list(path.parent.glob("copy*"))
    db.close()


async def test_a_backup_is_due_when_the_newest_is_old(path: Path) -> None:
    db = Database.open(path)
    rotation = Rotation.beside(path)
    backups = Backups(db, rotation, every=HOUR)
    now = datetime.now(UTC)
    assert backups.due_in(now) == timedelta()
    await backups.make()
    newest = rotation.newest()
    assert newest is not None
    assert newest >= now - timedelta(milliseconds=1)
    assert backups.due_in(newest + HOUR / 4) == HOUR * 3 / 4
    assert backups.due_in(newest + 2 * HOUR) == timedelta()
    # A clock that was set back must not stop backups for years.
    assert backups.due_in(newest - 24 * HOUR) == timedelta()
    db.close()


class Lines:
    """Waits for lines of the log."""

    def __init__(self) -> None:
        self._lines: asyncio.Queue[str] = asyncio.Queue()

    def __call__(self, _logger: object, _method: str, event: dict[str, Any]) -> dict[str, Any]:
        self._lines.put_nowait(str(event["event"]))
        raise structlog.DropEvent

    async def until(self, wanted: str) -> None:
        async with asyncio.timeout(LIMIT):
            while await self._lines.get() != wanted:
                pass


@pytest.fixture
def lines(monkeypatch: pytest.MonkeyPatch) -> Lines:
    made = Lines()
    logger = structlog.wrap_logger(structlog.PrintLogger(), processors=[made])
    monkeypatch.setattr("heketipy.db.backups.log", logger)
    return made


async def ended(task: "asyncio.Task[None]") -> None:
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task


async def test_a_server_that_starts_makes_the_backup_that_is_due(path: Path, lines: Lines) -> None:
    db = Database.open(path)
    rotation = Rotation.beside(path)
    task = asyncio.create_task(Backups(db, rotation, every=HOUR).run())
    await lines.until("database backed up")
    await ended(task)
    assert len(rotation.copies()) == 1
    db.close()


async def test_backups_go_on_and_an_idle_server_makes_none(path: Path, lines: Lines) -> None:
    db = Database.open(path)
    rotation = Rotation.beside(path)
    task = asyncio.create_task(Backups(db, rotation, every=timedelta(milliseconds=1)).run())
    for number in range(3):
        await db.write(add_pair, number)
        await lines.until("database backed up")
    async with asyncio.timeout(LIMIT):
        before: tuple[Path, ...] = ()
        while rotation.copies() != before or pairs_in(before[-1]) < 3:
            before = rotation.copies()
            for _ in range(50):
                await asyncio.sleep(0.001)
    await ended(task)
    db.close()


async def test_a_backup_that_fails_is_tried_again(path: Path, lines: Lines) -> None:
    db = Database.open(path)
    rotation = Rotation.beside(path)
    rotation.folder.write_text("in the way")
    task = asyncio.create_task(Backups(db, rotation, every=timedelta(milliseconds=1)).run())
    await lines.until("database not backed up")
    await lines.until("database not backed up")
    rotation.folder.unlink()
    await lines.until("database backed up")
    await ended(task)
    assert len(rotation.copies()) >= 1
    db.close()


async def test_postgresql_is_left_to_its_own_tools(postgresql_server: Any, tmp_path: Path) -> None:
    db = Database.open(postgresql_server.empty_database())
    await Backups(db, Rotation(tmp_path), every=HOUR).run()
    with pytest.raises(StorageFailure, match="pg_dump"):
        await db.backup(tmp_path / "copy.db")
    await db.settle()
    assert db.path is None
    db.close()

import asyncio
import shutil
import signal
import sqlite3
import subprocess
import sys
import textwrap
from contextlib import closing
from datetime import timedelta
from pathlib import Path

import pytest

from heketipy.db.backups import Backups
from heketipy.db.database import Database, JournalMode, Tx
from heketipy.db.rotation import Rotation
from heketipy.domain.model import Cluster
from tests.support.site import id_of

LIMIT = 60.0

WRITER = """
    import asyncio, sys
    from heketipy.db.database import Database
    async def main():
        db = Database.open(sys.argv[1])
        first = len(await db.read(lambda tx: tx.clusters.ids()))
        for number in range(int(sys.argv[2])):
            await db.write(lambda tx: tx.meta.set(f"key {first} {number}", "x" * 2000))
        print("done", flush=True)
        sys.stdin.read()
    asyncio.run(main())
"""


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "heketi.db"


def add_cluster(tx: Tx, number: int) -> None:
    tx.clusters.add(Cluster(id_of("cluster", number), file=True, block=True))


def serve_and_be_killed(path: Path, writes: int) -> None:
    """Leave a file and its write-ahead log as a killed server does."""
    command = [sys.executable, "-c", textwrap.dedent(WRITER), str(path), str(writes)]
    server = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    assert server.stdout is not None
    assert server.stdin is not None
    assert server.stdout.readline() == b"done\n"
    server.send_signal(signal.SIGKILL)
    server.wait(LIMIT)
    server.stdin.close()
    server.stdout.close()
    assert wal_of(path).stat().st_size > 0


def wal_of(path: Path) -> Path:
    return path.with_name(path.name + "-wal")


def facts_in(path: Path) -> int:
    with closing(sqlite3.connect(path)) as driver:
        assert driver.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
        return int(driver.execute("SELECT count(*) FROM meta").fetchone()[0])


async def test_a_backup_put_back_after_a_kill_is_not_mixed_with_what_the_dead_server_left(path: Path) -> None:
    db = Database.open(path)
    await db.write(add_cluster, 1)
    backup = await Backups(db, Rotation.beside(path), every=timedelta(hours=1)).make()
    db.close()
    serve_and_be_killed(path, 200)
    shutil.copyfile(backup, path)
    Database.open(path).close()
    assert facts_in(path) == 0
    (aside,) = path.parent.glob("heketi.db-wal.stale-*")
    assert aside.stat().st_size > 200 * 2000


@pytest.mark.parametrize("move", [False, True])
def test_the_copy_of_a_stopped_server_put_back_after_a_kill_is_not_mixed_either(path: Path, move: bool) -> None:
    Database.open(path).close()
    copy = path.with_name("mine.db")
    shutil.copy2(path, copy)
    serve_and_be_killed(path, 200)
    if move:
        copy.rename(path)
    else:
        shutil.copy2(copy, path)
    Database.open(path).close()
    assert facts_in(path) == 0


def test_what_a_killed_server_left_is_taken_in_by_the_next(path: Path) -> None:
    for round_ in range(1, 4):
        serve_and_be_killed(path, 20)
        db = Database.open(path)
        asyncio.run(db.write(add_cluster, round_))
        db.close()
        assert facts_in(path) == 20 * round_
    assert not list(path.parent.glob("*.stale-*"))


def test_a_file_and_its_log_put_back_together_belong_together(path: Path) -> None:
    serve_and_be_killed(path, 30)
    kept = [path.with_name("kept"), path.with_name("kept-wal")]
    shutil.copyfile(path, kept[0])
    shutil.copyfile(wal_of(path), kept[1])
    Database.open(path, journal_mode=JournalMode.WAL).close()
    shutil.copyfile(kept[0], path)
    shutil.copyfile(kept[1], wal_of(path))
    Database.open(path).close()
    assert facts_in(path) == 30
    assert not list(path.parent.glob("*.stale-*"))


def test_without_a_lock_file_everything_is_taken_in(path: Path) -> None:
    serve_and_be_killed(path, 30)
    path.with_name("heketi.db.lock").unlink()
    Database.open(path).close()
    assert facts_in(path) == 30


@pytest.mark.parametrize("content", ["", "{", "[]", '{"mark": "x"}', "\xff\xfe"])
def test_a_lock_file_that_says_nothing_is_no_obstacle(path: Path, content: str) -> None:
    serve_and_be_killed(path, 30)
    path.with_name("heketi.db.lock").write_text(content, encoding="latin-1")
    Database.open(path).close()
    assert facts_in(path) == 30


def test_every_server_has_a_mark_of_its_own_and_backups_have_none(path: Path) -> None:
    marks = set()
    for _ in range(3):
        db = Database.open(path)
        db.copy_to(path.with_name("copy.db"))
        db.close()
        marks.add(mark_of(path))
        assert mark_of(path.with_name("copy.db")) == 0
    assert len(marks - {0}) == 3


def mark_of(path: Path) -> int:
    with closing(sqlite3.connect(path)) as driver:
        return int(driver.execute("PRAGMA user_version").fetchone()[0])

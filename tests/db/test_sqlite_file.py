import asyncio
import json
import lzma
import os
import shutil
import signal
import sqlite3
import stat
import subprocess
import sys
import textwrap
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest

from heketipy.db.database import Database, JournalMode, Tx
from heketipy.db.sqlite import network_file_system
from heketipy.domain.errors import NotFound, StorageFailure
from heketipy.domain.model import Cluster
from tests.support.site import add_site, id_of

VECTORS = Path(__file__).parent / "heketi"
LIMIT = 60.0
NOBODY = 65534


def add_cluster(tx: Tx, number: int) -> None:
    tx.clusters.add(Cluster(id_of("cluster", number), file=True, block=True))


async def fill(db: Database, count: int, *, start: int = 0) -> None:
    for number in range(start, start + count):
        await db.write(add_cluster, number)


def clusters_in(path: Path) -> int:
    """Count with nothing but SQLite, and see that the file is sound."""
    with closing(sqlite3.connect(path)) as driver:
        assert driver.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
        return int(driver.execute("SELECT count(*) FROM clusters").fetchone()[0])


def journal_mode_of(path: Path) -> str:
    with closing(sqlite3.connect(path)) as driver:
        return str(driver.execute("PRAGMA journal_mode").fetchone()[0])


def program(text: str, *arguments: object) -> list[str]:
    """Return the command line of a Python program that has our imports and `path`."""
    head = """
        import asyncio, sys, signal, os, resource
        from pathlib import Path
        from heketipy.db.database import Database, JournalMode, Tx
        from heketipy.domain.errors import StorageFailure
        from heketipy.domain.model import Cluster
        path = Path(sys.argv[1])
    """
    whole = textwrap.dedent(head) + textwrap.dedent(text)
    return [sys.executable, "-W", "error", "-c", whole, *map(str, arguments)]


@contextmanager
def running(text: str, *arguments: object) -> Iterator[subprocess.Popen[str]]:
    process = subprocess.Popen(program(text, *arguments), stdout=subprocess.PIPE, stdin=subprocess.PIPE, text=True)
    try:
        yield process
    finally:
        process.kill()
        process.wait(LIMIT)
        assert process.stdout is not None
        process.stdout.close()
        assert process.stdin is not None
        process.stdin.close()


HOLD = """
    db = Database.open(path)
    print("open", flush=True)
    sys.stdin.read()
"""

WRITE_FOR_EVER = """
    async def main():
        db = Database.open(path)
        for number in range(10**6):
            await db.write(lambda tx: tx.clusters.add(Cluster(f"{number:032x}", True, True)))
            print(number, flush=True)
    asyncio.run(main())
"""


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "heketi.db"


async def test_the_file_of_a_stopped_server_is_complete_and_alone_with_its_lock(path: Path) -> None:
    db = Database.open(path)
    await fill(db, 3)
    db.close()
    assert sorted(entry.name for entry in path.parent.iterdir()) == ["heketi.db", "heketi.db.lock"]
    assert clusters_in(path) == 3


async def test_only_the_owner_may_read_the_file(path: Path) -> None:
    Database.open(path).close()
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


async def test_an_empty_file_is_a_new_database(path: Path) -> None:
    path.touch()
    db = Database.open(path)
    await fill(db, 1)
    db.close()
    assert clusters_in(path) == 1


async def test_a_relative_path_means_the_same_file_after_a_change_of_directory(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(path.parent)
    db = Database.open("heketi.db")
    monkeypatch.chdir("/")
    await fill(db, 1)
    await db.read(lambda tx: tx.clusters.ids())
    db.close()
    assert clusters_in(path) == 1


def test_a_second_server_is_refused_and_told_who_the_first_is(path: Path) -> None:
    with running(HOLD, path) as first:
        assert first.stdout is not None
        assert first.stdout.readline() == "open\n"
        holder = json.loads(path.with_name("heketi.db.lock").read_text())
        assert holder["pid"] == first.pid
        with pytest.raises(StorageFailure) as refused:
            Database.open(path)
        for known in (str(path), f"pid {first.pid}", holder["host"], holder["started"]):
            assert known in str(refused.value)


def test_a_second_server_in_the_same_process_is_refused_too(path: Path) -> None:
    first = Database.open(path)
    with pytest.raises(StorageFailure, match=f"in use by the server with pid {os.getpid()}"):
        Database.open(path)
    first.close()
    Database.open(path).close()


def test_another_name_of_the_file_is_the_same_file(path: Path) -> None:
    first = Database.open(path)
    link = path.with_name("link.db")
    link.symlink_to(path)
    with pytest.raises(StorageFailure, match="in use"):
        Database.open(link)
    first.close()


def test_a_server_that_was_killed_is_no_obstacle(path: Path) -> None:
    with running(HOLD, path) as first:
        assert first.stdout is not None
        assert first.stdout.readline() == "open\n"
        first.send_signal(signal.SIGKILL)
        first.wait(LIMIT)
    Database.open(path).close()


def test_one_may_wait_for_the_other_server_to_end(path: Path) -> None:
    first = Database.open(path)
    threading.Timer(0.3, first.close).start()
    Database.open(path, wait=LIMIT).close()


def test_everything_acknowledged_survives_a_kill(path: Path) -> None:
    for _ in range(3):
        with running(WRITE_FOR_EVER, path) as server:
            assert server.stdout is not None
            for _ in range(100):
                last = server.stdout.readline()
            server.send_signal(signal.SIGKILL)
            server.wait(LIMIT)
            acknowledged = [int(line) for line in [last, *server.stdout] if line.endswith("\n")]
        assert clusters_in(path) in (acknowledged[-1] + 1, acknowledged[-1] + 2)
        path.unlink()


def test_a_boltdb_file_of_heketi_is_recognised_and_left_alone(path: Path) -> None:
    samples = sorted(VECTORS.glob("*.db.xz"))
    assert samples
    for sample in samples:
        content = lzma.decompress(sample.read_bytes())
        path.write_bytes(content)
        with pytest.raises(StorageFailure) as refused:
            Database.open(path)
        assert "BoltDB database of heketi" in str(refused.value)
        assert f"heketi db export --dbfile {path}" in str(refused.value)
        assert path.read_bytes() == content
        assert [entry.name for entry in path.parent.iterdir()] == ["heketi.db"]


@pytest.mark.parametrize("content", [b"x", b"{}\n", b"SQLite format 2\0" + b"\0" * 200, bytes(4096)])
def test_a_file_that_is_no_database_is_left_alone(path: Path, content: bytes) -> None:
    path.write_bytes(content)
    with pytest.raises(StorageFailure, match="no database of heketipy"):
        Database.open(path)
    assert path.read_bytes() == content


@pytest.mark.parametrize("mode", ["wal", "delete"])
def test_an_sqlite_file_of_another_program_is_left_alone(path: Path, mode: str) -> None:
    with closing(sqlite3.connect(path)) as driver:
        driver.execute(f"PRAGMA journal_mode = {mode}")
        driver.execute("CREATE TABLE places (url)")
        driver.commit()
    content = path.read_bytes()
    with pytest.raises(StorageFailure, match="holds something else \\(a table 'places'\\)"):
        Database.open(path)
    assert path.read_bytes() == content


async def test_a_database_from_a_newer_version_is_left_alone(path: Path) -> None:
    db = Database.open(path)
    await db.write(add_site)
    db.close()
    with closing(sqlite3.connect(path)) as driver:
        driver.execute("UPDATE alembic_version SET version_num = '7001'")
        driver.commit()
    content = path.read_bytes()
    with pytest.raises(StorageFailure, match=r"newer version of heketipy \(its schema is 7001"):
        Database.open(path)
    assert path.read_bytes() == content
    assert not path.with_name("heketi.db.backups").exists()


def test_a_missing_directory_is_named(path: Path) -> None:
    with pytest.raises(StorageFailure, match=f"directory {path.parent}/absent "):
        Database.open(path.parent / "absent" / "heketi.db")


async def test_a_truncated_database_is_refused(path: Path) -> None:
    db = Database.open(path)
    await db.write(add_site)
    db.close()
    content = path.read_bytes()[:3000]
    path.write_bytes(content)
    with pytest.raises(StorageFailure, match="is damaged"):
        Database.open(path)
    assert path.read_bytes() == content


async def test_damage_that_is_met_later_is_reported(path: Path) -> None:
    db = Database.open(path)
    await db.write(lambda tx: [add_cluster(tx, number) for number in range(2000)])
    db.close()
    with path.open("r+b") as file:
        file.seek(path.stat().st_size - 40_000)
        file.write(b"\xff" * 40_000)
    db = Database.open(path)
    with pytest.raises(StorageFailure, match="is damaged"):
        await db.read(lambda tx: tx.clusters.all())
    db.close()


@contextmanager
def unprivileged() -> Iterator[Path]:
    """Be somebody whom file modes hold back, in a directory that is reachable."""
    folder = Path("/tmp") / f"heketipy-test-{os.getpid()}"
    folder.mkdir(mode=0o755)
    root = os.geteuid() == 0
    try:
        yield folder
    finally:
        if root:
            os.seteuid(0)
        folder.chmod(0o755)
        shutil.rmtree(folder)


def become_nobody() -> None:
    if os.geteuid() == 0:
        os.seteuid(NOBODY)


def test_a_read_only_directory_is_reported(path: Path) -> None:
    with unprivileged() as folder:
        folder.chmod(0o555)
        become_nobody()
        with pytest.raises(StorageFailure, match=r"lock file .* cannot be made: Permission denied"):
            Database.open(folder / "heketi.db")


def test_a_read_only_file_is_reported(path: Path) -> None:
    with unprivileged() as folder:
        Database.open(folder / "heketi.db").close()
        (folder / "heketi.db").chmod(0o444)
        (folder / "heketi.db.lock").chmod(0o666)
        become_nobody()
        with pytest.raises(StorageFailure, match=r"heketi\.db cannot be written: Permission denied"):
            Database.open(folder / "heketi.db")


async def test_a_program_that_locks_the_file_does_not_hang_the_server(path: Path) -> None:
    db = Database.open(path, busy_timeout=0.05)
    await fill(db, 1)
    with closing(sqlite3.connect(path, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(StorageFailure, match="locked by another program"):
            await fill(db, 1, start=1)
        other.execute("ROLLBACK")
    await fill(db, 1, start=1)
    assert len(await db.read(lambda tx: tx.clusters.ids())) == 2
    db.close()


FILL_THE_DISK = """
    async def main():
        mount = path
        (mount / "ballast").write_bytes(bytes(300_000))
        db = Database.open(mount / "heketi.db")
        acknowledged = 0
        text = ""
        while acknowledged < 10**5:
            try:
                await db.write(lambda tx: tx.meta.set(f"key{acknowledged}", "x" * 5000))
            except StorageFailure as error:
                text = str(error)
                break
            acknowledged += 1
        assert "disk is full" in text, text
        assert len(await db.read(lambda tx: tx.meta.all())) == acknowledged
        try:
            await db.backup(mount / "copy.db")
        except StorageFailure as error:
            assert "could not be made" in str(error)
        else:
            raise AssertionError("a backup found room on a full disk")
        assert not list(mount.glob("copy*"))
        (mount / "ballast").unlink()
        await db.write(lambda tx: tx.meta.set("after", "room again"))
        db.close()
        db = Database.open(mount / "heketi.db")
        facts = await db.read(lambda tx: tx.meta.all())
        assert len(facts) == acknowledged + 1 and facts["after"] == "room again"
        db.close()
        print("done", acknowledged)
        (mount / "ballast").write_bytes(b"")
        with (mount / "ballast").open("ab", buffering=0) as ballast:
            try:
                while True:
                    ballast.write(bytes(4096))
            except OSError:
                pass
        db = Database.open(mount / "heketi.db")
        assert len(await db.read(lambda tx: tx.meta.all())) == acknowledged + 1
        db.close()
        print("started on a full disk")
    asyncio.run(main())
"""


@pytest.mark.parametrize("mode", ["wal", "delete"])
def test_a_full_disk_is_reported_and_loses_nothing(tmp_path: Path, mode: str) -> None:
    mount = tmp_path / "small"
    mount.mkdir()
    shell = f'mount -t tmpfs -o size=2m none "{mount}" || exit 77; exec "$@"'
    text = FILL_THE_DISK.replace('/ "heketi.db")', f'/ "heketi.db", journal_mode=JournalMode("{mode}"))')
    command = ["unshare", "--mount", "sh", "-c", shell, "sh", *program(text, mount)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=LIMIT)
    if done.returncode == 77 or "unshare" in done.stderr:
        pytest.skip(f"no small disk can be mounted here: {done.stderr.strip()}")
    assert done.returncode == 0, done.stderr
    assert done.stdout.endswith("started on a full disk\n")


def test_a_full_disk_at_the_first_start_is_reported(tmp_path: Path) -> None:
    text = """
        resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, 20_000))
        try:
            Database.open(path)
        except StorageFailure as error:
            print(error)
    """
    done = subprocess.run(program(text, tmp_path / "heketi.db"), capture_output=True, text=True, timeout=LIMIT)
    assert done.returncode == 0, done.stderr
    assert "Nothing was changed" in done.stdout


async def test_wal_is_used_where_it_works(path: Path) -> None:
    db = Database.open(path)
    await fill(db, 1)
    assert journal_mode_of(path) == "wal"
    db.close()


@pytest.mark.parametrize("mode", ["delete", "truncate", "persist"])
async def test_the_journal_mode_can_be_chosen(path: Path, mode: str) -> None:
    Database.open(path).close()
    db = Database.open(path, journal_mode=JournalMode(mode))
    await fill(db, 5)
    assert journal_mode_of(path) == "delete"  # What another program sees: every mode but WAL is its own choice.
    assert not path.with_name("heketi.db-wal").exists()
    assert await db.read(lambda tx: len(tx.clusters.ids())) == 5
    db.close()


async def test_where_wal_cannot_work_the_old_journal_is_used(path: Path) -> None:
    path.with_name("heketi.db-shm").mkdir()
    db = Database.open(path)
    await fill(db, 3)
    assert journal_mode_of(path) == "delete"
    assert await db.read(lambda tx: len(tx.clusters.ids())) == 3
    db.close()


def test_a_write_ahead_log_is_not_lost_where_wal_cannot_work(path: Path) -> None:
    with running(WRITE_FOR_EVER, path) as server:
        assert server.stdout is not None
        for _ in range(50):
            server.stdout.readline()
        server.send_signal(signal.SIGKILL)
        server.wait(LIMIT)
    elsewhere = path.with_name("elsewhere.db")
    path.rename(elsewhere)
    path.with_name("heketi.db-wal").rename(path.with_name("elsewhere.db-wal"))
    path.with_name("elsewhere.db-shm").mkdir()
    Database.open(elsewhere).close()
    assert clusters_in(elsewhere) >= 50


def test_wal_is_not_trusted_on_network_file_systems() -> None:
    mounts = (
        "22 1 254:1 / / rw,relatime - ext4 /dev/vda1 rw\n"
        "40 22 0:40 / /var/lib/heketi rw - fuse.glusterfs 10.0.0.1:heketidbstorage rw\n"
        "41 40 0:41 / /var/lib/heketi/local rw - xfs /dev/sdb rw\n"
        "42 22 0:42 / /mnt/with\\040blank rw shared:1 - nfs4 server:/x rw\n"
    )
    assert network_file_system(Path("/var/lib/heketi/heketi.db"), mounts) == "fuse.glusterfs"
    assert network_file_system(Path("/var/lib/heketi/local/heketi.db"), mounts) is None
    assert network_file_system(Path("/var/lib/heketi2/heketi.db"), mounts) is None
    assert network_file_system(Path("/mnt/with blank/heketi.db"), mounts) == "nfs4"
    assert network_file_system(Path("/heketi.db"), "") is None


async def test_after_settling_the_file_alone_is_complete(path: Path, tmp_path: Path) -> None:
    db = Database.open(path)
    await fill(db, 20)
    assert path.with_name("heketi.db-wal").stat().st_size > 0
    await db.settle()
    assert not path.with_name("heketi.db-wal").exists()
    for round_ in range(5):
        copied = tmp_path / f"copy{round_}.db"
        shutil.copyfile(path, copied)
        assert clusters_in(copied) == 20 + round_
        await fill(db, 1, start=20 + round_)
    assert await db.read(lambda tx: len(tx.clusters.ids())) == 25
    await db.settle()
    db.close()


async def test_a_glance_waits_for_no_thread_under_wal_and_takes_one_elsewhere(path: Path, tmp_path: Path) -> None:
    def look(tx: Tx) -> tuple[int, int]:
        return threading.get_ident(), len(tx.clusters.ids())

    here = threading.get_ident()
    db = Database.open(path)
    for count in (1, 2):
        await fill(db, 1, start=count)
        assert await db.glance(look) == (here, count)
        with pytest.raises(NotFound):
            await db.glance(lambda tx: tx.clusters.get("f" * 32))
    await db.settle()
    thread, count = await db.glance(look)
    assert thread != here
    assert count == 2
    db.close()
    db = Database.open(tmp_path / "other.db", journal_mode=JournalMode.DELETE)
    thread, count = await db.glance(look)
    assert thread != here
    assert count == 0
    db.close()


async def test_settling_does_not_disturb_those_who_read_and_write(path: Path) -> None:
    db = Database.open(path)
    await fill(db, 1)
    stop = asyncio.Event()

    async def read() -> int:
        count = 0
        while not stop.is_set():
            assert len(await db.read(lambda tx: tx.clusters.ids())) >= 1
            assert len(await db.glance(lambda tx: tx.clusters.ids())) >= 1
            count += 1
        return count

    async def write() -> int:
        count = 0
        while not stop.is_set():
            await db.write(lambda tx: tx.meta.set("count", "x"))
            count += 1
        return count

    busy = [asyncio.create_task(read()) for _ in range(6)] + [asyncio.create_task(write()) for _ in range(3)]
    for _ in range(3):
        await db.settle()
        await db.backup(path.with_name("copy.db"))
    stop.set()
    assert min(await asyncio.gather(*busy)) > 0
    db.close()


async def test_settling_comes_before_the_writes_that_wait_in_line(path: Path) -> None:
    db = Database.open(path)
    began, may_end = threading.Event(), threading.Event()

    def first(tx: Tx) -> None:
        add_cluster(tx, 1)
        began.set()
        assert may_end.wait(LIMIT)

    def log_exists(tx: Tx) -> bool:
        return path.with_name("heketi.db-wal").exists()

    writing = asyncio.create_task(db.write(first))
    await asyncio.to_thread(began.wait, LIMIT)
    in_line = [asyncio.create_task(db.write(log_exists)) for _ in range(5)]
    await asyncio.sleep(0)
    settling = asyncio.create_task(db.settle())
    await asyncio.sleep(0)
    may_end.set()
    await settling
    await writing
    assert await asyncio.gather(*in_line) == [False] * 5
    db.close()


async def test_a_foreign_reader_is_no_reason_to_lose_anything(path: Path) -> None:
    db = Database.open(path)
    await fill(db, 5)
    with closing(sqlite3.connect(path, isolation_level=None)) as other:
        other.execute("BEGIN")
        assert other.execute("SELECT count(*) FROM clusters").fetchone() == (5,)
        await fill(db, 5, start=5)
        with pytest.raises(StorageFailure):
            await db.settle()
        await fill(db, 5, start=10)
        assert await db.read(lambda tx: len(tx.clusters.ids())) == 15
    await db.settle()
    db.close()
    assert clusters_in(path) == 15


def test_an_up_to_date_database_opens_without_alembic(path: Path) -> None:
    Database.open(path).close()
    text = """
        Database.open(path).close()
        print(sorted(name for name in sys.modules if name in ("alembic", "mako", "psycopg")))
    """
    done = subprocess.run(program(text, path), capture_output=True, text=True, check=True, timeout=LIMIT)
    assert done.stdout == "[]\n"

import asyncio
import threading
from collections.abc import Iterator

import psycopg
import pytest

from heketipy.db.database import Database, Tx
from heketipy.db.postgresql import is_url, normalised
from heketipy.domain.errors import StorageFailure
from heketipy.domain.model import Cluster
from tests.support.leaks import secrets_in
from tests.support.postgresql import Server
from tests.support.secrets import secret
from tests.support.site import CLUSTER, DEVICE_KIB, add_site, add_volume, device, id_of, node

PASSWORD = secret("database-password")

FIRST = id_of("device", 10)
LIMIT = 30.0


@pytest.fixture
def url(postgresql_server: Server) -> str:
    return postgresql_server.empty_database()


@pytest.fixture
def two(url: str) -> Iterator[tuple[Database, Database]]:
    """Two servers on one database."""
    one, other = Database.open(url), Database.open(url)
    yield one, other
    one.close()
    other.close()


def count_up(tx: Tx) -> int:
    count = int(tx.meta.get("count") or 0) + 1
    tx.meta.set("count", str(count))
    return count


async def test_two_servers_write_one_after_the_other(two: tuple[Database, Database]) -> None:
    counts = await asyncio.gather(*[two[number % 2].write(count_up) for number in range(200)])
    assert sorted(counts) == list(range(1, 201))


async def test_a_view_is_built_anew_when_the_other_server_has_committed(two: tuple[Database, Database]) -> None:
    one, other = two
    await one.write(add_site)
    mine = await one.write(lambda tx: tx.view(CLUSTER))
    assert await other.write(lambda tx: tx.view(CLUSTER).free_kib(FIRST)) == DEVICE_KIB
    await other.write(lambda tx: tx.devices.take(FIRST, 1000))
    again = await one.write(lambda tx: tx.view(CLUSTER))
    assert again is not mine
    assert again.free_kib(FIRST) == DEVICE_KIB - 1000
    await other.write(lambda tx: tx.nodes.add(node(9)))
    assert id_of("node", 9) in await one.write(lambda tx: tx.view(CLUSTER).nodes)


async def test_a_view_that_missed_something_does_not_become_true_by_our_own_change(
    two: tuple[Database, Database],
) -> None:
    one, other = two
    await one.write(add_site)
    await one.write(lambda tx: tx.view(CLUSTER))
    await other.write(lambda tx: tx.devices.take(FIRST, DEVICE_KIB))
    # Would not even fit into the view as it was.
    await one.write(lambda tx: tx.devices.give(FIRST, DEVICE_KIB))
    await other.write(lambda tx: tx.devices.take(FIRST, 5))
    await one.write(lambda tx: tx.devices.take(id_of("device", 20), 7))
    view = await one.write(lambda tx: tx.view(CLUSTER))
    assert (view.free_kib(FIRST), view.free_kib(id_of("device", 20))) == (DEVICE_KIB - 5, DEVICE_KIB - 7)


async def test_hosts_are_those_that_the_other_server_has_added(two: tuple[Database, Database]) -> None:
    one, other = two
    await one.write(add_site)
    await one.write(add_volume, 1)
    volume = id_of("volume", 1)
    assert len((await one.read(lambda tx: tx.details.volume(volume))).hosts) == 3
    await other.write(lambda tx: tx.nodes.add(node(9)))
    assert (await one.read(lambda tx: tx.details.volume(volume))).hosts[-1] == "10.0.0.9"


async def test_a_server_that_lost_its_connections_goes_on(url: str) -> None:
    db = Database.open(url)
    await db.write(add_site)
    before = await db.write(lambda tx: tx.view(CLUSTER))
    await db.read(lambda tx: tx.clusters.ids())
    with psycopg.connect(url, autocommit=True) as admin:
        admin.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid <> pg_backend_pid()")
    assert await db.read(lambda tx: tx.clusters.ids()) == [CLUSTER]
    await db.write(lambda tx: tx.devices.take(FIRST, 1000))
    after = await db.write(lambda tx: tx.view(CLUSTER))
    assert after is not before
    assert after.free_kib(FIRST) == DEVICE_KIB - 1000
    db.close()


async def test_a_connection_that_is_lost_inside_a_transaction_undoes_it(url: str) -> None:
    db = Database.open(url)
    await db.write(add_site)

    def lose(tx: Tx) -> None:
        tx.devices.take(FIRST, 1000)
        with psycopg.connect(url, autocommit=True) as admin:
            admin.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid <> pg_backend_pid()")
        tx.devices.take(FIRST, 1000)

    with pytest.raises(StorageFailure):
        await db.write(lose)
    assert await db.read(lambda tx: tx.devices.get(FIRST)) == device(10, on=1)
    db.close()


async def test_a_write_waits_for_the_other_server(two: tuple[Database, Database]) -> None:
    one, other = two
    began, may_end = threading.Event(), threading.Event()

    def slow(tx: Tx) -> None:
        began.set()
        assert may_end.wait(LIMIT)
        tx.meta.set("who", "one")

    first = asyncio.create_task(one.write(slow))
    await asyncio.to_thread(began.wait, LIMIT)
    second = asyncio.create_task(other.write(lambda tx: tx.meta.get("who")))
    # Reads do not wait.
    assert await other.read(lambda tx: tx.meta.get("who")) is None
    assert not second.done()
    may_end.set()
    await first
    assert await second == "one"


def test_the_driver_need_not_be_named() -> None:
    for prefix in ("postgresql", "postgres", "postgresql+psycopg"):
        where = f"{prefix}://user:{PASSWORD}@host:5433/name?sslmode=require"
        assert is_url(where)
        url = normalised(where)
        assert url.render_as_string(hide_password=False) == (
            f"postgresql+psycopg://user:{PASSWORD}@host:5433/name?sslmode=require"
        )
    assert not is_url("/var/lib/heketi/heketi.db")


def test_a_server_that_is_not_there_is_named_without_its_password(tmp_path: object) -> None:
    with pytest.raises(StorageFailure) as absent:
        Database.open(f"postgresql://user:{PASSWORD}@/name?host={tmp_path}")
    assert "does not answer" in str(absent.value)
    assert not secrets_in(str(absent.value))


def test_a_database_that_is_not_there_is_named(postgresql_server: Server) -> None:
    with pytest.raises(StorageFailure, match=r"absent.* does not"):
        Database.open(postgresql_server.url("absent"))


def test_a_malformed_url_is_refused_without_being_shown() -> None:
    with pytest.raises(StorageFailure) as malformed:
        Database.open(f"postgresql://user:{PASSWORD}@host:port/name")
    assert not secrets_in(str(malformed.value))


async def test_ids_order_by_bytes_whatever_the_locale_of_the_server(postgresql_server: Server) -> None:
    db = Database.open(postgresql_server.empty_database())
    ids = ["b", "A", "a", "B"]
    await db.write(lambda tx: [tx.clusters.add(Cluster(id, file=True, block=True)) for id in ids])
    assert await db.read(lambda tx: tx.clusters.ids()) == ["A", "B", "a", "b"]
    db.close()

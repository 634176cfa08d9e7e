import asyncio
import contextvars
import threading

import pytest

from heketipy.db.database import Database, Tx
from heketipy.domain.durability import Durability
from heketipy.domain.errors import Conflict, HeketipyError, InvalidRequest, StorageFailure
from heketipy.domain.model import Cluster, Volume
from tests.support.site import CLUSTER, add_site, add_volume, device, id_of, volume

LIMIT = 30.0


def add_cluster(tx: Tx, number: int) -> str:
    tx.clusters.add(Cluster(id_of("cluster", number), file=True, block=True))
    return id_of("cluster", number)


async def test_a_write_returns_what_its_function_returns(books: Database) -> None:
    assert await books.write(add_cluster, 1) == id_of("cluster", 1)
    assert await books.write(add_cluster, number=2) == id_of("cluster", 2)


async def test_nothing_remains_of_a_function_that_raises(books: Database) -> None:
    class ChangedMindError(Exception):
        pass

    def fail(tx: Tx, error: Exception) -> None:
        add_site(tx)
        raise error

    for error in (ChangedMindError(), Conflict("no")):
        with pytest.raises(type(error)):
            await books.write(fail, error)
        assert await books.read(lambda tx: (tx.clusters.ids(), tx.nodes.all(), tx.devices.all())) == ([], [], [])
    await books.write(add_site)


async def test_a_write_is_visible_to_the_reads_that_follow_it(books: Database) -> None:
    for number in range(50):
        await books.write(add_cluster, number)
        assert len(await books.read(lambda tx: tx.clusters.ids())) == number + 1


async def test_a_read_sees_one_moment(books: Database) -> None:
    await books.write(add_cluster, 1)
    looked, written = threading.Event(), threading.Event()

    def look_twice(tx: Tx) -> tuple[list[str], list[str]]:
        before = tx.clusters.ids()
        looked.set()
        assert written.wait(LIMIT)
        return before, tx.clusters.ids()

    reading = asyncio.create_task(books.read(look_twice))
    await asyncio.to_thread(looked.wait, LIMIT)
    await books.write(add_cluster, 2)
    written.set()
    assert await reading == ([id_of("cluster", 1)], [id_of("cluster", 1)])


async def test_a_read_cannot_write(books: Database) -> None:
    with pytest.raises(StorageFailure, match="read-only"):
        await books.read(add_cluster, 1)
    assert await books.read(lambda tx: tx.clusters.ids()) == []


async def test_many_writers_wait_for_one_another_and_lose_nothing(books: Database) -> None:
    def count_up(tx: Tx) -> int:
        count = int(tx.meta.get("count") or 0) + 1
        tx.meta.set("count", str(count))
        return count

    counts = await asyncio.gather(*[books.write(count_up) for _ in range(300)])
    assert counts == list(range(1, 301))


async def test_reads_go_on_while_a_write_is_at_work(books: Database) -> None:
    began, may_end = threading.Event(), threading.Event()

    def slow(tx: Tx) -> None:
        add_cluster(tx, 1)
        began.set()
        assert may_end.wait(LIMIT)

    writing = asyncio.create_task(books.write(slow))
    await asyncio.to_thread(began.wait, LIMIT)
    found = await asyncio.gather(*[books.read(lambda tx: tx.clusters.ids()) for _ in range(50)])
    may_end.set()
    await writing
    assert found == [[]] * 50


async def test_a_hook_is_called_on_the_loop_before_the_write_returns(books: Database) -> None:
    calls: list[object] = []

    def write(tx: Tx) -> None:
        add_cluster(tx, 1)
        tx.after_commit(lambda: calls.append(asyncio.get_running_loop()))
        tx.after_commit(lambda: calls.append("second"))
        assert calls == []

    await books.write(write)
    assert calls == [asyncio.get_running_loop(), "second"]


async def test_a_hook_of_a_write_that_fails_is_not_called(books: Database) -> None:
    calls: list[str] = []

    def write(tx: Tx) -> None:
        tx.after_commit(lambda: calls.append("called"))
        tx.bricks.add([])
        raise Conflict("no")

    with pytest.raises(Conflict):
        await books.write(write)
    await books.write(add_cluster, 1)
    assert calls == []


async def test_a_write_that_has_begun_is_finished_whoever_is_cancelled(books: Database) -> None:
    began, may_end = threading.Event(), threading.Event()
    called = asyncio.Event()

    def slow(tx: Tx) -> None:
        add_cluster(tx, 1)
        tx.after_commit(called.set)
        began.set()
        assert may_end.wait(LIMIT)

    writing = asyncio.create_task(books.write(slow))
    await asyncio.to_thread(began.wait, LIMIT)
    writing.cancel()
    with pytest.raises(asyncio.CancelledError):
        await writing
    may_end.set()
    await asyncio.wait_for(called.wait(), LIMIT)
    assert await books.read(lambda tx: tx.clusters.ids()) == [id_of("cluster", 1)]


async def test_a_write_that_is_cancelled_in_line_does_nothing(books: Database) -> None:
    began, may_end = threading.Event(), threading.Event()

    def slow(tx: Tx) -> None:
        began.set()
        assert may_end.wait(LIMIT)

    first = asyncio.create_task(books.write(slow))
    await asyncio.to_thread(began.wait, LIMIT)
    second = asyncio.create_task(books.write(add_cluster, 2))
    await asyncio.sleep(0)
    second.cancel()
    with pytest.raises(asyncio.CancelledError):
        await second
    may_end.set()
    await first
    await books.write(add_cluster, 3)
    assert await books.read(lambda tx: tx.clusters.ids()) == [id_of("cluster", 3)]


async def test_context_variables_reach_the_function_and_its_hooks(books: Database) -> None:
    request: contextvars.ContextVar[str] = contextvars.ContextVar("request", default="none")
    request.set("r1")
    seen: list[str] = []

    def write(tx: Tx) -> None:
        seen.append(request.get())
        tx.after_commit(lambda: seen.append(request.get()))

    await asyncio.create_task(books.write(write))
    await books.read(lambda tx: seen.append(request.get()))
    assert seen == ["r1"] * 3


async def test_space_that_never_was_cannot_be_booked(books: Database) -> None:
    await books.write(add_site)
    disk = id_of("device", 10)
    for total, free, used in [(10, -1, 11), (10, 11, -1), (10, 5, 4)]:
        with pytest.raises(StorageFailure, match="ck_devices"):
            await books.write(lambda tx, sizes=(total, free, used): set_sizes(tx, disk, *sizes))
    assert await books.read(lambda tx: tx.devices.get(disk)) == device(10, on=1)


def set_sizes(tx: Tx, disk: str, total: int, free: int, used: int) -> None:
    tx.devices.set_sizes(disk, total_kib=total, free_kib=free, used_kib=used)


async def test_two_volumes_of_a_cluster_cannot_have_one_name(books: Database) -> None:
    def add(tx: Tx) -> None:
        add_site(tx)
        tx.clusters.add(Cluster(id_of("cluster", 2), file=True, block=True))
        tx.volumes.add(volume(1, name="n"))
        tx.volumes.add(volume(2, name="n", cluster=id_of("cluster", 2)))

    await books.write(add)
    for pending in ("", id_of("operation", 1)):
        with pytest.raises(Conflict):
            await books.write(lambda tx, mark=pending: tx.volumes.add(volume(3, name="n", pending=mark)))


@pytest.mark.parametrize(
    "remove",
    [
        lambda tx: tx.clusters.remove(CLUSTER),
        lambda tx: tx.nodes.remove(id_of("node", 1)),
        lambda tx: tx.devices.remove(id_of("device", 10)),
        lambda tx: tx.volumes.remove(id_of("volume", 1)),
    ],
)
async def test_what_others_point_at_cannot_be_removed(books: Database, remove) -> None:  # type: ignore[no-untyped-def]
    def add(tx: Tx) -> None:
        add_site(tx)
        add_volume(tx, 1)

    await books.write(add)
    with pytest.raises(Conflict):
        await books.write(remove)
    assert len(await books.read(lambda tx: tx.bricks.all())) == 3


@pytest.mark.parametrize("gib", [2**63, 2**100, -(2**63) - 1])
async def test_a_number_that_is_too_large_for_the_books_is_an_invalid_request(books: Database, gib: int) -> None:
    await books.write(add_site)
    with pytest.raises(InvalidRequest):
        await books.write(lambda tx: tx.volumes.add(Volume(id_of("volume", 1), "v", CLUSTER, gib, Durability())))
    await books.write(lambda tx: tx.volumes.add(volume(1)))


@pytest.mark.parametrize("name", ["\ud800", "a\udfffb"])
async def test_half_a_character_is_an_invalid_request(books: Database, name: str) -> None:
    await books.write(add_site)
    with pytest.raises(InvalidRequest):
        await books.write(lambda tx: tx.volumes.add(volume(1, name=name)))
    await books.write(lambda tx: tx.volumes.add(volume(1)))


@pytest.mark.parametrize("name", ["'; DROP TABLE volumes; --", "%s %(name)s :name ?", "\\", "𝔘 \n\t\x7f"])
async def test_texts_are_data_and_nothing_else(books: Database, name: str) -> None:
    await books.write(add_site)
    await books.write(lambda tx: tx.volumes.add(volume(1, name=name)))
    assert await books.read(lambda tx: tx.volumes.with_name(CLUSTER, name)) == id_of("volume", 1)


async def test_only_domain_errors_leave_the_books(books: Database) -> None:
    await books.write(add_cluster, 1)
    with pytest.raises(HeketipyError) as twice:
        await books.write(add_cluster, 1)
    assert twice.value.__cause__ is not None

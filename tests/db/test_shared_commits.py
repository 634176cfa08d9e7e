"""Transactions that wait at the same time share a commit, and know nothing of one another's failures."""

import asyncio
import sqlite3
import threading
from collections.abc import Awaitable, Callable, Coroutine
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Connection, RootTransaction
from sqlalchemy.exc import DBAPIError

from heketipy.db.database import Database, Tx
from heketipy.db.writer import TOGETHER
from heketipy.domain.errors import Conflict, InvalidRequest, NoSpace, StorageFailure
from heketipy.domain.model import Cluster
from tests.support.site import CLUSTER, add_site, id_of

LIMIT = 30.0


def add_cluster(tx: Tx, number: int) -> int:
    tx.clusters.add(Cluster(id_of("cluster", number), file=True, block=True))
    return number


def clusters(tx: Tx) -> list[str]:
    return tx.clusters.ids()


async def in_line(books: Database, *asked: Callable[[], Awaitable[Any]]) -> list[Any]:
    """Ask for transactions while the writer is busy with another one, and return what became of them."""
    began, may_end = threading.Event(), threading.Event()

    def busy(tx: Tx) -> None:
        began.set()
        assert may_end.wait(LIMIT)

    first = asyncio.create_task(books.write(busy))
    await asyncio.to_thread(began.wait, LIMIT)

    async def ask(one: Callable[[], Awaitable[Any]]) -> object:
        return await one()

    waiting: list[Coroutine[Any, Any, object]] = [ask(one) for one in asked]
    rest = asyncio.gather(*waiting, return_exceptions=True)
    await asyncio.sleep(0)
    may_end.set()
    await first
    return await rest


async def test_they_share_one_commit_and_see_what_those_before_them_did(books: Database) -> None:
    before = books.commits

    def count(tx: Tx) -> int:
        return len(tx.clusters.ids())

    def add(number: int) -> Callable[[], Awaitable[Any]]:
        return lambda: books.write(add_cluster, number)

    assert await in_line(books, add(1), lambda: books.write(count), add(2), lambda: books.write(count)) == [1, 1, 2, 2]
    assert books.commits - before == 2


async def test_a_long_line_takes_several_commits(books: Database) -> None:
    before = books.commits
    asked = [lambda number=number: books.write(add_cluster, number) for number in range(2 * TOGETHER)]
    assert await in_line(books, *asked) == list(range(2 * TOGETHER))
    assert books.commits - before == 3


async def test_one_that_is_refused_leaves_nothing_and_takes_nobody_along(books: Database) -> None:
    events: list[str] = []

    def refused(tx: Tx) -> None:
        tx.after_rollback(lambda: events.append("undone"))
        tx.after_commit(lambda: events.append("committed"))
        add_cluster(tx, 2)
        raise Conflict("no")

    def asked(tx: Tx) -> int:
        tx.after_commit(lambda: events.append("asked"))
        tx.after_rollback(lambda: events.append("asked undone"))
        return add_cluster(tx, 3)

    first, refusal, last = await in_line(
        books, lambda: books.write(add_cluster, 1), lambda: books.write(refused), lambda: books.write(asked)
    )
    assert (first, last) == (1, 3)
    assert isinstance(refusal, Conflict)
    assert sorted(await books.read(clusters)) == sorted([id_of("cluster", 1), id_of("cluster", 3)])
    assert events == ["undone", "asked"]


async def test_one_that_the_database_does_not_take_fails_alone(books: Database) -> None:
    undone: list[int] = []
    calls: list[int] = []

    def add(tx: Tx, number: int) -> int:
        calls.append(number)
        tx.after_rollback(lambda: undone.append(number))
        return add_cluster(tx, number)

    def twice(tx: Tx) -> None:
        add_cluster(tx, 1)

    first, failure, last = await in_line(
        books, lambda: books.write(add, 1), lambda: books.write(twice), lambda: books.write(add, 2)
    )
    assert (first, last) == (1, 2)
    assert isinstance(failure, Exception)
    assert len(await books.read(clusters)) == 2
    # The first was rolled back with the one that failed, and done again; the last had not begun.
    assert (calls, undone) == ([1, 1, 2], [1])


async def test_a_mistake_in_one_is_told_to_whoever_made_it(books: Database) -> None:
    class MistakeError(Exception):
        pass

    def mistaken(tx: Tx) -> None:
        add_cluster(tx, 5)
        raise MistakeError

    first, mistake, last = await in_line(
        books, lambda: books.write(add_cluster, 1), lambda: books.write(mistaken), lambda: books.write(add_cluster, 2)
    )
    assert (first, last) == (1, 2)
    assert isinstance(mistake, MistakeError)
    assert len(await books.read(clusters)) == 2


async def test_the_view_of_a_cluster_stays_true_whatever_was_undone_beside_it(books: Database) -> None:
    await books.write(add_site)

    def free(tx: Tx) -> dict[str, int]:
        view = tx.view(CLUSTER)
        return {device.id: device.free_kib for device in view.devices.values()}

    def in_books(tx: Tx) -> dict[str, int]:
        return {device.id: device.free_kib for device in tx.devices.of_cluster(CLUSTER)}

    before = await books.write(free)
    some = sorted(before)[0]

    def take(tx: Tx, kib: int) -> None:
        tx.view(CLUSTER)
        tx.devices.take(some, kib)

    def take_and_refuse(tx: Tx) -> None:
        take(tx, 7)
        raise NoSpace

    def mistake(tx: Tx) -> None:
        take(tx, 9)
        raise ValueError

    for spoiler in (take_and_refuse, mistake):
        ended = await in_line(
            books, lambda: books.write(take, 1), partial(books.write, spoiler), lambda: books.write(free)
        )
        expected = await books.read(in_books)
        assert ended[2] == expected
        assert await books.write(free) == expected
    assert before[some] - (await books.write(free))[some] == 2


async def test_a_value_that_does_not_fit_is_the_askers_fault(books: Database) -> None:
    def unfit(tx: Tx) -> None:
        tx.meta.set("name", "\ud800")

    failed, fine = await in_line(books, lambda: books.write(unfit), lambda: books.write(add_cluster, 1))
    assert isinstance(failed, InvalidRequest)
    assert fine == 1


async def test_who_is_cancelled_in_line_has_asked_for_nothing(books: Database) -> None:
    async def cancelled() -> None:
        task = asyncio.create_task(books.write(add_cluster, 9))
        await asyncio.sleep(0)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    await in_line(books, cancelled, lambda: books.write(add_cluster, 1))
    assert await books.read(clusters) == [id_of("cluster", 1)]


async def test_what_may_have_been_committed_is_not_run_again(books: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    commit, commits, calls, undone = Connection.commit, [0], list[int](), list[int]()

    def lost(connection: Connection) -> None:
        commit(connection)
        commits[0] += 1
        if commits[0] == 2:
            raise DBAPIError("COMMIT", None, Exception("server closed the connection"), connection_invalidated=True)

    def add(tx: Tx, number: int) -> int:
        calls.append(number)
        tx.after_rollback(lambda: undone.append(number))
        return add_cluster(tx, number)

    monkeypatch.setattr(Connection, "commit", lost)
    ended = await in_line(books, lambda: books.write(add, 1), lambda: books.write(add, 2))
    assert [type(error) for error in ended] == [StorageFailure] * 2
    assert calls == undone == [1, 2]
    assert len(await books.read(clusters)) == 2
    assert await books.write(add, 3) == 3


async def test_books_that_cannot_be_had_are_told_to_all_at_once(
    books: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    begin, begun = Connection.begin, [0]

    def locked(connection: Connection) -> RootTransaction:
        begun[0] += 1
        if begun[0] == 2:
            raise DBAPIError("BEGIN", None, sqlite3.OperationalError("database is locked"))
        return begin(connection)

    monkeypatch.setattr(Connection, "begin", locked)
    ended = await in_line(books, *[lambda number=number: books.write(add_cluster, number) for number in range(5)])
    assert [type(error) for error in ended] == [StorageFailure] * 5
    assert begun == [2]


async def test_a_hook_that_fails_and_an_error_that_no_future_carries_leave_the_writer_at_work(books: Database) -> None:
    def hooked(tx: Tx) -> None:
        tx.after_rollback(lambda: 1 / 0)
        raise Conflict("no")

    def stopped(tx: Tx) -> None:
        raise StopIteration

    refusal, mistake, fine = await in_line(
        books, lambda: books.write(hooked), lambda: books.write(stopped), lambda: books.write(add_cluster, 1)
    )
    assert isinstance(refusal, Conflict)
    assert isinstance(mistake, RuntimeError)
    assert fine == 1


async def test_after_the_end_every_write_is_refused(tmp_path: Path) -> None:
    books = await asyncio.to_thread(Database.open, tmp_path / "heketi.db")
    await asyncio.to_thread(books.close)
    for _ in range(2):
        with pytest.raises(RuntimeError):
            await asyncio.wait_for(books.write(add_cluster, 1), LIMIT)

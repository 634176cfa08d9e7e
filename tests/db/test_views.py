from collections.abc import Callable, Iterable
from typing import Any

import pytest

from heketipy.db.database import Database, Tx
from heketipy.domain.errors import CannotAllocate, Conflict
from heketipy.domain.model import Cluster
from heketipy.domain.placement import ClusterView
from heketipy.domain.states import State
from tests.support.site import CLUSTER, DEVICE_KIB, DEVICES, NODES, add_site, add_volume, device, id_of, node

FIRST = id_of("device", 10)


def free_in_view(tx: Tx) -> dict[str, int]:
    view = tx.view(CLUSTER)
    return {device: view.free_kib(device) for device in view.devices}


def free_in_books(tx: Tx) -> dict[str, int]:
    return {device.id: device.free_kib for device in tx.devices.of_cluster(CLUSTER)}


def sorted_by_id(values: Iterable[Any]) -> list[Any]:
    return sorted(values, key=lambda value: value.id)


async def test_the_writer_keeps_its_view(books: Database) -> None:
    await books.write(add_site)
    first = await books.write(lambda tx: tx.view(CLUSTER))
    assert len(first.candidates) == NODES * DEVICES
    assert await books.write(lambda tx: tx.view(CLUSTER)) is first


async def test_a_view_without_the_nodes_that_are_down_is_another_view(books: Database) -> None:
    await books.write(add_site)
    down = frozenset({id_of("node", 2)})
    whole, rest = await books.write(lambda tx: (tx.view(CLUSTER), tx.view(CLUSTER, down)))
    assert {one.node for one in rest.candidates} == {id_of("node", 1), id_of("node", 3)}
    assert await books.write(lambda tx: (tx.view(CLUSTER), tx.view(CLUSTER, down))) == (whole, rest)


async def test_every_view_of_a_cluster_follows_the_books(books: Database) -> None:
    await books.write(add_site)
    down = frozenset({id_of("node", 1)})
    views = await books.write(lambda tx: (tx.view(CLUSTER), tx.view(CLUSTER, down)))

    def change(tx: Tx) -> None:
        tx.devices.take(FIRST, 1000)
        tx.devices.give(FIRST, 400)
        tx.devices.set_sizes(id_of("device", 20), total_kib=500, free_kib=300, used_kib=200)

    await books.write(change)
    for view in views:
        assert view.free_kib(FIRST) == DEVICE_KIB - 600
        assert view.free_kib(id_of("device", 20)) == 300
    assert await books.write(lambda tx: tx.view(CLUSTER)) is views[0]
    assert await books.write(free_in_view) == await books.write(free_in_books)


async def test_a_view_gets_back_what_the_books_get_back(books: Database) -> None:
    await books.write(add_site)
    await books.write(lambda tx: tx.view(CLUSTER))

    def give_too_much(tx: Tx) -> None:
        tx.devices.take(FIRST, 1000)
        tx.devices.give(FIRST, 5000)

    await books.write(give_too_much)
    assert await books.write(free_in_view) == await books.write(free_in_books)


async def test_a_view_built_in_the_middle_of_a_transaction_shows_what_it_has_done(books: Database) -> None:
    await books.write(add_site)

    def take_and_look(tx: Tx) -> int:
        tx.devices.take(FIRST, 1000)
        return tx.view(CLUSTER).free_kib(FIRST)

    assert await books.write(take_and_look) == DEVICE_KIB - 1000
    assert await books.write(free_in_view) == await books.write(free_in_books)


@pytest.mark.parametrize("error", [Conflict("no"), ZeroDivisionError()])
@pytest.mark.parametrize("known_before", [True, False])
async def test_a_rollback_drops_the_view(books: Database, error: Exception, known_before: bool) -> None:
    await books.write(add_site)
    if known_before:
        await books.write(lambda tx: tx.view(CLUSTER))

    def fail(tx: Tx) -> None:
        tx.devices.take(FIRST, 1000)
        assert tx.view(CLUSTER).free_kib(FIRST) == DEVICE_KIB - 1000
        raise error

    with pytest.raises(type(error)):
        await books.write(fail)
    assert await books.write(lambda tx: tx.view(CLUSTER).free_kib(FIRST)) == DEVICE_KIB


async def test_a_commit_that_fails_drops_the_view(books: Database) -> None:
    await books.write(add_site)
    before = await books.write(lambda tx: tx.view(CLUSTER))

    def break_a_rule(tx: Tx) -> None:
        tx.devices.take(FIRST, 1000)
        tx.clusters.add(Cluster(CLUSTER, file=True, block=True))

    with pytest.raises(Conflict):
        await books.write(break_a_rule)
    after = await books.write(lambda tx: tx.view(CLUSTER))
    assert after is not before
    assert after.free_kib(FIRST) == DEVICE_KIB


async def test_a_refusal_that_changed_nothing_keeps_the_view(books: Database) -> None:
    await books.write(add_site)
    before = await books.write(lambda tx: tx.view(CLUSTER))

    def refuse(tx: Tx) -> None:
        tx.view(CLUSTER)
        raise CannotAllocate("full")

    with pytest.raises(CannotAllocate):
        await books.write(refuse)
    assert await books.write(lambda tx: tx.view(CLUSTER)) is before


@pytest.mark.parametrize(
    "change",
    [
        lambda tx: tx.nodes.add(node(9)),
        lambda tx: tx.nodes.set_state(id_of("node", 1), State.OFFLINE),
        lambda tx: tx.nodes.set_tags(id_of("node", 1), {"arbiter": "required"}),
        lambda tx: tx.devices.add(device(99, on=1)),
        lambda tx: tx.devices.set_state(FIRST, State.OFFLINE),
        lambda tx: tx.devices.set_tags(FIRST, {"arbiter": "required"}),
        lambda tx: tx.devices.remove(FIRST),
    ],
)
async def test_a_change_of_the_site_makes_a_new_view(books: Database, change: Callable[[Tx], None]) -> None:
    await books.write(add_site)
    before = await books.write(lambda tx: tx.view(CLUSTER))
    await books.write(change)
    after = await books.write(lambda tx: tx.view(CLUSTER))
    assert after is not before
    assert sorted_by_id(after.devices.values()) == await books.read(lambda tx: tx.devices.of_cluster(CLUSTER))
    assert sorted_by_id(after.nodes.values()) == await books.read(lambda tx: tx.nodes.of_cluster(CLUSTER))


async def test_a_change_in_one_cluster_leaves_the_view_of_another(books: Database) -> None:
    await books.write(add_site)
    before = await books.write(lambda tx: tx.view(CLUSTER))

    def add(tx: Tx) -> None:
        tx.clusters.add(Cluster(id_of("cluster", 2), file=True, block=True))
        tx.nodes.add(node(9, cluster=id_of("cluster", 2)))
        tx.devices.add(device(90, on=9))

    await books.write(add)
    assert await books.write(lambda tx: tx.view(CLUSTER)) is before


async def test_a_reader_builds_a_view_of_its_own(books: Database) -> None:
    await books.write(add_site)
    writers = await books.write(lambda tx: tx.view(CLUSTER))
    readers = await books.read(lambda tx: tx.view(CLUSTER))
    assert readers is not writers
    readers.take(FIRST, 1000)
    assert await books.write(free_in_view) == await books.write(free_in_books)


async def test_views_for_ever_new_sets_of_absent_nodes_do_not_pile_up(books: Database) -> None:
    await books.write(add_site)
    kept: list[ClusterView] = []
    for number in range(20):
        down = frozenset({f"absent{number}"})
        kept.append(await books.write(lambda tx, down=down: tx.view(CLUSTER, down)))
    await books.write(lambda tx: tx.devices.take(FIRST, 1000))
    followed = [view for view in kept if view.free_kib(FIRST) == DEVICE_KIB - 1000]
    assert followed == kept[-4:]


async def test_the_view_equals_a_new_one_after_a_life_of_volumes(books: Database) -> None:
    await books.write(add_site)
    await books.write(lambda tx: tx.view(CLUSTER))
    for number in range(1, 9):
        await books.write(add_volume, number)
    for number in range(1, 9, 2):
        await books.write(remove_volume, id_of("volume", number))
    assert await books.write(free_in_view) == await books.read(free_in_view)


def remove_volume(tx: Tx, id: str) -> None:
    for brick in tx.bricks.of_volume(id):
        tx.devices.give(brick.device, brick.charged_kib)
        tx.bricks.remove([brick.id])
    tx.volumes.remove(id)

"""Block volumes in the books, on both databases."""

from dataclasses import replace

import pytest

from heketipy.db.database import Database, Tx
from heketipy.domain.errors import HeketipyError, NotFound
from heketipy.domain.model import BlockTarget
from tests.support.secrets import chap_password
from tests.support.site import CLUSTER, add_site, block_volume, hosting_volume, id_of


def add_block_volumes(tx: Tx) -> None:
    add_site(tx)
    for number in (1, 2):
        tx.volumes.add(hosting_volume(number))
    tx.block_volumes.add(block_volume(2, on=1, gib=3, name="same"))
    tx.block_volumes.add(block_volume(1, on=1, gib=4, pending=id_of("operation", 1)))
    tx.block_volumes.add(block_volume(3, on=2, name="same"))


async def test_what_was_added_is_read_again(books: Database) -> None:
    await books.write(add_block_volumes)

    def look(tx: Tx) -> None:
        first, second, third = (id_of("block volume", number) for number in (1, 2, 3))
        assert tx.block_volumes.get(second) == block_volume(2, on=1, gib=3, name="same")
        assert [found.id for found in tx.block_volumes.all()] == [first, second, third]
        assert tx.block_volumes.of_cluster(CLUSTER) == tx.block_volumes.all()
        assert tx.block_volumes.ids() == [second, third]
        assert tx.block_volumes.ids(visible=False) == [first, second, third]
        assert tx.block_volumes.ids_on(id_of("volume", 1)) == [second]
        assert tx.block_volumes.ids_on(id_of("volume", 1), visible=False) == [first, second]
        assert tx.block_volumes.ids_of_cluster(CLUSTER) == [second, third]
        assert tx.block_volumes.ids_of_cluster(CLUSTER, visible=False) == [first, second, third]
        assert tx.block_volumes.holding("same") == {id_of("volume", 1), id_of("volume", 2)}
        assert tx.block_volumes.taken_gib() == {id_of("volume", 1): 7, id_of("volume", 2): 1}
        assert [found.id for found in tx.volumes.hosting()] == [id_of("volume", 1), id_of("volume", 2)]
        assert tx.details.cluster(CLUSTER).block_volumes == (second, third)
        assert tx.details.volume(id_of("volume", 1)).block_volumes == (second,)
        assert tx.details.volume(id_of("volume", 2)).block_volumes == (third,)
        with pytest.raises(NotFound):
            tx.block_volumes.get("0" * 32)

    await books.read(look)


async def test_changes_touch_what_they_say(books: Database) -> None:
    await books.write(add_block_volumes)
    made = id_of("block volume", 1)
    target = BlockTarget(("10.0.0.2", "10.0.0.3"), "iqn", "user", chap_password())

    def change(tx: Tx) -> None:
        tx.block_volumes.set_target(made, target)
        tx.block_volumes.set_size(made, 9, usable_gib=8)
        tx.block_volumes.set_pending(made, "")
        tx.block_volumes.set_hosts(id_of("block volume", 2), [])
        tx.block_volumes.remove(id_of("block volume", 3))

    await books.write(change)
    first, second = await books.read(lambda tx: tx.block_volumes.all())
    before = block_volume(1, on=1)
    assert first == replace(before, size_gib=9, usable_gib=8, ha_count=2, target=target)
    assert second.target == replace(before.target, hosts=(), iqn=second.target.iqn, username=second.target.username)
    assert second.ha_count == 1


async def test_a_name_is_unique_on_its_hosting_volume_and_a_used_hosting_volume_stays(books: Database) -> None:
    await books.write(add_block_volumes)
    with pytest.raises(HeketipyError):
        await books.write(lambda tx: tx.block_volumes.add(block_volume(4, on=1, name="same")))
    with pytest.raises(HeketipyError):
        await books.write(lambda tx: tx.volumes.remove(id_of("volume", 2)))
    assert len(await books.read(lambda tx: tx.block_volumes.all())) == 3

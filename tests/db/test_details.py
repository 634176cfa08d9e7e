import pytest

from heketipy.db.database import Database, Tx
from heketipy.domain.details import ClusterDetails, DeviceDetails, NodeDetails
from heketipy.domain.errors import NotFound
from heketipy.domain.model import Cluster, Node
from tests.support.site import CLUSTER, add_site, add_volume, id_of, node


def add_volumes(tx: Tx) -> None:
    add_site(tx)
    add_volume(tx, 2)
    add_volume(tx, 1)
    add_volume(tx, 3, pending=id_of("operation", 1))


async def test_a_cluster_shows_its_nodes_and_visible_volumes(books: Database) -> None:
    await books.write(add_volumes)
    assert await books.read(lambda tx: tx.details.cluster(CLUSTER)) == ClusterDetails(
        Cluster(CLUSTER, file=True, block=True),
        nodes=(id_of("node", 1), id_of("node", 2), id_of("node", 3)),
        volumes=(id_of("volume", 1), id_of("volume", 2)),
    )


async def test_a_volume_shows_bricks_by_id_and_all_hosts_of_its_cluster_by_node_id(books: Database) -> None:
    await books.write(add_volumes)
    await books.write(lambda tx: tx.nodes.add(node(0)))
    shown = await books.read(lambda tx: tx.details.volume(id_of("volume", 1)))
    assert shown.volume == await books.read(lambda tx: tx.volumes.get(id_of("volume", 1)))
    assert [one.id for one in shown.bricks] == [id_of("brick", number) for number in (101, 102, 103)]
    assert [one.position for one in shown.bricks] == [2, 1, 0]
    assert shown.hosts == ("10.0.0.0", "10.0.0.1", "10.0.0.2", "10.0.0.3")


async def test_a_volume_that_is_being_created_or_deleted_is_not_shown(books: Database) -> None:
    await books.write(add_volumes)
    hidden = id_of("volume", 3)
    with pytest.raises(NotFound):
        await books.read(lambda tx: tx.details.volume(hidden))
    assert (await books.read(lambda tx: tx.details.volume(hidden, visible=False))).volume.id == hidden


async def test_hosts_follow_the_nodes_of_the_cluster(books: Database) -> None:
    await books.write(add_volumes)
    volume = id_of("volume", 1)

    async def hosts() -> tuple[str, ...]:
        return (await books.read(lambda tx: tx.details.volume(volume))).hosts

    assert await hosts() == ("10.0.0.1", "10.0.0.2", "10.0.0.3")
    await books.write(lambda tx: tx.nodes.add(node(4)))
    assert await hosts() == ("10.0.0.1", "10.0.0.2", "10.0.0.3", "10.0.0.4")
    await books.write(lambda tx: tx.nodes.remove(id_of("node", 4)))
    assert await hosts() == ("10.0.0.1", "10.0.0.2", "10.0.0.3")


async def test_hosts_that_were_rolled_back_are_seen_by_nobody_else(books: Database) -> None:
    await books.write(add_volumes)
    volume = id_of("volume", 1)

    def add_and_fail(tx: Tx) -> None:
        tx.nodes.add(node(4))
        assert "10.0.0.4" in tx.details.volume(volume).hosts
        raise NotFound

    with pytest.raises(NotFound):
        await books.write(add_and_fail)
    await books.write(lambda tx: tx.nodes.add(node(5)))
    shown = await books.read(lambda tx: tx.details.volume(volume))
    assert shown.hosts == ("10.0.0.1", "10.0.0.2", "10.0.0.3", "10.0.0.5")


async def test_a_node_without_storage_names_is_no_host(books: Database) -> None:
    await books.write(add_volumes)
    await books.write(lambda tx: tx.nodes.add(Node(id_of("node", 4), CLUSTER, 1, ("m4",), ())))
    shown = await books.read(lambda tx: tx.details.volume(id_of("volume", 1)))
    assert shown.hosts == ("10.0.0.1", "10.0.0.2", "10.0.0.3")


async def test_nodes_and_devices_show_their_bricks_pending_ones_too(books: Database) -> None:
    await books.write(add_volumes)
    first, second = id_of("device", 10), id_of("device", 11)
    bricks = [id_of("brick", number) for number in (103, 203, 303)]

    def expected(tx: Tx) -> NodeDetails:
        on_first = DeviceDetails(tx.devices.get(first), tuple(tx.bricks.get(id) for id in bricks))
        return NodeDetails(tx.nodes.get(id_of("node", 1)), (on_first, DeviceDetails(tx.devices.get(second))))

    wanted = await books.read(expected)
    assert await books.read(lambda tx: tx.details.node(id_of("node", 1))) == wanted
    assert await books.read(lambda tx: tx.details.device(first)) == wanted.devices[0]
    assert await books.read(lambda tx: tx.details.device(second)) == wanted.devices[1]


async def test_the_whole_site_is_what_single_looks_show(books: Database) -> None:
    await books.write(add_volumes)
    await books.write(lambda tx: tx.clusters.add(Cluster(id_of("cluster", 9), file=True, block=False)))

    def compare(tx: Tx) -> None:
        found = [(one.cluster, list(one.volumes), list(one.nodes)) for one in tx.details.site()]
        ids = tx.clusters.volume_ids(CLUSTER)
        full = (
            tx.clusters.get(CLUSTER),
            [tx.details.volume(id) for id in ids],
            [tx.details.node(node.id) for node in tx.nodes.all()],
        )
        assert len(ids) == 2
        assert found == [full, (tx.clusters.get(id_of("cluster", 9)), [], [])]

    await books.read(compare)

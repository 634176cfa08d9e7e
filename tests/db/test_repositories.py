import time

import pytest

from heketipy.db.database import Database, Tx
from heketipy.domain.durability import Durability, DurabilityType
from heketipy.domain.errors import Conflict, NoSpace, NotFound
from heketipy.domain.model import BlockInfo, Brick, BrickType, Cluster, Device, Node, Snapshot, Volume
from heketipy.domain.operation import Debt, Job, Operation, Status
from heketipy.domain.states import State
from tests.support.site import CLUSTER, DEVICE_KIB, add_site, add_volume, brick, device, id_of, node, volume

ABSENT = "0" * 32


async def test_a_cluster_comes_back_as_it_was_added(books: Database) -> None:
    cluster = Cluster(CLUSTER, file=True, block=False)
    await books.write(lambda tx: tx.clusters.add(cluster))
    assert await books.read(lambda tx: tx.clusters.get(CLUSTER)) == cluster
    await books.write(lambda tx: tx.clusters.set_flags(CLUSTER, file=False, block=True))
    assert await books.read(lambda tx: tx.clusters.all()) == [Cluster(CLUSTER, file=False, block=True)]
    await books.write(lambda tx: tx.clusters.remove(CLUSTER))
    assert await books.read(lambda tx: tx.clusters.ids()) == []


async def test_a_node_comes_back_as_it_was_added(books: Database) -> None:
    full = Node(
        id=id_of("node", 1),
        cluster=CLUSTER,
        zone=7,
        manage=("b.example.com", "a.example.com"),
        storage=("10.0.0.2", "10.0.0.1", "10.0.0.2"),
        state=State.OFFLINE,
        tags={"rack": "r1", "ü": "…"},
    )

    def add(tx: Tx) -> None:
        tx.clusters.add(Cluster(CLUSTER, file=True, block=True))
        tx.nodes.add(full)

    await books.write(add)
    assert await books.read(lambda tx: tx.nodes.get(full.id)) == full
    assert await books.read(lambda tx: tx.nodes.of_ids([full.id, ABSENT])) == [full]


async def test_some_nodes_of_a_cluster_go_on_at_the_beginning_of_the_ids(books: Database) -> None:
    await books.write(lambda tx: add_site(tx))
    ids = await books.read(lambda tx: [found.id for found in tx.nodes.of_cluster(CLUSTER)])

    async def some(start: str, count: int) -> list[str]:
        found = await books.read(lambda tx: tx.nodes.some_of_cluster(CLUSTER, start=start, count=count))
        return [node.id for node in found]

    assert await some(ids[1], 1) == ids[1:2]
    assert await some(ids[2], 2) == [ids[2], ids[0]]
    assert await some("f" * 33, 2) == ids[:2]
    assert await some(ids[1], 9) == [*ids[1:], ids[0]]


async def test_a_device_comes_back_as_it_was_added(books: Database) -> None:
    full = Device(
        id=id_of("device", 1),
        node=id_of("node", 1),
        name="/dev/disk/by-id/x",
        total_kib=2**62,
        free_kib=2**62 - 5,
        used_kib=5,
        extent_kib=8192,
        state=State.FAILED,
        tags={"arbiter": "required"},
        paths=("/dev/sdb", "/dev/disk/by-path/pci-0000:00:1f.2"),
        pv_uuid="sFbC1k-aaaa-bbbb",
    )

    def add(tx: Tx) -> None:
        tx.clusters.add(Cluster(CLUSTER, file=True, block=True))
        tx.nodes.add(node(1))
        tx.devices.add(full)
        tx.devices.add(device(2, on=1))

    await books.write(add)
    assert await books.read(lambda tx: tx.devices.get(full.id)) == full
    assert await books.read(lambda tx: tx.devices.pv_uuids()) == {full.id: "sFbC1k-aaaa-bbbb"}
    await books.write(lambda tx: tx.devices.set_identity(full.id, paths=["/dev/sdc"], pv_uuid="other"))
    changed = await books.read(lambda tx: tx.devices.get(full.id))
    assert (changed.paths, changed.pv_uuid) == (("/dev/sdc",), "other")


async def test_a_volume_comes_back_with_everything_that_heketis_database_says(books: Database) -> None:
    full = Volume(
        id=id_of("volume", 1),
        name="name with blanks; $(x)",
        cluster=CLUSTER,
        size_gib=2**40,
        durability=Durability(DurabilityType.DISPERSE, replica=0, data=8, redundancy=3),
        gid=-(2**62),
        snapshot=Snapshot(enable=True, factor=1.2000000476837158),
        options=("", "performance.read-ahead off", "", ""),
        block=True,
        block_info=BlockInfo(free_gib=6, reserved_gib=1, restriction="locked-by-update"),
        requested_clusters=("z" * 32, CLUSTER),
        pending=id_of("operation", 1),
    )

    def add(tx: Tx) -> None:
        tx.clusters.add(Cluster(CLUSTER, file=True, block=True))
        tx.volumes.add(full)

    await books.write(add)
    assert await books.read(lambda tx: tx.volumes.get(full.id)) == full


async def test_a_durability_is_kept_as_it_was_asked_for(books: Database) -> None:
    asked = [Durability(), Durability(DurabilityType.REPLICATE), Durability(DurabilityType.DISPERSE, data=4)]

    def add(tx: Tx) -> None:
        tx.clusters.add(Cluster(CLUSTER, file=True, block=True))
        for number, durability in enumerate(asked):
            tx.volumes.add(Volume(id_of("volume", number), f"v{number}", CLUSTER, 1, durability))

    await books.write(add)
    assert [one.durability for one in await books.read(lambda tx: tx.volumes.all())] == asked


async def test_a_brick_comes_back_as_it_was_added(books: Database) -> None:
    await books.write(add_site)
    on = device(10, on=1)
    full = Brick(
        id=id_of("brick", 1),
        volume=id_of("volume", 1),
        device=on.id,
        node=on.node,
        position=31,
        path="",
        size_kib=1,
        tp_size_kib=2,
        pool_metadata_kib=3,
        type=BrickType.ARBITER,
        thin_pool="",
        lv="other_lv",
        pending=id_of("operation", 1),
    )
    await books.write(lambda tx: tx.volumes.add(volume(1)))
    await books.write(lambda tx: tx.bricks.add([full]))
    assert await books.read(lambda tx: tx.bricks.get(full.id)) == full
    assert await books.read(lambda tx: tx.bricks.pending(id_of("operation", 1))) == [full]


async def test_bricks_of_a_volume_are_in_glusters_order_and_those_of_a_device_in_that_of_ids(books: Database) -> None:
    def add(tx: Tx) -> None:
        add_site(tx)
        add_volume(tx, 2)
        add_volume(tx, 1)

    await books.write(add)
    of_volume = await books.read(lambda tx: tx.bricks.of_volume(id_of("volume", 1)))
    assert [one.position for one in of_volume] == [0, 1, 2]
    assert [one.id for one in of_volume] == [id_of("brick", number) for number in (103, 102, 101)]
    first = id_of("device", 10)
    of_device = await books.read(lambda tx: tx.bricks.of_device(first))
    assert [one.id for one in of_device] == [id_of("brick", 103), id_of("brick", 203)]
    of_devices = await books.read(lambda tx: tx.bricks.of_devices([first, id_of("device", 11)]))
    assert of_devices == {first: of_device, id_of("device", 11): []}


async def test_any_number_of_ids_can_be_asked_for_at_once(books: Database) -> None:
    await books.write(add_site)
    ids = [id_of("device", number) for number in range(40_000)]
    found = await books.read(lambda tx: tx.bricks.of_devices(ids))
    assert len(found) == 40_000
    assert len(await books.read(lambda tx: tx.devices.of_ids(ids))) == 6


async def test_lists_ascend_by_the_bytes_of_ids(books: Database) -> None:
    ids = ["0a", "0A", "b", "B", "a0", "0_", "é", "z"]
    ascending = sorted(ids, key=str.encode)

    def add(tx: Tx) -> None:
        for number, id in enumerate(ids):
            tx.clusters.add(Cluster(id, file=True, block=True))
            tx.nodes.add(Node(f"n{id}", "0a", 1, (f"m{number}",), (f"s{number}",)))
            tx.devices.add(Device(id, "n0a", "/dev/sdb", 1, 1, 0, 4096))
            tx.volumes.add(Volume(id, id, "0a", 1, Durability()))

    def lists(tx: Tx) -> list[list[str]]:
        return [
            tx.clusters.ids(),
            [node_id[1:] for node_id in tx.clusters.node_ids("0a")],
            [found.id for found in tx.devices.of_cluster("0a")],
            tx.nodes.device_ids("n0a"),
            tx.volumes.ids(),
            tx.clusters.volume_ids("0a"),
        ]

    # The nodes are added in an order in which their cluster exists.
    await books.write(add)
    assert await books.read(lists) == [ascending] * 6


async def test_volumes_being_created_or_deleted_are_hidden_from_lists(books: Database) -> None:
    def add(tx: Tx) -> None:
        add_site(tx)
        add_volume(tx, 1)
        add_volume(tx, 2, pending=id_of("operation", 1))

    await books.write(add)
    shown, hidden = id_of("volume", 1), id_of("volume", 2)
    assert await books.read(lambda tx: tx.volumes.ids()) == [shown]
    assert await books.read(lambda tx: tx.volumes.ids(visible=False)) == [shown, hidden]
    assert await books.read(lambda tx: tx.clusters.volume_ids(CLUSTER)) == [shown]
    assert await books.read(lambda tx: tx.clusters.volume_ids(CLUSTER, visible=False)) == [shown, hidden]
    assert await books.read(lambda tx: tx.volumes.count(CLUSTER)) == 2
    await books.write(lambda tx: tx.volumes.set_pending(hidden, ""))
    assert await books.read(lambda tx: tx.volumes.ids()) == [shown, hidden]


async def test_a_volume_name_is_in_use_in_its_cluster_only(books: Database) -> None:
    def add(tx: Tx) -> None:
        add_site(tx)
        add_volume(tx, 1, name="n1", pending=id_of("operation", 1))

    await books.write(add)
    assert await books.read(lambda tx: tx.volumes.name_in_use(CLUSTER, "n1"))
    assert await books.read(lambda tx: tx.volumes.with_name(CLUSTER, "n1")) == id_of("volume", 1)
    assert not await books.read(lambda tx: tx.volumes.name_in_use(CLUSTER, "N1"))
    assert not await books.read(lambda tx: tx.volumes.name_in_use(ABSENT, "n1"))


async def test_a_host_name_belongs_to_one_node_of_all_clusters(books: Database) -> None:
    other = id_of("cluster", 2)
    await books.write(add_site)
    await books.write(lambda tx: tx.clusters.add(Cluster(other, file=True, block=True)))
    owner = id_of("node", 1)
    for manage, storage, name in [
        (("new", "node1.example.com"), ("10.9.9.9",), "node1.example.com"),
        (("new",), ("10.9.9.9", "10.0.0.1"), "10.0.0.1"),
        (("node1.example.com",), ("10.0.0.1",), "node1.example.com"),
    ]:
        added = Node(id_of("node", 9), other, 1, manage, storage)
        with pytest.raises(Conflict) as refused:
            await books.write(lambda tx, added=added: tx.nodes.add(added))
        assert str(refused.value) == f"Hostname {name} already used by node with id {owner}\n"
    assert await books.read(lambda tx: tx.nodes.find(id_of("node", 9))) is None


async def test_the_same_host_name_may_be_one_nodes_manage_and_another_ones_storage_name(books: Database) -> None:
    await books.write(add_site)
    crossed = Node(id_of("node", 9), CLUSTER, 1, ("10.0.0.1",), ("node1.example.com",))
    await books.write(lambda tx: tx.nodes.add(crossed))
    assert await books.read(lambda tx: tx.nodes.get(crossed.id)) == crossed


async def test_the_names_of_a_removed_node_are_free(books: Database) -> None:
    def add(tx: Tx) -> None:
        tx.clusters.add(Cluster(CLUSTER, file=True, block=True))
        tx.nodes.add(node(1))
        tx.nodes.remove(id_of("node", 1))
        tx.nodes.add(Node(id_of("node", 2), CLUSTER, 1, node(1).manage, node(1).storage))

    await books.write(add)
    assert await books.read(lambda tx: tx.nodes.owner_of("manage", node(1).manage)) == (
        "node1.example.com",
        id_of("node", 2),
    )


async def test_space_taken_is_space_used(books: Database) -> None:
    await books.write(add_site)
    first = id_of("device", 10)
    await books.write(lambda tx: tx.devices.take(first, 1000))
    taken = await books.read(lambda tx: tx.devices.get(first))
    assert (taken.total_kib, taken.free_kib, taken.used_kib) == (DEVICE_KIB, DEVICE_KIB - 1000, 1000)
    assert await books.write(lambda tx: tx.devices.give(first, 1000)) == 1000
    assert await books.read(lambda tx: tx.devices.get(first)) == device(10, on=1)


async def test_no_more_space_is_taken_than_is_free(books: Database) -> None:
    await books.write(add_site)
    with pytest.raises(NoSpace):
        await books.write(lambda tx: tx.devices.take(id_of("device", 10), DEVICE_KIB + 1))
    await books.write(lambda tx: tx.devices.take(id_of("device", 10), DEVICE_KIB))


async def test_no_more_space_is_given_back_than_is_used(books: Database) -> None:
    await books.write(add_site)
    first = id_of("device", 10)
    await books.write(lambda tx: tx.devices.take(first, 1000))
    # A resync found less in use than was charged.
    await books.write(lambda tx: tx.devices.set_sizes(first, total_kib=5000, free_kib=4400, used_kib=600))
    assert await books.write(lambda tx: tx.devices.give(first, 1000)) == 600
    left = await books.read(lambda tx: tx.devices.get(first))
    assert (left.total_kib, left.free_kib, left.used_kib) == (5000, 5000, 0)


async def test_states_and_tags_of_nodes_and_devices_are_replaced(books: Database) -> None:
    await books.write(add_site)
    one, disk = id_of("node", 1), id_of("device", 10)

    def change(tx: Tx) -> None:
        tx.nodes.set_state(one, State.OFFLINE)
        tx.nodes.set_tags(one, {"a": "1"})
        tx.devices.set_state(disk, State.FAILED)
        tx.devices.set_tags(disk, {"b": "2"})

    await books.write(change)
    changed_node = await books.read(lambda tx: tx.nodes.get(one))
    changed_device = await books.read(lambda tx: tx.devices.get(disk))
    assert (changed_node.state, changed_node.tags) == (State.OFFLINE, {"a": "1"})
    assert (changed_device.state, changed_device.tags) == (State.FAILED, {"b": "2"})


async def test_volumes_change_in_size_and_block_books(books: Database) -> None:
    await books.write(add_site)
    await books.write(lambda tx: tx.volumes.add(volume(1)))
    info = BlockInfo(free_gib=3, reserved_gib=1, restriction="locked")

    def change(tx: Tx) -> None:
        tx.volumes.set_size(id_of("volume", 1), 5)
        tx.volumes.set_block_info(id_of("volume", 1), info)

    await books.write(change)
    changed = await books.read(lambda tx: tx.volumes.get(id_of("volume", 1)))
    assert (changed.size_gib, changed.block_info) == (5, info)


async def test_bricks_are_marked_and_removed(books: Database) -> None:
    def add(tx: Tx) -> None:
        add_site(tx)
        add_volume(tx, 1)
        tx.bricks.set_pending([id_of("brick", 101), id_of("brick", 102)], id_of("operation", 1))
        tx.bricks.remove([id_of("brick", 102), ABSENT])

    await books.write(add)
    left = await books.read(lambda tx: tx.bricks.all())
    assert [(one.id, one.pending) for one in left] == [
        (id_of("brick", 101), id_of("operation", 1)),
        (id_of("brick", 103), ""),
    ]


async def test_an_operation_keeps_what_was_decided_and_what_was_found_out(books: Database) -> None:
    new = Operation(
        id=id_of("operation", 1),
        kind="create-volume",
        created=1700000000.123456,
        epoch=3,
        plan={"bricks": [{"id": "x", "size": 2**60}], "text": "\u0000 … \ud800"},
    )
    await books.write(lambda tx: tx.operations.add(new))
    assert await books.read(lambda tx: tx.operations.get(new.id)) == new

    def go_on(tx: Tx) -> None:
        tx.operations.set_journal(new.id, {"pv": "abc"})
        tx.operations.set_pivot(new.id)
        tx.operations.set_status(new.id, Status.FAILED, "node says no")
        tx.operations.set_epoch(new.id, 4)

    await books.write(go_on)
    later = await books.read(lambda tx: tx.operations.get(new.id))
    assert (later.journal, later.pivoted, later.status) == ({"pv": "abc"}, True, Status.FAILED)
    assert (later.error, later.epoch, later.plan) == ("node says no", 4, new.plan)
    await books.write(lambda tx: tx.operations.set_plan(new.id, {"again": 1}, attempt=2))
    again = await books.read(lambda tx: tx.operations.get(new.id))
    assert (again.plan, again.journal, again.attempt) == ({"again": 1}, {}, 2)
    await books.write(lambda tx: tx.operations.remove(new.id))
    assert await books.read(lambda tx: tx.operations.all()) == []


async def test_operations_are_found_by_status_oldest_first(books: Database) -> None:
    def add(tx: Tx) -> None:
        for number, (created, status) in enumerate([(3.0, Status.NEW), (1.0, Status.STALE), (2.0, Status.FAILED)]):
            tx.operations.add(Operation(id_of("operation", number), "x", created, 1, {}, status=status))

    await books.write(add)
    found = await books.read(lambda tx: tx.operations.by_status(Status.STALE, Status.NEW))
    assert [one.created for one in found] == [1.0, 3.0]
    assert await books.read(lambda tx: tx.operations.by_status()) == []


async def test_a_job_is_ended_once(books: Database) -> None:
    job = Job(id_of("job", 1), id_of("operation", 1), 1700000000.5)
    await books.write(lambda tx: tx.jobs.add(job))
    assert await books.read(lambda tx: tx.jobs.unfinished()) == [job]
    assert await books.write(lambda tx: tx.jobs.finish(job.id, ended=1700000001.5, result="/volumes/x"))
    assert not await books.write(lambda tx: tx.jobs.finish(job.id, ended=1700000002.5, error="late", code="late"))
    ended = Job(job.id, job.operation, job.created, ended=1700000001.5, result="/volumes/x")
    assert await books.read(lambda tx: tx.jobs.get(job.id)) == ended
    assert await books.read(lambda tx: tx.jobs.of_operation(job.operation)) == [ended]
    assert await books.read(lambda tx: tx.jobs.unfinished()) == []


async def test_only_old_ended_jobs_are_purged(books: Database) -> None:
    def add(tx: Tx) -> None:
        tx.jobs.add(Job(id_of("job", 1), "", 10.0))
        tx.jobs.add(Job(id_of("job", 2), "", 10.0, ended=20.0))
        tx.jobs.add(Job(id_of("job", 3), "", 10.0, ended=30.0))

    await books.write(add)
    assert await books.write(lambda tx: tx.jobs.purge(30.0)) == 1
    assert await books.read(lambda tx: tx.jobs.find(id_of("job", 2))) is None
    assert await books.read(lambda tx: tx.jobs.find(id_of("job", 3))) is not None


async def test_a_debt_stays_until_it_is_paid(books: Database) -> None:
    debt = Debt("01" * 16, id_of("node", 1), id_of("operation", 1), 5.0, {"bricks": ["x"]}, {id_of("device", 1): 7})
    await books.write(lambda tx: tx.debts.add(debt))
    assert await books.read(lambda tx: tx.debts.of_node(debt.node)) == [debt]
    await books.write(lambda tx: tx.debts.set_error(debt.id, "still down", 2))
    owed = await books.read(lambda tx: tx.debts.get(debt.id))
    assert (owed.error, owed.attempts, owed.charges) == ("still down", 2, debt.charges)
    await books.write(lambda tx: tx.debts.remove(debt.id))
    assert await books.read(lambda tx: tx.debts.all()) == []


async def test_facts_are_written_read_and_replaced(books: Database) -> None:
    await books.write(lambda tx: tx.meta.set("DB_GENERATION_ID", "a"))
    await books.write(lambda tx: tx.meta.set("DB_GENERATION_ID", "b"))
    assert await books.read(lambda tx: tx.meta.get("DB_GENERATION_ID")) == "b"
    assert await books.read(lambda tx: tx.meta.all()) == {"DB_GENERATION_ID": "b"}
    await books.write(lambda tx: tx.meta.remove("DB_GENERATION_ID"))
    assert await books.read(lambda tx: tx.meta.get("DB_GENERATION_ID")) is None


async def test_every_epoch_is_higher_than_the_one_before(books: Database) -> None:
    assert await books.read(lambda tx: tx.meta.epoch()) == 0
    before = int(time.time())
    epochs = [await books.write(lambda tx: tx.meta.raise_epoch()) for _ in range(3)]
    assert epochs[0] >= before, "books from a backup get no epoch that nodes have seen"
    assert epochs == sorted(set(epochs))
    assert await books.read(lambda tx: tx.meta.epoch()) == epochs[-1]


async def test_host_keys_are_pinned_until_they_are_pinned_anew(books: Database) -> None:
    assert await books.read(lambda tx: tx.meta.host_key("node1")) is None
    await books.write(lambda tx: tx.meta.pin_host_key("node1", "ssh-ed25519 AAAA"))
    await books.write(lambda tx: tx.meta.pin_host_key("node1", "ssh-ed25519 BBBB"))
    assert await books.read(lambda tx: tx.meta.host_key("node1")) == "ssh-ed25519 BBBB"
    await books.write(lambda tx: tx.meta.unpin_host_key("node1"))
    assert await books.read(lambda tx: tx.meta.host_key("node1")) is None


@pytest.mark.parametrize(
    "use",
    [
        lambda tx: tx.clusters.get(ABSENT),
        lambda tx: tx.clusters.set_flags(ABSENT, file=True, block=True),
        lambda tx: tx.clusters.remove(ABSENT),
        lambda tx: tx.nodes.get(ABSENT),
        lambda tx: tx.nodes.set_state(ABSENT, State.ONLINE),
        lambda tx: tx.nodes.set_tags(ABSENT, {}),
        lambda tx: tx.nodes.remove(ABSENT),
        lambda tx: tx.devices.get(ABSENT),
        lambda tx: tx.devices.add(device(1, on=99)),
        lambda tx: tx.devices.set_state(ABSENT, State.ONLINE),
        lambda tx: tx.devices.set_tags(ABSENT, {}),
        lambda tx: tx.devices.set_sizes(ABSENT, total_kib=1, free_kib=1, used_kib=0),
        lambda tx: tx.devices.set_identity(ABSENT, paths=(), pv_uuid=""),
        lambda tx: tx.devices.take(ABSENT, 1),
        lambda tx: tx.devices.give(ABSENT, 1),
        lambda tx: tx.devices.remove(ABSENT),
        lambda tx: tx.bricks.get(ABSENT),
        lambda tx: tx.volumes.get(ABSENT),
        lambda tx: tx.volumes.set_size(ABSENT, 1),
        lambda tx: tx.volumes.set_block_info(ABSENT, BlockInfo()),
        lambda tx: tx.volumes.set_pending(ABSENT, ""),
        lambda tx: tx.volumes.remove(ABSENT),
        lambda tx: tx.operations.get(ABSENT),
        lambda tx: tx.operations.set_status(ABSENT, Status.STALE),
        lambda tx: tx.operations.set_journal(ABSENT, {}),
        lambda tx: tx.operations.remove(ABSENT),
        lambda tx: tx.jobs.get(ABSENT),
        lambda tx: tx.debts.get(ABSENT),
        lambda tx: tx.debts.set_error(ABSENT, "", 0),
        lambda tx: tx.debts.remove(ABSENT),
        lambda tx: tx.details.cluster(ABSENT),
        lambda tx: tx.details.node(ABSENT),
        lambda tx: tx.details.device(ABSENT),
        lambda tx: tx.details.volume(ABSENT),
        lambda tx: tx.view(ABSENT),
    ],
)
async def test_what_is_not_there_is_not_found(books: Database, use) -> None:  # type: ignore[no-untyped-def]
    with pytest.raises(NotFound) as missing:
        await books.write(use)
    assert str(missing.value) == "Id not found"


async def test_bricks_without_a_volume_are_refused(books: Database) -> None:
    await books.write(add_site)
    with pytest.raises(Conflict):
        await books.write(lambda tx: tx.bricks.add([brick(1, volume=1, on=device(10, on=1))]))

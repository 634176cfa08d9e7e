"""Clones: what they consist of, what they charge, and that nothing is left of them or of what they came from."""

from dataclasses import replace

import pytest

from heketipy.db.database import Database, Tx
from heketipy.domain.durability import Durability
from heketipy.domain.errors import CannotBegin, NotFound
from heketipy.domain.model import Snapshot, VolumeSpec
from heketipy.domain.states import HealCheck
from heketipy.executors.simulator import Effect, Fault, on
from heketipy.executors.simulator.rebuild import rebuild
from tests.operations.scenarios import REPLICA_3
from tests.support.system import HOSTS, System

ENABLE = HealCheck.ENABLE


async def used(system: System) -> dict[str, int]:
    return {device.id: device.used_kib for device in await system.db.read(lambda tx: tx.devices.all())}


async def clone(system: System, volume: str, name: str = "") -> str:
    return await system.done(await system.services.volumes.clone(volume, name))


async def delete(system: System, volume: str) -> None:
    await system.done(await system.services.volumes.delete(volume))


async def test_a_clone_is_a_volume_of_its_own_on_the_same_pools(system_on_both: System) -> None:
    system = system_on_both
    await system.cluster()
    volume = await system.volume(10, REPLICA_3, gid=40000, snapshot=Snapshot(enable=True, factor=1.5))
    before = await used(system)
    copy = await clone(system, volume, "copy")
    source, made = [await system.services.volumes.info(v) for v in (volume, copy)]
    assert (made.volume.name, made.volume.size_gib, made.volume.gid) == ("copy", 10, 40000)
    assert (made.volume.durability, made.volume.snapshot) == (source.volume.durability, source.volume.snapshot)
    pools = {brick.position: (brick.device, brick.thin_pool, brick.size_kib) for brick in source.bricks}
    assert {brick.position: (brick.device, brick.thin_pool, brick.size_kib) for brick in made.bricks} == pools
    uuid = system.simulator.volumes["copy"].id.replace("-", "")
    assert {brick.path for brick in made.bricks} == {f"/run/gluster/snaps/{uuid}/brick{n}/brick" for n in (1, 2, 3)}
    assert {brick.lv for brick in made.bricks} == {f"{uuid}_0"}
    assert await used(system) == before
    assert await system.discrepancies() == []


@pytest.mark.parametrize("first", ["the clone", "its origin"])
async def test_whichever_goes_last_gives_the_space_back(system: System, first: str) -> None:
    await system.cluster(nodes=1, devices=2)
    empty = await used(system)
    volume = await system.volume(900, Durability())
    full = await used(system)
    copy = await clone(system, volume)
    bricks = (await system.services.volumes.info(copy)).bricks
    assert len({brick.lv for brick in bricks}) > 1, "several on one node"
    order = (copy, volume) if first == "the clone" else (volume, copy)
    await delete(system, order[0])
    assert await used(system) == full
    assert await system.discrepancies() == []
    await delete(system, order[1])
    assert await used(system) == empty
    assert await system.discrepancies() == []
    assert not any(node.lvs for node in system.simulator.nodes.values())


async def test_a_clone_can_be_cloned_expanded_and_evicted_from(system: System) -> None:
    await system.cluster(nodes=4)
    empty = await used(system)
    first = await system.volume(10, REPLICA_3, name="first")
    second = await clone(system, first, "second")
    third = await clone(system, second, "third")
    await delete(system, first)
    await system.done(await system.services.volumes.expand(third, 5))
    assert await system.discrepancies() == []
    for brick in (await system.services.volumes.info(third)).bricks:
        await system.done(await system.services.bricks.evict(brick.id, ENABLE))
    assert await system.discrepancies() == []
    await delete(system, second)
    await delete(system, third)
    assert await used(system) == empty
    assert await system.discrepancies() == []


async def test_lvs_of_clones_are_found_where_old_records_name_them_wrong(system: System) -> None:
    """heketi records `<uuid>_0` for all of them, though gluster counts on each node."""
    await system.cluster(nodes=1, devices=2)
    volume = await system.volume(900, Durability())
    copy = await clone(system, volume)
    bricks = await system.db.read(lambda tx: tx.bricks.of_volume(copy))
    uuid = bricks[0].lv.rpartition("_")[0]

    def as_heketi_has_it(tx: Tx) -> None:
        tx.bricks.remove([brick.id for brick in bricks])
        tx.bricks.add([replace(brick, lv=f"{uuid}_0") for brick in bricks])

    await system.db.write(as_heketi_has_it)
    await delete(system, copy)
    assert await system.discrepancies() == []


async def test_a_name_that_is_taken_is_refused_and_its_owner_left_alone(system: System) -> None:
    await system.cluster()
    volume = await system.volume(10, REPLICA_3, name="first")
    with pytest.raises(CannotBegin) as refused:
        await system.services.volumes.clone(volume, "first")
    assert str(refused.value) == f"Failed clone volume {volume}: Volume name 'first' already in use"
    for command in (
        "mkfs.xfs /dev/hand",
        "mkdir -p /data",
        "mount /dev/hand /data",
        "mkdir /data/brick",
        f"gluster --mode=script volume create foreign {HOSTS[0]}:/data/brick",
        "gluster --mode=script volume start foreign",
    ):
        if command.startswith("mkfs"):
            system.simulator.add_disk(HOSTS[0], "/dev/hand", 10)
        assert system.simulator.execute(HOSTS[0], command.split()).ok
    job = await system.result(await system.services.volumes.clone(volume, "foreign"))
    assert job.error.endswith("to volume foreign: Volume with name:foreign already exists")
    assert system.simulator.volumes["foreign"].status == "Started"
    assert await system.discrepancies() == []


async def test_what_cannot_be_cloned_says_so_in_heketis_words(system: System) -> None:
    await system.cluster()
    hosting = await system.volume(100, REPLICA_3, block=True)
    with pytest.raises(CannotBegin) as refused:
        await system.services.volumes.clone(hosting, "")
    text = f"Failed clone volume {hosting}: Cloning of block hosting volumes is not supported"
    assert str(refused.value) == text
    with pytest.raises(NotFound, match=r"^Id not found$"):
        await system.services.volumes.clone("0" * 32, "")
    assert system.services.admission.inside == 0


async def test_the_source_stays_visible_and_is_kept_from_others_meanwhile(system: System) -> None:
    await system.cluster(nodes=4)
    volume = await system.volume(10, REPLICA_3)
    async with system.held("clone") as reached:
        job = await system.services.volumes.clone(volume, "copy")
        await reached()
        assert await system.services.volumes.ids() == [volume]
        bricks = (await system.services.volumes.info(volume)).bricks
        (record,) = await system.services.operations.pending()
        assert record.type_name == "clone-volume"
        assert len(record.actions) == 5
        with pytest.raises(CannotBegin, match="in use"):
            await system.services.volumes.delete(volume)
        with pytest.raises(CannotBegin, match="brick is pending"):
            await system.services.bricks.evict(bricks[0].id, ENABLE)
        with pytest.raises(CannotBegin, match="in use"):
            await system.services.volumes.clone(volume, "another")
        other = await system.services.volumes.create(VolumeSpec(size_gib=10, durability=REPLICA_3))
        assert (await system.services.jobs.wait(other, 30)).result, "others are made all the same"
    await system.done(job)
    assert await system.discrepancies() == []


async def test_a_clone_that_does_not_start_is_a_failed_one(system: System) -> None:
    """With --xml gluster exits 0 whatever happens; only the document tells."""
    await system.cluster()
    volume = await system.volume(10, REPLICA_3)
    refusal = "<cliOutput><opRet>-1</opRet><opErrno>30800</opErrno><opErrstr>no luck</opErrstr></cliOutput>"
    system.simulator.faults.add(Fault(Effect.GARBAGE, on("--xml volume start"), stdout=refusal))
    job = await system.result(await system.services.volumes.clone(volume, "copy"))
    assert job.error.startswith("Unable to start volume copy, clone of snapshot tmpsnap_")
    assert job.error.endswith(": no luck")
    assert await system.discrepancies() == []


async def test_a_volume_with_snapshots_is_not_deleted_and_keeps_running(system: System) -> None:
    await system.cluster()
    volume = await system.volume(10, REPLICA_3, name="first")
    command = "gluster --mode=script snapshot create byhand first no-timestamp"
    assert system.simulator.execute(HOSTS[0], command.split()).ok
    job = await system.result(await system.services.volumes.delete(volume))
    assert job.error == "Unable to delete volume first because it contains 1 snapshots"
    assert system.simulator.volumes["first"].status == "Started"
    copy = await clone(system, volume, "copy")
    assert system.simulator.execute(HOSTS[0], ["gluster", "--mode=script", "snapshot", "delete", "byhand"]).ok
    await delete(system, volume)
    await delete(system, copy)
    assert await system.discrepancies() == []


async def test_a_dead_node_owes_its_part_of_a_clone(system: System) -> None:
    await system.cluster(nodes=4, devices=1)
    volume = await system.volume(10, REPLICA_3)
    empty = dict.fromkeys(await used(system), 0)
    copy = await clone(system, volume, "copy")
    host = (await system.services.nodes.info((await system.services.volumes.info(copy)).bricks[0].node)).node.manage[0]
    system.simulator.faults.add(Fault(Effect.LOSE, on("umount", node=host), times=0))
    await delete(system, copy)
    await delete(system, volume)
    assert sum((await used(system)).values()) > 0
    assert await system.discrepancies() == []
    system.simulator.faults.clear()
    for _ in range(2):
        system.clock.now += 10_000
        await system.services.cleaner.clean()
    assert await used(system) == empty
    assert await system.discrepancies() == []


async def test_nodes_that_are_made_anew_of_the_books_know_nothing_of_a_clone_that_was_just_being_made(
    system: System,
) -> None:
    await system.cluster()
    volume = await system.volume(10, REPLICA_3)
    system.simulator.faults.add(Fault(Effect.DIE_AFTER, on("snapshot create")))
    await system.services.volumes.clone(volume, "copy")
    await system.services.runner.drain()
    await system.crash()
    system.simulator.state.nodes.clear()
    system.simulator.state.pools.clear()
    with_books = Database.open(system.database)
    nodes, devices, bricks, volumes = await with_books.read(
        lambda tx: (tx.nodes.all(), tx.devices.all(), tx.bricks.all(), tx.volumes.all())
    )
    with_books.close()
    rebuild(system.simulator, nodes=nodes, devices=devices, bricks=bricks, volumes=volumes)
    await system.start()
    await system.services.runner.drain()
    assert await system.discrepancies() == []

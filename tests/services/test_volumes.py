"""Use cases of volumes, on both databases."""

import asyncio

import pytest

from heketipy.domain.durability import Durability, DurabilityType
from heketipy.domain.errors import Busy, CannotAllocate, Conflict, InvalidRequest, NotFound
from heketipy.domain.model import Snapshot, VolumeSpec
from heketipy.domain.states import HealCheck, State
from heketipy.executors.simulator import Effect, Fault, on
from heketipy.services.build import Policy
from tests.operations.scenarios import REPLICA_3
from tests.support.system import HOSTS, System


async def test_a_volume_is_made_grows_and_goes(system_on_both: System) -> None:
    system = system_on_both
    await system.cluster()
    spec = {"gid": 40000, "snapshot": Snapshot(True, 1.5), "options": ("nfs.disable on", 'user.note "x y" $(z)')}
    volume = await system.volume(10, REPLICA_3, **spec)
    info = await system.services.volumes.info(volume)
    assert info.volume.name == f"vol_{volume}"
    assert info.hosts == HOSTS[:3]
    assert {brick.tp_size_kib for brick in info.bricks} == {15 * 1024 * 1024}
    assert system.simulator.volumes[info.volume.name].options["nfs.disable"] == "on"
    assert await system.done(await system.services.volumes.expand(volume, 5)) == volume
    assert (await system.services.volumes.info(volume)).volume.size_gib == 15
    assert await system.discrepancies() == []
    await system.done(await system.services.volumes.delete(volume))
    assert await system.services.volumes.ids() == []
    with pytest.raises(NotFound, match="Id not found"):
        await system.services.volumes.info(volume)
    assert await system.discrepancies() == []


async def test_a_volume_is_invisible_until_it_is_there(system: System) -> None:
    await system.cluster()
    system.simulator.faults.add(Fault(Effect.DELAY, on("volume start"), seconds=0.2))
    job = await system.services.volumes.create(VolumeSpec(size_gib=5, durability=REPLICA_3, name="wanted"))
    (pending,) = await system.db.read(lambda tx: tx.volumes.ids(visible=False))
    assert await system.services.volumes.ids() == []
    with pytest.raises(NotFound):
        await system.services.volumes.info(pending)
    with pytest.raises(NotFound):
        await system.services.volumes.expand(pending, 1)
    with pytest.raises(CannotAllocate, match="Volume name 'wanted' already in use"):
        await system.services.volumes.create(VolumeSpec(size_gib=5, name="wanted"))
    assert await system.done(job) == pending
    assert await system.services.volumes.ids() == [pending]


async def test_a_hundred_creates_at_once_take_no_space_twice(system_on_both: System) -> None:
    system = system_on_both
    await system.cluster()
    spec = VolumeSpec(size_gib=10, durability=REPLICA_3)
    jobs = await asyncio.gather(*(system.services.volumes.create(spec) for _ in range(60)))
    for job in jobs:
        await system.done(job)
    assert len(await system.services.volumes.ids()) == 60
    assert await system.discrepancies() == []
    jobs = await asyncio.gather(*(system.services.volumes.delete(v) for v in await system.services.volumes.ids()))
    for job in jobs:
        await system.done(job)
    assert await system.discrepancies() == []


async def test_a_full_site_refuses_with_heketis_words_and_the_reason(system: System) -> None:
    await system.cluster(devices=1)
    with pytest.raises(CannotAllocate) as refused:
        await system.services.volumes.create(VolumeSpec(size_gib=5000, durability=REPLICA_3))
    first, reason = str(refused.value).split("\n")
    assert first == "Failed to allocate new volume: No space"
    assert "0 of 3 devices" in reason or "room" in reason
    disperse = Durability(DurabilityType.DISPERSE, data=4, redundancy=2)
    with pytest.raises(CannotAllocate, match="disperse 4\\+2 needs 6 nodes with room; this cluster has 3"):
        await system.services.volumes.create(VolumeSpec(size_gib=10, durability=disperse))
    volume = await system.volume(10, REPLICA_3)
    with pytest.raises(
        CannotAllocate, match=r"Failed to allocate volume expansion: Maximum number of bricks reached\."
    ):
        await system.services.volumes.expand(volume, 10_000)
    assert await system.discrepancies() == []


async def test_a_delete_that_is_asked_for_twice_is_one_delete(system: System) -> None:
    await system.cluster()
    volume = await system.volume(10, REPLICA_3)
    first, second = await asyncio.gather(system.services.volumes.delete(volume), system.services.volumes.delete(volume))
    assert first == second
    await system.done(first)
    with pytest.raises(NotFound):
        await system.services.volumes.delete(volume)


async def test_a_volume_that_is_being_expanded_cannot_be_deleted(system: System) -> None:
    await system.cluster()
    volume = await system.volume(10, REPLICA_3)
    system.simulator.faults.add(Fault(Effect.DELAY, on("add-brick"), seconds=0.2))
    job = await system.services.volumes.expand(volume, 5)
    expected = "Failed to set up volume delete: The target exists, contains other items, or is in use."
    with pytest.raises(Exception, match=expected):
        await system.services.volumes.delete(volume)
    await system.done(job)
    await system.done(await system.services.volumes.delete(volume))


async def test_the_volume_with_heketis_database_is_not_deleted(system: System) -> None:
    await system.cluster()
    volume = await system.volume(2, REPLICA_3, name="heketidbstorage")
    with pytest.raises(Conflict, match="Cannot delete volume containing the Heketi database"):
        await system.services.volumes.delete(volume)


async def test_requests_that_no_cluster_can_serve_are_told_so(system: System) -> None:
    with pytest.raises(InvalidRequest, match="No clusters configured"):
        await system.services.volumes.create(VolumeSpec(size_gib=1))
    await system.cluster(nodes=1, devices=0)
    with pytest.raises(InvalidRequest, match="Cluster id nobody not found"):
        await system.services.volumes.create(VolumeSpec(size_gib=1, clusters=("nobody",)))
    with pytest.raises(CannotAllocate, match="No online storage devices in cluster"):
        await system.services.volumes.create(VolumeSpec(size_gib=1))
    disperse = Durability(DurabilityType.DISPERSE, data=4, redundancy=2)
    with pytest.raises(InvalidRequest, match=r"size \(1 GB\) is smaller than .* \(4194304\)"):
        await system.services.volumes.create(VolumeSpec(size_gib=1, durability=disperse))


async def test_offline_devices_and_nodes_get_no_bricks(system: System) -> None:
    cluster = await system.cluster(nodes=4, devices=2)
    nodes = [await system.services.nodes.info(node) for node in cluster.nodes]
    await system.done(await system.services.nodes.set_state(cluster.nodes[0], State.OFFLINE, HealCheck.ENABLE))
    off = nodes[1].devices[0].device.id
    await system.done(await system.services.devices.set_state(off, State.OFFLINE, HealCheck.ENABLE))
    for _ in range(5):
        await system.volume(10, REPLICA_3)
    bricks = [b for v in await system.services.volumes.ids() for b in (await system.services.volumes.info(v)).bricks]
    assert not any(brick.node == cluster.nodes[0] or brick.device == off for brick in bricks)


async def test_beyond_what_may_wait_work_is_refused_but_deletes_are_let_in(system: System) -> None:
    await system.stop()
    system.policy = Policy(running=1, accepted=2)
    await system.start()
    await system.cluster()
    volume = await system.volume(5, REPLICA_3)
    system.simulator.faults.add(Fault(Effect.DELAY, on("volume start"), seconds=0.2))
    spec = VolumeSpec(size_gib=5, durability=REPLICA_3)
    jobs = [await system.services.volumes.create(spec) for _ in range(2)]
    with pytest.raises(Busy, match=r"Server busy\. Retry operation later\."):
        await system.services.volumes.create(spec)
    jobs.append(await system.services.volumes.delete(volume))
    for job in jobs:
        await system.done(job)
    await system.done(await system.services.volumes.create(spec))
    assert await system.discrepancies() == []


async def test_a_server_that_shuts_down_takes_on_nothing_new_and_finishes_what_it_has(system: System) -> None:
    await system.cluster()
    job = await system.services.volumes.create(VolumeSpec(size_gib=5, durability=REPLICA_3))
    system.services.admission.close()
    with pytest.raises(Busy, match="shutting down"):
        await system.services.volumes.create(VolumeSpec(size_gib=5))
    await system.done(job)

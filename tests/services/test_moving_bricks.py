"""Moving bricks: evicting one, emptying a device, emptying a node that may be dead."""

import pytest

from heketipy.domain.durability import Durability, DurabilityType
from heketipy.domain.errors import CannotBegin, Conflict, NotFound
from heketipy.domain.model import Brick, DeviceSpec, NodeSpec
from heketipy.domain.pending import Action, Change
from heketipy.domain.states import HealCheck, State
from heketipy.executors.simulator import Effect, Fault, on
from tests.operations.scenarios import REPLICA_3
from tests.support.system import HOSTS, System

ENABLE, DISABLE = HealCheck.ENABLE, HealCheck.DISABLE
NO_REPLACEMENT = "No Replacement was found for resource requested to be removed"


async def bricks_of(system: System, volume: str) -> list[Brick]:
    return await system.db.read(lambda tx: tx.bricks.of_volume(volume))


async def set_device(system: System, device: str, *states: State) -> str:
    """Change a device's state step by step; return the last job's error."""
    for state in states:
        job = await system.result(await system.services.devices.set_state(device, state, ENABLE))
    return job.error


async def test_an_evicted_brick_leaves_its_place_group_and_size_to_another_one(system_on_both: System) -> None:
    system = system_on_both
    await system.cluster(nodes=4, devices=1)
    volume = await system.volume(10, REPLICA_3, gid=40000)
    before = await bricks_of(system, volume)
    free = {d.id: d.free_kib for d in await system.db.read(lambda tx: tx.devices.all())}
    await system.done(await system.services.bricks.evict(before[1].id, ENABLE))
    after = await bricks_of(system, volume)
    assert [brick.position for brick in after] == [0, 1, 2]
    assert after[0] == before[0]
    assert after[2] == before[2]
    assert after[1].device not in {brick.device for brick in before}
    assert (after[1].size_kib, after[1].charged_kib) == (before[1].size_kib, before[1].charged_kib)
    devices = {d.id: d.free_kib for d in await system.db.read(lambda tx: tx.devices.all())}
    assert devices[before[1].device] == free[before[1].device] + before[1].charged_kib
    assert devices[after[1].device] == free[after[1].device] - after[1].charged_kib
    assert await system.discrepancies() == []


async def test_a_brick_that_others_are_healed_from_stays_unless_told_otherwise(system: System) -> None:
    await system.cluster(nodes=4, devices=1)
    volume = await system.volume(10, REPLICA_3, name="wanted")
    brick = (await bricks_of(system, volume))[0]
    system.simulator.volumes["wanted"].bricks[0].to_heal = 3
    job = await system.result(await system.services.bricks.evict(brick.id, ENABLE))
    assert job.error == f"Cannot replace brick {brick.id} as it is source brick for data to be healed"
    assert await system.discrepancies() == []
    await system.done(await system.services.bricks.evict(brick.id, DISABLE))
    assert await system.discrepancies() == []


async def test_peers_that_gluster_cannot_reach_do_not_count_as_online(system: System) -> None:
    await system.cluster(nodes=5, devices=1)
    volume = await system.volume(10, REPLICA_3)
    first, second, _ = await bricks_of(system, volume)
    nodes = {n.id: n.manage[0] for n in await system.db.read(lambda tx: tx.nodes.all())}
    system.simulator.node_down(nodes[second.node])
    job = await system.result(await system.services.bricks.evict(first.id, ENABLE))
    assert job.error == f"Cannot replace brick {first.id} as only 1 of 2 required peer bricks are online"
    assert await system.discrepancies() == []
    await system.done(await system.services.bricks.evict(second.id, ENABLE))
    await system.done(await system.services.bricks.evict(first.id, ENABLE))
    assert await system.discrepancies() == []


async def test_a_single_copy_is_not_thrown_away(system: System) -> None:
    await system.cluster(nodes=2, devices=1)
    (brick,) = await bricks_of(system, await system.volume(10, Durability()))
    job = await system.result(await system.services.bricks.evict(brick.id, ENABLE))
    assert job.error == f"Cannot replace brick {brick.id} as only 0 of 1 required peer bricks are online"
    job = await system.result(await system.services.bricks.evict(brick.id, DISABLE))
    assert "replace-brick is not supported on distribute volumes" in job.error
    assert await system.discrepancies() == []


async def test_bricks_in_work_are_not_evicted(system: System) -> None:
    await system.cluster(nodes=4, devices=1)
    volume = await system.volume(10, REPLICA_3)
    first, second, _ = await bricks_of(system, volume)
    await system.db.write(lambda tx: tx.bricks.set_pending([first.id], "f" * 32))
    with pytest.raises(CannotBegin) as refused:
        await system.services.bricks.evict(first.id, ENABLE)
    assert str(refused.value) == f"Failed to set up brick eviction: Can not evict brick {first.id}: brick is pending"
    with pytest.raises(CannotBegin) as refused:
        await system.services.bricks.evict(second.id, ENABLE)
    assert str(refused.value) == (
        f"Failed to set up brick eviction: Can not evict brick {second.id} from volume {volume}: volume has pending"
        " bricks"
    )
    with pytest.raises(NotFound, match=r"^Id not found$"):
        await system.services.bricks.evict("0" * 32, ENABLE)
    assert system.services.admission.inside == 0


async def test_a_replacement_is_no_part_of_the_volume_before_gluster_has_taken_it_in(system: System) -> None:
    await system.cluster(nodes=4, devices=1)
    volume = await system.volume(10, REPLICA_3)
    brick = (await bricks_of(system, volume))[0]
    async with system.held("replace-brick") as reached:
        job = await system.services.bricks.evict(brick.id, ENABLE)
        await reached()
        shown = (await system.services.volumes.info(volume)).bricks
        assert [b.position for b in sorted(shown, key=lambda b: b.position)] == [0, 1, 2]
        assert len(await system.db.read(lambda tx: tx.bricks.all())) == 4
        with pytest.raises(CannotBegin, match="in use"):
            await system.services.volumes.delete(volume)
    await system.done(job)
    assert await system.discrepancies() == []


async def test_where_no_device_will_do_each_one_is_told_why(system: System) -> None:
    cluster = await system.cluster(nodes=3, devices=1)
    await system.add_devices(cluster.nodes[0], 2)
    volume = await system.volume(10, REPLICA_3)
    brick = next(b for b in await bricks_of(system, volume) if b.node == cluster.nodes[0])
    node = await system.services.nodes.info(cluster.nodes[0])
    others = [d.device.id for d in node.devices if d.device.id != brick.device]
    assert not await set_device(system, others[0], State.OFFLINE)
    await system.db.write(lambda tx: tx.devices.take(others[1], tx.devices.get(others[1]).free_kib - 1024))
    job = await system.result(await system.services.bricks.evict(brick.id, ENABLE))
    first, *rest = job.error.split("\n")
    assert first == NO_REPLACEMENT
    assert len(rest) == 4
    told = {line.partition(" ")[2].partition(" ")[0]: line.partition("): ")[2] for line in rest}
    assert told[others[0]] == "is offline"
    assert told[others[1]] == "has 1 MiB free, and the brick needs more than 10.05 GiB"
    assert list(told.values()).count("its node holds another brick of the same set") == 2
    assert not await set_device(system, brick.device, State.OFFLINE)
    error = await set_device(system, brick.device, State.FAILED)
    assert error.startswith(
        f"Unable to delete device [{brick.device}] as no device was found to replace it: {NO_REPLACEMENT}\nDevice "
    )
    await system.done(await system.services.nodes.set_state(cluster.nodes[0], State.OFFLINE, ENABLE))
    job = await system.result(await system.services.nodes.set_state(cluster.nodes[0], State.FAILED, ENABLE))
    first, *rest = job.error.split("\n")
    assert first == (
        f"Unable to remove node [{cluster.nodes[0]}] as no device was found to replace device [{brick.device}]"
    )
    assert {line.partition("): ")[2] for line in rest} >= {"its node is offline"}
    assert (await system.services.nodes.info(cluster.nodes[0])).node.state is State.OFFLINE


async def test_a_failed_device_is_empty_and_can_be_deleted(system_on_both: System) -> None:
    system = system_on_both
    await system.cluster(nodes=4, devices=1)
    volumes = [await system.volume(10, REPLICA_3) for _ in range(3)]
    device = (await bricks_of(system, volumes[0]))[0].device
    held = len(await system.db.read(lambda tx: tx.bricks.of_device(device)))
    assert held > 1
    assert not await set_device(system, device, State.OFFLINE, State.FAILED)
    info = await system.services.devices.info(device)
    assert (info.device.state, info.bricks, info.device.used_kib) == (State.FAILED, (), 0)
    assert await system.discrepancies() == []
    await system.done(await system.services.devices.delete(device))
    assert await system.discrepancies() == []


async def test_what_has_moved_stays_moved_and_the_next_request_goes_on(system: System) -> None:
    await system.cluster(nodes=4, devices=1)
    volumes = [await system.volume(10, REPLICA_3) for _ in range(3)]
    device = (await bricks_of(system, volumes[0]))[0].device
    held = await system.db.read(lambda tx: tx.bricks.of_device(device))
    system.simulator.faults.add(Fault(Effect.FAIL, on("replace-brick"), nth=2))
    error = await set_device(system, device, State.OFFLINE, State.FAILED)
    assert error.startswith("Unable to replace brick")
    info = await system.services.devices.info(device)
    assert info.device.state is State.OFFLINE
    assert len(info.bricks) == len(held) - 1
    assert await system.discrepancies() == []
    assert not await set_device(system, device, State.FAILED)
    assert (await system.services.devices.info(device)).bricks == ()
    assert await system.discrepancies() == []


async def test_a_new_server_goes_on_emptying_a_device(system: System) -> None:
    await system.cluster(nodes=4, devices=1)
    volumes = [await system.volume(10, REPLICA_3) for _ in range(3)]
    device = (await bricks_of(system, volumes[0]))[0].device
    await set_device(system, device, State.OFFLINE)
    system.simulator.faults.add(Fault(Effect.DIE_AFTER, on("replace-brick"), nth=2))
    job = await system.services.devices.set_state(device, State.FAILED, ENABLE)
    await system.services.runner.drain()
    await system.restart()
    assert not (await system.result(job)).error
    info = await system.services.devices.info(device)
    assert (info.device.state, info.bricks) == (State.FAILED, ())
    assert await system.discrepancies() == []


async def test_a_device_that_is_being_emptied_or_filled_is_not_for_others(system: System) -> None:
    await system.cluster(nodes=4, devices=1)
    volume = await system.volume(10, REPLICA_3)
    brick = (await bricks_of(system, volume))[0]
    in_use = "The target exists, contains other items, or is in use."
    await set_device(system, brick.device, State.OFFLINE)
    async with system.held("replace-brick") as reached:
        job = await system.services.devices.set_state(brick.device, State.FAILED, ENABLE)
        await reached()
        for state in State:
            again = await system.services.devices.set_state(brick.device, state, ENABLE)
            assert (await system.services.jobs.wait(again, 0)).error == in_use
        removal, evict = sorted(await system.services.operations.pending(), key=lambda record: record.type)
        assert (removal.type_name, evict.type_name) == ("remove-device", "evict-brick")
        (new,) = [b for b in await system.db.read(lambda tx: tx.bricks.all()) if b.position < 0]
        assert removal.actions == (
            Action(Change.REMOVE_DEVICE, brick.device),
            Action(Change.CHILD_OPERATION, evict.id),
        )
        assert evict.actions == (
            Action(Change.DELETE_BRICK, brick.id),
            Action(Change.ADD_BRICK, new.id),
            Action(Change.PARENT_OPERATION, removal.id),
        )
        for state in (State.OFFLINE, State.FAILED):
            refused = await system.services.devices.set_state(new.device, state, ENABLE)
        assert (await system.services.jobs.wait(refused, 0)).error == in_use
    await system.done(job)
    assert await system.discrepancies() == []


async def test_a_dead_node_is_taken_out_and_comes_back_as_a_fresh_host_of_the_same_name(
    system_on_both: System,
) -> None:
    system = system_on_both
    cluster = await system.cluster(nodes=4, devices=1)
    volumes = [await system.volume(10, REPLICA_3, name=f"v{n}") for n in range(3)]
    victim = (await bricks_of(system, volumes[0]))[0].node
    node = await system.services.nodes.info(victim)
    host, device = node.node.manage[0], node.devices[0].device.id
    system.simulator.node_down(host)
    await system.services.health.look()
    for state in (State.OFFLINE, State.FAILED):
        await system.done(await system.services.nodes.set_state(victim, state, ENABLE))
    for volume in volumes:
        assert victim not in {brick.node for brick in await bricks_of(system, volume)}
    assert await system.discrepancies() == []
    with pytest.raises(Conflict, match="because it contains bricks that are to be removed"):
        await system.services.devices.delete(device)
    await system.done(await system.services.devices.delete(device, forget=True))
    await system.done(await system.services.nodes.delete(victim))
    assert await system.db.read(lambda tx: tx.debts.all()) == []
    del system.simulator.state.nodes[host]
    system.simulator.add_node(host)
    spec = NodeSpec(cluster=cluster.cluster.id, zone=1, manage=(host,), storage=(host,))
    fresh = await system.done(await system.services.nodes.add(spec))
    await system.done(await system.services.devices.add(DeviceSpec(node=fresh, name="/dev/sdb")))
    assert await system.discrepancies() == []


async def test_what_a_dead_node_held_is_removed_when_it_is_back(system: System) -> None:
    await system.cluster(nodes=4, devices=1)
    volume = await system.volume(10, REPLICA_3)
    brick = (await bricks_of(system, volume))[0]
    host = (await system.services.nodes.info(brick.node)).node.manage[0]
    system.simulator.node_down(host)
    await system.done(await system.services.bricks.evict(brick.id, ENABLE))
    assert (await system.services.devices.info(brick.device)).device.used_kib == brick.charged_kib
    system.simulator.node_up(host)
    system.clock.now += 10_000
    await system.services.cleaner.clean()
    assert (await system.services.devices.info(brick.device)).device.used_kib == 0
    assert await system.db.read(lambda tx: tx.debts.all()) == []
    assert await system.discrepancies() == []


async def test_a_brick_of_a_dispersed_volume_moves_as_long_as_enough_others_are_there(system: System) -> None:
    await system.cluster(nodes=5, devices=1)
    volume = await system.volume(10, Durability(DurabilityType.DISPERSE, data=2, redundancy=1))
    first, second, _ = await bricks_of(system, volume)
    nodes = {n.id: n.manage[0] for n in await system.db.read(lambda tx: tx.nodes.all())}
    system.simulator.node_down(nodes[second.node])
    job = await system.result(await system.services.bricks.evict(first.id, ENABLE))
    assert job.error == f"Cannot replace brick {first.id} as only 1 of 2 required peer bricks are online"
    system.simulator.node_up(nodes[second.node])
    await system.done(await system.services.bricks.evict(first.id, ENABLE))
    assert await system.discrepancies() == []


async def test_a_pool_that_a_snapshot_still_uses_is_owed_until_the_snapshot_is_gone(system: System) -> None:
    await system.cluster(nodes=4, devices=1)
    volume = await system.volume(10, REPLICA_3, name="wanted")
    brick = (await bricks_of(system, volume))[0]
    host = (await system.services.nodes.info(brick.node)).node.manage[0]

    def gluster(*words: str) -> None:
        result = system.simulator.execute(HOSTS[0], ["gluster", "--mode=script", "snapshot", *words])
        assert result.ok, result

    gluster("create", "byhand", "wanted", "no-timestamp")
    await system.done(await system.services.bricks.evict(brick.id, ENABLE))
    assert (await system.services.devices.info(brick.device)).device.used_kib == brick.charged_kib
    assert f"vg_{brick.device}/{brick.thin_pool}" in system.simulator.node(host).lvs
    gluster("delete", "byhand")
    for _ in range(2):
        system.clock.now += 10_000
        await system.services.cleaner.clean()
    assert (await system.services.devices.info(brick.device)).device.used_kib == 0
    assert await system.discrepancies() == []

"""Nodes that do not answer: work goes elsewhere or ends, what they owe is written down, and paid when they are back."""

from collections.abc import Sequence

from heketipy.domain.durability import Durability, DurabilityType
from heketipy.domain.model import VolumeSpec
from heketipy.domain.operation import Debt
from heketipy.domain.states import HealCheck, State
from heketipy.executors.simulator import Effect, Fault, on
from tests.operations.scenarios import REPLICA_3
from tests.support.system import HOSTS, System

REPLICA_2 = Durability(DurabilityType.REPLICATE, replica=2)


async def debts(system: System) -> tuple[Debt, ...]:
    return tuple(await system.db.read(lambda tx: tx.debts.all()))


async def clean(system: System) -> None:
    """Let time pass, and the cleaner work."""
    system.clock.now += 10_000
    await system.services.cleaner.clean()
    await system.services.runner.drain()


async def test_a_create_goes_elsewhere_when_a_node_dies_under_it(system_on_both: System) -> None:
    system = system_on_both
    await system.cluster(nodes=4)
    system.simulator.faults.add(Fault(Effect.LOSE, on("lvcreate", node=HOSTS[0]), times=0))
    for _ in range(4):
        await system.volume(10, REPLICA_3)
    volumes = [await system.services.volumes.info(v) for v in await system.services.volumes.ids()]
    assert len(volumes) == 4
    down = {n.id for n in await system.db.read(lambda tx: tx.nodes.all()) if n.manage[0] == HOSTS[0]}
    assert not any(brick.node in down for volume in volumes for brick in volume.bricks)
    assert await system.discrepancies() == []


async def test_what_a_dead_node_holds_is_owed_charged_and_paid_when_it_is_back(system_on_both: System) -> None:
    system = system_on_both
    await system.cluster(nodes=4, devices=1)
    free = {d.id: d.free_kib for d in await system.db.read(lambda tx: tx.devices.all())}
    system.simulator.faults.add(
        Fault(Effect.LOSE_AFTER, on("lvcreate", node=HOSTS[0])),
        Fault(Effect.LOSE, on(node=HOSTS[0]), nth=3, times=0),
    )
    volumes = [await system.volume(10, REPLICA_3) for _ in range(3)]
    owed = await debts(system)
    assert len(owed) == 3, "one for each create that met the dead node"
    assert await system.discrepancies() == []
    assert {sum(debt.charges.values()) for debt in owed} == {10539008}
    await clean(system)
    assert len(await debts(system)) == 3, "it is still away"
    system.simulator.faults.clear()
    await clean(system)
    assert await debts(system) == ()
    assert await system.discrepancies() == []
    for volume in volumes:
        await system.done(await system.services.volumes.delete(volume))
    assert {d.id: d.free_kib for d in await system.db.read(lambda tx: tx.devices.all())} == free


async def test_a_debt_survives_a_restart(system: System) -> None:
    await system.cluster(nodes=4, devices=1)
    system.simulator.faults.add(
        Fault(Effect.LOSE_AFTER, on("lvcreate", node=HOSTS[0])),
        Fault(Effect.LOSE, on(node=HOSTS[0]), nth=3, times=0),
    )
    for _ in range(3):
        await system.volume(10, REPLICA_3)
    owed = await debts(system)
    await system.restart()
    assert await debts(system) == owed != ()
    system.simulator.faults.clear()
    await clean(system)
    assert await debts(system) == ()
    assert await system.discrepancies() == []


async def test_nodes_known_to_be_down_get_no_bricks_and_no_commands(system: System) -> None:
    await system.cluster(nodes=4)
    system.simulator.node_down(HOSTS[3])
    await system.services.health.look()
    before = len(system.simulator.history)
    volume = await system.volume(10, REPLICA_3)
    hosts = {ran.node for ran in list(system.simulator.history)[before:]}
    assert hosts == set(HOSTS[:3])
    system.simulator.node_up(HOSTS[3])
    await system.services.health.look()
    assert system.services.health.down == frozenset()
    await system.done(await system.services.volumes.delete(volume))
    assert await system.discrepancies() == []


async def test_a_delete_is_refused_while_a_peer_is_down_and_the_volume_keeps_running(system: System) -> None:
    await system.cluster()
    volume = await system.volume(10, REPLICA_3, name="wanted")
    system.simulator.glusterd_down(HOSTS[2])
    job = await system.result(await system.services.volumes.delete(volume))
    assert "Some of the peers are down" in job.error
    assert HOSTS[2] in job.error
    assert system.simulator.volumes["wanted"].status == "Started"
    system.simulator.glusterd_up(HOSTS[2])
    await system.done(await system.services.volumes.delete(volume))
    assert await system.discrepancies() == []


async def test_a_node_that_dies_between_gluster_and_its_bricks_owes_them(system: System) -> None:
    await system.cluster()
    volume = await system.volume(10, REPLICA_3)
    system.simulator.faults.add(Fault(Effect.LOSE, on("umount", node=HOSTS[1]), times=0))
    await system.done(await system.services.volumes.delete(volume))
    assert await system.services.volumes.ids() == []
    assert [debt.error for debt in await debts(system)] != []
    assert await system.discrepancies() == []
    system.simulator.faults.clear()
    await clean(system)
    assert await debts(system) == ()
    assert await system.discrepancies() == []


async def test_a_command_that_outlives_its_connection_is_waited_for_before_its_work_is_undone(
    system: System,
) -> None:
    await system.cluster()
    system.simulator.faults.add(Fault(Effect.OUTLIVE, on("lvcreate", node=HOSTS[1]), seconds=0.05))
    await system.done(
        await system.services.volumes.create(VolumeSpec(size_gib=10, durability=REPLICA_3, name="wanted"))
    )
    await system.transport.settle()
    assert await system.discrepancies() == []


async def test_no_node_left_is_said_in_heketis_words(system: System) -> None:
    await system.cluster()
    volume = await system.volume(10, REPLICA_2)
    for host in HOSTS[:3]:
        system.simulator.node_down(host)
    await system.services.health.look()
    job = await system.result(await system.services.volumes.delete(volume))
    assert job.error == "no hosts available (3 total)"
    for host in HOSTS[:3]:
        system.simulator.node_up(host)
    await system.services.health.look()
    await system.done(await system.services.volumes.delete(volume))
    assert await system.discrepancies() == []


async def test_a_debt_is_paid_soon_after_its_node_is_seen_again(system: System) -> None:
    await system.cluster()
    volume = await system.volume(10, REPLICA_3)
    system.simulator.faults.add(Fault(Effect.LOSE, on("umount", node=HOSTS[1]), times=0))
    await system.done(await system.services.volumes.delete(volume))
    for _ in range(10):
        await clean(system)
    system.simulator.node_down(HOSTS[1])
    await system.services.health.look()
    system.simulator.faults.clear()
    system.simulator.node_up(HOSTS[1])
    await system.services.health.look()
    await system.services.cleaner.clean()
    assert await debts(system) == ()
    assert await system.discrepancies() == []


async def test_a_stuck_delete_is_taken_up_again_by_the_next_request_for_it(system: System) -> None:
    await system.cluster()
    volume = await system.volume(10, REPLICA_3)
    system.simulator.faults.add(Fault(Effect.FAIL, on("lvremove", node=HOSTS[1]), times=0))
    job = await system.result(await system.services.volumes.delete(volume))
    assert job.error == "simulated failure\n"
    again = await system.services.volumes.delete(volume)
    assert again != job.id
    system.simulator.faults.clear()
    assert not (await system.result(again)).error or await _deleted(system, volume)
    assert await system.discrepancies() == []


async def _deleted(system: System, volume: str) -> bool:
    await clean(system)
    return volume not in await system.services.volumes.ids()


async def test_a_delete_is_refused_at_once_while_gluster_has_not_noticed_that_a_node_is_away(system: System) -> None:
    await system.cluster()
    volume = await system.volume(10, REPLICA_3, name="wanted")
    system.simulator.node_down(HOSTS[2], noticed=False)
    before = len(system.simulator.history)
    job = await system.result(await system.services.volumes.delete(volume))
    first, advice, reason = job.error.splitlines()
    assert first == f"volume delete: wanted: failed: Some of the peers are down: {HOSTS[2]}"
    assert advice.startswith("Nothing was touched. Delete the volume again when they are back")
    assert HOSTS[2] in reason
    asked = [ran.argv for ran in list(system.simulator.history)[before:]]
    assert not any("stop" in argv or "delete" in argv for argv in asked)
    assert await system.discrepancies() == []


async def test_a_delete_goes_on_without_a_node_that_does_not_let_us_in(system: System) -> None:
    await system.cluster()
    volume = await system.volume(10, REPLICA_3)
    system.simulator.refuse_key(HOSTS[2])
    await system.done(await system.services.volumes.delete(volume))
    assert len(await debts(system)) == 1
    assert await system.discrepancies() == []
    system.simulator.refuse_key(HOSTS[2], refuse=False)
    await clean(system)
    assert await debts(system) == ()
    assert await system.discrepancies() == []


async def test_where_only_our_way_to_a_node_out_of_use_is_broken_glusters_word_counts(system: System) -> None:
    cluster = await system.cluster()
    volume = await system.volume(10, REPLICA_3)
    node = next(n.id for n in await system.db.read(lambda tx: tx.nodes.all()) if n.manage[0] == HOSTS[2])
    system.simulator.faults.add(Fault(Effect.LOSE, on(node=HOSTS[2]), times=0))
    job = await system.result(await system.services.volumes.delete(volume))
    assert node in job.error
    assert await system.discrepancies() == []
    await system.done(await system.services.nodes.set_state(node, State.OFFLINE, HealCheck.ENABLE))
    await system.done(await system.services.volumes.delete(volume))
    assert [debt.node for debt in await debts(system)] == [node]
    system.simulator.faults.clear()
    await clean(system)
    assert await debts(system) == ()
    assert await system.discrepancies() == []
    assert len(cluster.nodes) == 3


async def _nodes_without_devices(system: System, *numbers: int) -> list[str]:
    cluster = (await system.cluster()).cluster.id
    return [await system.add_node(cluster, number) for number in numbers]


async def test_a_detach_is_done_by_another_peer_when_the_one_that_owes_it_stays_away(system: System) -> None:
    (node,) = await _nodes_without_devices(system, 3)
    via = min(await system.db.read(lambda tx: [n for n in tx.nodes.all() if n.id != node]), key=lambda n: n.id)
    system.simulator.faults.add(Fault(Effect.LOSE, on(node=via.manage[0]), times=0))
    await system.done(await system.services.nodes.delete(node))
    (debt,) = (await system.services.operations.unsettled()).debts
    assert (debt.node, debt.detach, debt.bricks) == (via.id, HOSTS[3], ())
    await clean(system)
    assert await debts(system) == ()
    assert await system.discrepancies() == []


async def test_a_detach_is_owed_while_gluster_refuses_it_since_a_node_of_ours_is_away(system: System) -> None:
    (node,) = await _nodes_without_devices(system, 3)
    via = min(await system.db.read(lambda tx: [n for n in tx.nodes.all() if n.id != node]), key=lambda n: n.id)
    system.simulator.node_down(via.manage[0])
    await system.done(await system.services.nodes.delete(node))
    await clean(system)
    (debt,) = (await system.services.operations.unsettled()).debts
    assert "One of the peers is probably down" in debt.reason
    system.simulator.node_up(via.manage[0])
    await clean(system)
    assert await debts(system) == ()
    assert await system.discrepancies() == []


async def test_of_two_nodes_that_are_gone_for_good_neither_keeps_the_other_in_the_pool(system: System) -> None:
    gone = await _nodes_without_devices(system, 3, 4)
    for host in HOSTS[3:5]:
        system.simulator.node_down(host)
    for node in gone:
        await system.done(await system.services.nodes.delete(node))
    assert len(await debts(system)) == 2, "neither is let go while the other one is down"
    await clean(system)
    assert await debts(system) == ()
    assert await system.discrepancies() == []


async def test_a_device_whose_removal_is_stuck_can_be_forgotten(system: System) -> None:
    cluster = await system.cluster()
    device = (await system.services.nodes.info(cluster.nodes[0])).devices[0].device.id
    host = (await system.services.nodes.info(cluster.nodes[0])).node.manage[0]
    for state in (State.OFFLINE, State.FAILED):
        await system.done(await system.services.devices.set_state(device, state, HealCheck.ENABLE))
    about = on("vgremove", node=host)

    def dies(node: str, argv: Sequence[str]) -> bool:
        if found := about(node, argv):
            system.simulator.node_down(host)
        return found

    system.simulator.faults.add(Fault(Effect.LOSE_AFTER, dies))
    job = await system.result(await system.services.devices.delete(device))
    assert "does not answer" in job.error
    (stuck,) = (await system.services.operations.unsettled()).unrecorded
    assert (stuck.kind, stuck.status, bool(stuck.reason)) == ("remove-device", "failed", True)
    await clean(system)
    await system.done(await system.services.devices.delete(device, forget=True))
    unsettled = await system.services.operations.unsettled()
    assert (unsettled.unrecorded, unsettled.debts) == ([], [])
    assert await system.db.read(lambda tx: tx.devices.find(device)) is None


async def test_what_is_stuck_says_why_and_is_tried_when_it_says(system: System) -> None:
    await system.cluster()
    volume = await system.volume(10, REPLICA_3)
    system.simulator.faults.add(Fault(Effect.FAIL, on("lvremove", node=HOSTS[1]), times=0))
    await system.result(await system.services.volumes.delete(volume))
    waits = []
    for _ in range(3):
        (record,) = await system.services.operations.pending()
        assert (record.status, record.reason) == ("failed", "simulated failure\n")
        assert record.next_try is not None
        waits.append(record.next_try - system.clock.now)
        system.clock.now = record.next_try - 1
        before = len(system.simulator.history)
        await system.services.cleaner.clean()
        await system.services.runner.drain()
        assert len(system.simulator.history) == before, "it is not due yet"
        system.clock.now += 1
        await system.services.cleaner.clean()
        await system.services.runner.drain()
        assert len(system.simulator.history) > before
    assert waits == [5.0, 10.0, 20.0]


async def test_a_debt_says_why_and_when_next_or_that_its_node_is_waited_for(system: System) -> None:
    await system.cluster()
    volume = await system.volume(10, REPLICA_3)
    system.simulator.faults.add(Fault(Effect.LOSE, on("umount", node=HOSTS[1]), times=0))
    await system.done(await system.services.volumes.delete(volume))
    (debt,) = (await system.services.operations.unsettled()).debts
    assert (debt.host, debt.next_try, len(debt.bricks)) == (HOSTS[1], system.clock.now, 1)
    assert debt.reason
    await system.services.cleaner.clean()
    (debt,) = (await system.services.operations.unsettled()).debts
    assert (debt.attempts, debt.next_try) == (1, system.clock.now + 5)
    system.simulator.node_down(HOSTS[1])
    await system.services.health.look()
    (debt,) = (await system.services.operations.unsettled()).debts
    assert debt.next_try is None


async def test_after_a_restart_what_is_stuck_keeps_its_reason(system: System) -> None:
    await system.cluster()
    volume = await system.volume(10, REPLICA_3)
    system.simulator.faults.add(Fault(Effect.FAIL, on("lvremove", node=HOSTS[1]), times=0))
    await system.result(await system.services.volumes.delete(volume))
    await system.restart()
    (record,) = await system.services.operations.pending()
    assert (record.status, record.reason) == ("failed", "simulated failure\n")
    system.simulator.faults.clear()
    await system.restart()
    assert await system.services.operations.pending() == []
    assert await system.discrepancies() == []

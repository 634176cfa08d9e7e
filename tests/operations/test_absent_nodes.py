"""Nodes that do not answer: work goes elsewhere or ends, what they owe is written down, and paid when they are back."""

from heketipy.domain.durability import Durability, DurabilityType
from heketipy.domain.model import VolumeSpec
from heketipy.domain.operation import Debt
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

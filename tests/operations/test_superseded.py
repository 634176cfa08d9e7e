"""A server whose operation another one has taken over keeps its hands off it."""

from heketipy.domain.model import VolumeSpec
from heketipy.executors.simulator import Effect, Fault, on
from tests.operations.scenarios import REPLICA_3
from tests.support.system import HOSTS, System


async def test_an_operation_that_another_server_has_taken_over_is_left_to_it(system: System) -> None:
    await system.cluster()
    system.simulator.faults.add(Fault(Effect.DELAY, on("lvcreate"), times=0, seconds=0.1))
    reserved = await system.services.volumes.create(VolumeSpec(size_gib=5, durability=REPLICA_3))
    (operation,) = await system.db.read(lambda tx: tx.operations.all())
    for node in HOSTS[:3]:
        system.simulator.node(node).epochs[operation.id] = operation.epoch + 1
    await system.services.runner.drain()
    job = await system.services.jobs.wait(reserved, 0)
    assert job.ended is None, "the other server tells its end"
    assert [o.id for o in await system.db.read(lambda tx: tx.operations.all())] == [operation.id]
    commands = [" ".join(ran.argv) for ran in system.simulator.history]
    assert not any("volume create" in command or "lvremove" in command for command in commands)

"""Batches on simulated nodes: order, locks, epochs, limits, and what goes wrong."""

import asyncio

import pytest

from heketipy.domain.errors import NodeUnreachable
from heketipy.domain.model import NodeAddress
from heketipy.executors.simulator import Effect, Fault, Killed, Simulator, SimulatorTransport, on
from heketipy.executors.transport import Batch, Command, Fence, Lane, Result, Superseded
from tests.executors.simulator.conftest import ADDRESSES

FIRST, SECOND, _ = ADDRESSES


def batch(*lines: str, fence: Fence | None = None, tolerated: bool = False, **more: Lane) -> Batch:
    return Batch(tuple(Command(tuple(line.split()), tolerated=tolerated) for line in lines), fence=fence, **more)


def dirs(simulator: Simulator, host: str = "manage1") -> list[str]:
    return simulator.node(host).dirs


async def test_a_batch_ends_with_its_first_failure(simulator: Simulator, transport: SimulatorTransport) -> None:
    results = await transport.run(FIRST, batch("mkdir /a", "mkdir /a", "mkdir /b"))
    assert [result.status for result in results] == [0, 1]
    assert dirs(simulator) == ["/a"]


async def test_a_tolerated_failure_lets_the_batch_go_on(simulator: Simulator, transport: SimulatorTransport) -> None:
    results = await transport.run(FIRST, batch("mkdir /a", "mkdir /a", "mkdir /b", tolerated=True))
    assert [result.status for result in results] == [0, 1, 0]
    assert dirs(simulator) == ["/a", "/b"]


async def test_a_command_gets_its_stdin(simulator: Simulator, transport: SimulatorTransport) -> None:
    line = "/dev/mapper/a-b /mnt xfs rw 1 2\n"
    commands = Batch((Command(("tee", "-a", "/etc/fstab"), stdin=line),))
    assert await transport.run(FIRST, commands) == [Result(0, line)]
    assert simulator.node("manage1").fstab.endswith(line)


async def test_an_unknown_host_is_not_reached(transport: SimulatorTransport) -> None:
    with pytest.raises(NodeUnreachable, match=r"dial tcp 10\.0\.0\.9:22: connect: no route to host") as caught:
        await transport.run(NodeAddress("id9", "10.0.0.9", "10.0.0.9"), batch("true"))
    assert (caught.value.node, caught.value.sent) == ("id9", False)


async def test_a_node_may_be_down_or_refuse_our_key(simulator: Simulator, transport: SimulatorTransport) -> None:
    simulator.node_down("manage1")
    simulator.refuse_key("manage2")
    with pytest.raises(NodeUnreachable, match="no route to host"):
        await transport.run(FIRST, batch("true"))
    with pytest.raises(NodeUnreachable, match="unable to authenticate"):
        await transport.run(SECOND, batch("true"))
    simulator.node_up("manage1")
    assert await transport.run(FIRST, batch("true")) == [Result(0)]


async def test_a_lower_epoch_of_the_same_operation_is_refused(
    simulator: Simulator, transport: SimulatorTransport
) -> None:
    await transport.run(FIRST, batch("true", fence=Fence("op", 5)))
    with pytest.raises(Superseded, match="epoch 5"):
        await transport.run(FIRST, batch("mkdir /a", fence=Fence("op", 4)))
    await transport.run(FIRST, batch("true", fence=Fence("other", 4)))
    await transport.run(SECOND, batch("true", fence=Fence("op", 4)))
    assert dirs(simulator) == []


@pytest.mark.parametrize("effect", [Effect.FAIL, Effect.FAIL_AFTER])
async def test_a_command_may_fail_before_or_after_its_work(
    simulator: Simulator, transport: SimulatorTransport, effect: Effect
) -> None:
    simulator.faults.add(Fault(effect, on("mkdir"), nth=2, status=7, stderr="no\n"))
    results = await transport.run(FIRST, batch("mkdir /a", "mkdir /b", "mkdir /c"))
    assert results == [Result(0), Result(7, "", "no\n")]
    assert dirs(simulator) == (["/a"] if effect is Effect.FAIL else ["/a", "/b"])


@pytest.mark.parametrize("effect", [Effect.LOSE, Effect.LOSE_AFTER])
async def test_a_connection_may_die_before_or_after_a_command(
    simulator: Simulator, transport: SimulatorTransport, effect: Effect
) -> None:
    simulator.faults.add(Fault(effect, on("/b")))
    with pytest.raises(NodeUnreachable, match="without exit status") as caught:
        await transport.run(FIRST, batch("mkdir /a", "mkdir /b", "mkdir /c"))
    assert caught.value.sent
    assert dirs(simulator) == (["/a"] if effect is Effect.LOSE else ["/a", "/b"])


@pytest.mark.parametrize(("rest", "made"), [(True, ["/a", "/b", "/c"]), (False, ["/a", "/b"])])
@pytest.mark.looptime
async def test_a_batch_that_outlives_its_connection_keeps_its_lock(
    simulator: Simulator, transport: SimulatorTransport, rest: bool, made: list[str]
) -> None:
    simulator.faults.add(Fault(Effect.OUTLIVE, on("/b"), seconds=30, rest=rest))
    with pytest.raises(NodeUnreachable):
        await transport.run(FIRST, batch("mkdir /a", "mkdir /b", "mkdir /c", fence=Fence("op", 1)))
    assert dirs(simulator) == ["/a"]
    successor = SimulatorTransport(simulator)
    results = await successor.run(FIRST, batch("ls /", fence=Fence("op", 2)))
    assert [line for line in results[0].stdout.split() if f"/{line}" in made] == [path[1:] for path in made]
    assert asyncio.get_running_loop().time() == 30


@pytest.mark.looptime
async def test_a_lock_is_waited_for_so_long_and_no_longer(simulator: Simulator) -> None:
    transport = SimulatorTransport(simulator, lock_wait=10)
    simulator.faults.add(Fault(Effect.OUTLIVE, seconds=30))
    with pytest.raises(NodeUnreachable):
        await transport.run(FIRST, batch("mkdir /a", fence=Fence("op", 1)))
    with pytest.raises(NodeUnreachable, match="lock of operation op is still held") as caught:
        await transport.run(FIRST, batch("true", fence=Fence("op", 2)))
    assert not caught.value.sent
    await simulator.settle()
    assert dirs(simulator) == ["/a"]


@pytest.mark.looptime
async def test_batches_of_bricks_do_not_overlap_on_a_node(simulator: Simulator) -> None:
    transport = SimulatorTransport(simulator, latency=1)
    await asyncio.gather(
        *(transport.run(FIRST, batch(f"mkdir /{n}", f"rmdir /{n}", lane=Lane.BRICKS)) for n in "abc"),
        transport.run(SECOND, batch("true", lane=Lane.BRICKS)),
    )
    ran = [
        " ".join(entry.argv) for entry in simulator.history if entry.node == "manage1" and entry.argv[0] != "gluster"
    ]
    assert ran == ["mkdir /a", "rmdir /a", "mkdir /b", "rmdir /b", "mkdir /c", "rmdir /c"]
    assert asyncio.get_running_loop().time() == 6


@pytest.mark.looptime
async def test_a_node_runs_so_many_commands_at_once(simulator: Simulator) -> None:
    transport = SimulatorTransport(simulator, latency=1, places=2)
    await asyncio.gather(*(transport.run(FIRST, batch("true")) for _ in range(6)))
    assert asyncio.get_running_loop().time() == 3


@pytest.mark.looptime
async def test_a_command_that_hangs_is_ended_at_its_limit(simulator: Simulator, transport: SimulatorTransport) -> None:
    simulator.faults.add(Fault(Effect.HANG, on("/a")), Fault(Effect.DELAY, on("/b"), seconds=5))
    hanging = Batch((Command(("mkdir", "/a"), timeout=60, tolerated=True), Command(("mkdir", "/b"))))
    assert await transport.run(FIRST, hanging) == [Result(124), Result(0)]
    assert dirs(simulator) == ["/b"]
    assert asyncio.get_running_loop().time() == 65


async def test_garbage_comes_instead_of_the_answer(simulator: Simulator, transport: SimulatorTransport) -> None:
    simulator.faults.add(Fault(Effect.GARBAGE, on("volume", "info"), stdout="<xml"))
    assert await transport.run(FIRST, batch("gluster volume info --xml")) == [Result(0, "<xml")]


@pytest.mark.parametrize("effect", [Effect.DIE, Effect.DIE_AFTER])
async def test_a_killed_server_runs_nothing_more(
    simulator: Simulator, transport: SimulatorTransport, effect: Effect
) -> None:
    simulator.faults.add(Fault(effect, on("/b", node="manage1")))
    with pytest.raises(Killed):
        await transport.run(FIRST, batch("mkdir /a", "mkdir /b", "mkdir /c", fence=Fence("op", 1)))
    with pytest.raises(Killed):
        await transport.run(SECOND, batch("mkdir /a"))
    assert dirs(simulator) == (["/a"] if effect is Effect.DIE else ["/a", "/b"])
    assert await SimulatorTransport(simulator).run(FIRST, batch("true", fence=Fence("op", 2))) == [Result(0)]


async def test_faults_strike_the_commands_they_are_about(simulator: Simulator, transport: SimulatorTransport) -> None:
    with simulator.faults.during(Fault(Effect.FAIL, on("mkdir", node="manage2"), nth=2, times=2)):
        first = await transport.run(FIRST, batch(*(f"mkdir /{n}" for n in range(4)), tolerated=True))
        second = await transport.run(SECOND, batch(*(f"mkdir /{n}" for n in range(4)), tolerated=True))
    assert [result.status for result in first] == [0, 0, 0, 0]
    assert [result.status for result in second] == [0, 1, 1, 0]
    assert (await transport.run(SECOND, batch("mkdir /1")))[0].ok


@pytest.mark.looptime
async def test_the_command_at_work_ends_when_the_server_hangs_up(simulator: Simulator) -> None:
    transport = SimulatorTransport(simulator, latency=1)
    run = asyncio.create_task(transport.run(FIRST, batch("mkdir /a", "mkdir /b", "mkdir /c", fence=Fence("op", 1))))
    await asyncio.sleep(1.5)
    run.cancel()
    await asyncio.wait([run])
    assert dirs(simulator) == ["/a"]
    await SimulatorTransport(simulator).run(FIRST, batch("true", fence=Fence("op", 2)))
    assert dirs(simulator) == ["/a", "/b"]

"""A sample of what `test_every_operation` does, over real ssh and a real shell: quoting, batching, locks, epochs and
the report of statuses are executed by what executes them on real nodes."""

import asyncio
import random
from collections.abc import AsyncIterator, Callable
from contextlib import suppress
from pathlib import Path

import pytest

from heketipy.domain.errors import HeketipyError
from heketipy.domain.model import Snapshot, VolumeSpec
from heketipy.executors.options import NodeOptions
from heketipy.executors.simulator import Effect, Fault, Simulator
from heketipy.executors.ssh import SshTransport
from heketipy.executors.transport import Transport
from tests.operations.scenarios import REPLICA_3, SCENARIOS, Scenario
from tests.support.sshnode import SshNodes, ssh_nodes
from tests.support.system import System

LOOPBACKS = ("127.0.0.41", "127.0.0.42", "127.0.0.43", "127.0.0.44")
FAILURES = (Effect.FAIL, Effect.FAIL_AFTER, Effect.LOSE, Effect.LOSE_AFTER, Effect.OUTLIVE)
CRASHES = (Effect.DIE, Effect.DIE_AFTER, Effect.DIE_OUTLIVED)
SEED = 20
OUTLIVED_SECONDS = 0.3


class SystemOverSsh(System):
    """A system whose server reaches its nodes by ssh."""

    def __init__(self, database: Path, nodes: SshNodes) -> None:
        super().__init__(database, nodes.simulator, hosts=LOOPBACKS)
        self.nodes = nodes
        self.over_ssh: SshTransport

    @property
    def options(self) -> NodeOptions:
        return self.nodes.options

    def reach(self) -> Transport:
        self.over_ssh = self.nodes.transport()
        return self.over_ssh

    async def crash(self) -> None:
        await self.services.runner.close()
        await self.over_ssh.close()
        self.db.close()

    async def stop(self) -> None:
        await self.services.runner.drain()
        await self.crash()


@pytest.fixture
async def system(tmp_path: Path) -> AsyncIterator[SystemOverSsh]:
    simulator = Simulator(accept_anything=True, device_size_gib=500, seed=1)
    for host in LOOPBACKS:
        simulator.add_node(host)
    async with ssh_nodes(simulator, tmp_path) as nodes:
        running = SystemOverSsh(tmp_path / "heketi.db", nodes)
        await running.start()
        yield running
        await running.stop()


def _chance(scenario: Scenario) -> random.Random:
    return random.Random(f"{SEED} {scenario}")


async def _play(system: SystemOverSsh, scenario: Scenario, fault: Callable[[int], Fault], *, crash: bool) -> list[str]:
    """Ask for the operation with a fault at one of its first commands, and compare books and nodes afterwards."""
    subject = await scenario.prepare(system)
    struck = asyncio.Event()
    sent = fault(_chance(scenario).randint(1, 6))
    sent.kill = struck.set
    system.simulator.faults.add(sent)
    job = ""
    with suppress(HeketipyError):  # what ends before the 202 leaves nothing
        job = await scenario.ask(system, subject)
    if crash:
        waiting = [asyncio.create_task(struck.wait()), asyncio.create_task(system.services.runner.drain())]
        await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
        for task in waiting:
            task.cancel()
        await system.crash()
        await system.start()
    system.simulator.faults.clear()
    await system.services.runner.drain()
    wrong = [text for text in await system.discrepancies() if scenario.may_leave not in text]
    if not job or (await system.result(job)).error:
        await system.done(await scenario.ask(system, subject))
        wrong += [text for text in await system.discrepancies() if scenario.may_leave not in text]
    return wrong


@pytest.mark.parametrize("scenario", SCENARIOS, ids=str)
async def test_a_failure_leaves_nothing_behind(system: SystemOverSsh, scenario: Scenario) -> None:
    effect = _chance(scenario).choice(FAILURES)
    assert await _play(system, scenario, lambda n: Fault(effect, nth=n, seconds=OUTLIVED_SECONDS), crash=False) == []


@pytest.mark.parametrize("scenario", SCENARIOS, ids=str)
async def test_a_crash_is_cleaned_at_startup(system: SystemOverSsh, scenario: Scenario) -> None:
    effect = _chance(scenario).choice(CRASHES)
    assert await _play(system, scenario, lambda n: Fault(effect, nth=n, seconds=OUTLIVED_SECONDS), crash=True) == []


async def test_nothing_that_a_user_sends_is_run_by_the_shell(system: SystemOverSsh, tmp_path: Path) -> None:
    canary = tmp_path / "canary"
    await system.cluster()
    nasty = [
        f"user.note $(touch {canary})",
        f"user.note `touch {canary}`",
        f"user.note ; touch {canary} ;",
        f"user.note ' ; touch {canary} ; '",
        f'user.note " | touch {canary} "',
        f"user.note \n touch {canary}",
        f"user.note & touch {canary} &",
        f"user.note > {canary}",
        f"user.note ${{IFS}}touch{{IFS}}{canary}",
    ]
    spec = VolumeSpec(size_gib=5, durability=REPLICA_3, snapshot=Snapshot(), options=tuple(nasty))
    volume = await system.done(await system.services.volumes.create(spec))
    await system.done(await system.services.volumes.delete(volume))
    assert not canary.exists()
    assert await system.discrepancies() == []

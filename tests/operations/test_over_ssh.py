"""A sample of what `test_every_operation` does, over real ssh and a real shell: quoting, batching, locks, epochs and
the report of statuses are executed by what executes them on real nodes."""

import asyncio
import random
from collections.abc import AsyncIterator, Callable
from contextlib import suppress
from pathlib import Path

import pytest

from heketipy.domain.errors import HeketipyError
from heketipy.executors.simulator import Effect, Fault, Simulator
from tests.operations.scenarios import SCENARIOS, Scenario
from tests.support.sshnode import ssh_nodes
from tests.support.system_over_ssh import LOOPBACKS, SystemOverSsh

FAILURES = (Effect.FAIL, Effect.FAIL_AFTER, Effect.LOSE, Effect.LOSE_AFTER, Effect.OUTLIVE)
CRASHES = (Effect.DIE, Effect.DIE_AFTER, Effect.DIE_OUTLIVED)
SEED = 20
OUTLIVED_SECONDS = 0.3


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

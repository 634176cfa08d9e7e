"""A sample of what `test_every_operation` does on SQLite, on PostgreSQL."""

import random

import pytest

from heketipy.domain.errors import HeketipyError
from heketipy.executors.simulator import Effect, Fault, Killed
from tests.operations.scenarios import SCENARIOS, Scenario
from tests.support.postgresql import Server
from tests.support.system import System

SEED = 21
EFFECTS = (Effect.FAIL_AFTER, Effect.LOSE_AFTER, Effect.DIE_AFTER, Effect.DIE_OUTLIVED)


@pytest.fixture
def where(postgresql_server: Server) -> str:
    return postgresql_server.empty_database()


@pytest.mark.parametrize("scenario", SCENARIOS, ids=str)
async def test_a_failure_or_crash_leaves_nothing_behind(system_on_both: System, scenario: Scenario) -> None:
    system = system_on_both
    chance = random.Random(f"{SEED} {scenario}")
    effect = chance.choice(EFFECTS)
    subject = await scenario.prepare(system)
    system.simulator.faults.add(Fault(effect, nth=chance.randint(2, 8), seconds=0.01))
    try:
        job = await scenario.ask(system, subject)
    except (HeketipyError, Killed):
        job = ""  # nodes are asked before work is taken on
    await system.services.runner.drain()
    await system.transport.settle()
    if system.transport.killed:
        await system.restart()
    system.simulator.faults.clear()
    assert [text for text in await system.discrepancies() if scenario.may_leave not in text] == []
    if not job or (await system.result(job)).error:
        await system.done(await scenario.ask(system, subject))
    assert [text for text in await system.discrepancies() if scenario.may_leave not in text] == []

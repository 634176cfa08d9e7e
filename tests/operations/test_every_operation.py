"""Every kind of operation, failed, crashed and repeated at each of its commands: books and nodes must agree afterwards,
nothing may be left, and the same request must work then. A new kind is tested by being registered in `scenarios`."""

import copy
import shutil
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from heketipy.domain.errors import Busy, HeketipyError
from heketipy.executors.simulator import Effect, Fault, Killed, Simulator
from heketipy.executors.simulator.state import State
from heketipy.operations.kinds import KINDS
from heketipy.operations.saga import Step
from tests.operations.scenarios import SCENARIOS, Scenario
from tests.support.system import System

FAILURES = (Effect.FAIL, Effect.FAIL_AFTER, Effect.LOSE, Effect.LOSE_AFTER, Effect.OUTLIVE, Effect.GARBAGE)
CRASHES = (Effect.DIE, Effect.DIE_AFTER, Effect.DIE_OUTLIVED)
FOR_EVER = 0
A_WHILE = 10_000.0

Check = Callable[[System], Awaitable[None]]


class Stage:
    """A scenario set up once, and played again and again from there."""

    def __init__(self, scenario: Scenario, folder: Path) -> None:
        self.scenario = scenario
        self.folder = folder
        self.subject = ""
        self.commands = 0
        self.job = ""
        self._nodes = State()
        self._plays = 0

    async def set_up(self) -> "Stage":
        """Prepare the scenario, keep what is there then, and count the commands of its operation."""
        simulator = Simulator(accept_anything=True, device_size_gib=500, seed=1)
        system = await System(self.folder / "prepared.db", simulator).start()
        self.subject = await self.scenario.prepare(system)
        await system.stop()
        self._nodes = copy.deepcopy(simulator.state)
        async with self.play() as system:
            before = len(system.simulator.history)
            await system.done(await self.scenario.ask(system, self.subject))
            assert await self.wrong(system) == []
            self.commands = len(system.simulator.history) - before
        return self

    @asynccontextmanager
    async def play(self) -> AsyncIterator[System]:
        """Start a server on a copy of what was prepared."""
        self._plays += 1
        database = self.folder / f"play{self._plays}.db"
        shutil.copy(self.folder / "prepared.db", database)
        simulator = Simulator(copy.deepcopy(self._nodes), accept_anything=True, device_size_gib=500, seed=2)
        system = await System(database, simulator).start()
        # Ids of the preparation must not come again.
        for _ in range(1000):
            system.new_id()
        try:
            yield system
        finally:
            await system.crash()
            for file in self.folder.glob(f"{database.name}*"):
                if file.is_dir():
                    shutil.rmtree(file)
                else:
                    file.unlink()

    async def strike(self, system: System, fault: Fault) -> None:
        """Ask for the operation with a fault in the way, and wait until nothing moves any more."""
        system.simulator.faults.add(fault)
        self.job = ""
        try:
            self.job = await self.scenario.ask(system, self.subject)
        except (HeketipyError, Killed):
            return  # what ends before the 202 leaves nothing
        await system.services.runner.drain()
        await system.transport.settle()

    async def wrong(self, system: System) -> list[str]:
        """Name in what books and nodes differ, but for what may be left."""
        return [text for text in await system.discrepancies() if self.scenario.may_leave not in text]

    async def check(self, system: System) -> list[str]:
        """Name what is wrong: differences between books and nodes, and a request that does not work afterwards."""
        system.simulator.faults.clear()
        wrong = await self.wrong(system)
        if self.job and not (await system.result(self.job)).error:
            return wrong
        try:
            job = await system.result(await self.scenario.ask(system, self.subject))
        except HeketipyError as error:
            if isinstance(error, Busy):
                wrong.append("the request is refused for being busy")
            return wrong  # it is done already, and cannot be asked for again
        if job.error:
            wrong.append(f"asked again it fails: {job.error}")
        return wrong + await self.wrong(system)


@pytest.fixture(params=SCENARIOS, ids=str)
async def stage(request: pytest.FixtureRequest, tmp_path: Path) -> Stage:
    """Each scenario, prepared."""
    return await Stage(request.param, tmp_path).set_up()


async def _at_every_command(stage: Stage, strike: Callable[[System, int], Awaitable[None]]) -> list[str]:
    wrong = []
    for number in range(1, stage.commands + 1):
        async with stage.play() as system:
            await strike(system, number)
            wrong += [f"at command {number} of {stage.commands}: {text}" for text in await stage.check(system)]
    return wrong


def test_every_kind_has_a_scenario() -> None:
    assert {scenario.kind for scenario in SCENARIOS} == set(KINDS)


@pytest.mark.parametrize("effect", FAILURES)
async def test_a_failure_at_any_command_leaves_nothing_behind(stage: Stage, effect: Effect) -> None:
    async def strike(system: System, number: int) -> None:
        await stage.strike(system, Fault(effect, nth=number, seconds=0.001))

    assert await _at_every_command(stage, strike) == []


@pytest.mark.parametrize("effect", [Effect.FAIL, Effect.LOSE])
async def test_what_cannot_be_taken_back_now_is_taken_back_or_finished_later(stage: Stage, effect: Effect) -> None:
    async def strike(system: System, number: int) -> None:
        await stage.strike(system, Fault(effect, nth=number, times=FOR_EVER))
        system.simulator.faults.clear()
        system.clock.now += A_WHILE
        await system.services.cleaner.clean()
        await system.services.runner.drain()
        await system.services.cleaner.clean()

    assert await _at_every_command(stage, strike) == []


@pytest.mark.parametrize("effect", CRASHES)
async def test_a_crash_at_any_command_is_cleaned_at_startup(stage: Stage, effect: Effect) -> None:
    async def strike(system: System, number: int) -> None:
        await stage.strike(system, Fault(effect, nth=number, seconds=0.001))
        await system.restart()

    assert await _at_every_command(stage, strike) == []


async def test_a_second_crash_in_the_middle_of_the_clean_up_is_cleaned_too(stage: Stage) -> None:
    async def strike(system: System, number: int) -> None:
        await stage.strike(system, Fault(Effect.DIE_AFTER, nth=number))
        for further in range(2):
            system.simulator.faults.clear()
            system.simulator.faults.add(Fault(Effect.DIE_AFTER, nth=further + 1))
            await system.restart()
        system.simulator.faults.clear()
        await system.restart()

    assert await _at_every_command(stage, strike) == []


async def test_every_step_and_its_undo_may_be_repeated(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    _repeat_steps(monkeypatch, stage.scenario.kind)
    async with stage.play() as system:
        await system.done(await stage.scenario.ask(system, stage.subject))
        assert await stage.wrong(system) == []

    async def strike(system: System, number: int) -> None:
        await stage.strike(system, Fault(Effect.FAIL_AFTER, nth=number))

    assert await _at_every_command(stage, strike) == []


def _repeat_steps(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    kind = KINDS[name]

    def twice(action: Callable[[], Awaitable[None]]) -> Callable[[], Awaitable[None]]:
        async def both() -> None:
            await action()
            await action()

        return both

    def steps(plan: object, context: object) -> Sequence[Step]:
        return [Step(s.name, twice(s.do), undo=twice(s.undo), pivot=s.pivot) for s in kind.steps(plan, context)]

    doubled = type(kind)(kind.name, kind.plan, steps, kind.publish, kind.release, kind.again)
    monkeypatch.setitem(KINDS, name, doubled)

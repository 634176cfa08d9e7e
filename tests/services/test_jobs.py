"""Jobs are read again and again, also after a restart, and a poll may wait for the end."""

import asyncio

import pytest

from heketipy.domain.errors import NotFound
from heketipy.domain.model import VolumeSpec
from heketipy.executors.simulator import Effect, Fault, on
from tests.operations.scenarios import REPLICA_3
from tests.support.system import System


async def test_a_poll_is_held_until_the_job_ends(system: System) -> None:
    await system.cluster()
    job = await system.services.volumes.create(VolumeSpec(size_gib=5, durability=REPLICA_3))
    ended = await asyncio.wait_for(system.services.jobs.wait(job, 30), 10)
    assert ended.result.startswith("/volumes/")


async def test_a_poll_is_given_up_after_its_time(system: System) -> None:
    await system.cluster()
    system.simulator.faults.add(Fault(Effect.DELAY, on("volume start"), seconds=0.2))
    job = await system.services.volumes.create(VolumeSpec(size_gib=5, durability=REPLICA_3))
    assert (await system.services.jobs.wait(job, 0.01)).ended is None
    assert (await system.services.jobs.wait(job, 30)).ended is not None


async def test_results_are_read_again_after_a_restart(system_on_both: System) -> None:
    system = system_on_both
    await system.cluster()
    job = await system.services.volumes.create(VolumeSpec(size_gib=5, durability=REPLICA_3))
    first = await system.result(job)
    await system.restart()
    assert await system.services.jobs.wait(job, 0) == first
    assert await system.services.jobs.wait(job, 0) == first


async def test_old_results_are_forgotten_and_an_unknown_job_is_not_taken_for_an_unknown_volume(
    system: System,
) -> None:
    await system.cluster()
    job = await system.services.volumes.create(VolumeSpec(size_gib=5, durability=REPLICA_3))
    await system.result(job)
    system.clock.now += 23 * 3600
    await system.services.jobs.purge()
    await system.services.jobs.wait(job, 0)
    system.clock.now += 2 * 3600
    assert await system.services.jobs.purge() > 0
    with pytest.raises(NotFound) as unknown:
        await system.services.jobs.wait(job, 0)
    assert "Id not found" not in str(unknown.value)


async def test_a_client_that_goes_away_cancels_nothing(system: System) -> None:
    await system.cluster()
    system.simulator.faults.add(Fault(Effect.DELAY, on("volume start"), seconds=0.1))
    job = await system.services.volumes.create(VolumeSpec(size_gib=5, durability=REPLICA_3))
    poll = asyncio.create_task(system.services.jobs.wait(job, 30))
    await asyncio.sleep(0)
    poll.cancel()
    await system.done(job)
    assert await system.discrepancies() == []


async def test_work_that_failed_says_by_a_stable_word_why(system: System) -> None:
    await system.cluster()
    system.simulator.faults.add(Fault(Effect.FAIL, on("volume start"), times=0))
    spec = VolumeSpec(size_gib=5, durability=REPLICA_3)
    refused = await system.result(await system.services.volumes.create(spec))
    assert (refused.code, refused.error != "") == ("command-failed", True)
    system.simulator.faults.clear()
    system.simulator.faults.add(Fault(Effect.DIE, on("volume start"), kill=(dying := asyncio.Event()).set))
    job = await system.services.volumes.create(spec)
    await dying.wait()
    await system.restart()
    assert (await system.result(job)).code == "interrupted"

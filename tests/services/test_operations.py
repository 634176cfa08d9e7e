"""Pending operations as heketi's clients see them, and their clean-up."""

import asyncio
import sqlite3
from contextlib import closing

import pytest

from heketipy.domain.errors import NotFound
from heketipy.domain.model import DeviceSpec, VolumeSpec
from heketipy.domain.pending import Action, Change, PendingCounts, RecordType
from heketipy.executors.simulator import Effect, Fault, on
from tests.operations.scenarios import REPLICA_3
from tests.support.system import HOSTS, System

NOTHING = PendingCounts(total=0, in_flight=0, stale=0, failed=0, new=0)


def slow(tool: str) -> Fault:
    return Fault(Effect.DELAY, on(tool), seconds=0.3)


async def changes(system: System, operation: str) -> list[Action]:
    return list((await system.services.operations.info(operation)).actions)


async def stuck_create(system: System) -> str:
    """Leave a create behind that could neither be finished nor taken back; return the operation's id."""
    system.simulator.faults.add(Fault(Effect.FAIL, on("volume create"), times=0))
    system.simulator.faults.add(Fault(Effect.FAIL, on("lvremove"), times=0))
    job = await system.result(await system.services.volumes.create(VolumeSpec(size_gib=5, durability=REPLICA_3)))
    assert job.error
    system.simulator.faults.clear()
    (pending,) = await system.services.operations.pending()
    return pending.id


async def test_a_running_create_is_shown_with_its_bricks_and_its_volume(system: System) -> None:
    await system.cluster(devices=1)
    system.simulator.faults.add(slow("lvcreate"))
    job = await system.services.volumes.create(VolumeSpec(size_gib=5, durability=REPLICA_3))
    (record,) = await system.services.operations.pending()
    assert (record.type, record.type_name, record.status) == (RecordType.CREATE_VOLUME, "create-volume", "")
    assert record.at_work
    assert await system.services.operations.counts() == PendingCounts(1, 1, 0, 0, 1)
    volume = await system.done(job)
    details = await system.services.volumes.info(volume)
    bricks, (last,) = record.actions[:-1], record.actions[-1:]
    assert sorted(action.id for action in bricks) == [brick.id for brick in details.bricks]
    assert {action.change for action in bricks} == {Change.ADD_BRICK}
    assert last == Action(Change.ADD_VOLUME, volume)
    assert await system.services.operations.counts() == NOTHING


async def test_what_is_committed_and_not_yet_started_is_not_taken_back(system: System) -> None:
    await system.cluster(devices=1)
    asking = asyncio.create_task(system.services.volumes.create(VolumeSpec(size_gib=5, durability=REPLICA_3)))
    await asyncio.sleep(0)
    # The loop stands still meanwhile, so that nobody can start what the writer's thread commits.
    with closing(sqlite3.connect(system.database)) as books:
        while not (found := books.execute("SELECT id FROM operations").fetchall()):
            pass
    system.services.runner.recover(found[0][0])
    assert await system.done(await asking)
    assert await system.discrepancies() == []


async def test_deletes_and_expansions_are_shown_in_heketis_terms(system: System) -> None:
    await system.cluster(devices=2)
    volume = await system.volume(5, REPLICA_3)
    system.simulator.faults.add(slow("lvcreate"))
    job = await system.services.volumes.expand(volume, 3)
    (expand,) = await system.services.operations.pending()
    assert expand.type_name == "expand-volume"
    assert expand.actions[-1] == Action(Change.EXPAND_VOLUME, volume, 3)
    assert {action.change for action in expand.actions[:-1]} == {Change.ADD_BRICK}
    await system.done(job)
    system.simulator.faults.add(slow("lvremove"))
    job = await system.services.volumes.delete(volume)
    (delete,) = await system.services.operations.pending()
    assert delete.type_name == "delete-volume"
    assert delete.actions[-1] == Action(Change.DELETE_VOLUME, volume)
    assert [action.change for action in delete.actions[:-1]] == [Change.DELETE_BRICK] * 6
    await system.done(job)


async def test_what_heketi_has_no_record_of_is_not_shown(system: System) -> None:
    cluster = await system.cluster(devices=1)
    system.simulator.faults.add(slow("vgcreate"))
    job = await system.services.devices.add(DeviceSpec(node=cluster.nodes[0], name="/dev/sdz"))
    assert await system.services.operations.pending() == []
    assert await system.services.operations.counts() == NOTHING
    (operation,) = await system.db.read(lambda tx: tx.operations.all())
    with pytest.raises(NotFound, match=f"^Id not found: {operation.id}$"):
        await system.services.operations.info(operation.id)
    await system.done(job)


@pytest.mark.parametrize("by_name", [False, True])
async def test_a_failed_operation_is_cleaned_up_on_demand(system: System, by_name: bool) -> None:
    await system.cluster(devices=1)
    operation = await stuck_create(system)
    assert await system.services.operations.counts() == PendingCounts(1, 0, 0, 1, 0)
    assert (await changes(system, operation))[-1].change == Change.ADD_VOLUME
    job = await system.services.operations.clean_up([operation] if by_name else [])
    assert await system.done(job) == ""
    assert await system.services.operations.pending() == []
    assert await system.discrepancies() == []


async def test_a_clean_up_that_fails_again_succeeds_and_the_operation_stays(system: System) -> None:
    await system.cluster(devices=1)
    operation = await stuck_create(system)
    system.simulator.faults.add(Fault(Effect.FAIL, on("lvremove"), times=0))
    assert await system.done(await system.services.operations.clean_up([])) == ""
    assert (await system.services.operations.info(operation)).status == "failed"


async def test_a_clean_up_of_other_or_unknown_operations_does_nothing(system: System) -> None:
    await system.cluster(devices=1)
    operation = await stuck_create(system)
    assert await system.done(await system.services.operations.clean_up(["0" * 32, ""])) == ""
    assert (await system.services.operations.info(operation)).status == "failed"


async def test_a_clean_up_has_debts_paid_at_once(system: System) -> None:
    await system.cluster(nodes=4, devices=1)
    system.simulator.faults.add(
        Fault(Effect.LOSE_AFTER, on("lvcreate", node=HOSTS[0])),
        Fault(Effect.LOSE, on(node=HOSTS[0]), nth=3, times=0),
    )
    for _ in range(3):
        await system.volume(10, REPLICA_3)
    assert await system.db.read(lambda tx: tx.debts.all())
    system.simulator.faults.clear()
    await system.done(await system.services.operations.clean_up([]))
    assert await system.db.read(lambda tx: tx.debts.all()) == []


async def test_what_a_dead_server_left_is_stale_and_a_clean_up_ends_with_the_next_start(system: System) -> None:
    await system.cluster(devices=1)
    operation = await stuck_create(system)
    system.simulator.faults.add(Fault(Effect.FAIL, on("lvremove"), times=0), Fault(Effect.DELAY, on("vgs"), times=0))
    job = await system.services.operations.clean_up([])
    await system.crash()
    await system.start()
    assert (await system.services.operations.info(operation)).status in ("stale", "failed")
    assert (await system.services.jobs.wait(job, 0)).ended is not None

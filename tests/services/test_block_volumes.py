"""Use cases of block volumes and of the volumes that host them."""

import asyncio
import json
from dataclasses import replace
from pathlib import Path

import pytest

from heketipy.domain.errors import Busy, CannotAllocate, CannotBegin, Conflict, InvalidRequest, NotFound
from heketipy.domain.model import BlockInfo, BlockVolumeSpec
from heketipy.domain.states import HealCheck, State
from heketipy.executors.simulator import Effect, Fault, Simulator, on
from heketipy.operations.reservation import VolumePolicy
from heketipy.services.build import Policy
from tests.operations.scenarios import REPLICA_3
from tests.support.system import HOSTS, System

IN_USE = "The target exists, contains other items, or is in use."


async def hosting(system: System, gib: int = 100, **spec: object) -> str:
    return await system.volume(gib, REPLICA_3, block=True, **spec)


async def books(system: System, volume: str) -> tuple[int, int, str]:
    info = (await system.services.volumes.info(volume)).volume.block_info
    return info.free_gib, info.reserved_gib, info.restriction


async def refused(work: object, kind: type[Exception]) -> str:
    with pytest.raises(kind) as raised:
        await work  # type: ignore[misc]
    return str(raised.value)


async def test_a_block_volume_is_made_grows_and_goes(system_on_both: System) -> None:
    system = system_on_both
    cluster = (await system.cluster()).cluster.id
    bhv = await hosting(system)
    made = await system.block_volume(3, name="bv1", ha_count=2, auth=True)
    found = await system.services.block_volumes.info(made)
    assert (found.name, found.cluster, found.hosting_volume) == ("bv1", cluster, bhv)
    assert (found.size_gib, found.usable_gib, found.ha_count) == (3, 3, 2)
    assert set(found.target.hosts) < set(HOSTS[:3])
    assert found.target.iqn == f"iqn.2016-12.org.gluster-block:{found.target.username}"
    assert found.target.password
    assert await system.services.block_volumes.ids() == [made]
    assert (await system.services.clusters.info(cluster)).block_volumes == (made,)
    assert (await system.services.volumes.info(bhv)).block_volumes == (made,)
    assert await books(system, bhv) == (95, 2, "")
    assert await system.done(await system.services.block_volumes.expand(made, 7)) == made
    assert (await system.services.block_volumes.info(made)).size_gib == 7
    assert await books(system, bhv) == (91, 2, "")
    assert await system.discrepancies() == []
    await system.done(await system.services.block_volumes.delete(made))
    assert await system.services.block_volumes.ids() == []
    assert await refused(system.services.block_volumes.info(made), NotFound) == "Id not found"
    assert await refused(system.services.block_volumes.delete(made), NotFound) == "Id not found"
    assert await books(system, bhv) == (98, 2, "")
    assert await system.discrepancies() == []


async def test_the_books_of_a_hosting_volume_go_as_recorded(system_on_both: System) -> None:
    system = system_on_both
    await system.cluster()
    bhv = await hosting(system, 100)
    assert await books(system, bhv) == (98, 2, "")
    blocks = [await system.block_volume(1) for _ in range(3)]
    assert await books(system, bhv) == (95, 2, "")
    await system.done(await system.services.block_volumes.expand(blocks[0], 5))
    assert await books(system, bhv) == (91, 2, "")
    for more, after in ((10, (100, 3, "")), (1, (100, 4, "")), (50, (149, 5, ""))):
        await system.done(await system.services.volumes.expand(bhv, more))
        assert await books(system, bhv) == after
    assert await system.discrepancies() == []


async def test_without_a_hosting_volume_one_is_made_and_stays(system_on_both: System) -> None:
    system = system_on_both
    await system.cluster()
    made = await system.block_volume(49)
    (bhv,) = await system.services.volumes.ids()
    volume = (await system.services.volumes.info(bhv)).volume
    assert (volume.size_gib, volume.durability, volume.block, volume.gid) == (50, REPLICA_3, True, 0)
    assert volume.options == ("", "group gluster-block", "")
    assert await books(system, bhv) == (0, 1, "")
    assert (await system.services.block_volumes.info(made)).ha_count == 3
    await system.done(await system.services.block_volumes.delete(made))
    assert await system.services.volumes.ids() == [bhv]
    await system.done(await system.services.volumes.delete(bhv))
    assert await system.discrepancies() == []


async def test_names_locks_and_space_all_lead_to_another_hosting_volume(system: System) -> None:
    await system.cluster()
    first = await hosting(system)
    await system.block_volume(1, name="same")
    second = (await system.services.block_volumes.info(await system.block_volume(1, name="same"))).hosting_volume
    assert second != first
    for volume in (first, second):
        await system.done(await system.services.volumes.restrict(volume, "locked"))
    third = (await system.services.block_volumes.info(await system.block_volume(1))).hosting_volume
    assert third not in (first, second)
    assert await system.discrepancies() == []


async def test_what_is_pending_is_hidden_and_counts(system: System) -> None:
    cluster = (await system.cluster()).cluster.id
    bhv = await hosting(system)
    system.simulator.faults.add(Fault(Effect.DELAY, on("gluster-block create"), seconds=0.2))
    job = await system.services.block_volumes.create(BlockVolumeSpec(size_gib=5, name="wanted"))
    (pending,) = await system.db.read(lambda tx: tx.block_volumes.ids(visible=False))
    assert await system.services.block_volumes.ids() == []
    assert (await system.services.clusters.info(cluster)).block_volumes == ()
    assert (await system.services.volumes.info(bhv)).block_volumes == ()
    assert await books(system, bhv) == (93, 2, "")
    text = "Cannot delete a block hosting volume containing block volumes"
    assert await refused(system.services.volumes.delete(bhv), Conflict) == text
    assert IN_USE in await refused(system.services.block_volumes.delete(pending), CannotBegin)
    assert IN_USE in await refused(system.services.block_volumes.expand(pending, 9), CannotBegin)
    assert await system.done(job) == pending
    assert await system.discrepancies() == []


async def test_an_expansion_keeps_others_away_and_does_not_hide(system: System) -> None:
    await system.cluster()
    await hosting(system)
    made = await system.block_volume(5)
    system.simulator.faults.add(Fault(Effect.DELAY, on("gluster-block modify"), seconds=0.2))
    job = await system.services.block_volumes.expand(made, 9)
    assert (await system.services.block_volumes.info(made)).size_gib == 5
    again = await refused(system.services.block_volumes.expand(made, 10), CannotBegin)
    assert again == f"Failed to allocate block volume expansion: {IN_USE}"
    gone = await refused(system.services.block_volumes.delete(made), CannotBegin)
    assert gone == f"Failed to set up block volume delete: {IN_USE}"
    await system.done(job)
    assert await system.discrepancies() == []


async def test_deleting_twice_follows_the_same_job(system: System) -> None:
    await system.cluster()
    await hosting(system)
    made = await system.block_volume(5)
    first = await system.services.block_volumes.delete(made)
    assert await system.services.block_volumes.delete(made) == first
    await system.done(first)
    assert await system.discrepancies() == []


async def test_what_cannot_be_allocated_is_refused_in_heketis_words_and_order(system: System) -> None:
    ask, prefix = system.services.block_volumes.create, "Failed to allocate new block volume: "
    assert await refused(ask(BlockVolumeSpec(1)), InvalidRequest) == "No clusters configured"
    empty = (await system.services.clusters.create(file=True, block=False)).cluster.id
    assert await refused(ask(BlockVolumeSpec(1, clusters=("0",))), InvalidRequest) == "Cluster id 0 not found"
    text = await refused(ask(BlockVolumeSpec(1)), CannotAllocate)
    assert text == f"{prefix}Cluster does not support requested volume type"
    await system.services.clusters.set_flags(empty, file=False, block=True)
    text = await refused(ask(BlockVolumeSpec(50)), CannotAllocate)
    too_small = "The size configured for automatic creation of block hosting volumes (50) is too small"
    assert text.startswith(prefix + too_small)
    text = await refused(ask(BlockVolumeSpec(1)), CannotAllocate)
    assert text.startswith(f"{prefix}No nodes in cluster")
    assert system.services.admission.inside == 0


async def test_without_automatic_creation_the_reasons_are_told(tmp_path: Path) -> None:
    system = await System(
        tmp_path / "heketi.db", Simulator(accept_anything=True, seed=1), policy=Policy(volumes=VolumePolicy())
    ).start()
    await system.cluster()
    bhv = await hosting(system, 10)
    await hosting(system, 5)
    await system.done(await system.services.volumes.restrict(bhv, "locked"))
    text = await refused(system.services.block_volumes.create(BlockVolumeSpec(6)), CannotAllocate)
    first, second = text.splitlines()
    assert first.endswith("Block Hosting Volume Creation is disabled. Create a Block hosting volume and try again.")
    assert second == "Hosting volumes that were looked at: 2 (1 locked, 1 with less than 6 GiB free)"
    await system.stop()


async def test_a_hosting_volume_on_its_way_makes_others_wait(system: System) -> None:
    await system.cluster()
    system.simulator.faults.add(Fault(Effect.DELAY, on("volume start"), seconds=0.2))
    job = await system.services.block_volumes.create(BlockVolumeSpec(5))
    await refused(system.services.block_volumes.create(BlockVolumeSpec(5)), Busy)
    await system.done(job)
    await system.block_volume(5)
    assert len(await system.services.volumes.ids()) == 1
    assert system.services.admission.inside == 0
    assert await system.discrepancies() == []


async def test_many_at_once_never_overbook(system_on_both: System) -> None:
    system = system_on_both
    await system.cluster()
    bhv = await hosting(system, 50)
    asked = (system.services.block_volumes.create(BlockVolumeSpec(5)) for _ in range(9))
    for job in await asyncio.gather(*asked):
        await system.done(job)
    assert await books(system, bhv) == (4, 1, "")
    assert await system.discrepancies() == []


async def test_room_is_missing_for_an_expansion_and_the_text_says_how_much(system: System) -> None:
    await system.cluster()
    bhv = await hosting(system, 10)
    made = await system.block_volume(5)
    expand, prefix = system.services.block_volumes.expand, "Failed to allocate block volume expansion: "
    text = await refused(expand(made, 10), CannotAllocate)
    name = (await system.services.volumes.info(bhv)).volume.name
    assert text == f"{prefix}No space\nHosting volume {name} has 4 GiB free, 5 GiB are needed"
    text = await refused(expand(made, 5), CannotAllocate)
    assert text == f"{prefix}Requested new-size 5 is same as current block volume size 5, nothing to be done."
    text = await refused(expand(made, 4), CannotAllocate)
    assert text.startswith(f"{prefix}Requested new-size 4 is less than current block volume size 5")


async def test_as_many_hosts_as_wanted_that_answer_export_it(system: System) -> None:
    await system.cluster(nodes=4, devices=1)
    await hosting(system)
    system.simulator.glusterd_down(HOSTS[1])
    for _ in range(4):
        found = await system.services.block_volumes.info(await system.block_volume(1, ha_count=3))
        assert sorted(found.target.hosts) == [HOSTS[0], *HOSTS[2:4]]
    job = await system.services.block_volumes.create(BlockVolumeSpec(1, ha_count=4))
    assert (await system.result(job)).error == "insufficient block hosts online"
    system.simulator.glusterd_up(HOSTS[1])
    assert (await system.services.block_volumes.info(await system.block_volume(1, ha_count=9))).ha_count == 4
    assert await system.discrepancies() == []


async def test_another_node_runs_the_command_where_the_first_has_no_daemon(system: System) -> None:
    await system.cluster()
    await hosting(system)
    first = (await system.db.read(lambda tx: tx.nodes.all()))[0].manage[0]
    system.simulator.blockd_down(first)
    for _ in range(3):
        await system.result(await system.services.block_volumes.create(BlockVolumeSpec(1, ha_count=1)))
    ran = [r.node for r in system.simulator.history if r.argv[:2] == ("gluster-block", "create")]
    assert ran
    assert first not in ran
    assert await system.discrepancies() == []


async def test_a_resize_that_a_host_refuses_is_told_kept_and_can_be_repeated(system_on_both: System) -> None:
    system = system_on_both
    await system.cluster()
    bhv = await hosting(system)
    made = await system.block_volume(5)
    via = next(r.node for r in system.simulator.history if r.argv[:2] == ("gluster-block", "create"))
    away = next(host for host in HOSTS[:3] if host != via)
    system.simulator.blockd_down(away)
    job = await system.result(await system.services.block_volumes.expand(made, 9))
    assert job.error.startswith(f"Failed to expand block volume: block volume resize failed: {away}:[5.0 GiB] (see")
    found = await system.services.block_volumes.info(made)
    assert (found.size_gib, found.usable_gib) == (9, 5)
    assert await books(system, bhv) == (89, 2, "")
    system.simulator.blockd_up(away)
    assert await system.done(await system.services.block_volumes.expand(made, 9)) == made
    assert (await system.services.block_volumes.info(made)).usable_gib == 9
    assert await books(system, bhv) == (89, 2, "")
    assert await system.discrepancies() == []


async def test_a_failed_delete_shows_the_block_volume_again(system: System) -> None:
    await system.cluster()
    await hosting(system)
    made = await system.block_volume(5)
    refusal = json.dumps({"RESULT": "FAIL", "errCode": 107, "errMsg": "failed to delete config"})
    system.simulator.faults.add(Fault(Effect.FAIL, on("gluster-block delete"), status=255, stderr=refusal))
    job = await system.result(await system.services.block_volumes.delete(made))
    assert job.error == "failed to delete config"
    assert await system.services.block_volumes.ids() == [made]
    assert await system.discrepancies() == []


async def test_restrictions_are_set_and_lifted(system_on_both: System) -> None:
    system = system_on_both
    await system.cluster()
    bhv, plain = await hosting(system), await system.volume(1, REPLICA_3)
    restrict, prefix = system.services.volumes.restrict, "Failed to set block restriction: "
    assert await system.done(await restrict(bhv, "locked")) == bhv
    assert await books(system, bhv) == (98, 2, "locked")
    assert await system.done(await restrict(bhv, "")) == bhv
    assert await books(system, bhv) == (98, 2, "")
    text = await refused(restrict(plain, "locked"), CannotBegin)
    assert text == f"{prefix}Block restrictions can only be set on block hosting volumes"
    assert await refused(restrict("0" * 32, "locked"), NotFound) == "Id not found"
    assert system.services.admission.inside == 0


async def test_books_that_do_not_come_out_even_are_put_right_at_the_next_start(system_on_both: System) -> None:
    system = system_on_both
    await system.cluster()
    bhv = await hosting(system)
    await system.block_volume(10)
    await system.db.write(lambda tx: tx.volumes.set_block_info(bhv, BlockInfo(50, 2, "")))
    await system.restart()
    assert await books(system, bhv) == (88, 2, "locked-by-update")
    assert await system.discrepancies() == []
    await system.done(await system.services.volumes.restrict(bhv, ""))
    assert await books(system, bhv) == (88, 2, "")


async def test_a_restart_in_the_middle_of_an_expansion_neither_locks_nor_loses_space(system: System) -> None:
    await system.cluster()
    bhv = await hosting(system, 200)
    made = await system.block_volume(10)
    system.simulator.faults.add(Fault(Effect.DIE, on("gluster-block modify")))
    await system.services.block_volumes.expand(made, 30)
    await system.services.runner.drain()
    system.simulator.faults.clear()
    await system.restart()
    assert await books(system, bhv) == (186, 4, "")
    assert (await system.services.block_volumes.info(made)).size_gib == 10
    assert await system.discrepancies() == []


async def test_clients_are_no_longer_sent_to_a_node_that_has_left(system: System) -> None:
    cluster = (await system.cluster()).cluster.id
    spare = await system.add_node(cluster, 3)
    await hosting(system)
    made = await system.block_volume(1)
    assert HOSTS[3] in (await system.services.block_volumes.info(made)).target.hosts
    await system.services.nodes.set_state(spare, State.OFFLINE, HealCheck.ENABLE)
    await system.done(await system.services.nodes.delete(spare))
    found = await system.services.block_volumes.info(made)
    assert sorted(found.target.hosts) == list(HOSTS[:3])
    assert found.ha_count == 4


async def test_passwords_are_in_no_plan_journal_or_job(system: System, capsys: pytest.CaptureFixture[str]) -> None:
    await system.cluster()
    await hosting(system)
    kept: list[str] = []

    async def look() -> None:
        kept.append(repr(await system.db.read(lambda tx: (tx.operations.all(), tx.jobs.unfinished(), tx.debts.all()))))

    made = await system.block_volume(1, auth=True)
    password = (await system.services.block_volumes.info(made)).target.password
    assert password
    for fault in (Effect.FAIL, Effect.GARBAGE):
        system.simulator.faults.add(Fault(fault, on("gluster-block modify")))
        job = await system.services.block_volumes.expand(made, 2)
        await look()
        kept.append(repr(await system.result(job)))
        system.simulator.faults.clear()
    job = await system.services.block_volumes.delete(made)
    await look()
    kept.append(repr(await system.result(job)))
    assert not any(password in text for text in kept)
    assert password not in capsys.readouterr().out


async def test_a_failed_create_with_a_password_takes_it_along(system: System) -> None:
    await system.cluster()
    await hosting(system)
    system.simulator.faults.add(Fault(Effect.GARBAGE, on("gluster-block create"), stdout="PASSWORD: hush\n"))
    job = await system.result(await system.services.block_volumes.create(BlockVolumeSpec(1, auth=True)))
    assert job.error == "Unparsable error during block volume create: (not shown, since it may hold a password)"
    assert await system.discrepancies() == []


async def test_a_block_volume_made_by_hand_is_left_alone(system: System) -> None:
    await system.cluster()
    bhv = (await system.services.volumes.info(await hosting(system))).volume.name
    by_hand = f"gluster-block create {bhv}/foreign ha 1 auth disable prealloc full {HOSTS[0]} 1GiB --json".split()
    assert system.simulator.execute(HOSTS[0], by_hand).ok
    block = replace(system.simulator.volumes[bhv].blocks["foreign"])
    job = await system.result(await system.services.block_volumes.create(BlockVolumeSpec(2, name="foreign")))
    assert job.error.endswith(f"there is a block volume {bhv}/foreign that was not made here")
    assert system.simulator.volumes[bhv].blocks["foreign"] == block
    assert await system.discrepancies() == []


async def test_one_that_was_remade_by_hand_is_neither_deleted_nor_expanded(system: System) -> None:
    await system.cluster()
    bhv = (await system.services.volumes.info(await hosting(system))).volume.name
    made = await system.block_volume(2, name="foreign")
    for command in (
        f"gluster-block delete {bhv}/foreign --json",
        f"gluster-block create {bhv}/foreign ha 1 auth disable prealloc full {HOSTS[0]} 1GiB --json",
    ):
        assert system.simulator.execute(HOSTS[0], command.split()).ok
    block = replace(system.simulator.volumes[bhv].blocks["foreign"])
    job = await system.result(await system.services.block_volumes.expand(made, 3))
    assert job.error == f"Failed to expand block volume: block {bhv}/foreign is not the one that was made here"
    await system.done(await system.services.block_volumes.delete(made))
    assert system.simulator.volumes[bhv].blocks["foreign"] == block
    assert await system.discrepancies() == []


async def test_one_that_is_gone_from_the_nodes_can_be_deleted(system: System) -> None:
    await system.cluster()
    bhv = (await system.services.volumes.info(await hosting(system))).volume.name
    made = await system.block_volume(2, name="bv")
    assert system.simulator.execute(HOSTS[0], f"gluster-block delete {bhv}/bv --json".split()).ok
    job = await system.result(await system.services.block_volumes.expand(made, 3))
    assert job.error == f"Failed to expand block volume: block {bhv}/bv doesn't exist"
    await system.done(await system.services.block_volumes.delete(made))
    assert await system.discrepancies() == []

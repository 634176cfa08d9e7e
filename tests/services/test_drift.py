"""Drift, end to end on simulated nodes: everything that nobody knows, made by hand, and everything that is lost."""

import pytest

from heketipy.domain.comparison import Finding, Kind
from heketipy.domain.errors import Conflict, NotFound
from heketipy.domain.model import Brick, VolumeSpec
from heketipy.domain.names import mount_point, thin_pool, volume_group
from heketipy.executors.simulator import Effect, Fault, on
from tests.operations.scenarios import REPLICA_3
from tests.support.strays import STRAY, device_node, fstab_line, run, stray_brick
from tests.support.system import System

LVM = "/usr/sbin/lvm"
WHOLE_BRICK = [Kind.ORPHAN_FOLDER, Kind.ORPHAN_FSTAB_LINE, Kind.ORPHAN_LV, Kind.ORPHAN_MOUNT]
DAY = 86400.0


async def _brick(system: System) -> Brick:
    """Make a cluster of three nodes with a volume; return its brick on the first node."""
    await system.cluster(devices=1)
    await system.volume(10, REPLICA_3, name="wanted")
    bricks = await system.db.read(lambda tx: [(b, tx.nodes.get(b.node).manage[0]) for b in tx.bricks.all()])
    return next(brick for brick, host in bricks if host == system.hosts[0])


async def _found(system: System) -> list[Finding]:
    return sorted((await system.services.drift.look()).findings, key=lambda one: one.kind)


async def _kinds(system: System) -> list[Kind]:
    return [one.kind for one in await _found(system)]


async def test_a_site_in_order_has_no_drift_nor_have_clones_snapshots_and_block_volumes(system: System) -> None:
    await system.cluster()
    volume = await system.volume(10, REPLICA_3, name="wanted")
    await system.done(await system.services.volumes.clone(volume, "copy"))
    await system.block_volume(1)
    gluster = ("gluster", "--mode=script", "--xml")
    await run(system, system.hosts[0], (*gluster, "snapshot", "create", "mine", "wanted", "no-timestamp"))
    assert await _found(system) == []


async def test_what_is_left_of_a_brick_goes_into_quarantine_and_in_the_end_for_good(system: System) -> None:
    device = (await _brick(system)).device
    host, group = system.hosts[0], volume_group(device)
    await stray_brick(system, host, device)
    assert await _kinds(system) == WHOLE_BRICK
    assert all(not one.hindrance and one.certain and one.brick == STRAY for one in await _found(system))

    proposal = await system.services.drift.propose()
    (leftover,) = proposal.leftovers
    assert (leftover.mounted, leftover.in_fstab, leftover.folder, leftover.lv) == (True, True, True, f"brick_{STRAY}")
    assert await _kinds(system) == WHOLE_BRICK  # it was only shown

    await system.done(await system.services.drift.clean_up())
    (kept,) = await _found(system)
    assert kept.kind is Kind.QUARANTINED
    assert (kept.since, kept.until) == (int(system.clock.now), int(system.clock.now + 7 * DAY))
    node = system.simulator.state.nodes[host]
    assert kept.name in node.vgs[group].lvs
    assert STRAY not in node.fstab
    assert mount_point(device, STRAY) not in node.mounts

    system.clock.now += 6.9 * DAY
    await system.services.drift.end_quarantines()
    await system.services.runner.drain()
    assert await _kinds(system) == [Kind.QUARANTINED]
    system.clock.now += DAY
    await system.services.drift.end_quarantines()
    await system.services.runner.drain()
    assert await _found(system) == []
    assert await system.discrepancies() == []
    assert await system.db.read(lambda tx: tx.meta.get(f"quarantine {kept.node}"))
    system.clock.now += DAY
    await system.services.drift.end_quarantines()
    assert await system.db.read(lambda tx: tx.meta.get(f"quarantine {kept.node}")) is None


async def test_what_was_released_is_as_it_was_but_for_the_mount(system: System) -> None:
    device = (await _brick(system)).device
    await stray_brick(system, system.hosts[0], device)
    await system.done(await system.services.drift.clean_up())
    (kept,) = await _found(system)
    await system.done(await system.services.drift.release([kept.id]))
    (orphan,) = await _found(system)
    assert (orphan.kind, orphan.name) == (Kind.ORPHAN_LV, f"brick_{STRAY}")
    system.clock.now += 100 * DAY
    await system.services.drift.end_quarantines()
    await system.services.runner.drain()
    assert await _found(system) == [orphan]


async def test_each_part_that_is_left_alone_is_found_and_cleaned_up(system: System) -> None:
    device = (await _brick(system)).device
    host, group = system.hosts[0], volume_group(device)
    ids = [f"{number:032x}" for number in range(1, 5)]
    pool, line, folder, volume = ids
    for brick in (pool, volume):
        await run(
            system,
            host,
            (LVM, "lvcreate", "--size", "100M", "--poolmetadatasize", "8M", "--thin", f"{group}/{thin_pool(brick)}"),
        )
    await run(
        system,
        host,
        (LVM, "lvcreate", "--thin", f"{group}/{thin_pool(volume)}", "--virtualsize", "1G", "-n", f"brick_{volume}"),
        ("mkdir", "-p", mount_point(device, folder)),
    )
    fstab_line(system.simulator, host, f"{device_node(device, line)} {mount_point(device, line)} xfs rw 1 2")
    assert {(one.kind, one.brick) for one in await _found(system)} == {
        (Kind.ORPHAN_POOL, pool),
        (Kind.ORPHAN_FSTAB_LINE, line),
        (Kind.ORPHAN_FOLDER, folder),
        (Kind.ORPHAN_LV, volume),
    }
    await system.done(await system.services.drift.clean_up())
    assert await _kinds(system) == [Kind.QUARANTINED, Kind.QUARANTINED]
    system.clock.now += 8 * DAY
    await system.services.drift.end_quarantines()
    await system.services.runner.drain()
    assert await _found(system) == []
    assert await system.discrepancies() == []


async def test_every_loss_is_told_by_its_kind(system: System) -> None:
    brick = await _brick(system)
    host, point = system.hosts[0], mount_point(brick.device, brick.id)
    node = system.simulator.state.nodes[host]
    await run(system, host, ("umount", point))
    assert await _kinds(system) == [Kind.LOST_MOUNT]
    entry = node.entry(node.fstab_path)
    assert entry is not None
    entry.text = "".join(f"{row}\n" for row in entry.text.splitlines() if brick.id not in row)
    assert await _kinds(system) == [Kind.LOST_FSTAB_LINE, Kind.LOST_MOUNT]
    await run(system, host, (LVM, "lvremove", "-f", f"{volume_group(brick.device)}/{brick.lv}"))
    assert Kind.LOST_LV in await _kinds(system)
    await run(system, host, (LVM, "lvremove", "-f", f"{volume_group(brick.device)}/{brick.pool}"))
    lost = await _found(system)
    assert [one.kind for one in lost] == [Kind.LOST_FSTAB_LINE, Kind.LOST_LV, Kind.LOST_MOUNT, Kind.LOST_POOL]
    assert {(one.brick, one.volume, one.device) for one in lost} == {(brick.id, brick.volume, brick.device)}
    await run(system, host, (LVM, "vgremove", "-f", volume_group(brick.device)))
    assert await _kinds(system) == [Kind.LOST_GROUP]
    with pytest.raises(Conflict, match="only orphans are cleaned up"):
        await system.services.drift.clean_up([(await _found(system))[0].id])


async def test_what_gluster_and_the_books_do_not_agree_on_is_told_and_never_touched(system: System) -> None:
    brick = await _brick(system)
    (pool,) = system.simulator.state.pools.values()
    pool.volumes["wanted"].name = "foreign"
    assert await _kinds(system) == [Kind.LOST_VOLUME, Kind.UNKNOWN_VOLUME]
    pool.volumes["wanted"].name = "wanted"
    pool.volumes["wanted"].bricks[0].path = "/srv/elsewhere"
    found = await _found(system)
    assert [one.kind for one in found] == [Kind.LOST_BRICK, Kind.UNKNOWN_BRICK]
    assert (await system.services.drift.propose()).leftovers == []
    assert brick.volume == found[0].volume


async def test_what_something_refers_to_is_left_alone(system: System) -> None:
    device = (await _brick(system)).device
    host, group = system.hosts[0], volume_group(device)
    await stray_brick(system, host, device)
    (pool,) = system.simulator.state.pools.values()
    wanted = pool.volumes["wanted"].bricks[0]
    own, wanted.path = wanted.path, f"{mount_point(device, STRAY)}/brick"
    why = [one.hindrance for one in await _found(system) if one.brick == STRAY]
    assert why == ["a gluster volume refers to it"] * 4
    wanted.path = own
    await run(system, host, (LVM, "lvcreate", "-s", f"{group}/brick_{STRAY}", "-n", "mine"))
    orphan = next(one for one in await _found(system) if one.kind is Kind.ORPHAN_LV)
    assert orphan.hindrance == "snapshots were made of it: mine"
    assert (await system.services.drift.propose([orphan.id])).refused == {orphan.id: orphan.hindrance}
    with pytest.raises(Conflict, match="snapshots were made of it"):
        await system.services.drift.clean_up([orphan.id])


async def test_a_mount_in_use_stays_and_so_do_its_fstab_line_and_its_volume(system: System) -> None:
    device = (await _brick(system)).device
    await stray_brick(system, system.hosts[0], device)
    system.simulator.faults.add(Fault(Effect.FAIL, on("umount"), stderr="umount: target is busy.\n"))
    job = await system.result(await system.services.drift.clean_up())
    assert job.error.startswith("Not everything could be tidied up; ")
    assert await _kinds(system) == WHOLE_BRICK


async def test_work_in_progress_is_no_drift(system: System) -> None:
    await system.cluster()
    kinds: list[list[Kind]] = []
    for word in ("mkfs.xfs", "create", "start"):
        async with system.held(word) as reached:
            job = await system.services.volumes.create(VolumeSpec(size_gib=5, durability=REPLICA_3))
            await reached()
            kinds.append(await _kinds(system))
        await system.done(job)
    assert kinds == [[], [], []]
    assert await _found(system) == []


async def test_what_an_absent_node_owes_is_no_drift_when_it_is_back(system: System) -> None:
    brick = await _brick(system)
    with system.simulator.faults.during(Fault(Effect.LOSE, on("umount", node=system.hosts[0]), times=0)):
        await system.done(await system.services.volumes.delete(brick.volume))
    system.simulator.node_down(system.hosts[0])
    drift = await system.services.drift.look()
    assert list(drift.unseen) == [brick.node]
    system.simulator.node_up(system.hosts[0])
    assert await _found(system) == []
    await system.services.cleaner.pay_now()
    assert await system.discrepancies() == []


async def test_a_garbled_answer_is_no_reason_to_clean_up(system: System) -> None:
    device = (await _brick(system)).device
    await stray_brick(system, system.hosts[0], device)
    for number in range(1, 6):
        system.simulator.faults.clear()
        system.simulator.faults.add(Fault(Effect.GARBAGE, nth=number))
        drift = await system.services.drift.look()
        assert {one.kind for one in drift.findings if not one.kind.is_orphan} <= {Kind.LOST_FSTAB_LINE}


async def test_an_unknown_finding_is_refused(system: System) -> None:
    await system.cluster(nodes=1)
    for use_case in (system.services.drift.propose, system.services.drift.clean_up, system.services.drift.release):
        with pytest.raises(NotFound):
            await use_case([STRAY])

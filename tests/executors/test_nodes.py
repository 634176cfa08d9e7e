"""The verbs of StorageNodes, on simulated nodes."""

import io
import json
from contextlib import suppress
from dataclasses import replace

import pytest

from heketipy.domain.durability import Durability, DurabilityType
from heketipy.domain.errors import CommandFailed, NodeUnreachable
from heketipy.domain.model import BrickType, NodeAddress
from heketipy.domain.names import brick_path
from heketipy.executors.build import storage_nodes
from heketipy.executors.nodes import BrickSpec, DeviceNotAvailable, StorageNodes, VolumeLayout
from heketipy.executors.options import NodeOptions
from heketipy.executors.recorder import Recorder
from heketipy.executors.simulator import Effect, Fault, Simulator, SimulatorTransport, on
from heketipy.executors.transport import Fence

GIB = 1 << 20
A, B, C = (NodeAddress(id=f"n{n}", manage=f"node{n}", storage=f"10.0.0.{n}") for n in (1, 2, 3))
FENCE = Fence("operation", 1)
DEVICE = "d" * 32
PATIENCE = (0.0,) * 3
REPLICA = Durability(DurabilityType.REPLICATE, replica=3)


@pytest.fixture
def simulator() -> Simulator:
    simulator = Simulator(seed=1)
    for node in (A, B, C):
        simulator.add_node(node.manage, node.storage, disks_gib={"/dev/vdb": 100, "/dev/vdc": 100})
    return simulator


@pytest.fixture
def transcript() -> io.StringIO:
    return io.StringIO()


@pytest.fixture
def nodes(simulator: Simulator, transcript: io.StringIO) -> StorageNodes:
    recorder = Recorder(SimulatorTransport(simulator, lock_wait=1.0), transcript)
    return StorageNodes(recorder, NodeOptions(snapshot_limit=14), patience=PATIENCE)


def round_trips(transcript: io.StringIO) -> int:
    count = len(transcript.getvalue().splitlines())
    transcript.truncate(0)
    transcript.seek(0)
    return count


def brick(number: int, *, device: str = DEVICE, gid: int = 0, kind: BrickType = BrickType.NORMAL) -> BrickSpec:
    name = f"{number:032x}"
    return BrickSpec(
        id=name,
        device=device,
        path=brick_path(device, name),
        size_kib=2 * GIB,
        tp_size_kib=3 * GIB,
        pool_metadata_kib=16384,
        type=kind,
        thin_pool=f"tp_{name}",
        lv=f"brick_{name}",
        gid=gid,
    )


async def set_up_all(nodes: StorageNodes) -> None:
    for node in (A, B, C):
        await nodes.set_up_device(node, "/dev/vdb", DEVICE, fence=FENCE)
    for node in (B, C):
        await nodes.probe_peer(A, node.storage, fence=FENCE)


async def three_bricks(nodes: StorageNodes) -> list[BrickSpec]:
    bricks = [brick(1), brick(2), brick(3)]
    for node, one in zip((A, B, C), bricks, strict=True):
        await nodes.create_bricks(node, [one], fence=FENCE)
    return bricks


def layout(bricks: list[BrickSpec], **more: object) -> VolumeLayout:
    hosts = [A.storage, B.storage, C.storage] * (len(bricks) // 3)
    return replace(
        VolumeLayout(
            name="vol",
            id="v" * 32,
            bricks=tuple((host, one.path) for host, one in zip(hosts, bricks, strict=True)),
            durability=REPLICA,
            options=("", "performance.rda-cache-limit 10MB"),
        ),
        **more,
    )


async def test_a_disk_becomes_a_device_in_one_round_trip(nodes: StorageNodes, transcript: io.StringIO) -> None:
    reading = await nodes.set_up_device(A, "/dev/vdb", DEVICE, fence=FENCE)
    assert round_trips(transcript) == 1
    assert (reading.total_kib, reading.used_kib, reading.extent_kib) == (104722432, 0, 4096)
    assert reading.free_kib == reading.total_kib
    assert "/dev/vdb" in reading.paths
    assert reading.pv_uuid
    assert await nodes.has_device(A, DEVICE)
    assert await nodes.read_device(A, DEVICE, paths=reading.paths, pv_uuid=reading.pv_uuid) == replace(
        reading, paths=(await nodes.read_device(A, DEVICE, paths=reading.paths, pv_uuid=reading.pv_uuid)).paths
    )
    assert (await nodes.read_device(A, DEVICE, paths=reading.paths)).pv_uuid == reading.pv_uuid


@pytest.mark.parametrize("destroy", [False, True])
async def test_a_device_that_is_set_up_already_is_success_and_keeps_its_bricks(
    nodes: StorageNodes, simulator: Simulator, destroy: bool
) -> None:
    first = await nodes.set_up_device(A, "/dev/vdb", DEVICE, fence=FENCE)
    await nodes.create_bricks(A, [brick(1)], fence=FENCE)
    again = await nodes.set_up_device(A, "/dev/vdb", DEVICE, destroy=destroy, fence=FENCE)
    assert again.pv_uuid == first.pv_uuid
    assert again.used_kib >= 3 * GIB + 16384
    assert brick(1).mount_point in simulator.node(A.manage).mounts


async def test_a_disk_with_a_file_system_is_wiped_only_on_demand(nodes: StorageNodes, simulator: Simulator) -> None:
    simulator.add_disk(A.manage, "/dev/vdd", 100, signature="xfs")
    with pytest.raises(DeviceNotAvailable, match="xfs signature detected on /dev/vdd") as caught:
        await nodes.set_up_device(A, "/dev/vdd", DEVICE, fence=FENCE)
    assert str(caught.value).startswith("Initializing device /dev/vdd failed (already initialized or contains data?): ")
    assert (caught.value.connected, caught.value.pv_uuid, caught.value.node) == (True, None, A.id)
    assert simulator.node(A.manage).disks["/dev/vdd"].signature == "xfs"
    assert (await nodes.set_up_device(A, "/dev/vdd", DEVICE, destroy=True, fence=FENCE)).pv_uuid


async def test_a_disk_of_another_volume_group_is_named_and_left_alone(
    nodes: StorageNodes, simulator: Simulator
) -> None:
    for argv in (("pvcreate", "/dev/vdb"), ("vgcreate", "foreign", "/dev/vdb")):
        assert simulator.execute(A.manage, ("lvm", *argv)).ok
    uuid = simulator.node(A.manage).disks["/dev/vdb"].pv_uuid
    text = f"Initializing device /dev/vdb failed \\(aleady contains Physical Volume {uuid}\\): "
    with pytest.raises(DeviceNotAvailable, match=text) as caught:
        await nodes.set_up_device(A, "/dev/vdb", DEVICE, fence=FENCE)
    assert caught.value.pv_uuid == uuid
    await nodes.tear_down_device(A, DEVICE, paths=("/dev/vdb",), fence=FENCE)
    assert "foreign" in simulator.node(A.manage).vgs


async def test_a_missing_disk_is_not_available(nodes: StorageNodes) -> None:
    with pytest.raises(DeviceNotAvailable, match="No device found for /dev/nope"):
        await nodes.set_up_device(A, "/dev/nope", DEVICE, fence=FENCE)


async def test_a_label_of_just_now_is_taken_off_again_when_no_group_can_be_made(
    nodes: StorageNodes, simulator: Simulator
) -> None:
    simulator.faults.add(Fault(Effect.FAIL, on("vgcreate")))
    with pytest.raises(DeviceNotAvailable, match="simulated failure"):
        await nodes.set_up_device(A, "/dev/vdb", DEVICE, fence=FENCE)
    assert not simulator.node(A.manage).disks["/dev/vdb"].pv_uuid


@pytest.mark.parametrize(
    ("fault", "text"),
    [
        (Fault(Effect.FAIL, on("pvs")), r"failed to read PV data for /dev/vdb \[simulated failure"),
        (Fault(Effect.GARBAGE, on("pvs"), stdout="{"), "failed to parse lvs output: Failed to parse output: "),
        (Fault(Effect.GARBAGE, on("vgdisplay"), stdout="x:y"), "vgdisplay returned an invalid string"),
        (Fault(Effect.FAIL, on("vgdisplay")), "simulated failure"),
    ],
)
async def test_a_device_that_cannot_be_read_is_given_back(
    nodes: StorageNodes, simulator: Simulator, fault: Fault, text: str
) -> None:
    simulator.faults.add(fault)
    with pytest.raises(CommandFailed, match=text):
        await nodes.set_up_device(A, "/dev/vdb", DEVICE, fence=FENCE)
    assert simulator.leftovers() == []


async def test_a_device_without_known_links_has_its_own_path(nodes: StorageNodes, simulator: Simulator) -> None:
    simulator.faults.add(Fault(Effect.FAIL, on("udevadm")))
    assert (await nodes.set_up_device(A, "/dev/vdb", DEVICE, fence=FENCE)).paths == ("/dev/vdb",)


async def test_wiping_is_not_offered_when_the_disk_could_not_be_looked_at(
    nodes: StorageNodes, simulator: Simulator
) -> None:
    simulator.faults.add(Fault(Effect.FAIL, on("pvcreate")))
    simulator.faults.add(Fault(Effect.LOSE, on("pvs")))
    text = r"\(failed to check device contents\): simulated failure"
    with pytest.raises(DeviceNotAvailable, match=text) as caught:
        await nodes.set_up_device(A, "/dev/vdb", DEVICE, fence=FENCE)
    assert not caught.value.connected


async def test_an_absent_node_is_told_by_what_could_not_be_done_there(
    nodes: StorageNodes, simulator: Simulator
) -> None:
    simulator.node_down(A.manage)
    text = r"Initializing device /dev/vdb failed \(failed to check device contents\): dial tcp node1:22: "
    with pytest.raises(NodeUnreachable, match=text) as caught:
        await nodes.set_up_device(A, "/dev/vdb", DEVICE, fence=FENCE)
    assert not caught.value.sent


@pytest.mark.parametrize("knows_uuid", [True, False])
async def test_a_device_is_torn_down_once_and_again(
    nodes: StorageNodes, simulator: Simulator, knows_uuid: bool
) -> None:
    reading = await nodes.set_up_device(A, "/dev/vdb", DEVICE, fence=FENCE)
    await nodes.create_bricks(A, [brick(1)], fence=FENCE)
    await nodes.destroy_bricks(A, [brick(1)], fence=FENCE)
    for _ in range(2):
        uuid = reading.pv_uuid if knows_uuid else ""
        await nodes.tear_down_device(A, DEVICE, paths=reading.paths, pv_uuid=uuid, fence=FENCE)
        assert simulator.leftovers() == []
    assert not await nodes.has_device(A, DEVICE)


async def test_a_label_left_over_by_half_a_tear_down_is_taken_off(nodes: StorageNodes, simulator: Simulator) -> None:
    reading = await nodes.set_up_device(A, "/dev/vdb", DEVICE, fence=FENCE)
    simulator.faults.add(Fault(Effect.LOSE, on("pvremove")))
    with pytest.raises(NodeUnreachable):
        await nodes.tear_down_device(A, DEVICE, pv_uuid=reading.pv_uuid, fence=FENCE)
    await nodes.tear_down_device(A, DEVICE, pv_uuid=reading.pv_uuid, fence=FENCE)
    assert simulator.leftovers() == []


async def test_a_device_with_bricks_is_not_torn_down(nodes: StorageNodes, simulator: Simulator) -> None:
    reading = await nodes.set_up_device(A, "/dev/vdb", DEVICE, fence=FENCE)
    await nodes.create_bricks(A, [brick(1)], fence=FENCE)
    path = f"/dev/disk/by-id/lvm-pv-uuid-{reading.pv_uuid}"
    text = f"Failed to delete device {path} with id {DEVICE} on host node1: Do you really want to remove"
    with pytest.raises(CommandFailed, match=text):
        await nodes.tear_down_device(A, DEVICE, pv_uuid=reading.pv_uuid, fence=FENCE)
    await nodes.forget_device(A, DEVICE, pv_uuid=reading.pv_uuid, fence=FENCE)
    assert await nodes.has_device(A, DEVICE)
    simulator.node_down(A.manage)
    await nodes.forget_device(A, DEVICE, pv_uuid=reading.pv_uuid, fence=FENCE)


def assert_made(simulator: Simulator, node: NodeAddress, one: BrickSpec) -> None:
    there = simulator.node(node.manage)
    assert {f"{one.group}/{one.lv_name}", f"{one.group}/{one.pool_name}"} <= set(there.lvs)
    assert len(there.mounts[one.mount_point]) == 1
    line = f"{one.device_node} {one.mount_point} xfs rw,inode64,noatime,nouuid 1 2\n"
    assert there.fstab.count(line) == 1
    entry = there.entry(one.path)
    assert entry is not None
    assert (entry.gid, entry.mode & 0o7777) == ((one.gid, 0o2775) if one.gid else (0, 0o755))


async def test_all_bricks_of_a_node_are_made_in_one_round_trip_and_go_in_two(
    nodes: StorageNodes, simulator: Simulator, transcript: io.StringIO
) -> None:
    await nodes.set_up_device(A, "/dev/vdb", DEVICE, fence=FENCE)
    round_trips(transcript)
    bricks = [brick(1, gid=2000), brick(2), brick(3, kind=BrickType.ARBITER)]
    await nodes.create_bricks(A, bricks, fence=FENCE)
    assert round_trips(transcript) == 1
    for one in bricks:
        assert_made(simulator, A, one)
    assert await nodes.destroy_bricks(A, bricks, fence=FENCE) == {one.id: True for one in bricks}
    assert round_trips(transcript) == 2
    assert simulator.node(A.manage).lvs == {}
    assert simulator.node(A.manage).mounts == {}
    assert await nodes.destroy_bricks(A, bricks, fence=FENCE) == {one.id: True for one in bricks}


CREATE_COMMANDS = 1 + 2 * 8
"""The last line of the fstab is ended, whatever comes of it; then two bricks with a gid."""


@pytest.fixture(params=[Effect.FAIL, Effect.FAIL_AFTER, Effect.LOSE, Effect.LOSE_AFTER])
def effect(request: pytest.FixtureRequest) -> Effect:
    return Effect(request.param)


@pytest.mark.parametrize("nth", range(1, CREATE_COMMANDS + 1))
async def test_a_create_that_broke_off_is_completed_by_the_next(
    nodes: StorageNodes, simulator: Simulator, effect: Effect, nth: int
) -> None:
    await nodes.set_up_device(A, "/dev/vdb", DEVICE, fence=FENCE)
    bricks = [brick(1, gid=2000), brick(2, gid=2000)]
    with simulator.faults.during(Fault(effect, nth=nth)), suppress(CommandFailed, NodeUnreachable):
        await nodes.create_bricks(A, bricks, fence=FENCE)
    await nodes.create_bricks(A, bricks, fence=FENCE)
    for one in bricks:
        assert_made(simulator, A, one)


@pytest.mark.parametrize("nth", range(1, CREATE_COMMANDS + 1))
async def test_a_create_that_broke_off_is_undone(
    nodes: StorageNodes, simulator: Simulator, effect: Effect, nth: int
) -> None:
    reading = await nodes.set_up_device(A, "/dev/vdb", DEVICE, fence=FENCE)
    bricks = [brick(1, gid=2000), brick(2, gid=2000)]
    with simulator.faults.during(Fault(effect, nth=nth)), suppress(CommandFailed, NodeUnreachable):
        await nodes.create_bricks(A, bricks, fence=FENCE)
    await nodes.destroy_bricks(A, bricks, fence=FENCE)
    await nodes.tear_down_device(A, DEVICE, pv_uuid=reading.pv_uuid, fence=FENCE)
    assert simulator.leftovers() == []


DESTROY_COMMANDS = 2 + 1 + 1 + 2 + 2 + 2 + 2


@pytest.mark.parametrize("nth", range(1, DESTROY_COMMANDS + 1))
async def test_a_destroy_that_broke_off_is_finished_by_the_next(
    nodes: StorageNodes, simulator: Simulator, effect: Effect, nth: int
) -> None:
    reading = await nodes.set_up_device(A, "/dev/vdb", DEVICE, fence=FENCE)
    bricks = [brick(1), brick(2)]
    await nodes.create_bricks(A, bricks, fence=FENCE)
    with simulator.faults.during(Fault(effect, nth=nth)), suppress(CommandFailed, NodeUnreachable):
        await nodes.destroy_bricks(A, bricks, fence=FENCE)
    reclaimed = await nodes.destroy_bricks(A, bricks, fence=FENCE)
    assert reclaimed == {one.id: True for one in bricks}
    for one in bricks:
        simulator.execute(A.manage, ("rmdir", one.mount_point))
    await nodes.tear_down_device(A, DEVICE, pv_uuid=reading.pv_uuid, fence=FENCE)
    assert simulator.leftovers() == []


async def test_a_last_line_of_the_fstab_without_an_end_is_not_spoilt(nodes: StorageNodes, simulator: Simulator) -> None:
    await nodes.set_up_device(A, "/dev/vdb", DEVICE, fence=FENCE)
    entry = simulator.node(A.manage).entry("/etc/fstab")
    assert entry is not None
    entry.text = "/dev/vda / ext4 defaults 0 1\n/dev/vdz /data ext4 defaults 0 2"
    await nodes.create_bricks(A, [brick(1)], fence=FENCE)
    lines = simulator.node(A.manage).fstab.splitlines()
    assert lines[1] == "/dev/vdz /data ext4 defaults 0 2"
    assert brick(1).mount_point in lines[2]


async def test_data_on_a_brick_survives_a_repeated_create(nodes: StorageNodes, simulator: Simulator) -> None:
    await nodes.set_up_device(A, "/dev/vdb", DEVICE, fence=FENCE)
    one = brick(1)
    await nodes.create_bricks(A, [one], fence=FENCE)
    simulator.execute(A.manage, ("touch", f"{one.path}/precious"))
    simulator.execute(A.manage, ("umount", one.mount_point))
    for _ in range(2):
        await nodes.create_bricks(A, [one], fence=FENCE)
        assert simulator.node(A.manage).entry(f"{one.path}/precious")
    assert_made(simulator, A, one)


async def test_space_is_not_reclaimed_while_others_live_in_the_pool(nodes: StorageNodes, simulator: Simulator) -> None:
    await nodes.set_up_device(A, "/dev/vdb", DEVICE, fence=FENCE)
    one, two = brick(1), brick(2)
    await nodes.create_bricks(A, [one, two], fence=FENCE)
    snapshot = ("lvm", "lvcreate", "-s", "-n", "snap", f"{one.group}/{one.lv_name}")
    assert simulator.execute(A.manage, snapshot).ok
    assert await nodes.destroy_bricks(A, [one, two], fence=FENCE) == {one.id: False, two.id: True}
    assert f"{one.group}/{one.pool_name}" in simulator.node(A.manage).lvs


@pytest.mark.parametrize("words", [("lvremove", "tp_"), ("rmdir",)])
async def test_what_stays_behind_of_a_brick_is_a_failure(
    nodes: StorageNodes, simulator: Simulator, words: tuple[str, ...]
) -> None:
    await nodes.set_up_device(A, "/dev/vdb", DEVICE, fence=FENCE)
    await nodes.create_bricks(A, [brick(1)], fence=FENCE)
    simulator.faults.add(Fault(Effect.FAIL, on(*words)))
    with pytest.raises(CommandFailed, match="simulated failure"):
        await nodes.destroy_bricks(A, [brick(1)], fence=FENCE)
    assert await nodes.destroy_bricks(A, [brick(1)], fence=FENCE) == {brick(1).id: True}


async def test_one_busy_brick_does_not_keep_the_others(nodes: StorageNodes, simulator: Simulator) -> None:
    await nodes.set_up_device(A, "/dev/vdb", DEVICE, fence=FENCE)
    bricks = [brick(1), brick(2), brick(3)]
    await nodes.create_bricks(A, bricks, fence=FENCE)
    busy = f"umount: {bricks[0].mount_point}: target is busy.\n"
    simulator.faults.add(Fault(Effect.FAIL, on("umount", bricks[0].id), status=32, stderr=busy))
    with pytest.raises(CommandFailed, match="target is busy") as caught:
        await nodes.destroy_bricks(A, bricks, fence=FENCE)
    assert (str(caught.value), caught.value.status) == (busy, 32)
    there = simulator.node(A.manage)
    assert list(there.mounts) == [bricks[0].mount_point]
    assert set(there.lvs) == {f"vg_{DEVICE}/{name}" for name in (bricks[0].lv_name, bricks[0].pool_name)}
    assert await nodes.destroy_bricks(A, bricks, fence=FENCE) == {one.id: True for one in bricks}


async def test_who_keeps_a_brick_busy_is_asked_where_that_is_wanted(simulator: Simulator) -> None:
    nodes = StorageNodes(SimulatorTransport(simulator), NodeOptions(debug_umount_failures=True))
    await nodes.set_up_device(A, "/dev/vdb", DEVICE, fence=FENCE)
    await nodes.create_bricks(A, [brick(1)], fence=FENCE)
    for effect in (Effect.FAIL, Effect.LOSE):
        simulator.faults.add(Fault(Effect.FAIL, on("umount"), status=32, stderr="umount: busy\n"))
        simulator.faults.add(Fault(effect, on("lsof")))
        with pytest.raises(CommandFailed, match="umount: busy"):
            await nodes.destroy_bricks(A, [brick(1)], fence=FENCE)
    simulator.faults.add(Fault(Effect.FAIL, on("umount"), status=32, stderr="umount: busy\n"))
    with pytest.raises(CommandFailed, match="umount: busy"):
        await nodes.destroy_bricks(A, [brick(1)], fence=FENCE)
    assert ("lsof", brick(1).mount_point) in [ran.argv for ran in simulator.history]


async def test_without_a_list_of_mounts_umount_is_believed(nodes: StorageNodes, simulator: Simulator) -> None:
    await nodes.set_up_device(A, "/dev/vdb", DEVICE, fence=FENCE)
    await nodes.create_bricks(A, [brick(1)], fence=FENCE)
    simulator.execute(A.manage, ("umount", brick(1).mount_point))
    simulator.faults.add(Fault(Effect.FAIL, lambda _, argv: tuple(argv) == ("mount",)))
    assert await nodes.destroy_bricks(A, [brick(1)], fence=FENCE) == {brick(1).id: True}


@pytest.mark.parametrize("tool", ["lvremove --autobackup=n -f", "lvs"])
async def test_a_tool_that_is_missing_does_not_make_a_brick_gone(
    nodes: StorageNodes, simulator: Simulator, tool: str
) -> None:
    await nodes.set_up_device(A, "/dev/vdb", DEVICE, fence=FENCE)
    await nodes.create_bricks(A, [brick(1)], fence=FENCE)
    missing = "sudo: /usr/sbin/lvm: command not found\n"
    simulator.faults.add(Fault(Effect.FAIL, on(tool), status=127, stderr=missing))
    with pytest.raises(CommandFailed, match=r"command not found|Unable to determine number of logical volumes"):
        await nodes.destroy_bricks(A, [brick(1)], fence=FENCE)


async def test_nothing_goes_while_fstab_cannot_be_edited(nodes: StorageNodes, simulator: Simulator) -> None:
    await nodes.set_up_device(A, "/dev/vdb", DEVICE, fence=FENCE)
    await nodes.create_bricks(A, [brick(1)], fence=FENCE)
    simulator.faults.add(Fault(Effect.FAIL, on("sed"), stderr="sed: couldn't open temporary file\n"))
    with pytest.raises(CommandFailed, match="couldn't open temporary file"):
        await nodes.destroy_bricks(A, [brick(1)], fence=FENCE)
    assert f"vg_{DEVICE}/{brick(1).lv_name}" in simulator.node(A.manage).lvs


async def test_bricks_go_where_there_is_no_fstab(nodes: StorageNodes, simulator: Simulator) -> None:
    await nodes.set_up_device(A, "/dev/vdb", DEVICE, fence=FENCE)
    await nodes.create_bricks(A, [brick(1)], fence=FENCE)
    simulator.execute(A.manage, ("rm", "/etc/fstab"))
    assert await nodes.destroy_bricks(A, [brick(1)], fence=FENCE) == {brick(1).id: True}
    assert simulator.node(A.manage).lvs == {}


async def test_what_others_made_beside_a_brick_stays(nodes: StorageNodes, simulator: Simulator) -> None:
    await nodes.set_up_device(A, "/dev/vdb", DEVICE, fence=FENCE)
    one = brick(1)
    line = f"/dev/other /mnt xfs rw 1 2 # {one.id}"
    simulator.execute(A.manage, ("tee", "-a", "/etc/fstab"), f"{line}\n")
    other = ("lvm", "lvcreate", "--size", "1048576K", "--name", "other", one.group)
    assert simulator.execute(A.manage, other).ok
    await nodes.create_bricks(A, [one], fence=FENCE)
    await nodes.destroy_bricks(A, [one], fence=FENCE)
    assert line in simulator.node(A.manage).fstab
    assert set(simulator.node(A.manage).lvs) == {f"{one.group}/other"}


async def test_a_brick_of_unknown_type_is_refused(nodes: StorageNodes) -> None:
    with pytest.raises(CommandFailed, match="Can not create a brick of unknown type"):
        await nodes.create_bricks(A, [brick(1, kind=BrickType.UNKNOWN)], fence=FENCE)


async def test_a_full_device_is_told_in_the_words_of_lvm(nodes: StorageNodes) -> None:
    await nodes.set_up_device(A, "/dev/vdb", DEVICE, fence=FENCE)
    with pytest.raises(CommandFailed, match="insufficient free space"):
        await nodes.create_bricks(A, [replace(brick(1), tp_size_kib=200 * GIB)], fence=FENCE)


async def test_a_volume_is_made_and_started_in_one_round_trip(
    nodes: StorageNodes, simulator: Simulator, transcript: io.StringIO
) -> None:
    await set_up_all(nodes)
    bricks = await three_bricks(nodes)
    round_trips(transcript)
    await nodes.create_volume(A, layout(bricks), fence=FENCE)
    assert round_trips(transcript) == 1
    found = await nodes.volume(B, "vol")
    assert found is not None
    assert found.started
    assert found.bricks == tuple(f"{host}:{path}" for host, path in layout(bricks).bricks)
    assert found.options["performance.rda-cache-limit"] == "10MB"
    assert found.options["user.heketi.id"] == "v" * 32
    assert await nodes.volume(A, "other") is None
    assert [volume.name for volume in await nodes.volumes(C)] == ["vol"]
    assert await nodes.volume_snapshots(A, "vol") == 0
    assert await nodes.volume_snapshots(A, "other") == 0


async def bricks_of_two_sets(nodes: StorageNodes) -> list[BrickSpec]:
    await set_up_all(nodes)
    bricks = [brick(number) for number in range(1, 19)]
    for at, node in enumerate((A, B, C)):
        await nodes.create_bricks(node, bricks[at::3], fence=FENCE)
    return bricks


CREATE_VOLUME_COMMANDS = 5
"""create, add-brick, two options, start."""


@pytest.mark.parametrize("nth", range(1, CREATE_VOLUME_COMMANDS + 1))
async def test_a_volume_whose_making_broke_off_is_completed_by_the_next(
    nodes: StorageNodes, simulator: Simulator, effect: Effect, nth: int
) -> None:
    bricks = await bricks_of_two_sets(nodes)
    with simulator.faults.during(Fault(effect, nth=nth)), pytest.raises((CommandFailed, NodeUnreachable)):
        await nodes.create_volume(A, layout(bricks), fence=FENCE)
    await nodes.create_volume(B, layout(bricks), fence=FENCE)
    await nodes.create_volume(B, layout(bricks), fence=FENCE)
    found = await nodes.volume(A, "vol")
    assert found is not None
    assert found.started
    assert found.bricks == tuple(f"{host}:{path}" for host, path in layout(bricks).bricks)
    assert found.options["user.heketi.id"] == "v" * 32


async def test_a_volume_of_the_same_name_made_by_hand_stays(nodes: StorageNodes, simulator: Simulator) -> None:
    await set_up_all(nodes)
    bricks = await three_bricks(nodes)
    gluster = ("gluster", "--mode=script", "volume", "create", "vol", "10.0.0.1:/srv/by-hand", "force")
    assert simulator.execute(A.manage, gluster).ok
    with pytest.raises(CommandFailed, match="volume create: vol: failed: Volume vol already exists"):
        await nodes.create_volume(A, layout(bricks), fence=FENCE)
    found = await nodes.volume(A, "vol")
    assert found is not None
    assert (found.bricks, found.started) == (("10.0.0.1:/srv/by-hand",), False)


async def test_an_option_cannot_run_a_command(nodes: StorageNodes, simulator: Simulator) -> None:
    await set_up_all(nodes)
    bricks = await three_bricks(nodes)
    wild = "user.note $(reboot); `reboot` && 'x"
    await nodes.create_volume(A, layout(bricks, options=(wild,)), fence=FENCE)
    found = await nodes.volume(A, "vol")
    assert found is not None
    assert found.options["user.note"] == "$(reboot); `reboot` && 'x"


async def test_an_option_that_gluster_refuses_is_told_in_its_words(nodes: StorageNodes) -> None:
    await set_up_all(nodes)
    bricks = await three_bricks(nodes)
    with pytest.raises(CommandFailed, match="volume set: failed: option : foo does not exist"):
        await nodes.create_volume(A, layout(bricks, options=("foo bar",)), fence=FENCE)


async def test_starting_stopping_and_deleting_again_is_success(nodes: StorageNodes, simulator: Simulator) -> None:
    await set_up_all(nodes)
    await nodes.create_volume(A, layout(await three_bricks(nodes)), fence=FENCE)
    for node in (A, B):
        await nodes.start_volume(node, "vol", fence=FENCE)
    for node in (A, B):
        await nodes.stop_volume(node, "vol", fence=FENCE)
    for node in (A, B):
        await nodes.delete_volume(node, "vol", fence=FENCE)
    await nodes.stop_volume(A, "vol", fence=FENCE)
    assert simulator.volumes == {}
    with pytest.raises(CommandFailed, match="volume start: vol: failed: Volume vol does not exist"):
        await nodes.start_volume(A, "vol", fence=FENCE)


async def test_a_running_volume_is_deleted_in_one_round_trip(
    nodes: StorageNodes, simulator: Simulator, transcript: io.StringIO
) -> None:
    await set_up_all(nodes)
    await nodes.create_volume(A, layout(await three_bricks(nodes)), fence=FENCE)
    round_trips(transcript)
    await nodes.delete_volume(A, "vol", fence=FENCE)
    assert round_trips(transcript) == 1
    assert simulator.volumes == {}


async def test_a_volume_whose_deletion_is_refused_can_be_started_again(
    nodes: StorageNodes, simulator: Simulator
) -> None:
    await set_up_all(nodes)
    await nodes.create_volume(A, layout(await three_bricks(nodes)), fence=FENCE)
    snapshot = ("gluster", "--mode=script", "snapshot", "create", "s", "vol", "no-timestamp")
    assert simulator.execute(A.manage, snapshot).ok
    assert await nodes.volume_snapshots(A, "vol") == 1
    with pytest.raises(CommandFailed, match=r"Unable to delete volume vol: volume delete: vol: failed: Cannot delete"):
        await nodes.delete_volume(A, "vol", fence=FENCE)
    await nodes.start_volume(A, "vol", fence=FENCE)
    found = await nodes.volume(A, "vol")
    assert found is not None
    assert found.started


@pytest.mark.parametrize("nth", [1, 2])
async def test_adding_bricks_again_adds_what_is_missing(
    nodes: StorageNodes, simulator: Simulator, effect: Effect, nth: int
) -> None:
    bricks = await bricks_of_two_sets(nodes)
    more = [brick(number) for number in range(101, 119)]
    for at, node in enumerate((A, B, C)):
        await nodes.create_bricks(node, more[at::3], fence=FENCE)
    await nodes.create_volume(A, layout(bricks), fence=FENCE)
    added = layout(more).bricks
    with simulator.faults.during(Fault(effect, nth=nth)), pytest.raises((CommandFailed, NodeUnreachable)):
        await nodes.add_bricks(A, layout(bricks), added, fence=FENCE)
    for _ in range(2):
        await nodes.add_bricks(B, layout(bricks), added, fence=FENCE)
    found = await nodes.volume(A, "vol")
    assert found is not None
    assert found.bricks == tuple(f"{host}:{path}" for host, path in (*layout(bricks).bricks, *added))
    await nodes.rebalance(A, "vol", fence=FENCE)
    await nodes.rebalance(A, "vol", fence=FENCE)


async def test_bricks_of_another_volume_are_not_taken_for_added(nodes: StorageNodes) -> None:
    await set_up_all(nodes)
    bricks = await three_bricks(nodes)
    others = [brick(11), brick(12), brick(13)]
    for node, one in zip((A, B, C), others, strict=True):
        await nodes.create_bricks(node, [one], fence=FENCE)
    await nodes.create_volume(A, layout(bricks), fence=FENCE)
    await nodes.create_volume(A, layout(others, name="other"), fence=FENCE)
    with pytest.raises(CommandFailed, match="Brick may be containing or be contained by an existing brick"):
        await nodes.add_bricks(A, layout(bricks), layout(others).bricks, fence=FENCE)


async def test_there_is_nothing_to_rebalance_in_one_set(nodes: StorageNodes, simulator: Simulator) -> None:
    await set_up_all(nodes)
    await nodes.create_volume(A, layout(await three_bricks(nodes)), fence=FENCE)
    await nodes.rebalance(A, "vol", fence=FENCE)
    with pytest.raises(CommandFailed, match="volume rebalance: none: failed"):
        await nodes.rebalance(A, "none", fence=FENCE)
    idle = StorageNodes(SimulatorTransport(simulator), NodeOptions(rebalance=False))
    before = len(simulator.history)
    await idle.rebalance(A, "vol", fence=FENCE)
    assert len(simulator.history) == before


BUSY = "volume start: vol: failed: Another transaction is in progress for vol. Please try again after some time.\n"


async def test_gluster_is_asked_again_while_others_hold_its_locks(nodes: StorageNodes, simulator: Simulator) -> None:
    await set_up_all(nodes)
    bricks = await three_bricks(nodes)
    simulator.faults.add(Fault(Effect.FAIL, on("gluster", "volume set"), nth=2, times=2, stderr=BUSY))
    await nodes.create_volume(A, layout(bricks), fence=FENCE)
    ran = [" ".join(done.argv[3:5]) for done in simulator.history if "volume" in done.argv]
    assert ran == ["volume create", "volume set", "volume set", "volume start"]
    simulator.faults.add(Fault(Effect.FAIL, on("volume start"), times=0, stderr=BUSY))
    with pytest.raises(CommandFailed, match="Another transaction is in progress"):
        await nodes.start_volume(A, "vol", fence=FENCE)


async def test_a_node_without_its_gluster_daemon_does_not_answer(nodes: StorageNodes, simulator: Simulator) -> None:
    await nodes.check(A)
    simulator.glusterd_down(A.manage)
    with pytest.raises(CommandFailed, match="Process exited with status 3"):
        await nodes.check(A)
    for ask in (nodes.peers(A), nodes.volume(A, "vol"), nodes.start_volume(A, "vol"), nodes.volume_snapshots(A, "vol")):
        with pytest.raises(NodeUnreachable, match="gluster daemon") as caught:
            await ask
        assert not caught.value.sent


async def test_garbage_from_gluster_is_told_in_the_words_of_heketi(nodes: StorageNodes, simulator: Simulator) -> None:
    garbage = Fault(Effect.GARBAGE, on("--xml"), times=0, stdout="garbage")
    with simulator.faults.during(garbage):
        with pytest.raises(CommandFailed, match=r"^Unable to determine volume info of volume name: vol$"):
            await nodes.volume(A, "vol")
        with pytest.raises(CommandFailed, match=r"^Unable to get volume info$"):
            await nodes.volumes(A)
        with pytest.raises(CommandFailed, match=r"^Unable to get snapshot information from volume vol: EOF$"):
            await nodes.volume_snapshots(A, "vol")
        with pytest.raises(CommandFailed, match="EOF"):
            await nodes.peers(A)
    failure = Fault(Effect.FAIL, on("--xml"), times=0)
    with simulator.faults.during(failure):
        with pytest.raises(CommandFailed, match=r"^Unable to get volume info of volume name: vol$"):
            await nodes.volume(A, "vol")
        with pytest.raises(CommandFailed, match="simulated failure"):
            await nodes.peers(A)


async def test_peers_come_and_go_once_and_again(nodes: StorageNodes, simulator: Simulator) -> None:
    for _ in range(2):
        await nodes.probe_peer(A, B.storage, cluster="c", fence=FENCE)
    peers = await nodes.peers(A)
    assert sorted((peer.hostname, peer.connected) for peer in peers) == [("10.0.0.2", True), ("localhost", True)]
    assert all(pool.snap_max_hard_limit == 14 for pool in simulator.state.pools.values() if len(pool.members) > 1)
    for _ in range(2):
        await nodes.detach_peer(A, B.storage, cluster="c", fence=FENCE)
    assert [peer.hostname for peer in await nodes.peers(A)] == ["localhost"]
    with pytest.raises(
        CommandFailed, match="peer probe: failed: Probe returned with Transport endpoint is not connected"
    ):
        await nodes.probe_peer(A, "10.9.9.9", fence=FENCE)


async def test_a_peer_with_bricks_is_not_let_go(nodes: StorageNodes) -> None:
    await set_up_all(nodes)
    await nodes.create_volume(A, layout(await three_bricks(nodes)), fence=FENCE)
    with pytest.raises(CommandFailed, match=r"hosts one or more bricks|exist in cluster"):
        await nodes.detach_peer(A, B.storage, fence=FENCE)


@pytest.fixture
def wide(simulator: Simulator) -> StorageNodes:
    return storage_nodes(
        SimulatorTransport(simulator), NodeOptions(fstab="/var/lib/heketi/fstab", mountopts="rw,discard")
    )


async def test_the_options_of_the_site_reach_the_tools(wide: StorageNodes, simulator: Simulator) -> None:
    simulator.execute(A.manage, ("mkdir", "-p", "/var/lib/heketi"))
    await wide.set_up_device(A, "/dev/vdb", DEVICE, fence=FENCE)
    await wide.create_bricks(A, [brick(1)], fence=FENCE)
    shown = simulator.execute(A.manage, ("cat", "/var/lib/heketi/fstab")).stdout
    assert shown == f"{brick(1).device_node} {brick(1).mount_point} xfs rw,discard 1 2\n"
    await wide.close()


async def test_what_is_recorded_can_be_read_again(nodes: StorageNodes, transcript: io.StringIO) -> None:
    await nodes.set_up_device(A, "/dev/vdb", DEVICE, fence=FENCE)
    (entry,) = (json.loads(line) for line in transcript.getvalue().splitlines())
    assert (entry["host"], entry["lane"], entry["operation"], entry["epoch"]) == ("node1", "bricks", "operation", 1)
    assert [command["argv"][1] for command in entry["commands"]] == ["pvcreate", "vgcreate", "pvs", "info", "vgdisplay"]
    assert {command["status"] for command in entry["commands"]} == {0}
    assert entry["error"] is None

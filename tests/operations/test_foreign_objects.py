"""What others made under the same name is untouched in the end, whatever we were asked to do."""

import pytest

from heketipy.domain.durability import Durability
from heketipy.domain.errors import CannotAllocate
from heketipy.domain.model import DeviceSpec, NodeSpec, VolumeSpec
from heketipy.domain.states import HealCheck, State
from heketipy.executors.simulator import Effect, Fault, on
from tests.operations.scenarios import REPLICA_3
from tests.support.system import HOSTS, System


def by_hand(system: System, host: str, *commands: str) -> None:
    """Run commands on a node as an administrator would."""
    for command in commands:
        result = system.simulator.execute(host, command.split())
        assert result.ok, (command, result)


def make_volume_by_hand(system: System, name: str) -> None:
    """Make a started volume on the first node whose brick is on no device of ours."""
    system.simulator.add_disk(HOSTS[0], "/dev/hand", 10)
    by_hand(
        system,
        HOSTS[0],
        "mkfs.xfs /dev/hand",
        "mkdir -p /data",
        "mount /dev/hand /data",
        "mkdir /data/brick",
        f"gluster --mode=script volume create {name} {HOSTS[0]}:/data/brick",
        f"gluster --mode=script volume start {name}",
    )


async def test_a_create_fails_on_a_volume_made_by_hand_and_leaves_it_running(system: System) -> None:
    await system.cluster()
    make_volume_by_hand(system, "foreign")
    before = len(system.simulator.history)
    job = await system.result(
        await system.services.volumes.create(VolumeSpec(size_gib=5, durability=REPLICA_3, name="foreign"))
    )
    assert job.error == "volume create: foreign: failed: Volume foreign already exists\n"
    assert system.simulator.volumes["foreign"].status == "Started"
    assert await system.discrepancies() == []
    tries = [ran for ran in list(system.simulator.history)[before:] if "create" in ran.argv]
    assert len(tries) == 1, "no other place would do, so it is not tried again"


async def test_deleting_a_volume_that_was_remade_by_hand_leaves_the_new_one_alone(system: System) -> None:
    await system.cluster()
    volume = await system.volume(5, REPLICA_3, name="foreign")
    by_hand(
        system,
        HOSTS[0],
        "gluster --mode=script volume stop foreign force",
        "gluster --mode=script volume delete foreign",
    )
    make_volume_by_hand(system, "foreign")
    await system.done(await system.services.volumes.delete(volume))
    assert system.simulator.volumes["foreign"].status == "Started"
    assert await system.discrepancies() == []


async def test_a_disk_with_somebodys_volume_group_is_refused_and_untouched_even_if_it_may_be_wiped(
    system: System,
) -> None:
    node = (await system.cluster(nodes=1, devices=1)).nodes[0]
    system.simulator.add_disk(HOSTS[0], "/dev/hand", 10)
    by_hand(system, HOSTS[0], "pvcreate /dev/hand", "vgcreate hand /dev/hand", "lvcreate -n lv -L 1G hand")
    job = await system.result(await system.services.devices.add(DeviceSpec(node=node, name="/dev/hand")))
    assert "aleady contains Physical Volume" in job.error
    assert list(system.simulator.node(HOSTS[0]).vgs["hand"].lvs) == ["lv"]
    assert await system.discrepancies() == []


async def test_wiping_the_disk_of_a_known_device_is_refused_by_name(system: System) -> None:
    node = (await system.cluster(nodes=1, devices=1)).nodes[0]
    device = (await system.services.nodes.info(node)).devices[0].device.id
    spec = DeviceSpec(node=node, name="/dev/sdb", destroy_data=True)
    job = await system.result(await system.services.devices.add(spec))
    assert job.error == f"Device already in use (ID: {device})"
    assert await system.discrepancies() == []


async def test_a_device_is_torn_down_by_its_group_and_not_by_its_path(system: System) -> None:
    """Device names move: what was /dev/sdb may be another disk today."""
    cluster = await system.cluster(nodes=1, devices=1)
    device = (await system.services.nodes.info(cluster.nodes[0])).devices[0].device
    node = system.simulator.node(HOSTS[0])
    node.disks["/dev/sdz"] = node.disks.pop("/dev/sdb")
    node.disks["/dev/sdz"].path = node.vgs[f"vg_{device.id}"].disk = "/dev/sdz"
    system.simulator.add_disk(HOSTS[0], "/dev/sdb", 10)
    by_hand(system, HOSTS[0], "pvcreate /dev/sdb", "vgcreate vg_hand /dev/sdb")
    for state in (State.OFFLINE, State.FAILED):
        await system.done(await system.services.devices.set_state(device.id, state, HealCheck.ENABLE))
    await system.done(await system.services.devices.delete(device.id))
    assert set(node.vgs) == {"vg_hand"}
    assert not node.disks["/dev/sdz"].pv_uuid


async def test_a_peer_made_by_hand_stays_a_peer_when_adding_its_node_fails(system: System) -> None:
    cluster = (await system.cluster(nodes=1, devices=0)).cluster.id
    system.simulator.add_node(HOSTS[1])
    by_hand(system, HOSTS[0], f"gluster --mode=script peer probe {HOSTS[1]}")
    system.simulator.faults.add(Fault(Effect.FAIL_AFTER, on("peer probe")))
    spec = NodeSpec(cluster=cluster, zone=1, manage=(HOSTS[1],), storage=(HOSTS[1],))
    job = await system.result(await system.services.nodes.add(spec))
    assert job.error == "simulated failure\n"
    (pool,) = [pool for pool in system.simulator.state.pools.values() if HOSTS[0] in pool.members]
    assert set(pool.members) == {HOSTS[0], HOSTS[1]}


async def test_a_brick_path_inside_somebody_elses_volume_is_no_reason_to_delete_that_volume(system: System) -> None:
    """The undo of a create looks for its own bricks in the volume of that name, and finds none."""
    await system.cluster()
    make_volume_by_hand(system, "foreign")
    system.simulator.faults.add(Fault(Effect.LOSE_AFTER, on("volume create")))
    job = await system.result(
        await system.services.volumes.create(VolumeSpec(size_gib=5, durability=REPLICA_3, name="foreign"))
    )
    assert job.error
    assert system.simulator.volumes["foreign"].status == "Started"
    assert await system.discrepancies() == []


async def test_a_name_taken_in_the_books_is_refused_at_once(system: System) -> None:
    await system.cluster()
    await system.volume(5, Durability(), name="mine")
    with pytest.raises(CannotAllocate, match="Failed to allocate new volume: Volume name 'mine' already in use"):
        await system.services.volumes.create(VolumeSpec(size_gib=5, name="mine"))

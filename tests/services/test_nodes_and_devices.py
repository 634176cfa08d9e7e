"""Use cases of clusters, nodes and devices, on both databases."""

import pytest

from heketipy.domain.durability import Durability, DurabilityType
from heketipy.domain.errors import Conflict, InvalidRequest, NotFound
from heketipy.domain.model import DeviceSpec, NodeSpec, VolumeSpec
from heketipy.domain.states import HealCheck, State
from heketipy.services.build import Policy
from heketipy.services.endpoints import Strictness
from tests.support.system import HOSTS, System

ENABLE = HealCheck.ENABLE


def spec(cluster: str, manage: str = HOSTS[0], storage: str = HOSTS[0]) -> NodeSpec:
    return NodeSpec(cluster=cluster, zone=1, manage=(manage,), storage=(storage,))


async def test_a_site_is_built_and_taken_down_again(system_on_both: System) -> None:
    system = system_on_both
    cluster = await system.cluster(nodes=3, devices=2)
    assert len(cluster.nodes) == 3
    with pytest.raises(Conflict, match="because it contains volumes and/or nodes"):
        await system.services.clusters.delete(cluster.cluster.id)
    for node in cluster.nodes:
        with pytest.raises(Conflict, match="because it contains devices"):
            await system.services.nodes.delete(node)
        for device in (await system.services.nodes.info(node)).devices:
            with pytest.raises(InvalidRequest, match="is not in failed state"):
                await system.services.devices.delete(device.device.id)
            for state in (State.OFFLINE, State.FAILED):
                await system.done(await system.services.devices.set_state(device.device.id, state, ENABLE))
            await system.done(await system.services.devices.delete(device.device.id))
        await system.done(await system.services.nodes.delete(node))
    await system.services.clusters.delete(cluster.cluster.id)
    assert await system.services.clusters.ids() == []
    assert system.simulator.leftovers() == []


async def test_states_change_as_heketi_allows(system: System) -> None:
    cluster = await system.cluster(nodes=1, devices=1)
    node = cluster.nodes[0]
    device = (await system.services.nodes.info(node)).devices[0].device.id

    async def refused(job: str) -> str:
        return (await system.result(job)).error

    devices, nodes = system.services.devices, system.services.nodes
    text = f"Device must be offline before remove operation is performed, device:{device}"
    assert await refused(await devices.set_state(device, State.FAILED, ENABLE)) == text
    text = f"Node must be offline before remove operation is performed, node:{node}"
    assert await refused(await nodes.set_state(node, State.FAILED, ENABLE)) == text
    for state in (State.OFFLINE, State.OFFLINE, State.FAILED, State.FAILED):
        await system.done(await devices.set_state(device, state, ENABLE))
    text = "Cannot move a failed/removed device to online state"
    assert await refused(await devices.set_state(device, State.ONLINE, ENABLE)) == text
    for state in (State.OFFLINE, State.ONLINE):
        await system.done(await devices.set_state(device, state, ENABLE))
    for state in (State.OFFLINE, State.FAILED):
        await system.done(await nodes.set_state(node, state, ENABLE))
    assert (await devices.info(device)).device.state is State.FAILED
    for state in (State.ONLINE, State.OFFLINE):
        text = f"Cannot move a failed/removed node to {state} state"
        assert await refused(await nodes.set_state(node, state, ENABLE)) == text


async def test_host_names_are_taken_once_in_all_clusters(system: System) -> None:
    first = await system.cluster(nodes=1, devices=0)
    second = await system.services.clusters.create(file=True, block=True)
    taken = f"Hostname {HOSTS[0]} already used by node with id {first.nodes[0]}\n"
    for other in (spec(second.cluster.id), spec(second.cluster.id, storage="10.0.0.9"), spec(second.cluster.id, "new")):
        with pytest.raises(Conflict) as conflict:
            await system.services.nodes.add(other)
        assert str(conflict.value) == taken
    with pytest.raises(NotFound, match="Cluster id does not exist"):
        await system.services.nodes.add(spec("0" * 32))


async def test_somebody_in_the_cluster_must_run_glusterd(system: System) -> None:
    cluster = (await system.services.clusters.create(file=True, block=True)).cluster.id
    system.simulator.add_node(HOSTS[0])
    system.simulator.glusterd_down(HOSTS[0])
    with pytest.raises(InvalidRequest, match="New Node doesn't have glusterd running"):
        await system.services.nodes.add(spec(cluster))
    system.simulator.glusterd_up(HOSTS[0])
    await system.done(await system.services.nodes.add(spec(cluster)))
    system.simulator.glusterd_down(HOSTS[0])
    with pytest.raises(InvalidRequest, match="None of the nodes in cluster has glusterd running"):
        await system.services.nodes.add(spec(cluster, HOSTS[1], HOSTS[1]))


async def test_a_node_that_refuses_the_key_is_not_added(system: System) -> None:
    cluster = (await system.services.clusters.create(file=True, block=True)).cluster.id
    system.simulator.add_node(HOSTS[0])
    system.simulator.refuse_key(HOSTS[0])
    with pytest.raises(InvalidRequest) as refused:
        await system.services.nodes.add(spec(cluster))
    assert "unable to authenticate" in str(refused.value.__cause__)


async def test_a_disk_that_carries_a_file_system_is_refused_unless_it_may_be_wiped(system: System) -> None:
    node = (await system.cluster(nodes=1, devices=0)).nodes[0]
    system.simulator.add_disk(HOSTS[0], "/dev/sdx", 100, signature="xfs")
    job = await system.result(await system.services.devices.add(DeviceSpec(node=node, name="/dev/sdx")))
    assert job.error.startswith(
        "Initializing device /dev/sdx failed (already initialized or contains data?): WARNING: xfs signature detected"
    )
    assert system.simulator.node(HOSTS[0]).disks["/dev/sdx"].signature == "xfs"
    await system.done(await system.services.devices.add(DeviceSpec(node=node, name="/dev/sdx", destroy_data=True)))
    assert await system.discrepancies() == []


async def test_a_resync_takes_over_what_lvm_says(system_on_both: System) -> None:
    system = system_on_both
    node = (await system.cluster(nodes=1, devices=1)).nodes[0]
    device = (await system.services.nodes.info(node)).devices[0].device
    group = system.simulator.node(HOSTS[0]).vgs[f"vg_{device.id}"]
    group.extents += 256
    await system.done(await system.services.devices.resync(device.id))
    after = (await system.services.devices.info(device.id)).device
    assert after.total_kib == device.total_kib + 256 * device.extent_kib
    assert after.free_kib + after.used_kib == after.total_kib


async def test_a_resync_of_what_is_right_changes_nothing_though_lvm_keeps_a_spare(system_on_both: System) -> None:
    system = system_on_both
    await system.cluster(nodes=3, devices=1)
    for node in system.simulator.nodes.values():
        for group in node.vgs.values():
            group.spare = True
    for gib in (10, 100, 3):
        await system.volume(gib, Durability(DurabilityType.REPLICATE, replica=3))
    for device in await system.db.read(lambda tx: tx.devices.all()):
        group = next(n.vgs[f"vg_{device.id}"] for n in system.simulator.nodes.values() if f"vg_{device.id}" in n.vgs)
        assert group.used_extents * group.extent_kib > device.used_kib
        await system.done(await system.services.devices.resync(device.id))
        after = await system.services.devices.info(device.id)
        assert (after.device, after.drift) == (device, "")
    assert await system.discrepancies() == []


async def test_a_resync_tells_what_differs_until_it_does_not_any_more(system: System) -> None:
    node = (await system.cluster(nodes=1, devices=1)).nodes[0]
    await system.volume(10)
    device = (await system.services.nodes.info(node)).devices[0].device

    def lvm(*words: str) -> None:
        assert system.simulator.execute(HOSTS[0], words).ok

    lvm("lvcreate", "-n", "home", "-L", "2G", f"vg_{device.id}")
    await system.done(await system.services.devices.resync(device.id))
    after = await system.services.devices.info(device.id)
    assert after.drift == "LVM has home (2.00 GiB) that no brick has"
    assert after.device.used_kib == device.used_kib + 2 * 1024 * 1024
    lvm("lvremove", "-f", f"vg_{device.id}/home")
    await system.done(await system.services.devices.resync(device.id))
    after = await system.services.devices.info(device.id)
    assert (after.device, after.drift) == (device, "")


async def test_a_resync_never_leaves_less_than_nothing_free(system: System) -> None:
    node = (await system.cluster(nodes=1, devices=1)).nodes[0]
    volume = await system.volume(100)
    device = (await system.services.nodes.info(node)).devices[0].device
    group = system.simulator.node(HOSTS[0]).vgs[f"vg_{device.id}"]
    system.simulator.node(HOSTS[0]).mounts.clear()
    group.lvs.clear()
    group.extents = 50 * 256
    await system.done(await system.services.devices.resync(device.id))
    after = await system.services.devices.info(device.id)
    assert (after.device.free_kib, after.device.used_kib) == (0, 50 * 1024 * 1024)
    assert after.drift.startswith("bricks have tp_")
    assert after.drift.endswith(" (100.50 GiB) that LVM does not have; 50.50 GiB more are promised than the device has")
    await system.done(await system.services.volumes.delete(volume))
    assert (await system.services.devices.info(device.id)).device.used_kib == 0


async def test_a_volume_that_is_made_during_a_resync_stays_charged(system: System) -> None:
    node = (await system.cluster(nodes=1, devices=1)).nodes[0]
    device = (await system.services.nodes.info(node)).devices[0].device
    first = await system.volume(10)
    async with system.held("lv_name,lv_size,lv_metadata_size,segtype") as reached:
        resync = await system.services.devices.resync(device.id)
        await reached()
        made = await system.services.volumes.create(VolumeSpec(size_gib=20))
        assert (await system.services.jobs.wait(made, 30)).result
        gone = await system.services.volumes.delete(first)
        assert not (await system.services.jobs.wait(gone, 30)).error
    await system.done(resync)
    assert (await system.services.devices.info(device.id)).drift == ""
    assert await system.discrepancies() == []


async def test_storage_names_that_kubernetes_cannot_use_are_refused_when_strict(system: System) -> None:
    await system.stop()
    system.policy = Policy(endpoints=Strictness.STRICT)
    await system.start()
    cluster = (await system.services.clusters.create(file=True, block=True)).cluster.id
    with pytest.raises(InvalidRequest, match="Kubernetes cannot use volumes of this node"):
        await system.services.nodes.add(spec(cluster, storage="gluster1.example.com"))


async def test_no_volume_is_made_where_kubernetes_could_not_use_it_when_strict(system: System) -> None:
    cluster = (await system.services.clusters.create(file=True, block=True)).cluster.id
    node = await system.done(await system.services.nodes.add(spec(cluster, storage="gluster1.example.com")))
    await system.done(await system.services.devices.add(DeviceSpec(node=node, name="/dev/sdb")))
    await system.stop()
    system.policy = Policy(endpoints=Strictness.STRICT)
    await system.start()
    with pytest.raises(InvalidRequest, match="Kubernetes cannot use this volume"):
        await system.services.volumes.create(VolumeSpec(size_gib=1))
    assert await system.discrepancies() == []

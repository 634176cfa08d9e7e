"""A dry run tells what a create would do, and touches nothing."""

import pytest

from heketipy.domain.errors import CannotAllocate, InvalidRequest
from heketipy.domain.model import DeviceSpec, NodeSpec, VolumeSpec
from heketipy.domain.states import HealCheck, State
from tests.operations.scenarios import REPLICA_3
from tests.support.system import HOSTS, System


async def refusal(system: System, spec: VolumeSpec) -> str:
    with pytest.raises(CannotAllocate) as refused:
        await system.services.volumes.dry_run(spec)
    return str(refused.value)


async def test_nothing_is_touched_in_the_books_or_on_the_nodes(system: System) -> None:
    cluster = await system.cluster()

    async def everything() -> object:
        site = [await system.services.nodes.info(node) for node in cluster.nodes]
        return site, await system.services.volumes.ids(), await system.db.read(lambda tx: tx.operations.all())

    before, sent = await everything(), system.simulator.state
    outlook = await system.services.volumes.dry_run(VolumeSpec(size_gib=10, durability=REPLICA_3))
    assert {place.node.id for place in outlook.bricks} == set(cluster.nodes)
    assert all(place.device.node == place.node.id for place in outlook.bricks)
    await refusal(system, VolumeSpec(size_gib=100_000, durability=REPLICA_3))
    assert await everything() == before
    assert system.simulator.state is sent
    assert not await system.discrepancies()


async def test_the_largest_size_is_that_of_the_best_cluster_that_is_allowed(system: System) -> None:
    small = await system.cluster(nodes=3, devices=1)
    large = await system.services.clusters.create(file=True, block=True)
    for host in HOSTS[3:]:
        spec = NodeSpec(cluster=large.cluster.id, zone=1, manage=(host,), storage=(host,))
        node = await system.done(await system.services.nodes.add(spec))
        for name in ("/dev/sdb", "/dev/sdc"):
            await system.done(await system.services.devices.add(DeviceSpec(node=node, name=name)))

    async def largest(*clusters: str) -> int:
        spec = VolumeSpec(size_gib=1, durability=REPLICA_3, clusters=clusters)
        return (await system.services.volumes.dry_run(spec)).largest_gib

    only_small, only_large = await largest(small.cluster.id), await largest(large.cluster.id)
    assert only_small < only_large == await largest()
    text = await refusal(system, VolumeSpec(size_gib=100_000, durability=REPLICA_3))
    assert text.startswith("Failed to allocate new volume: Unable to create volume on any cluster:\n")
    assert text.endswith(f"\nThe largest that fits is {only_large} GiB")


async def test_where_nothing_fits_the_last_line_says_so(system: System) -> None:
    cluster = await system.cluster()
    for node in cluster.nodes:
        await system.services.nodes.set_state(node, State.OFFLINE, HealCheck.ENABLE)
    text = await refusal(system, VolumeSpec(size_gib=1, durability=REPLICA_3))
    assert text == (
        "Failed to allocate new volume: No online storage devices in cluster\n"
        "3 nodes are offline\n"
        "No other size fits either"
    )


async def test_what_has_nothing_to_do_with_room_is_refused_without_a_size(system: System) -> None:
    await system.cluster()
    await system.volume(name="taken")
    assert (
        await refusal(system, VolumeSpec(size_gib=1, name="taken"))
        == "Failed to allocate new volume: Volume name 'taken' already in use"
    )
    with pytest.raises(InvalidRequest, match="Cluster id c0ffee not found"):
        await system.services.volumes.dry_run(VolumeSpec(size_gib=1, clusters=("c0ffee",)))


async def test_a_create_itself_does_not_look_for_the_largest_size(system: System) -> None:
    await system.cluster()
    with pytest.raises(CannotAllocate) as refused:
        await system.services.volumes.create(VolumeSpec(size_gib=100_000, durability=REPLICA_3))
    assert "largest" not in str(refused.value)

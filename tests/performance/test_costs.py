"""What each operation costs, counted and not timed. Who makes one dearer has to change a number here, and to say why.

Beside that it must not depend on what else there is: on how many nodes, devices and volumes.
"""

from collections.abc import Awaitable, Callable

import pytest

from heketipy.db.database import Tx
from heketipy.domain.durability import Durability, DurabilityType
from heketipy.domain.model import DeviceSpec, NodeSpec, VolumeSpec
from tests.performance.counting import Cost, CountingSystem, CountingSystemOverSsh

REPLICA_3 = Durability(DurabilityType.REPLICATE, replica=3)

Ask = Callable[[CountingSystem], Awaitable[str]]


async def _add_node(system: CountingSystem) -> str:
    (cluster,) = await system.services.clusters.ids()
    host = system.hosts[3]
    return await system.services.nodes.add(NodeSpec(cluster=cluster, zone=1, manage=(host,), storage=(host,)))


async def _add_device(system: CountingSystem) -> str:
    (cluster,) = await system.services.clusters.ids()
    node = (await system.services.clusters.info(cluster)).nodes[0]
    return await system.services.devices.add(DeviceSpec(node=node, name="/dev/sdh"))


async def _create(system: CountingSystem) -> str:
    return await system.services.volumes.create(VolumeSpec(size_gib=10, durability=REPLICA_3))


async def _expand(system: CountingSystem) -> str:
    (volume,) = await system.services.volumes.ids()
    return await system.services.volumes.expand(volume, 10)


async def _delete(system: CountingSystem) -> str:
    (volume,) = await system.services.volumes.ids()
    return await system.services.volumes.delete(volume)


COSTS = {
    _add_node: Cost(batches=3, commands=3, commits=3),
    _add_device: Cost(batches=1, commands=5, commits=2),
    _create: Cost(batches=4, commands=24, commits=2),
    _expand: Cost(batches=6, commands=24, commits=3),
    _delete: Cost(batches=11, commands=24, commits=3),
}
"""With replicas on three nodes. A create, for example: 7 commands for the brick on each node, 3 to make, mark and start
the volume; one commit that reserves and one that publishes. A delete asks the nodes of two bricks whether they are
there, beside the two questions to the third: gluster would wait ten minutes for one that it takes for connected."""


@pytest.mark.parametrize("ask", COSTS, ids=lambda ask: ask.__name__.strip("_"))
async def test_an_operation_costs_no_more_than_it_did(system: CountingSystem, ask: Ask) -> None:
    await system.cluster()
    if ask in (_expand, _delete):
        await system.volume(10, REPLICA_3)
    async with system.cost() as cost:
        await system.done(await ask(system))
    assert cost == COSTS[ask]


async def test_a_volume_costs_the_same_on_a_larger_site(system: CountingSystem) -> None:
    await system.cluster(nodes=6, devices=5)
    for _ in range(10):
        await system.volume(10, REPLICA_3)
    async with system.cost() as cost:
        await system.done(await _create(system))
    assert cost == COSTS[_create]


async def test_a_plan_knows_few_nodes_of_a_large_cluster(system: CountingSystem) -> None:
    made = await system.services.clusters.create(file=True, block=True)
    for number in range(40):
        host = f"10.1.2.{number}"
        spec = NodeSpec(cluster=made.cluster.id, zone=number % 3, manage=(host,), storage=(host,))
        node = await system.done(await system.services.nodes.add(spec))
        await system.done(await system.services.devices.add(DeviceSpec(node=node, name="/dev/sdb")))
    async with system.held("lvcreate") as reached:
        job = await _create(system)
        await reached()
        (plan,) = await system.db.read(_plans)
    await system.done(job)
    assert len(plan["nodes"]) <= 11
    assert {brick["node"] for brick in plan["bricks"]} <= {node["id"] for node in plan["nodes"]}


def _plans(tx: Tx) -> list[dict[str, list[dict[str, str]]]]:
    return [dict(operation.plan) for operation in tx.operations.all()]


async def test_one_connection_a_node_carries_everything_and_a_batch_is_one_execution(
    system_over_ssh: CountingSystemOverSsh,
) -> None:
    system, servers = system_over_ssh, system_over_ssh.nodes.servers.values()
    await system.cluster()
    volume = await system.volume(10, REPLICA_3)
    await system.done(await system.services.volumes.expand(volume, 10))
    await system.done(await system.services.volumes.delete(volume))
    assert [server.logins for server in servers] == [1, 1, 1]
    assert sum(len(server.executed) for server in servers) == system.counting.batches


async def test_a_refusal_costs_no_commit(system: CountingSystem) -> None:
    await system.cluster()
    before = system.db.commits
    for _ in range(3):
        with pytest.raises(Exception, match="No space"):
            await system.services.volumes.create(VolumeSpec(size_gib=100_000, durability=REPLICA_3))
    assert system.db.commits == before

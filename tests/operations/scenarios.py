"""How each kind of operation is asked for. The tests of every operation take it from here."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from heketipy.domain.durability import Durability, DurabilityType
from heketipy.domain.model import BlockVolumeSpec, DeviceSpec, NodeSpec, VolumeSpec
from heketipy.domain.states import HealCheck, State
from heketipy.operations import (
    block_volume_create,
    block_volume_delete,
    block_volume_expand,
    brick_evict,
    device_add,
    device_remove,
    device_resync,
    evacuation,
    node_add,
    node_remove,
    tidy,
    volume_clone,
    volume_create,
    volume_delete,
    volume_expand,
)
from tests.support.strays import STRAY, stray_brick
from tests.support.system import System

REPLICA_3 = Durability(DurabilityType.REPLICATE, replica=3)


@dataclass(frozen=True, slots=True)
class Scenario:
    """A kind of operation in one of its shapes: what must be there, and the request, which returns a job's id.

    `prepare` returns the id that the request is about. `may_leave` is part of what may be left on the nodes.
    """

    kind: str
    shape: str
    prepare: Callable[[System], Awaitable[str]]
    ask: Callable[[System, str], Awaitable[str]]
    may_leave: str = "nothing at all"

    def __str__(self) -> str:
        return f"{self.kind}, {self.shape}"


async def _cluster(system: System) -> str:
    return (await system.cluster()).cluster.id


async def _one_node(system: System) -> str:
    return (await system.cluster(nodes=1, devices=0)).cluster.id


async def _no_node(system: System) -> str:
    return (await system.cluster(nodes=0)).cluster.id


async def _spare_node(system: System) -> str:
    return (await system.cluster(nodes=3, devices=0)).nodes[0]


async def _empty_node(system: System) -> str:
    return (await system.cluster(nodes=1, devices=0)).nodes[0]


async def _device(system: System) -> str:
    cluster = await system.cluster(nodes=1, devices=1)
    return (await system.services.nodes.info(cluster.nodes[0])).devices[0].device.id


async def _failed_device(system: System) -> str:
    device = await _device(system)
    for state in (State.OFFLINE, State.FAILED):
        await system.done(await system.services.devices.set_state(device, state, HealCheck.ENABLE))
    return device


async def _old_disk(system: System) -> str:
    node = (await system.cluster(nodes=1, devices=1)).nodes[0]
    system.simulator.add_disk(system.hosts[0], "/dev/sdx", 100, signature="xfs")
    return node


async def _volume(system: System) -> str:
    await system.cluster()
    await system.volume(10, REPLICA_3)
    return await system.volume(10, REPLICA_3, gid=40000)


async def _spread_volume(system: System) -> str:
    await system.cluster(nodes=2, devices=1)
    return await system.volume(900, Durability())


async def _bricks_side_by_side(system: System) -> str:
    await system.cluster(nodes=1, devices=2)
    return await system.volume(900, Durability())


async def _cloned(system: System) -> str:
    """Make a volume of two bricks on one node, and a clone of it; return the former."""
    volume = await _bricks_side_by_side(system)
    await system.done(await system.services.volumes.clone(volume, "copy"))
    return volume


async def _clone(system: System) -> str:
    volume = await _cloned(system)
    return next(v for v in await system.services.volumes.ids() if v != volume)


async def _create(system: System, spec: VolumeSpec) -> str:
    return await system.services.volumes.create(spec)


async def _evict(system: System, brick: str) -> str:
    return await system.services.bricks.evict(brick, HealCheck.ENABLE)


async def _fail_device(system: System, device: str) -> str:
    return await system.services.devices.set_state(device, State.FAILED, HealCheck.ENABLE)


async def _fail_node(system: System, node: str) -> str:
    return await system.services.nodes.set_state(node, State.FAILED, HealCheck.ENABLE)


async def _add_node(system: System, cluster: str) -> str:
    number = len((await system.services.clusters.info(cluster)).nodes)
    host = system.hosts[number]
    return await system.services.nodes.add(NodeSpec(cluster=cluster, zone=1, manage=(host,), storage=(host,)))


async def _brick_of(system: System, durability: Durability, *, nodes: int, devices: int) -> str:
    """Make a volume with a group, and return its second brick."""
    await system.cluster(nodes=nodes, devices=devices)
    volume = await system.volume(10, durability, gid=40000, name="wanted")
    bricks = (await system.services.volumes.info(volume)).bricks
    return next(brick.id for brick in bricks if brick.position == 1)


async def _replicated_brick(system: System) -> str:
    return await _brick_of(system, REPLICA_3, nodes=3, devices=2)


async def _dispersed_brick(system: System) -> str:
    return await _brick_of(system, Durability(DurabilityType.DISPERSE, data=2, redundancy=1), nodes=4, devices=1)


async def _brick_of_a_dead_node(system: System) -> str:
    brick = await _brick_of(system, REPLICA_3, nodes=4, devices=1)
    node = await system.db.read(lambda tx: tx.nodes.get(tx.bricks.get(brick).node))
    system.simulator.node_down(node.manage[0])
    return brick


async def _full_device(system: System) -> str:
    """Make a device with two bricks, each of a volume of its own, and set it offline."""
    cluster = await system.cluster(nodes=3, devices=1)
    for _ in range(2):
        await system.volume(10, REPLICA_3)
    await system.add_devices(cluster.nodes[1], 1)
    device = (await system.services.nodes.info(cluster.nodes[1])).devices
    full = next(found.device.id for found in device if found.bricks)
    await system.done(await system.services.devices.set_state(full, State.OFFLINE, HealCheck.ENABLE))
    return full


async def _full_node_that_is_dead(system: System) -> str:
    """Make a node with a brick on each of its two devices, set it offline, and let it die."""
    cluster = await system.cluster(nodes=3, devices=2)
    for _ in range(2):
        await system.volume(300, REPLICA_3)
    await system.add_node(cluster.cluster.id, 3)
    spare = next(n for n in (await system.services.clusters.info(cluster.cluster.id)).nodes if n not in cluster.nodes)
    await system.add_devices(spare, 2)
    node = await system.services.nodes.info(cluster.nodes[0])
    await system.done(await system.services.nodes.set_state(node.node.id, State.OFFLINE, HealCheck.ENABLE))
    system.simulator.node_down(node.node.manage[0])
    return node.node.id


async def _hosting_volume(system: System) -> str:
    """Make a hosting volume on which there is a block volume, and return its cluster."""
    cluster = await _cluster(system)
    await system.volume(50, REPLICA_3, block=True)
    await system.block_volume(1, name="neighbour")
    return cluster


async def _block_volume(system: System) -> str:
    await _hosting_volume(system)
    return await system.block_volume(5, ha_count=2, auth=True)


async def _create_block(system: System, spec: BlockVolumeSpec) -> str:
    return await system.services.block_volumes.create(spec)


async def _stray_brick(system: System) -> str:
    """Make a volume, and beside it a brick that nobody knows; return the latter's device."""
    cluster = await system.cluster(nodes=1, devices=1)
    await system.volume(10)
    device = (await system.services.nodes.info(cluster.nodes[0])).devices[0].device.id
    await stray_brick(system, system.hosts[0], device)
    return device


async def _quarantined_brick(system: System) -> str:
    device = await _stray_brick(system)
    await system.done(await system.services.drift.clean_up())
    return device


async def _release(system: System) -> str:
    drift = await system.services.drift.look()
    return await system.services.drift.release([one.id for one in drift.findings if one.until is not None])


async def _remove_quarantined(system: System) -> str:
    """Let the time be over, and return the job of the removal; where nothing is left, one that has ended."""
    system.clock.now += 10 * system.policy.quarantine
    known = {job.id for job in await system.db.read(lambda tx: tx.jobs.unfinished())}
    await system.services.drift.end_quarantines()
    begun = [job.id for job in await system.db.read(lambda tx: tx.jobs.unfinished()) if job.id not in known]
    return begun[0] if begun else await system.services.drift.clean_up([])


SCENARIOS = (
    Scenario(
        tidy.NAME,
        "into quarantine",
        _stray_brick,
        lambda s, _: s.services.drift.clean_up(),
        may_leave=STRAY,
    ),
    Scenario(tidy.NAME, "out of quarantine", _quarantined_brick, lambda s, _: _release(s), may_leave=STRAY),
    Scenario(tidy.NAME, "for good", _quarantined_brick, lambda s, _: _remove_quarantined(s), may_leave=STRAY),
    Scenario(
        block_volume_create.NAME,
        "on a hosting volume",
        _hosting_volume,
        lambda s, _: _create_block(s, BlockVolumeSpec(size_gib=5, name="wanted", ha_count=2, auth=True)),
    ),
    Scenario(
        block_volume_create.NAME,
        "with a hosting volume",
        _cluster,
        lambda s, _: _create_block(s, BlockVolumeSpec(size_gib=5, name="wanted")),
    ),
    Scenario(
        block_volume_expand.NAME,
        "by some",
        _block_volume,
        lambda s, block_volume: s.services.block_volumes.expand(block_volume, 9),
    ),
    Scenario(
        block_volume_delete.NAME,
        "one of two",
        _block_volume,
        lambda s, block_volume: s.services.block_volumes.delete(block_volume),
    ),
    Scenario(node_add.NAME, "the first of its cluster", _no_node, _add_node),
    Scenario(node_add.NAME, "the second", _one_node, _add_node),
    Scenario(node_remove.NAME, "one of three", _spare_node, lambda s, node: s.services.nodes.delete(node)),
    Scenario(node_remove.NAME, "the last", _empty_node, lambda s, node: s.services.nodes.delete(node)),
    Scenario(
        device_add.NAME,
        "an empty disk",
        _empty_node,
        lambda s, node: s.services.devices.add(DeviceSpec(node=node, name="/dev/sdb")),
    ),
    Scenario(
        device_add.NAME,
        "a disk to be wiped",
        _old_disk,
        lambda s, node: s.services.devices.add(DeviceSpec(node=node, name="/dev/sdx", destroy_data=True)),
    ),
    Scenario(device_remove.NAME, "for real", _failed_device, lambda s, device: s.services.devices.delete(device)),
    Scenario(
        device_remove.NAME,
        "forgotten",
        _failed_device,
        lambda s, device: s.services.devices.delete(device, forget=True),
        may_leave="volume group",
    ),
    Scenario(evacuation.OF_DEVICE, "with bricks of two volumes", _full_device, _fail_device),
    Scenario(evacuation.OF_NODE, "dead, with two devices", _full_node_that_is_dead, _fail_node),
    Scenario(brick_evict.NAME, "of replica 3", _replicated_brick, _evict),
    Scenario(brick_evict.NAME, "of disperse 2+1", _dispersed_brick, _evict),
    Scenario(brick_evict.NAME, "of a dead node", _brick_of_a_dead_node, _evict),
    Scenario(device_resync.NAME, "one device", _device, lambda s, device: s.services.devices.resync(device)),
    Scenario(
        volume_create.NAME,
        "replica 3 with a group",
        _cluster,
        lambda s, _: _create(s, VolumeSpec(size_gib=10, durability=REPLICA_3, gid=40000, name="wanted")),
    ),
    Scenario(
        volume_create.NAME,
        "spread over many bricks",
        _cluster,
        lambda s, _: _create(s, VolumeSpec(size_gib=900, durability=Durability(), options=("nfs.disable on",))),
    ),
    Scenario(
        volume_create.NAME,
        "disperse 2+1",
        _cluster,
        lambda s, _: _create(
            s, VolumeSpec(size_gib=10, durability=Durability(DurabilityType.DISPERSE, data=2, redundancy=1))
        ),
    ),
    Scenario(volume_clone.NAME, "of replica 3", _volume, lambda s, volume: s.services.volumes.clone(volume, "copy")),
    Scenario(
        volume_clone.NAME,
        "of two bricks on a node",
        _bricks_side_by_side,
        lambda s, volume: s.services.volumes.clone(volume, ""),
    ),
    Scenario(volume_delete.NAME, "a clone", _clone, lambda s, volume: s.services.volumes.delete(volume)),
    Scenario(
        volume_delete.NAME, "what a clone was made of", _cloned, lambda s, volume: s.services.volumes.delete(volume)
    ),
    Scenario(volume_expand.NAME, "by one set", _volume, lambda s, volume: s.services.volumes.expand(volume, 5)),
    Scenario(
        volume_expand.NAME,
        "by several bricks on a node",
        _spread_volume,
        lambda s, volume: s.services.volumes.expand(volume, 60),
    ),
    Scenario(volume_delete.NAME, "replica 3", _volume, lambda s, volume: s.services.volumes.delete(volume)),
    Scenario(
        volume_delete.NAME,
        "spread over many bricks",
        _spread_volume,
        lambda s, volume: s.services.volumes.delete(volume),
    ),
)

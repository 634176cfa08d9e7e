"""A site in which a node will be in trouble, and what an admin does then."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

from heketipy.domain.errors import NotFound
from heketipy.domain.states import HealCheck, State
from heketipy.executors.simulator import Simulator
from tests.operations.scenarios import REPLICA_3
from tests.support.system import HOSTS, System


@dataclass(slots=True)
class Site:
    """Four nodes with two devices each, and a volume. `node` is the one that will be in trouble; `device` is the one of
    its devices that holds `brick` of the volume, `spare` its other one. `lost` and `disk` are the device and its path
    that are lost when a disk is; `damaged` are the names of what the trouble spoils for good."""

    system: System
    cluster: str
    volume: str
    brick: str
    node: str
    host: str
    device: str
    spare: str
    lost: str
    disk: str
    damaged: tuple[str, ...] = field(default=())

    @property
    def simulator(self) -> Simulator:
        return self.system.simulator


@asynccontextmanager
async def untroubled(database: Path) -> AsyncIterator[Site]:
    """Make a site without trouble. Its nodes have the disks that they have: none appears on first sight."""
    simulator = Simulator(seed=1)
    for host in HOSTS:
        simulator.add_node(host, disks_gib=dict.fromkeys(("/dev/sdb", "/dev/sdc"), 500))
    system = await System(database, simulator).start()
    cluster = (await system.cluster(nodes=4, devices=2)).cluster.id
    volume = await system.volume(10, REPLICA_3, name="wanted")
    brick = next(b for b in (await system.services.volumes.info(volume)).bricks if b.position == 1)
    node = await system.services.nodes.info(brick.node)
    spare = next(found.device.id for found in node.devices if found.device.id != brick.device)
    yield Site(
        system,
        cluster=cluster,
        volume=volume,
        brick=brick.id,
        node=brick.node,
        host=node.node.manage[0],
        device=brick.device,
        spare=spare,
        lost=brick.device,
        disk=await disk_of(system, brick.device),
    )
    await system.stop()


async def disk_of(system: System, device: str) -> str:
    return (await system.services.devices.info(device)).device.name


async def clean(system: System) -> None:
    """Let time pass, twice, and the cleaner work: what is paid may be what something else waits for."""
    for _ in range(2):
        system.clock.now += 10_000
        await system.services.health.look()
        await system.services.cleaner.clean()
        await system.services.runner.drain()


async def given_up(site: Site) -> None:
    """Do what an admin does who says that a node will never be back, with requests only."""
    system, services = site.system, site.system.services
    await clean(system)
    try:
        node = await services.nodes.info(site.node)
    except NotFound:
        return
    if node.node.state is State.ONLINE:
        await system.done(await services.nodes.set_state(site.node, State.OFFLINE, HealCheck.ENABLE))
    if node.node.state is not State.FAILED:
        await system.done(await services.nodes.set_state(site.node, State.FAILED, HealCheck.ENABLE))
    for found in node.devices:
        await system.done(await services.devices.delete(found.device.id, forget=True))
    await system.done(await services.nodes.delete(site.node))
    await clean(system)


def bury(site: Site) -> None:
    """Take the machine out of the simulation: what is on its disks is nobody's business any more."""
    state = site.simulator.state
    del state.nodes[site.host]
    alone = [key for key, pool in state.pools.items() if list(pool.members) == [site.host]]
    for key in alone:
        del state.pools[key]


async def nothing_is_left(site: Site) -> None:
    """Demand that everything is settled and paid, and that books and nodes agree."""
    await clean(site.system)
    unsettled = await site.system.services.operations.unsettled()
    assert (unsettled.records, unsettled.unrecorded, unsettled.debts) == ([], [], [])
    assert await site.system.discrepancies() == []

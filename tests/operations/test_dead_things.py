"""The matrix of dead things: what is wrong with a node × what is asked for. Each cell has a stated outcome, and two
ends: the trouble is over, or the node is given up. In neither is anything left, and nobody edits the database.

The health monitor has not looked yet when the work is asked for: that is the worst moment.
"""

import re
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass

import pytest

from heketipy.domain.model import DeviceSpec, VolumeSpec
from heketipy.domain.operation import Job
from heketipy.domain.states import HealCheck, State
from heketipy.executors.simulator import Effect, Fault, on
from tests.operations.scenarios import REPLICA_3
from tests.operations.trouble import Site, bury, disk_of, given_up, nothing_is_left
from tests.support.system import HOSTS

BUSY = "umount: /var/lib/heketi/mounts: target is busy."


# What is asked for


@dataclass(frozen=True, slots=True)
class Request:
    """What is asked for, and what has to be so before."""

    ask: Callable[[Site], Awaitable[str]]
    prepare: Callable[[Site], Awaitable[None]] | None = None


async def _spare_is_failed(site: Site) -> None:
    for state in (State.OFFLINE, State.FAILED):
        await site.system.done(await site.system.services.devices.set_state(site.spare, state, HealCheck.ENABLE))
    site.lost, site.disk = site.spare, await disk_of(site.system, site.spare)


async def _device_is_offline(site: Site) -> None:
    job = await site.system.services.devices.set_state(site.device, State.OFFLINE, HealCheck.ENABLE)
    await site.system.done(job)


async def _node_is_offline(site: Site) -> None:
    await site.system.done(await site.system.services.nodes.set_state(site.node, State.OFFLINE, HealCheck.ENABLE))


async def _node_is_another_without_devices(site: Site) -> None:
    site.node, site.host = await site.system.add_node(site.cluster, 4), HOSTS[4]
    site.lost, site.disk = "", "/dev/sdb"


REQUESTS: Mapping[str, Request] = {
    # Large enough for two sets of bricks, which need more than the nodes that a small one could happen to get.
    "volume create": Request(
        lambda s: s.system.services.volumes.create(VolumeSpec(size_gib=600, durability=REPLICA_3, name="new"))
    ),
    "volume expand": Request(lambda s: s.system.services.volumes.expand(s.volume, 600)),
    "volume delete": Request(lambda s: s.system.services.volumes.delete(s.volume)),
    "volume clone": Request(lambda s: s.system.services.volumes.clone(s.volume, "copy")),
    "device remove": Request(
        lambda s: s.system.services.devices.set_state(s.device, State.FAILED, HealCheck.ENABLE), _device_is_offline
    ),
    "node remove": Request(
        lambda s: s.system.services.nodes.set_state(s.node, State.FAILED, HealCheck.ENABLE), _node_is_offline
    ),
    "brick evict": Request(lambda s: s.system.services.bricks.evict(s.brick, HealCheck.ENABLE)),
    "device delete": Request(lambda s: s.system.services.devices.delete(s.spare), _spare_is_failed),
    "node delete": Request(lambda s: s.system.services.nodes.delete(s.node), _node_is_another_without_devices),
}


# What is wrong


@dataclass(frozen=True, slots=True)
class Trouble:
    """What is wrong with a node, and what ends it: by itself, or by people who put something new there."""

    begins: Callable[[Site], None]
    over: Callable[[Site], Awaitable[None] | None]


def _reimage(site: Site) -> None:
    site.simulator.reimage(site.host)
    site.damaged = (site.host, site.device, site.spare)


def _lose_disk(site: Site) -> None:
    site.simulator.lose_disk(site.host, site.disk)
    site.damaged = (site.host, site.device, site.spare)


def _make_busy(site: Site) -> None:
    failure = Fault(Effect.FAIL, on("umount", node=site.host), status=32, stderr=f"{BUSY}\n", times=0)
    site.simulator.faults.add(failure)


TROUBLES: Mapping[str, Trouble] = {
    "unreachable": Trouble(
        lambda site: site.simulator.node_down(site.host), lambda site: site.simulator.node_up(site.host)
    ),
    # Its power is gone, and its peers have not noticed: gluster waits for it.
    "just died": Trouble(
        lambda site: site.simulator.node_down(site.host, noticed=False),
        lambda site: site.simulator.node_up(site.host),
    ),
    "hangs": Trouble(lambda site: site.simulator.hang(site.host), lambda site: site.simulator.wake(site.host)),
    "re-imaged": Trouble(_reimage, lambda site: given_up_and_added_anew(site)),
    "disk gone": Trouble(_lose_disk, lambda site: disk_replaced(site)),
    "glusterd down": Trouble(
        lambda site: site.simulator.glusterd_down(site.host), lambda site: site.simulator.glusterd_up(site.host)
    ),
    "brick busy": Trouble(_make_busy, lambda site: site.simulator.faults.clear()),
}


# What becomes of it


@dataclass(frozen=True, slots=True)
class Outcome:
    """What becomes of a request: `error` is a pattern for the first line of what is told (nothing: it is done), and
    `names` whether the text names the node. `owes`: so many debts. `stuck`: the kind of operation that is tried again
    and again, why is told."""

    error: str = ""
    names: bool = False
    owes: int = 0
    stuck: str = ""


DONE = Outcome()
PEERS_DOWN = Outcome("volume delete: wanted: failed: Some of the peers are down: 192.168.10.2$", names=True)
NO_SNAPSHOT = "Failed to create snapshot of volume wanted: "
BRICKS_DOWN = f"{NO_SNAPSHOT}One or more bricks of volume wanted are down.$"
NO_ROUTE = r"dial tcp 192\.168\.10\.2:22: connect: no route to host$"
HUNG = "SSH command timeout$"
NO_GROUP = '  Volume group "vg_[0-9a-f]{32}" not found$'
WAITED = r"Unable to replace brick 192\.168\.10\.2:"


def done(*, owes: int = 0) -> Outcome:
    """It is done, if need be elsewhere; what only the node could do, it owes."""
    return Outcome(owes=owes)


def refused(error: str, *, names: bool = True) -> Outcome:
    """Nothing was begun."""
    return Outcome(error, names)


def taken_back(error: str, *, names: bool = True, owes: int = 0) -> Outcome:
    """It was begun, and taken back at once; what only the node could take back, it owes."""
    return Outcome(error, names, owes)


def stuck(kind: str) -> Outcome:
    """The node answers, and refuses what must still be done."""
    return Outcome(re.escape(BUSY), stuck=kind)


OUTCOMES: Mapping[str, Mapping[str, Outcome]] = {
    "unreachable": {
        "volume create": done(owes=1),
        "volume expand": taken_back(NO_ROUTE, owes=1),
        "volume delete": PEERS_DOWN,
        "volume clone": refused(BRICKS_DOWN),
        "device remove": done(owes=2),
        "node remove": done(owes=1),
        "brick evict": done(owes=1),
        "device delete": refused(NO_ROUTE),
        "node delete": DONE,
    },
    "just died": {
        # gluster's locks are held for as long as it waits. What was refused may be asked for again when it has noticed.
        "volume create": taken_back(
            "volume create: new: failed: Another transaction is in progress", names=False, owes=1
        ),
        "volume expand": taken_back(NO_ROUTE, owes=1),
        "volume delete": PEERS_DOWN,
        "volume clone": refused(BRICKS_DOWN),
        "device remove": taken_back(WAITED, owes=1),
        "node remove": taken_back(WAITED),
        "brick evict": taken_back(WAITED),
        "device delete": refused(NO_ROUTE),
        "node delete": DONE,
    },
    "hangs": {
        "volume create": done(owes=1),
        "volume expand": taken_back(HUNG, owes=1),
        "volume delete": PEERS_DOWN,
        "volume clone": refused(BRICKS_DOWN),
        "device remove": done(owes=2),
        "node remove": done(owes=1),
        "brick evict": done(owes=1),
        "device delete": refused(HUNG),
        "node delete": DONE,
    },
    "re-imaged": {
        "volume create": DONE,
        "volume expand": taken_back(NO_GROUP, names=False),
        "volume delete": DONE,
        "volume clone": taken_back(f"{NO_SNAPSHOT}Snapshot is supported only for thin provisioned LV", names=False),
        "device remove": DONE,
        "node remove": DONE,
        "brick evict": DONE,
        "device delete": DONE,
        "node delete": DONE,
    },
    "disk gone": {
        "volume create": DONE,
        "volume expand": taken_back(NO_GROUP, names=False),
        "volume delete": DONE,
        "volume clone": taken_back(f"{NO_SNAPSHOT}Snapshot is supported only for thin provisioned LV", names=False),
        "device remove": DONE,
        "node remove": DONE,
        "brick evict": DONE,
        "device delete": DONE,
        "node delete": DONE,
    },
    "glusterd down": {
        "volume create": DONE,
        "volume expand": taken_back(r"volume add-brick: failed: Host 192\.168\.10\.2 not connected"),
        "volume delete": PEERS_DOWN,
        "volume clone": taken_back(BRICKS_DOWN, names=False),
        "device remove": DONE,
        "node remove": DONE,
        "brick evict": DONE,
        "device delete": DONE,
        "node delete": DONE,
    },
    "brick busy": {
        "volume create": DONE,
        "volume expand": DONE,
        "volume delete": stuck("delete-volume"),
        "volume clone": DONE,
        "device remove": stuck("evict-brick"),
        "node remove": stuck("evict-brick"),
        "brick evict": stuck("evict-brick"),
        "device delete": DONE,
        "node delete": DONE,
    },
}

CELLS = [(trouble, request) for trouble, row in OUTCOMES.items() for request in row]


def test_every_cell_has_an_outcome() -> None:
    assert OUTCOMES.keys() == TROUBLES.keys()
    assert all(row.keys() == REQUESTS.keys() for row in OUTCOMES.values())


@pytest.mark.parametrize(("trouble", "request_"), CELLS, ids=[f"{t}, {r}" for t, r in CELLS])
async def test_what_is_asked_for_in_trouble_has_its_outcome_and_leaves_nothing_when_the_trouble_is_over(
    site: Site, trouble: str, request_: str
) -> None:
    await in_trouble(site, trouble, request_)
    working = TROUBLES[trouble].over(site)
    if working is not None:
        await working
    await nothing_is_left(site)


@pytest.mark.parametrize(("trouble", "request_"), CELLS, ids=[f"{t}, {r}" for t, r in CELLS])
async def test_a_node_in_trouble_can_be_given_up_whatever_was_asked_for(
    site: Site, trouble: str, request_: str
) -> None:
    await in_trouble(site, trouble, request_)
    site.simulator.node_down(site.host)
    await given_up(site)
    bury(site)
    await nothing_is_left(site)
    await site.system.done(await site.system.services.volumes.delete(await site.system.volume(5, REPLICA_3)))


async def in_trouble(site: Site, trouble: str, request: str) -> None:
    """Ask for something in trouble. What comes of it is as stated, and in nobody's way."""
    wanted, asked = OUTCOMES[trouble][request], REQUESTS[request]
    if asked.prepare is not None:
        await asked.prepare(site)
    TROUBLES[trouble].begins(site)
    _judge(await site.system.result(await asked.ask(site)), wanted, site)
    await _shown(site, wanted)
    if not wanted.stuck:
        assert [d for d in await site.system.discrepancies() if not any(name in d for name in site.damaged)] == []
    site.simulator.node(site.host).noticed = True
    await site.system.services.health.look()
    await site.system.volume(5, REPLICA_3)


def _judge(job: Job, wanted: Outcome, site: Site) -> None:
    assert job.ended is not None
    if not wanted.error:
        assert job.error == ""
        return
    first = job.error.partition("\n")[0]
    assert re.match(wanted.error, first), job.error
    assert not wanted.names or site.host in job.error or site.node in job.error


async def _shown(site: Site, wanted: Outcome) -> None:
    unsettled = await site.system.services.operations.unsettled()
    assert (await site.system.services.operations.counts()).debts == wanted.owes
    assert [(debt.node, debt.host) for debt in unsettled.debts] == [(site.node, site.host)] * wanted.owes
    assert all(debt.reason and debt.next_try is not None for debt in unsettled.debts)
    pending = [*unsettled.records, *unsettled.unrecorded]
    if not wanted.stuck:
        assert pending == []
        return
    (record,) = unsettled.records
    (kind,) = await site.system.db.read(lambda tx: [operation.kind for operation in tx.operations.all()])
    assert (kind, record.status) == (wanted.stuck, "failed")
    assert BUSY in record.reason
    assert record.next_try is not None
    assert record.next_try > site.system.clock.now


async def given_up_and_added_anew(site: Site) -> None:
    """Give a node up that has lost what it had, and add it anew under its name."""
    await given_up(site)
    again = await site.system.add_node(site.cluster, HOSTS.index(site.host))
    await site.system.add_devices(again, 2)


async def disk_replaced(site: Site) -> None:
    """Put a new disk into a node, and let it take the place of the device that is gone: of all, if the node is out of
    use by now."""
    system, devices = site.system, site.system.services.devices
    site.simulator.add_disk(site.host, site.disk, 500)
    node = await system.db.read(lambda tx: tx.nodes.find(site.node))
    if node is None or node.state is not State.ONLINE:
        await given_up_and_added_anew(site)
        return
    device = await system.db.read(lambda tx: tx.devices.find(site.lost))
    if device is not None:
        for state in (State.OFFLINE, State.FAILED):
            if device.state is not State.FAILED:
                await system.done(await devices.set_state(device.id, state, HealCheck.ENABLE))
        await system.done(await devices.delete(device.id, forget=True))
    await system.done(await devices.add(DeviceSpec(node=node.id, name=site.disk)))

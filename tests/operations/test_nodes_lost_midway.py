"""A node goes in the middle of work, at the moment after which gluster takes nothing back without it: it deletes no
volume while a peer is down. The work is finished then if its client still waits; else it waits for the node, or for
people who say that the node will not be back."""

from collections.abc import Sequence

import pytest

from heketipy.domain.model import VolumeSpec
from heketipy.domain.states import HealCheck, State
from heketipy.executors.simulator import Effect, Fault, on
from tests.operations.scenarios import REPLICA_3
from tests.operations.trouble import Site, bury, clean, given_up, nothing_is_left


def dies_at(site: Site, *words: str) -> Fault:
    """Let the site's node go when a command with these words runs anywhere."""
    about = on(*words)

    def watch(host: str, argv: Sequence[str]) -> bool:
        if about(host, argv):
            site.simulator.node_down(site.host)
        return False

    return Fault(Effect.FAIL, watch)


def loses_its_answer(site: Site, *words: str) -> None:
    """Let the site's node go when it has run a command with these words."""
    about = on(*words, node=site.host)

    def watch(host: str, argv: Sequence[str]) -> bool:
        found = about(host, argv)
        if found:
            site.simulator.node_down(site.host)
        return found

    site.simulator.faults.add(Fault(Effect.LOSE_AFTER, watch))


async def ask(site: Site, request: str) -> str:
    """Ask for a new volume on all nodes, or for a copy of the one that there is."""
    volumes = site.system.services.volumes
    if request == "clone":
        return await volumes.clone(site.volume, "copy")
    return await volumes.create(VolumeSpec(size_gib=600, durability=REPLICA_3, name="copy"))


WORDS = {"create": "volume create", "clone": "snapshot clone"}


@pytest.mark.parametrize("request_", WORDS)
async def test_what_cannot_be_taken_back_without_a_dead_node_is_finished_while_its_client_waits(
    site: Site, request_: str
) -> None:
    site.simulator.faults.add(
        dies_at(site, "volume start", "copy"), Fault(Effect.FAIL, on("volume start", "copy"), stderr="unlucky\n")
    )
    volume = await site.system.done(await ask(site, request_))
    assert site.simulator.volumes["copy"].status == "Started"
    site.simulator.node_up(site.host)
    await nothing_is_left(site)
    await site.system.done(await site.system.services.volumes.delete(volume))
    await nothing_is_left(site)


@pytest.mark.parametrize("request_", WORDS)
async def test_what_a_dead_node_may_have_done_is_taken_back_when_it_is_back(site: Site, request_: str) -> None:
    await _stuck(site, request_)
    await clean(site.system)
    (record,) = await site.system.services.operations.pending()
    assert "Some of the peers are down" in record.reason
    site.simulator.node_up(site.host)
    await nothing_is_left(site)
    assert await site.system.services.volumes.ids() == [site.volume]


@pytest.mark.parametrize("request_", WORDS)
async def test_a_node_that_is_lost_in_the_middle_can_be_given_up(site: Site, request_: str) -> None:
    await _stuck(site, request_)
    await clean(site.system)
    services = site.system.services
    await site.system.done(await services.nodes.set_state(site.node, State.OFFLINE, HealCheck.ENABLE))
    await given_up(site)
    bury(site)
    await nothing_is_left(site)
    (copy,) = set(await services.volumes.ids()) - {site.volume}
    for volume in (copy, site.volume):
        await site.system.done(await services.volumes.delete(volume))
    await nothing_is_left(site)


async def test_the_back_off_is_no_obstacle_to_the_silence_that_is_waited_for(site: Site) -> None:
    await _stuck(site, "create")
    system = site.system
    await system.done(await system.services.nodes.set_state(site.node, State.OFFLINE, HealCheck.ENABLE))
    for _ in range(40):
        system.clock.now += 100
        await system.services.cleaner.clean()
        await system.services.runner.drain()
    assert await system.services.operations.pending() == []
    assert len(await system.services.volumes.ids()) == 2


async def _stuck(site: Site, request: str) -> None:
    """Let the node that runs gluster go when it has done so, and its answer be lost."""
    site.node, site.host = await _first(site, request)
    loses_its_answer(site, WORDS[request], "copy")
    job = await site.system.result(await ask(site, request))
    assert "does not answer" in job.error
    assert [one.status for one in await site.system.services.operations.pending()] == ["failed"]


async def _first(site: Site, request: str) -> tuple[str, str]:
    """Return id and manage name of the node that will run gluster: for a create, that of the first of its bricks."""
    nodes = await site.system.db.read(lambda tx: tx.nodes.of_cluster(site.cluster))
    if request == "clone":
        return nodes[0].id, nodes[0].manage[0]
    volume = await site.system.done(await ask(site, request))
    first = next(b for b in (await site.system.services.volumes.info(volume)).bricks if b.position == 0)
    await site.system.done(await site.system.services.volumes.delete(volume))
    return next((node.id, node.manage[0]) for node in nodes if node.id == first.node)

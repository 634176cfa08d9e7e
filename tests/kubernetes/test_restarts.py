"""What becomes of claims when the server is stopped, or killed, and started again."""

from __future__ import annotations

import signal
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import pytest
import wire_rules
from claims import claim, delete, expand, provision, volume_id
from conftest import Site
from in_tree_plugin import Manifest, Plugin, Result

pytestmark = pytest.mark.timeout(1800)


@pytest.mark.parametrize("with_signal", [signal.SIGTERM, signal.SIGKILL], ids=["stopped", "killed"])
def test_a_restart_changes_nothing_for_kubernetes(own_site: Site, plugin: Plugin, with_signal: signal.Signals) -> None:
    """K7, K12: names and ids stay, and so do the results of finished work."""
    wanted = claim()
    born = plugin.run(own_site.objects(wanted), [provision(wanted)])
    before = own_site.server.rest.get(f"/volumes/{volume_id(born)}")
    own_site.server.restart(with_signal)
    assert own_site.server.rest.get(f"/volumes/{volume_id(born)}") == before
    for poll in (e for e in born.exchanges if e.is_poll and not e.is_pending):
        assert own_site.server.rest.ask("GET", poll.path).headers["Location"] == f"/volumes/{before['id']}"
    rest_of_life = plugin.run(born.objects, [expand(wanted, "3Gi"), delete(wanted)])
    assert rest_of_life.errors == []
    wire_rules.check(rest_of_life)
    assert own_site.server.rest.volumes() == []


SLOW_NETWORK = 0.1  # seconds for each request of the plug-in


@dataclass(frozen=True)
class Work:
    """A step that takes its time, and whether the volume is there before and after it."""

    step: Callable[[Manifest], Manifest]
    needs_volume: bool
    leaves_volume: bool


WORK = {
    "create": Work(provision, needs_volume=False, leaves_volume=True),
    "expand": Work(lambda c: expand(c, "5Gi"), needs_volume=True, leaves_volume=True),
    "delete": Work(delete, needs_volume=True, leaves_volume=False),
}


def interrupt(site: Site, plugin: Plugin, work: Work, wanted: Manifest, number: signal.Signals) -> Result:
    """Begin the work through the plug-in, and signal the server while it runs."""
    objects = site.objects(wanted)
    if work.needs_volume:
        objects = plugin.run(objects, [provision(wanted)]).objects
    before = site.server.rest.books()
    with ThreadPoolExecutor(1) as pool:
        running = pool.submit(plugin.run, objects, [work.step(wanted)], delay=SLOW_NETWORK)
        site.server.rest.wait_for_change(before)
        site.server.tell(number)
        return running.result()


def end(site: Site, plugin: Plugin, result: Result, wanted: Manifest) -> None:
    """Whatever Kubernetes knows it deletes; the rest is an administrator's to find and delete."""
    rest = site.server.rest
    if result.all("PersistentVolume"):
        assert volume_id(result) in rest.volumes()
        assert plugin.run(result.objects, [delete(wanted)]).errors == []
    for orphan in rest.volumes():
        rest.do("DELETE", f"/volumes/{orphan}")
    rest.wait_until_idle()


@pytest.mark.parametrize("work", WORK.values(), ids=WORK)
def test_a_server_told_to_end_first_ends_its_work(slow_site: Site, plugin: Plugin, work: Work) -> None:
    """The plug-in never learns of it. Its last calls come after the work: the volume, the cluster, each node."""
    before = slow_site.server.rest.space()
    wanted = claim()
    result = interrupt(slow_site, plugin, work, wanted, signal.SIGTERM)
    assert result.errors == [], result.log
    wire_rules.check(result)
    slow_site.server.wait()
    slow_site.server.start()
    end(slow_site, plugin, result, wanted)
    assert slow_site.server.rest.space() == before


@pytest.mark.parametrize("work", WORK.values(), ids=WORK)
def test_work_of_a_killed_server_is_finished_or_taken_back(slow_site: Site, plugin: Plugin, work: Work) -> None:
    """Kubernetes tries again, and it goes well; what the first try left is whole, or gone."""
    before = slow_site.server.rest.space()
    wanted = claim()
    broken = interrupt(slow_site, plugin, work, wanted, signal.SIGKILL)
    assert len(broken.errors) == 1
    slow_site.server.restart(signal.SIGKILL)
    slow_site.server.rest.wait_until_idle()
    again = plugin.run(broken.objects, [work.step(wanted)])
    assert again.errors == [], again.refusals()
    if work.leaves_volume:
        assert slow_site.server.rest.get(f"/volumes/{volume_id(again)}")["size"] in {2, 5}
    for volume in slow_site.server.rest.volumes():
        assert slow_site.server.rest.get(f"/volumes/{volume}")["bricks"]
    end(slow_site, plugin, again, wanted)
    assert slow_site.server.rest.volumes() == []
    assert slow_site.server.rest.space() == before

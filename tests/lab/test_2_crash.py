"""kill -9 of the server in the middle of work: the next start leaves nothing behind, whenever that was."""

import time

import pytest
import traces
from conftest import Site
from figures import Figures

REPLICA_3 = {"type": "replicate", "replicate": {"replica": 3}}

MOMENTS = {
    "lvcreate": "lvm lvcreate",
    "mkfs": "mkfs.xfs",
    "gluster volume create": "gluster .*volume create",
    "gluster volume start": "gluster .*volume start",
}


@pytest.mark.parametrize("moment", MOMENTS)
@pytest.mark.parametrize("pause", [0, 15], ids=["restarted at once", "restarted when the command had finished"])
def test_a_server_killed_during_a_create_leaves_nothing_behind(
    clean: Site, figures: Figures, moment: str, pause: float
) -> None:
    before = traces.on_all(clean.nodes)
    job = clean.service.begin("POST", "/volumes", {"size": 1, "durability": REPLICA_3, "gid": 2001})
    if moment in ("lvcreate", "mkfs"):
        traces.wait_for(clean.nodes[0], traces.command_runs(MOMENTS[moment]))
    else:
        # gluster runs on the node of the first brick, which may be any.
        _wait_on_any(clean, MOMENTS[moment])
    clean.service.kill()
    survivors = [
        node for node in clean.nodes if node.ssh(traces.command_runs(MOMENTS[moment]), check=False).returncode == 0
    ]
    figures.add(f"survivors of kill -9 during {moment}", len(survivors), "nodes")
    time.sleep(pause)
    begin = time.monotonic()
    clean.service.start()
    ended = clean.service.wait(job)
    left = traces.lasting_changes(clean.nodes, before, 180) if not ended.ok else []
    figures.add(f"recovery after kill -9 during {moment}", time.monotonic() - begin)
    if ended.ok:
        # Allowed: what was all but done may be finished. Then it is whole, and can be deleted.
        clean.service.delete(ended.location)
    else:
        assert ended.status == 500
        assert ended.error
        assert left == [{}, {}, {}]
    clean.settled()


def _wait_on_any(site: Site, pattern: str) -> None:
    end = time.monotonic() + 120
    while time.monotonic() < end:
        for machine in site.nodes:
            if machine.ssh(traces.command_runs(pattern), check=False).returncode == 0:
                return
    pytest.fail(f"no node ran {pattern!r}")


def test_a_server_killed_during_a_delete_finishes_it(clean: Site, figures: Figures) -> None:
    before = traces.on_all(clean.nodes)
    volume, _ = clean.service.create(size=1, durability=REPLICA_3)
    job = clean.service.begin("DELETE", f"/volumes/{volume['id']}")
    traces.wait_for(clean.nodes[1], traces.command_runs("lvm lvremove"))
    clean.service.kill()
    begin = time.monotonic()
    clean.service.start()
    assert clean.service.wait(job).ok
    assert traces.lasting_changes(clean.nodes, before, 120) == [{}, {}, {}]
    figures.add("recovery after kill -9 during a delete", time.monotonic() - begin)


def test_sigterm_lets_a_running_create_end_well(clean: Site, figures: Figures) -> None:
    job = clean.service.begin("POST", "/volumes", {"size": 1, "durability": REPLICA_3})
    traces.wait_for(clean.nodes[0], traces.command_runs("lvm lvcreate"))
    figures.add("SIGTERM during a create, until the end", clean.service.stop(300))
    clean.service.start()
    ended = clean.service.wait(job)
    assert ended.ok, ended.error
    clean.service.delete(ended.location)

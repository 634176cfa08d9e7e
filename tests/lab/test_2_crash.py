"""kill -9 of the server in the middle of work: the next start leaves nothing behind, whenever that was."""

import time

import pytest
import traces
from conftest import Site
from figures import Figures

REPLICA_3 = {"type": "replicate", "replicate": {"replica": 3}}

MOMENTS = {
    "lvcreate": traces.command_runs("lvm lvcreate"),
    # mkfs itself is too short to be seen.
    "mkfs": "compgen -G '/dev/mapper/vg_*-brick_*' >/dev/null",
    "gluster volume create": traces.command_runs("gluster .*volume create"),
    "gluster volume start": traces.command_runs("gluster .*volume start"),
}


@pytest.mark.parametrize("moment", MOMENTS)
@pytest.mark.parametrize("pause", [0, 15], ids=["restarted at once", "restarted when the command had finished"])
def test_a_server_killed_during_a_create_leaves_nothing_behind(
    clean: Site, figures: Figures, moment: str, pause: float
) -> None:
    before = traces.on_all(clean.nodes)
    job = clean.service.begin("POST", "/volumes", {"size": 1, "durability": REPLICA_3, "gid": 2001})
    reach(clean, moment)
    clean.service.kill()
    survivors = [node for node in clean.nodes if node.ssh(MOMENTS[moment], check=False).returncode == 0]
    if moment != "mkfs":
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


def reach(site: Site, moment: str) -> None:
    """Wait for a moment of a create."""
    if moment in ("lvcreate", "mkfs"):
        traces.wait_for(site.nodes[0], MOMENTS[moment])
        return
    # gluster runs on the node of the first brick, which may be any.
    end = time.monotonic() + 120
    while not any(node.ssh(MOMENTS[moment], check=False).returncode == 0 for node in site.nodes):
        assert time.monotonic() < end, f"no node came to {moment}"


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
    figures.add("SIGTERM during a create, until the end", clean.service.stop())
    clean.service.start()
    ended = clean.service.wait(job)
    assert ended.ok, ended.error
    clean.service.delete(ended.location)

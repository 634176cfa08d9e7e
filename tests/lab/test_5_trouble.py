"""Nodes that are off or refuse the key, and things made by hand under a name of ours."""

import time
from typing import Any

import traces
from conftest import Site
from figures import Figures
from test_3_volumes import gluster_volume

REPLICA_3 = {"type": "replicate", "replicate": {"replica": 3}}


def test_a_volume_made_by_hand_keeps_its_name_and_its_data(clean: Site, figures: Figures) -> None:
    node = clean.nodes[0]
    node.ssh(
        "wipefs -aq /dev/vde; mkfs.xfs -q /dev/vde && mkdir -p /handmade && mount /dev/vde /handmade"
        " && mkdir /handmade/b"
        f" && gluster --mode=script volume create handmade {node.storage_host}:/handmade/b"
        " && gluster --mode=script volume start handmade"
    )
    try:
        before = gluster_volume(node, "handmade")
        on_nodes = traces.on_all(clean.nodes)
        job = clean.service.do("POST", "/volumes", {"size": 1, "durability": REPLICA_3, "name": "handmade"})
        assert job.status == 500
        assert "already exists" in job.error
        figures.add("create with the name of a foreign volume refused", job.seconds)
        assert traces.lasting_changes(clean.nodes, on_nodes, 60) == [{}, {}, {}]
        assert gluster_volume(node, "handmade") == before
    finally:
        node.ssh(
            "gluster --mode=script volume stop handmade force; gluster --mode=script volume delete handmade;"
            "umount /handmade; rmdir /handmade; wipefs -aq /dev/vde",
            check=False,
        )


def test_a_node_that_refuses_the_key_is_named_and_nothing_is_left(clean: Site, figures: Figures) -> None:
    node = clean.nodes[2]
    before = traces.on_all(clean.nodes)
    # Our own connection, kept open, is the way back in.
    node.ssh("mv /root/.ssh/authorized_keys /root/.ssh/away")
    try:
        clean.service.stop()
        clean.service.start()
        begin = time.monotonic()
        answer = clean.service.request("POST", "/volumes", {"size": 1, "durability": REPLICA_3})
        if answer.status_code == 202:
            job = clean.service.wait(answer.headers["Location"])
            assert job.status == 500
            text = job.error
        else:
            # The monitor has found out before.
            text = answer.text
        assert text
        figures.add("create refused, a node refuses the key", time.monotonic() - begin)
    finally:
        node.ssh("mv /root/.ssh/away /root/.ssh/authorized_keys")
    assert traces.lasting_changes(clean.nodes, before, 60) == [{}, {}, {}]
    clean.settled()
    _usable_again(clean)


def test_a_node_that_loses_power_during_a_create_owes_its_share_and_pays_it(clean: Site, figures: Figures) -> None:
    before = traces.on_all(clean.nodes)
    victim = clean.nodes[2]
    job = clean.service.begin("POST", "/volumes", {"size": 1, "durability": REPLICA_3})
    traces.wait_for(victim, "lvm lvs --noheadings 2>/dev/null | grep -q brick_")
    victim.hard_stop()
    try:
        begin = time.monotonic()
        ended = clean.service.wait(job)
        figures.add("create given up, a node lost power", time.monotonic() - begin)
        assert ended.status == 500
        assert ended.error
        assert traces.lasting_changes(clean.nodes[:2], before[:2], 60) == [{}, {}]
    finally:
        victim.start()
        victim.wait_up()
    begin = time.monotonic()
    assert traces.lasting_changes(clean.nodes, before, 180) == [{}, {}, {}]
    figures.add("debt paid after the node was back", time.monotonic() - begin)
    clean.settled()
    _usable_again(clean)


def test_a_node_that_is_off_makes_a_delete_refuse_or_owe(clean: Site, figures: Figures) -> None:
    before = traces.on_all(clean.nodes)
    victim = clean.nodes[2]
    volume, _ = clean.service.create(size=1, durability=REPLICA_3)
    victim.hard_stop()
    traces.wait_for(clean.nodes[0], "gluster --mode=script pool list | grep -qw Disconnected")
    try:
        job = clean.service.do("DELETE", f"/volumes/{volume['id']}")
        figures.add("delete answered, a node is off", job.seconds)
        if not job.ok:
            _still_serves(clean, volume)
    finally:
        victim.start()
        victim.wait_up()
    _connected(clean)
    if not job.ok:
        clean.service.delete(f"/volumes/{volume['id']}")
    assert traces.lasting_changes(clean.nodes, before, 180) == [{}, {}, {}]


def test_a_delete_does_not_wait_for_a_node_that_stands_still_though_gluster_would(
    clean: Site, figures: Figures
) -> None:
    before = traces.on_all(clean.nodes)
    victim = clean.nodes[2]
    volume, _ = clean.service.create(size=1, durability=REPLICA_3)
    victim.monitor("stop")
    try:
        job = clean.service.do("DELETE", f"/volumes/{volume['id']}")
        figures.add("delete refused, a node stands still", job.seconds)
        # gluster, which takes it for connected, would have kept its locks for ten minutes.
        assert not job.ok
        assert victim.manage_host in job.error
        assert job.seconds < 120
        _still_serves(clean, volume)
    finally:
        victim.monitor("cont")
        victim.forget_connection()
    _connected(clean)
    clean.service.delete(f"/volumes/{volume['id']}")
    assert traces.lasting_changes(clean.nodes, before, 180) == [{}, {}, {}]


def test_a_node_that_loses_power_in_the_middle_of_a_delete_pays_later(clean: Site, figures: Figures) -> None:
    before = traces.on_all(clean.nodes)
    victim = clean.nodes[2]
    volume, _ = clean.service.create(size=1, durability=REPLICA_3)
    job = clean.service.begin("DELETE", f"/volumes/{volume['id']}")
    # In the middle of its own bricks: gluster is through with the volume, the logical volume is still there.
    traces.wait_for(victim, '[ -z "$(findmnt -rn -t xfs)" ]')
    victim.hard_stop()
    try:
        ended = clean.service.wait(job)
        assert ended.ok, ended.error
        assert traces.lasting_changes(clean.nodes[:2], before[:2], 60) == [{}, {}]
    finally:
        victim.start()
        victim.wait_up()
    begin = time.monotonic()
    assert traces.lasting_changes(clean.nodes, before, 180) == [{}, {}, {}]
    figures.add("debt of a delete paid after the node was back", time.monotonic() - begin)


def _still_serves(site: Site, volume: dict[str, Any]) -> None:
    """gluster deletes nothing while a peer is down. Then the volume must go on serving."""
    assert gluster_volume(site.nodes[0], volume["name"])["statusStr"] == "Started"
    assert site.service.get(f"/volumes/{volume['id']}")["id"] == volume["id"]


def _connected(site: Site) -> None:
    for node in site.nodes:
        traces.wait_for(node, "test $(gluster --mode=script pool list | grep -cw Connected) = 3", seconds=300)


def _usable_again(site: Site) -> None:
    """Wait until all nodes are peers in good standing, and prove it by a volume."""
    _connected(site)
    end = time.monotonic() + 60
    while True:
        job = site.service.do("POST", "/volumes", {"size": 1, "durability": REPLICA_3})
        if job.ok or time.monotonic() > end:
            break
    assert job.ok, f"{job.error}\n{site.service.log_tail()}"
    site.service.delete(job.location)

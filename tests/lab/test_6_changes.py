"""Copies of volumes, and bricks that move to other devices while a client writes."""

import time
from typing import Any

import pytest
import traces
from client import MOUNT, check_written, checksum, entries_to_heal, mounted, writing
from conftest import Site
from figures import Figures
from test_3_volumes import assert_brick_is_as_specified, gluster_volume

GID = 2001
REPLICA_3 = {"type": "replicate", "replicate": {"replica": 3}}
COPY = "/mnt/copy"


@pytest.mark.parametrize("first", ["the copy", "the original"])
def test_a_copy_lives_on_its_own_and_nothing_is_left_whichever_goes_first(
    clean: Site, figures: Figures, first: str
) -> None:
    before = traces.on_all(clean.nodes)
    one, two, _ = clean.nodes
    snapshot = {"enable": True, "factor": 1.5}
    original, seconds = clean.service.create(size=1, durability=REPLICA_3, gid=GID, snapshot=snapshot, name="original")
    figures.add("create replicate 3, snapshot factor 1.5", seconds)
    for brick in original["bricks"]:
        volumes = traces.logical_volumes(clean.machine(brick["node"]))
        pool = volumes[f"vg_{brick['device']}/tp_{brick['id']}"]
        assert 1.5 * brick["size"] <= pool["kib"] < 1.5 * brick["size"] + 2 * 4096

    with mounted(original, [one]):
        one.ssh(f"dd if=/dev/urandom of={MOUNT}/old bs=64k count=64 conv=fsync status=none")
        old = checksum(one, "old")
        job = clean.service.do("POST", f"/volumes/{original['id']}/clone", {"name": "copied"})
        assert job.ok, f"{job.error}\n{clean.service.log_tail()}"
        figures.add("clone of a volume that is in use", job.seconds)
        copy = clean.service.get(job.location)
        assert gluster_volume(two, "copied")["statusStr"] == "Started"
        assert not gluster_snapshots(clean)
        with mounted(copy, [two], COPY):
            assert checksum(two, "old", COPY) == old
            two.ssh(f"dd if=/dev/urandom of={COPY}/old bs=64k count=64 conv=fsync status=none && touch {COPY}/new")
            assert checksum(two, "old", COPY) != old
        assert checksum(one, "old") == old
        assert one.out(f"ls {MOUNT}") == "old"

    order = [copy, original] if first == "the copy" else [original, copy]
    figures.add(f"delete of {first}, which shares its pools", clean.service.delete(f"/volumes/{order[0]['id']}"))
    with mounted(order[1], [two], COPY):
        assert two.out(f"ls {COPY}").split() == (["old"] if first == "the copy" else ["new", "old"])
    figures.add("delete of the other one", clean.service.delete(f"/volumes/{order[1]['id']}"))
    assert traces.changes(clean.nodes, before) == [{}, {}, {}]


def gluster_snapshots(site: Site) -> list[str]:
    """The names of all snapshots."""
    text = site.nodes[0].out("gluster --mode=script snapshot list")
    return [] if "No snapshots present" in text else text.splitlines()


def test_a_brick_is_evicted_and_its_device_emptied_while_a_client_writes(clean: Site, figures: Figures) -> None:
    service = clean.service
    before = traces.on_all(clean.nodes)
    one, two, _ = clean.nodes
    volume, _ = service.create(size=1, durability=REPLICA_3, gid=GID, name="moving")
    with mounted(volume, [one, two]):
        one.ssh(f"dd if=/dev/urandom of={MOUNT}/before bs=64k count=128 conv=fsync status=none")
        written = checksum(one, "before")
        with writing(one):
            victim = volume["bricks"][0]
            job = service.do("POST", f"/bricks/to-evict/{victim['id']}")
            assert job.ok, f"{job.error}\n{service.log_tail()}"
            figures.add("brick evicted while a client writes", job.seconds)
            moved = service.get(f"/volumes/{volume['id']}")
            assert_moved(clean, moved, victim)
            wait_until_healed(clean, moved["name"], figures)

            victim = moved["bricks"][-1]
            for state in ("offline", "failed"):
                job = service.do("POST", f"/devices/{victim['device']}/state", {"state": state})
                assert job.ok, f"{state}: {job.error}\n{service.log_tail()}"
            figures.add("device emptied while a client writes", job.seconds)
            assert service.get(f"/devices/{victim['device']}")["bricks"] == []
            again = service.get(f"/volumes/{volume['id']}")
            assert_moved(clean, again, victim)
            wait_until_healed(clean, again["name"], figures)
        figures.add("files written meanwhile", check_written(one, two), "")
        assert checksum(two, "before") == written
        # Every brick has all of it, the new ones by healing.
        for brick in again["bricks"]:
            machine = clean.machine(brick["node"])
            assert_brick_is_as_specified(machine, brick)
            assert machine.out(f"sha256sum {brick['path']}/before").split()[0] == written
    service.delete(f"/volumes/{volume['id']}")
    assert traces.lasting_changes(clean.nodes, before, 60) == [{}, {}, {}]
    for state in ("offline", "online"):
        job = service.do("POST", f"/devices/{victim['device']}/state", {"state": state})
        assert job.ok, job.error


def assert_moved(site: Site, volume: dict[str, Any], brick: dict[str, Any]) -> None:
    """A brick has made room for another one, and nothing of it is left."""
    assert brick["id"] not in [other["id"] for other in volume["bricks"]]
    assert len({other["node"] for other in volume["bricks"]}) == len(volume["bricks"])
    bricks = {f"{site.machine(other['node']).storage_host}:{other['path']}" for other in volume["bricks"]}
    assert set(gluster_volume(site.nodes[0], volume["name"])["bricks"]) == bricks
    for machine in site.nodes:
        found = traces.on(machine)
        for lines in (found.logical_volumes, found.mounted, found.fstab, found.directories, found.processes):
            assert not [line for line in lines if brick["id"] in line]


def wait_until_healed(site: Site, volume: str, figures: Figures) -> None:
    """Wait until gluster has copied everything to a new brick."""
    begin = time.monotonic()
    while entries_to_heal(site.nodes[0], volume) and time.monotonic() - begin < 240:
        time.sleep(2)
    assert entries_to_heal(site.nodes[0], volume) == 0
    figures.add("healed after", time.monotonic() - begin)

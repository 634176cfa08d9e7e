"""Volumes of all kinds, as gluster, LVM, the mounts and the file system show them; and nothing after their delete."""

import time
from collections.abc import Mapping
from typing import Any

import pytest
import traces
from conftest import Site
from defusedxml import ElementTree
from figures import Figures
from machines import Node

GID = 2001

KINDS = {
    "replicate 3": ({"type": "replicate", "replicate": {"replica": 3}}, {"typeStr": "Replicate", "brickCount": "3"}),
    "disperse 2+1": (
        {"type": "disperse", "disperse": {"data": 2, "redundancy": 1}},
        {"typeStr": "Disperse", "brickCount": "3", "disperseCount": "3", "redundancyCount": "1"},
    ),
    "none": ({"type": "none"}, {"typeStr": "Distribute", "brickCount": "1"}),
}


@pytest.mark.parametrize("kind", KINDS)
def test_a_volume_is_made_as_specified_and_deleted_without_trace(clean: Site, figures: Figures, kind: str) -> None:
    durability, expected = KINDS[kind]
    before = traces.on_all(clean.nodes)
    volume, seconds = clean.service.create(
        size=2, durability=durability, gid=GID, glustervolumeoptions=["performance.cache-size 64MB"]
    )
    figures.add(f"create {kind}", seconds)

    shown = gluster_volume(clean.nodes[0], volume["name"])
    assert shown["statusStr"] == "Started"
    assert {key: shown[key] for key in expected} == expected
    assert shown["options"]["user.heketi.id"] == volume["id"]
    assert shown["options"]["performance.cache-size"] == "64MB"
    in_books = {
        f"{clean.machine(brick['node']).storage_host}:{brick['path']}": clean.machine(brick["node"])
        for brick in volume["bricks"]
    }
    assert sorted(shown["bricks"]) == sorted(in_books)
    assert len({brick["node"] for brick in volume["bricks"]}) == len(volume["bricks"])
    for brick in volume["bricks"]:
        assert_brick_is_as_specified(clean.machine(brick["node"]), brick)
    assert_charged_as_lvm_took(clean, volume)

    figures.add(f"delete {kind}", clean.service.delete(f"/volumes/{volume['id']}"))
    # No waiting: when the job says done, it is done.
    assert traces.changes(clean.nodes, before) == [{}, {}, {}]


def gluster_volume(node: Node, name: str) -> dict[str, Any]:
    """`gluster volume info` of one volume, flat but for options and bricks."""
    root = ElementTree.fromstring(node.out(f"gluster --mode=script volume info {name} --xml"))
    (volume,) = root.iter("volume")
    found: dict[str, Any] = {child.tag: (child.text or "").strip() for child in volume}
    found["bricks"] = [brick.findtext("name") for brick in volume.iter("brick")]
    found["options"] = {option.findtext("name"): option.findtext("value") for option in volume.iter("option")}
    return found


def assert_brick_is_as_specified(node: Node, brick: Mapping[str, Any], *, gid: int = GID) -> None:
    """LV, file system, fstab, mount, ownership and mode of one brick."""
    group, lv = f"vg_{brick['device']}", f"brick_{brick['id']}"
    mount = f"{traces.MOUNTS}/{group}/{lv}"
    device = f"/dev/mapper/{group}-{lv}"
    assert brick["path"] == f"{mount}/brick"
    volumes = traces.logical_volumes(node)
    assert volumes[f"{group}/{lv}"]["pool"] == f"tp_{brick['id']}"
    # A thin volume is rounded up to whole extents.
    assert 0 <= volumes[f"{group}/{lv}"]["kib"] - brick["size"] < 4096
    assert node.out(f"lvm lvs --noheadings -o chunk_size --units k {group}/tp_{brick['id']}") == "256.00k"
    source, kind, options = node.out(f"findmnt -nr -o SOURCE,FSTYPE,OPTIONS {mount}").split()
    assert (source, kind) == (device, "xfs")
    assert {"rw", "noatime", "inode64", "nouuid"} <= set(options.split(","))
    lines = [line for line in node.out("cat /etc/fstab").splitlines() if brick["id"] in line]
    assert lines == [f"{device} {mount} xfs rw,inode64,noatime,nouuid 1 2"]
    geometry = node.out(f"xfs_info {mount}")
    assert "isize=512" in geometry
    assert "bsize=8192" in geometry
    mode, owner, group_id = node.out(f"stat -c '%a %u %g' {brick['path']}").split()
    assert (mode, owner, group_id) == ("2775", "0", str(gid))


def assert_charged_as_lvm_took(site: Site, volume: Mapping[str, Any]) -> None:
    """The books charge a brick with its pool and the pool's metadata. LVM's spare for repairs is nobody's."""
    for brick in volume["bricks"]:
        volumes = traces.logical_volumes(site.machine(brick["node"]))
        group, pool = f"vg_{brick['device']}", f"tp_{brick['id']}"
        taken = volumes[f"{group}/{pool}_tdata"]["kib"] + volumes[f"{group}/{pool}_tmeta"]["kib"]
        assert site.service.get(f"/devices/{brick['device']}")["storage"]["used"] == taken


def test_six_volumes_at_once_are_made_and_deleted(clean: Site, figures: Figures) -> None:
    begin = time.monotonic()
    body = {"size": 1, "durability": KINDS["replicate 3"][0]}
    jobs = [clean.service.begin("POST", "/volumes", body) for _ in range(6)]
    made = [clean.service.wait(job, 900) for job in jobs]
    assert all(job.ok for job in made), [job.error for job in made]
    figures.add("six replicate 3 at once", time.monotonic() - begin)
    begin = time.monotonic()
    jobs = [clean.service.begin("DELETE", job.location) for job in made]
    gone = [clean.service.wait(job, 900) for job in jobs]
    assert all(job.ok for job in gone), [job.error for job in gone]
    figures.add("six deleted at once", time.monotonic() - begin)

"""A client's view: a mounted volume keeps its files through a reboot of a node and through an expansion."""

import time
from collections.abc import Iterator
from typing import Any

import pytest
import traces
from client import MOUNT, checksum, entries_to_heal, mounted
from conftest import Site
from figures import Figures

GID = 2001
REPLICA_3 = {"type": "replicate", "replicate": {"replica": 3}}


@pytest.fixture
def lab_volume(clean: Site, figures: Figures) -> Iterator[tuple[Site, dict[str, Any]]]:
    """A volume, mounted on the first two nodes."""
    volume, seconds = clean.service.create(size=1, durability=REPLICA_3, gid=GID, name="labvolume")
    figures.add("create replicate 3, to be mounted", seconds)
    with mounted(volume, clean.nodes[:2]):
        yield clean, volume
    figures.add("delete of the mounted volume", clean.service.delete(f"/volumes/{volume['id']}"))


def test_files_survive_a_reboot_of_a_node_and_an_expansion_while_mounted(
    lab_volume: tuple[Site, dict[str, Any]], figures: Figures
) -> None:
    site, volume = lab_volume
    one, two, three = site.nodes
    assert one.out(f"stat -c '%a %g' {MOUNT}") == f"2775 {GID}"

    one.ssh(f"dd if=/dev/urandom of={MOUNT}/before bs=64k count=256 conv=fsync status=none")
    written = checksum(one, "before")
    assert checksum(two, "before") == written

    before = traces.on(three)
    old = three.out("cat /proc/sys/kernel/random/boot_id")
    begin = time.monotonic()
    three.ssh("systemctl reboot", check=False)
    three.forget_connection()
    # The others go on writing while it is away, which has to be healed.
    one.ssh(f"dd if=/dev/urandom of={MOUNT}/meanwhile bs=64k count=64 conv=fsync status=none", timeout=200)
    meanwhile = checksum(two, "meanwhile")
    three.wait_up()
    if three.out("cat /proc/sys/kernel/random/boot_id") == old:
        three.reboot()
    figures.add("node reboot", time.monotonic() - begin)

    for brick in volume["bricks"]:
        if site.machine(brick["node"]) is three:
            # From fstab, since nobody else mounts it.
            assert three.out(f"findmnt -nr -o TARGET {brick['path'].removesuffix('/brick')}")
    end = time.monotonic() + 240
    while entries_to_heal(one, volume["name"]) and time.monotonic() < end:
        time.sleep(2)
    assert entries_to_heal(one, volume["name"]) == 0
    figures.add("reboot until healed", time.monotonic() - begin)
    assert not [
        name for name in traces.on(three).changes_since(before) if name in ("-mounted", "-fstab", "-logical_volumes")
    ]
    assert checksum(two, "before") == written
    copies = {
        node.out(f"sha256sum {brick['path']}/{name}").split()[0]
        for brick in volume["bricks"]
        for node in [site.machine(brick["node"])]
        for name in ("meanwhile",)
    }
    assert copies == {meanwhile}

    size = int(one.out(f"df --output=size -k {MOUNT} | tail -1"))
    job = site.service.do("POST", f"/volumes/{volume['id']}/expand", {"expand_size": 1})
    assert job.ok, f"{job.error}\n{site.service.log_tail()}"
    figures.add("expand by 1 GiB", job.seconds)
    end = time.monotonic() + 60
    while int(one.out(f"df --output=size -k {MOUNT} | tail -1")) < 1.8 * size and time.monotonic() < end:
        time.sleep(1)
    for node in (one, two):
        assert int(node.out(f"df --output=size -k {MOUNT} | tail -1")) > 1.8 * size
        assert checksum(node, "before") == written
        assert checksum(node, "meanwhile") == meanwhile
    assert site.service.get(f"/volumes/{volume['id']}")["size"] == 2
    assert len(site.service.get(f"/volumes/{volume['id']}")["bricks"]) == 6

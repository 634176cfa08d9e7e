"""A device add that is refused says what holds the disk, and what would be lost."""

import shlex

import pytest

from heketipy.domain.model import DeviceSpec
from heketipy.executors.simulator.faults import Effect, Fault, on
from tests.support.system import HOSTS, System

DISK = "/dev/sdx"


@pytest.fixture
async def node(system: System) -> str:
    node = (await system.cluster(nodes=1, devices=1)).nodes[0]
    system.simulator.add_disk(HOSTS[0], DISK, 10)
    return node


def by_hand(system: System, *lines: str) -> None:
    for line in lines:
        assert system.simulator.execute(HOSTS[0], tuple(shlex.split(line))).ok, line


async def refused(system: System, node: str, *, destroy: bool = False) -> list[str]:
    spec = DeviceSpec(node=node, name=DISK, destroy_data=destroy)
    job = await system.result(await system.services.devices.add(spec))
    assert job.error.startswith(f"Initializing device {DISK} failed (")
    return job.error.splitlines()


async def test_a_file_system_is_named(system: System, node: str) -> None:
    by_hand(system, f"mkfs.xfs {DISK}")
    assert (await refused(system, node))[-2:] == [
        "/dev/sdx: disk of 10 GiB, xfs",
        "destroydata=true would destroy what it holds: xfs",
    ]


async def test_a_mount_is_named_also_where_wiping_was_tried(system: System, node: str) -> None:
    by_hand(system, f"mkfs.xfs {DISK}", "mkdir -p /srv/data", f"mount {DISK} /srv/data")
    for destroy in (False, True):
        assert (await refused(system, node, destroy=destroy))[-2:] == [
            "/dev/sdx: disk of 10 GiB, xfs, mounted at /srv/data",
            "It is in use by the mount /srv/data: destroydata=true does not help until that is ended",
        ]


async def test_a_volume_group_is_named_with_its_volumes(system: System, node: str) -> None:
    by_hand(system, f"pvcreate {DISK}", f"vgcreate old {DISK}", "lvcreate -n home -L 1G old")
    assert (await refused(system, node))[-3:] == [
        "/dev/sdx: disk of 10 GiB, LVM2_member",
        "/dev/sdx belongs to the volume group old, which holds 1 logical volume: home",
        "It is in use by lvm /dev/mapper/old-home: destroydata=true does not help until that is ended",
    ]


async def test_a_filter_of_lvm_is_shown(system: System, node: str) -> None:
    system.simulator.node(HOSTS[0]).lvm_filter = ("a|^/dev/sdb$|", "r|.*|")
    assert (await refused(system, node))[-2:] == [
        "/dev/sdx: disk of 10 GiB",
        'LVM on the node is told not to look at it: filter=["a|^/dev/sdb$|","r|.*|"]',
    ]


async def test_nobody_looks_where_nothing_is_refused(system: System, node: str) -> None:
    before = len(system.simulator.history)
    await system.done(await system.services.devices.add(DeviceSpec(node=node, name=DISK, destroy_data=True)))
    assert not [ran for ran in list(system.simulator.history)[before:] if "lsblk" in ran.argv]


async def test_a_node_that_goes_away_before_the_look_leaves_the_refusal_as_it_is(system: System, node: str) -> None:
    by_hand(system, f"mkfs.xfs {DISK}")
    system.simulator.faults.add(Fault(Effect.LOSE, on("lsblk")))
    lines = await refused(system, node)
    assert lines[-1] == "  1 existing signature left on the device."
    assert await system.discrepancies() == []

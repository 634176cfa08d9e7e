"""What holds a refused disk, told in lines."""

import json
from pathlib import Path

from heketipy.executors.disks import BlockDevice, Signature, read_tree
from heketipy.executors.holdings import Holdings
from heketipy.executors.lvm import is_filtered, read_filters

GIB = 1 << 20
CASES = json.loads((Path(__file__).parent / "cases" / "disks.json").read_text())


def disk(**more: object) -> BlockDevice:
    return BlockDevice("/dev/sdb", "disk", 100 * GIB, **more)  # type: ignore[arg-type]


def test_a_file_system_that_nobody_uses_would_be_destroyed() -> None:
    found = Holdings("/dev/sdb", disk=disk(content="xfs"), signatures=(Signature("xfs", "data"),))
    assert found.lines() == (
        "/dev/sdb: disk of 100 GiB, xfs with label data",
        "destroydata=true would destroy what it holds: xfs with label data",
    )


def test_what_is_mounted_is_in_use_and_destroydata_would_not_help() -> None:
    (partitioned,) = read_tree(next(case["stdout"] for case in CASES if case.get("read") == "tree"))
    found = Holdings("/dev/sdb", disk=partitioned, signatures=(Signature("gpt"), Signature("PMBR")))
    assert found.lines() == (
        "/dev/sdb: disk of 100 GiB, gpt, PMBR",
        "/dev/sdb1: part of 50 GiB, xfs with label data, mounted at /srv",
        "/dev/sdb2: part of 50 GiB, LVM2_member",
        "It is in use by the mount /srv, lvm /dev/mapper/old-home: destroydata=true does not help until that is ended",
    )


def test_partitions_that_nobody_uses_are_named() -> None:
    parts = tuple(BlockDevice(f"/dev/sdb{number}", "part", GIB // 2) for number in range(1, 11))
    lines = Holdings("/dev/sdb", disk=disk(table="gpt", children=parts)).lines()
    assert lines[0] == "/dev/sdb: disk of 100 GiB, gpt partition table"
    assert lines[1] == "/dev/sdb1: part of 512 MiB"
    assert lines[-2] == "and 2 more"
    assert lines[-1].startswith("destroydata=true would destroy what it holds: /dev/sdb1, /dev/sdb2, ")
    assert lines[-1].endswith("/dev/sdb8 and 2 more")


def test_a_volume_group_is_named_with_what_is_in_it() -> None:
    member = (Signature("LVM2_member"),)
    assert Holdings("/dev/sdb", disk=disk(), signatures=member, group="old", volumes=("home", "root")).lines() == (
        "/dev/sdb: disk of 100 GiB, LVM2_member",
        "/dev/sdb belongs to the volume group old, which holds 2 logical volumes: home, root",
        "destroydata=true would destroy what it holds: the volume group old with 2 logical volumes: home, root",
    )
    assert Holdings("/dev/sdb", signatures=member, group="").lines()[1:] == (
        "/dev/sdb is a physical volume of LVM that belongs to no volume group",
        "destroydata=true would destroy what it holds: LVM2_member",
    )


def test_a_filter_is_shown_and_nothing_is_promised_of_destroydata() -> None:
    filters = read_filters('devices {\n\tuse_devicesfile=0\n\tfilter=["r|/dev/sdb|"]\n\tglobal_filter=["a|.*|"]\n}\n')
    assert Holdings("/dev/sdb", disk=disk(content="xfs"), filters=filters).lines() == (
        "/dev/sdb: disk of 100 GiB, xfs",
        'LVM on the node is told not to look at it: filter=["r|/dev/sdb|"]; global_filter=["a|.*|"]',
    )


def test_a_filter_is_known_by_the_words_of_lvm() -> None:
    assert is_filtered("  Cannot use /dev/sdb: device is rejected by filter config\n")
    assert is_filtered("  Device /dev/sdb excluded by a filter.\n")
    assert not is_filtered("  Cannot use /dev/sdb: device is partitioned\n")


def test_nothing_known_says_nothing() -> None:
    assert Holdings("/dev/sdb").lines() == ()

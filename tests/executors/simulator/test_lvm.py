"""What LVM really does with extents, and its reports."""

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from heketipy.executors.simulator import Simulator
from heketipy.executors.simulator.state import VolumeGroup

HOST = "manage1"


def run(simulator: Simulator, line: str) -> str:
    result = simulator.execute(HOST, line.split())
    assert result.ok, (line, result)
    return result.stdout


def pool(simulator: Simulator, name: str, *, mib: int, metadata_mib: int) -> None:
    run(simulator, f"lvcreate -qq --poolmetadatasize {metadata_mib}M --chunksize 256K --size {mib}M --thin g/{name}")


@pytest.fixture
def group(simulator: Simulator) -> VolumeGroup:
    run(simulator, "lvm pvcreate -qq --metadatasize=128M --dataalignment=256K /dev/vdb")
    run(simulator, "lvm vgcreate -qq --physicalextentsize=4M --autobackup=n g /dev/vdb")
    return simulator.node(HOST).vgs["g"]


def test_metadata_takes_33_extents_of_a_disk_of_100_gib(group: VolumeGroup) -> None:
    assert (group.extents, group.free_extents) == (25567, 25567)


def test_the_spare_is_as_large_as_the_largest_metadata_and_goes_with_the_last_pool(
    simulator: Simulator, group: VolumeGroup
) -> None:
    pool(simulator, "a", mib=2048, metadata_mib=12)
    assert 25567 - group.free_extents == 512 + 3 + 3
    pool(simulator, "b", mib=3072, metadata_mib=16)
    assert 25567 - group.free_extents == 512 + 3 + 768 + 4 + 4
    run(simulator, "lvremove -f g/b")
    assert 25567 - group.free_extents == 512 + 3 + 4
    run(simulator, "lvremove -f g/a")
    assert group.free_extents == 25567


def test_a_pool_that_fits_only_without_the_spare_is_refused(simulator: Simulator, group: VolumeGroup) -> None:
    command = "lvcreate -qq --poolmetadatasize 12M --chunksize 256K --size {}K --thin g/a --virtualsize 1G --name t"
    exact = (25567 - 3) * 4096
    refused = simulator.execute(HOST, command.format(exact).split())
    assert refused.status == 5
    assert "insufficient free space (25567 extents): 25567 required" in refused.stderr
    assert group.lvs == {}
    run(simulator, command.format(exact - 3 * 4096))
    assert group.free_extents == 0


def test_rows_are_sorted_by_name(simulator: Simulator, group: VolumeGroup) -> None:
    for name in ("zeta", "alpha", "mid"):
        run(simulator, f"lvcreate -q -L 4M -n {name} g")
    report = json.loads(run(simulator, "lvs --reportformat json -o lv_name"))
    assert [row["lv_name"] for row in report["report"][0]["lv"]] == ["alpha", "mid", "zeta"]


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        ("--noheadings -o lv_name,lv_size --units k --nosuffix", "  a 8192.00\n  b 4096.00\n"),
        ("--noheadings -o lv_name -S lv_size<8192k&&lv_name=~^[ab]", "  b\n"),
        ("--noheadings -o name -S lv_tags=ours", "  a\n"),
        ("-o lv_name,lv_size --units b", "  LV LSize   \n  a  8388608B\n  b  4194304B\n"),
        ("--noheadings --separator : -o vg_name,lv_name g/a", "  g:a\n"),
        ("--noheadings -o +lv_tags g/a --units m", "  a g -wi-a----- 8.00m                         ours\n"),
    ],
)
def test_reports_have_fields_units_and_selections(
    simulator: Simulator, group: VolumeGroup, arguments: str, expected: str
) -> None:
    run(simulator, "lvcreate -q -L 8M --addtag ours -n a g")
    run(simulator, "lvcreate -q -L 4M -n b g")
    rows = run(simulator, f"lvm lvs {arguments}")
    assert [line.split() for line in rows.splitlines()] == [line.split() for line in expected.splitlines()]


def test_names_with_dashes_are_doubled_by_the_device_mapper(simulator: Simulator, group: VolumeGroup) -> None:
    run(simulator, "lvcreate -q -L 400M -n a-b g")
    run(simulator, "mkfs.xfs -q /dev/mapper/g-a--b")
    run(simulator, "mkdir /mnt/x")
    run(simulator, "mount /dev/g/a-b /mnt/x")
    assert run(simulator, "findmnt -n -o SOURCE /mnt/x") == "/dev/mapper/g-a--b\n"
    assert run(simulator, "blkid -o value -s TYPE /dev/g/a-b") == "xfs\n"


def test_an_option_that_nobody_knows_is_refused(simulator: Simulator) -> None:
    result = simulator.execute(HOST, ["lvs", "--bogus"])
    assert (result.status, "bogus" in result.stderr) == (3, True)


@settings(max_examples=40, deadline=None)
@given(st.lists(st.tuples(st.integers(1, 9), st.integers(1, 4000), st.integers(1, 40)), max_size=25))
def test_no_extent_is_lost_or_found(steps: list[tuple[int, int, int]]) -> None:
    simulator = Simulator(seed=1)
    simulator.add_node(HOST, disks_gib={"/dev/vdb": 10})
    run(simulator, "vgcreate -qq g /dev/vdb")
    group = simulator.node(HOST).vgs["g"]
    for name, mib, metadata in steps:
        if f"p{name}" in group.lvs:
            run(simulator, f"lvremove -f g/p{name}")
        else:
            line = f"lvcreate -qq --poolmetadatasize {metadata}M --size {mib}M --thin g/p{name}"
            simulator.execute(HOST, line.split())
        assert 0 <= group.free_extents <= group.extents
    for name in list(group.lvs):
        run(simulator, f"lvremove -f g/{name}")
    assert group.free_extents == group.extents

"""The state in a file, and after the books."""

import json
import shlex
from dataclasses import replace
from pathlib import Path

import pytest

from heketipy.domain.durability import Durability, DurabilityType
from heketipy.domain.model import Brick, BrickType, Device, Node, NodeAddress, Volume
from heketipy.executors.nodes import StorageNodes
from heketipy.executors.options import NodeOptions
from heketipy.executors.simulator import Simulator, SimulatorTransport
from heketipy.executors.simulator.rebuild import rebuild
from heketipy.executors.simulator.state import State
from heketipy.executors.simulator.store import StateFile, dumped, loaded
from tests.executors.simulator.test_nodes import BRICK, VOLUME


def run(simulator: Simulator, *lines: str) -> None:
    for line in lines:
        result = simulator.execute("manage1", shlex.split(line))
        assert result.ok, (line, result)


def filled(simulator: Simulator) -> Simulator:
    gluster = "gluster --mode=script"
    run(
        simulator,
        *BRICK,
        f"{gluster} volume create v {VOLUME}",
        f"{gluster} volume start v",
        f"{gluster} snapshot create s v no-timestamp",
        f"{gluster} snapshot activate s",
    )
    simulator.node_down("manage3")
    return simulator


def test_a_state_comes_back_from_json_as_it_was(simulator: Simulator) -> None:
    state = filled(simulator).state
    assert loaded(dumped(state)) == state


def test_what_has_its_default_is_not_written() -> None:
    assert json.loads(dumped(State())) == {}


def test_a_file_holds_the_state_of_the_last_change(simulator: Simulator, tmp_path: Path) -> None:
    file = StateFile(tmp_path / "nodes.json")
    assert file.load() is None
    saved: list[int] = []

    def save() -> None:
        saved.append(1)
        file.save(simulator.state)

    simulator.on_change = save
    filled(simulator)
    writes = len(saved)
    run(simulator, "lvm lvs", "mount", "cat /etc/fstab", "gluster --mode=script volume info --xml")
    assert len(saved) == writes
    again = Simulator(file.load())
    assert again.execute("manage1", ["mount"]) == simulator.execute("manage1", ["mount"])
    assert again.leftovers() == simulator.leftovers()
    assert [path.name for path in tmp_path.iterdir()] == ["nodes.json"]


NODES = [Node(id=f"n{n}", cluster="c", zone=n, manage=(f"m{n}",), storage=(f"s{n}",)) for n in (1, 2, 3)]
DEVICES = [
    Device(
        id=f"d{n}", node=f"n{n}", name="/dev/vdb", total_kib=10 << 20, free_kib=0, used_kib=10 << 20, extent_kib=4096
    )
    for n in (1, 2, 3)
]
TYPES = [BrickType.NORMAL, BrickType.NORMAL, BrickType.ARBITER]
BRICKS = [
    Brick(
        id=f"b{n}",
        volume="v",
        device=f"d{n}",
        node=f"n{n}",
        position=n - 1,
        path=f"/var/lib/heketi/mounts/vg_d{n}/brick_b{n}/brick",
        size_kib=2 << 20,
        tp_size_kib=10432512,
        pool_metadata_kib=53248,
        type=TYPES[n - 1],
        thin_pool=f"tp_x{n}",
    )
    for n in (1, 2, 3)
]
REPLICA = Durability(DurabilityType.REPLICATE, replica=3)
VOLUMES = [
    Volume(id="v", name="vol_v", cluster="c", size_gib=2, durability=REPLICA, gid=2000, options=("", "nfs.disable off"))
]


@pytest.fixture
def rebuilt() -> Simulator:
    simulator = Simulator(accept_anything=True)
    rebuild(simulator, nodes=NODES, devices=DEVICES, bricks=BRICKS, volumes=VOLUMES)
    return simulator


async def test_nodes_are_as_the_books_have_them(rebuilt: Simulator) -> None:
    nodes = StorageNodes(SimulatorTransport(rebuilt), NodeOptions())
    first = NODES[0].address
    volume = await nodes.volume(first, "vol_v")
    assert volume is not None
    assert list(volume.bricks) == [f"s{n}:{brick.path}" for n, brick in enumerate(BRICKS, start=1)]
    assert volume.status_text == "Started"
    assert len(await nodes.peers(first)) == 3
    reading = await nodes.read_device(first, "d1", paths=("/dev/vdb",))
    assert (reading.total_kib, reading.free_kib) == (10 << 20, (10 << 20) - 10432512 - 53248)
    entry = rebuilt.node("m1").entry(BRICKS[0].path)
    assert entry is not None
    assert (entry.gid, entry.mode) == (2000, 0o2775)


async def test_what_was_rebuilt_can_be_destroyed_without_a_trace(rebuilt: Simulator) -> None:
    gluster = ["gluster", "--mode=script"]
    assert rebuilt.execute("m1", [*gluster, "volume", "stop", "vol_v"]).ok
    assert rebuilt.execute("m1", [*gluster, "volume", "delete", "vol_v"]).ok
    for n in (1, 2, 3):
        point = f"/var/lib/heketi/mounts/vg_d{n}/brick_b{n}"
        for line in (
            f"umount {point}",
            f"sed -i /brick_b{n}/d /etc/fstab",
            f"lvremove -f vg_d{n}/brick_b{n} vg_d{n}/tp_x{n}",
            f"rmdir {point}",
            f"vgremove -qq vg_d{n}",
            "pvremove -qq /dev/vdb",
            f"rmdir /var/lib/heketi/mounts/vg_d{n}",
        ):
            assert rebuilt.execute(f"m{n}", line.split()).ok, line
    assert rebuilt.leftovers() == ["peer s1", "peer s2", "peer s3"]


def test_a_reboot_finds_what_was_rebuilt(rebuilt: Simulator) -> None:
    before = rebuilt.leftovers()
    rebuilt.reboot("m2")
    assert rebuilt.leftovers() == before


def test_bricks_of_clones_share_their_pool() -> None:
    simulator = Simulator(accept_anything=True)
    clone = replace(
        BRICKS[0], id="cb", volume="w", lv="abc_0", path="/run/gluster/snaps/abc/brick1/brick", type=BrickType.NORMAL
    )
    owner = replace(VOLUMES[0], id="w", name="clone", durability=Durability())
    rebuild(simulator, nodes=NODES, devices=DEVICES, bricks=[*BRICKS, clone], volumes=[*VOLUMES, owner])
    group = simulator.node("m1").vgs["vg_d1"]
    assert sorted(group.lvs) == ["abc_0", "brick_b1", "tp_x1"]
    assert "abc_0" not in simulator.node("m1").fstab
    before = simulator.leftovers()
    simulator.reboot("m1")
    assert simulator.leftovers() == before


def test_an_address_is_all_that_a_new_host_needs(rebuilt: Simulator) -> None:
    assert rebuilt.reach(NodeAddress("n9", "m9", "s9")).storage == "s9"

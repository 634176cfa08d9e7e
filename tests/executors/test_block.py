"""gluster-block: what is asked of it, and what is made of its answers. It was never at hand: what it answers here was
recorded from the nodes that heketi was recorded with, which simulated it, or is made up where the source says so."""

import dataclasses
import io
import json
import re
from pathlib import Path
from typing import Any

import pytest

from heketipy.domain.errors import CommandFailed, NodeUnreachable
from heketipy.domain.model import NodeAddress
from heketipy.executors import block
from heketipy.executors.block import Block, BlockVolumeLayout
from heketipy.executors.nodes import NameTaken, StorageNodes
from heketipy.executors.options import NodeOptions
from heketipy.executors.recorder import Recorder
from heketipy.executors.simulator import Effect, Fault, Simulator, SimulatorTransport, on
from heketipy.executors.transport import Result

CASES: list[dict[str, Any]] = json.loads((Path(__file__).parent / "cases" / "block.json").read_text())
LAYOUT = BlockVolumeLayout("bhv", "bv", ("10.0.0.3", "10.0.0.1"), 3, auth=True)
NODES = tuple(NodeAddress(f"{number:032x}", f"10.0.0.{number}", f"10.0.0.{number}") for number in (1, 2, 3))


def cases(kind: str) -> list[Any]:
    return [pytest.param(case, id=f"{case[kind]}-{case['source']}") for case in CASES if kind in case]


@pytest.mark.parametrize("case", cases("call"))
def test_a_builder_gives_the_argv_that_heketi_sends(case: dict[str, Any]) -> None:
    build = getattr(Block(NodeOptions(**case["options"])), case["call"])
    arguments = case["arguments"]
    if case["call"] == "create":
        built = build(BlockVolumeLayout(**{**arguments, "hosts": tuple(arguments["hosts"])}))
    else:
        built = build(**arguments)
    assert list(built) == case["argv"]


@pytest.mark.parametrize("case", cases("read"))
def test_an_answer_means_what_heketi_takes_it_for(case: dict[str, Any]) -> None:
    result = Result(case["status"], case["stdout"], case["stderr"])

    def read() -> Any:
        match case["read"]:
            case "created":
                return block.read_created(result, LAYOUT)
            case "deleted":
                return block.read_deleted(result, "bhv", "bv")
            case "resized":
                return block.read_resized(result)
            case "info":
                return block.read_info(result, "bhv", "bv")
        return block.read_list(result, "bhv")

    if "error" in case:
        with pytest.raises(ValueError, match=f"^{re.escape(case['error'])}$"):
            read()
        return
    value = read()
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        value = json.loads(json.dumps(dataclasses.asdict(value)))
    assert value == case["value"]


@pytest.mark.parametrize(
    ("text", "gib"),
    [
        ("2.0 GiB", 2),
        ("2g", 2),
        (" 1 . 9 9 Gb", 1),
        (".5TiB", 512),
        ("1.T", 1024),
        ("1P", 1 << 20),
        ("1EiB", 1 << 30),
        ("0 GiB", 0),
    ],
)
def test_a_size_is_read_generously(text: str, gib: int) -> None:
    assert block.read_size(text) == gib


@pytest.mark.parametrize("text", ["", "2", "GiB", "2 MiB", "2 KiB", "-1 GiB", "+1 GiB", "1e3 GiB", "1 GiBs", "nan GiB"])
def test_what_is_no_size_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="Not a valid Size"):
        block.read_size(text)


@pytest.fixture
def simulator() -> Simulator:
    """Three peers with a hosting volume `bhv` of 20 GiB."""
    simulator = Simulator(seed=1)
    for node in NODES:
        simulator.add_node(node.manage, disks_gib={"/dev/sdb": 20})
        for command in ("mkfs.xfs /dev/sdb", "mkdir -p /data", "mount /dev/sdb /data", "mkdir /data/brick"):
            assert simulator.execute(node.manage, command.split()).ok
    for command in (
        "gluster peer probe 10.0.0.2",
        "gluster peer probe 10.0.0.3",
        "gluster volume create bhv replica 3 " + " ".join(f"{node.storage}:/data/brick" for node in NODES),
        "gluster volume start bhv",
    ):
        assert simulator.execute("10.0.0.1", command.split()).ok
    return simulator


@pytest.fixture
def nodes(simulator: Simulator) -> StorageNodes:
    return StorageNodes(SimulatorTransport(simulator), NodeOptions(), patience=())


async def test_every_verb_takes_already_so_for_success(simulator: Simulator, nodes: StorageNodes) -> None:
    made = await nodes.create_block_volume(NODES[0], LAYOUT)
    assert made == await nodes.create_block_volume(NODES[1], LAYOUT)
    assert made.password
    found = await nodes.block_volume(NODES[2], "bhv", "bv")
    assert found is not None
    assert (found.target, found.size_gib, found.usable_gib) == (made, 3, 0)
    assert await nodes.block_volumes(NODES[0], "bhv") == ["bv"]
    await nodes.expand_block_volume(NODES[0], "bhv", "bv", size_gib=5)
    await nodes.delete_block_volume(NODES[0], "bhv", "bv")
    await nodes.delete_block_volume(NODES[0], "bhv", "bv")
    assert await nodes.block_volume(NODES[0], "bhv", "bv") is None
    assert await nodes.block_volumes(NODES[0], "bhv") == []
    assert await nodes.block_volumes(NODES[0], "nobodys") == []


@pytest.mark.parametrize("change", [{"size_gib": 4}, {"hosts": ("10.0.0.2",)}])
async def test_another_block_volume_of_the_name_is_no_success(nodes: StorageNodes, change: dict[str, Any]) -> None:
    await nodes.create_block_volume(NODES[0], LAYOUT)
    with pytest.raises(NameTaken, match="already EXIST"):
        await nodes.create_block_volume(NODES[0], dataclasses.replace(LAYOUT, **change))


async def test_a_resize_that_a_host_refuses_shows_what_is_usable(simulator: Simulator, nodes: StorageNodes) -> None:
    await nodes.create_block_volume(NODES[0], LAYOUT)
    simulator.node_down("10.0.0.3")
    with pytest.raises(CommandFailed, match=r"resize failed: 10\.0\.0\.3:\[3\.0 GiB\] \(see logs"):
        await nodes.expand_block_volume(NODES[0], "bhv", "bv", size_gib=6)
    found = await nodes.block_volume(NODES[0], "bhv", "bv")
    assert found is not None
    assert (found.size_gib, found.usable_gib) == (6, 3)
    simulator.node_up("10.0.0.3")
    await nodes.expand_block_volume(NODES[0], "bhv", "bv", size_gib=6)
    found = await nodes.block_volume(NODES[0], "bhv", "bv")
    assert found is not None
    assert found.usable_gib == 0


async def test_a_full_hosting_volume_refuses(nodes: StorageNodes) -> None:
    with pytest.raises(CommandFailed, match="Failed to create block volume: Not enough space"):
        await nodes.create_block_volume(NODES[0], dataclasses.replace(LAYOUT, size_gib=21))


async def test_a_node_without_the_daemon_counts_as_one_that_does_not_answer(
    simulator: Simulator, nodes: StorageNodes
) -> None:
    simulator.blockd_down("10.0.0.1")
    with pytest.raises(NodeUnreachable) as raised:
        await nodes.block_volumes(NODES[0], "bhv")
    assert not raised.value.sent


async def test_no_transcript_and_no_error_holds_a_password(simulator: Simulator) -> None:
    transcript = io.StringIO()
    transport = Recorder(SimulatorTransport(simulator), transcript)
    nodes = StorageNodes(transport, NodeOptions(), patience=())
    made = await nodes.create_block_volume(NODES[0], LAYOUT)
    await nodes.block_volume(NODES[0], "bhv", "bv")
    assert made.password
    assert made.password not in repr(made)
    garbage = Fault(Effect.GARBAGE, on("gluster-block info"), stdout=f"PASSWORD: {made.password}\n")
    with simulator.faults.during(garbage), pytest.raises(CommandFailed) as raised:
        await nodes.block_volume(NODES[0], "bhv", "bv")
    assert made.password not in str(raised.value)
    assert "gluster-block" in transcript.getvalue()
    assert made.password not in transcript.getvalue()

"""Things that nobody knows, put on a node past the server as half-done work of other times would have left them."""

from dataclasses import replace

from heketipy.domain.model import NodeAddress
from heketipy.domain.names import brick_path, lv, volume_group
from heketipy.executors.nodes import BrickSpec, StorageNodes
from heketipy.executors.options import NodeOptions
from heketipy.executors.simulator import Simulator, SimulatorTransport
from heketipy.executors.transport import Batch, Command
from tests.support.system import System

STRAY = "0ddba11" * 4 + "0ddb"
"""The id of a brick that nobody knows."""


def by_hand(host: str) -> NodeAddress:
    """Say where somebody logs in."""
    return NodeAddress(id="by-hand", manage=host, storage=host)


async def run(system: System, host: str, *argvs: tuple[str, ...]) -> None:
    """Run commands on a node. Raises AssertionError where one fails."""
    batch = Batch(tuple(Command(argv) for argv in argvs))
    results = await SimulatorTransport(system.simulator).run(by_hand(host), batch)
    assert len(results) == len(argvs), results[-1]
    assert results[-1].ok, results[-1]


async def stray_brick(system: System, host: str, device: str, brick: str = STRAY) -> None:
    """Make a whole brick: pool, volume, file system, fstab line, mount, folder."""
    options = replace(system.options, lvm=NodeOptions().lvm, udevadm=NodeOptions().udevadm)
    nodes = StorageNodes(SimulatorTransport(system.simulator), options)
    size_kib = 1 << 20
    spec = BrickSpec(brick, device, brick_path(device, brick), size_kib, size_kib, 8192)
    await nodes.create_bricks(by_hand(host), [spec])


def device_node(device: str, brick: str) -> str:
    """Say which block device a brick has."""
    return f"/dev/mapper/{volume_group(device)}-{lv(brick)}"


def fstab_line(simulator: Simulator, host: str, line: str) -> None:
    """Append a line to the fstab."""
    node = simulator.state.nodes[host]
    entry = node.entry(node.fstab_path)
    assert entry is not None
    entry.text += f"{line}\n"

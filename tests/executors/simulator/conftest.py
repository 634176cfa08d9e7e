"""Simulated nodes for the tests of the simulator."""

import pytest

from heketipy.domain.model import NodeAddress
from heketipy.executors.simulator import Simulator, SimulatorTransport

ADDRESSES = [NodeAddress(f"id{number}", f"manage{number}", f"storage{number}") for number in (1, 2, 3)]


@pytest.fixture
def simulator() -> Simulator:
    """Three nodes, each with two disks of 100 GiB; the first two are peers."""
    made = Simulator(seed=3)
    for address in ADDRESSES:
        made.add_node(address.manage, address.storage, disks_gib={"/dev/vdb": 100, "/dev/vdc": 100})
    made.execute("manage1", ["gluster", "--mode=script", "peer", "probe", "storage2"])
    return made


@pytest.fixture
def transport(simulator: Simulator) -> SimulatorTransport:
    """A transport to them."""
    return SimulatorTransport(simulator)

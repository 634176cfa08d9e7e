"""Systems that count, and silence."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import structlog

from heketipy.executors.simulator import Simulator
from tests.performance.counting import CountingSystem, CountingSystemOverSsh
from tests.support.sshnode import ssh_nodes

LOOPBACKS = ("127.0.0.61", "127.0.0.62", "127.0.0.63")


@pytest.fixture(autouse=True)
def _quiet() -> None:
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger("critical"))


@pytest.fixture
async def system(tmp_path: Path) -> AsyncIterator[CountingSystem]:
    """A running server on simulated nodes."""
    simulator = Simulator(accept_anything=True, device_size_gib=500, seed=1)
    running = CountingSystem(tmp_path / "heketi.db", simulator)
    await running.start()
    yield running
    await running.stop()


@pytest.fixture
async def system_over_ssh(tmp_path: Path) -> AsyncIterator[CountingSystemOverSsh]:
    """A running server on simulated nodes that it reaches by ssh."""
    simulator = Simulator(accept_anything=True, device_size_gib=500, seed=1)
    for host in LOOPBACKS:
        simulator.add_node(host)
    async with ssh_nodes(simulator, tmp_path) as nodes:
        running = CountingSystemOverSsh(tmp_path / "heketi.db", simulator, nodes=nodes, hosts=LOOPBACKS)
        await running.start()
        yield running
        await running.stop()

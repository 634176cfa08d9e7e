"""The doctor over real ssh and a real shell: whatever fails in its batch, all the rest is answered."""

import time
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from heketipy.domain.diagnosis import Verdict
from heketipy.executors.nodes import StorageNodes
from heketipy.executors.simulator import Simulator
from heketipy.services.doctor import Doctor
from tests.support.sshnode import ssh_nodes
from tests.support.system_over_ssh import LOOPBACKS, SystemOverSsh


@pytest.fixture
async def system(tmp_path: Path) -> AsyncIterator[SystemOverSsh]:
    simulator = Simulator(accept_anything=True, device_size_gib=500, seed=1)
    for host in LOOPBACKS:
        simulator.add_node(host)
    async with ssh_nodes(simulator, tmp_path) as nodes:
        running = SystemOverSsh(tmp_path / "heketi.db", nodes)
        await running.start()
        yield running
        await running.stop()


async def test_all_is_answered_and_what_fails_is_told(system: SystemOverSsh) -> None:
    await system.cluster(nodes=2, devices=1)
    transport = system.nodes.transport()
    doctor = Doctor(system.db, StorageNodes(transport, system.options), sudo=False, clock=time.time)
    found = await doctor.examine()
    assert [finding for finding in found if finding.verdict is not Verdict.OK] == []
    sick = system.simulator.node(LOOPBACKS[0])
    sick.missing, sick.lvm_filter, sick.clock_ahead = ("dm_thin_pool",), ("r|.*|",), 60.0
    await system.nodes.down(LOOPBACKS[1])
    found = [finding for finding in await doctor.examine() if finding.verdict is not Verdict.OK]
    await transport.close()
    assert [(finding.host, finding.subject.partition(" ")[0]) for finding in found] == [
        (LOOPBACKS[0], "dm_thin_pool"),
        (LOOPBACKS[0], "pool"),
        (LOOPBACKS[0], "clock"),
        (LOOPBACKS[0], "device"),
        (LOOPBACKS[1], "ssh"),
    ]
    assert 'filter=["r|.*|"]' in found[3].text

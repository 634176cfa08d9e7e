"""A simulator in a process of its own: its nodes outlive the servers that use them."""

import asyncio
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from heketipy.domain.errors import NodeUnreachable
from heketipy.executors.simulator.remote import RemoteSimulatorTransport
from heketipy.executors.simulator.wire import SimulatorRefused
from heketipy.executors.transport import Batch, Command, Fence, Lane, Result, Superseded
from tests.executors.simulator.conftest import ADDRESSES

FIRST = ADDRESSES[0]


@asynccontextmanager
async def daemon(folder: Path, *options: str) -> AsyncIterator[RemoteSimulatorTransport]:
    """Run a daemon until the end of the `with`."""
    socket = folder / "simulator.socket"
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "heketipy.executors.simulator.daemon",
        f"--socket={socket}",
        f"--state={folder / 'nodes.json'}",
        *options,
        stdout=asyncio.subprocess.PIPE,
    )
    assert process.stdout is not None
    assert (await process.stdout.readline()).startswith(b"simulator listens")
    try:
        yield RemoteSimulatorTransport(socket)
    finally:
        process.terminate()
        assert await process.wait() == 0


@pytest.fixture
async def remote(tmp_path: Path) -> AsyncIterator[RemoteSimulatorTransport]:
    async with daemon(tmp_path) as transport:
        for address in ADDRESSES:
            await transport.call("add_node", address.manage, address.storage, disks_gib={"/dev/vdb": 100})
        yield transport


def batch(*lines: str, fence: Fence | None = None) -> Batch:
    return Batch(tuple(Command(tuple(line.split())) for line in lines), Lane.BRICKS, "x", fence)


async def test_a_batch_runs_as_it_would_here(remote: RemoteSimulatorTransport) -> None:
    results = await remote.run(FIRST, batch("pvcreate -qq /dev/vdb", "vgcreate -qq g /dev/vdb", "mkdir /", "true"))
    assert [result.status for result in results] == [0, 0, 1]
    assert results[2].stderr == "mkdir: cannot create directory ‘/’: File exists\n"
    assert await remote.call("leftovers") == ["manage1: physical volume /dev/vdb", "manage1: volume group g"]
    assert await remote.execute("manage1", ["hostname"]) == Result(0, "manage1\n")
    assert len(await remote.call("history")) == 4


async def test_errors_come_through_as_themselves(remote: RemoteSimulatorTransport) -> None:
    await remote.run(FIRST, batch("true", fence=Fence("op", 7)))
    with pytest.raises(Superseded, match="epoch 7") as superseded:
        await remote.run(FIRST, batch("true", fence=Fence("op", 6)))
    assert superseded.value.node == "id1"
    await remote.call("node_down", "manage1")
    with pytest.raises(NodeUnreachable, match="no route to host") as unreachable:
        await remote.run(FIRST, batch("true"))
    assert not unreachable.value.sent
    with pytest.raises(SimulatorRefused, match="no method"):
        await remote.call("format_everything")


async def test_faults_strike_in_the_daemon(remote: RemoteSimulatorTransport) -> None:
    await remote.call("add_fault", effect="fail after", words=["mkdir"], node="manage1", status=9)
    assert (await remote.run(FIRST, batch("mkdir /a")))[0].status == 9
    await remote.call("clear_faults")
    assert (await remote.run(FIRST, batch("test -d /a")))[0].ok


async def test_nodes_are_as_they_were_when_the_daemon_comes_back(tmp_path: Path) -> None:
    async with daemon(tmp_path, "--accept-anything") as first:
        await first.run(FIRST, batch("pvcreate -qq /dev/sdb", "vgcreate -qq g /dev/sdb"))
        left = await first.call("leftovers")
    async with daemon(tmp_path) as second:
        assert await second.call("leftovers") == left
        assert (await second.run(FIRST, batch("vgs g")))[0].ok


async def test_the_command_at_work_ends_when_its_server_is_killed(tmp_path: Path) -> None:
    async with daemon(tmp_path, "--accept-anything", "--latency=0.5") as remote:
        run = asyncio.create_task(remote.run(FIRST, batch("mkdir /a", "mkdir /b", "mkdir /c", fence=Fence("op", 1))))
        while not any(argv == ["mkdir", "/a"] for _, argv, _ in await remote.call("history")):
            assert not run.done()
        run.cancel()
        await asyncio.wait([run])
        await remote.run(FIRST, batch("true", fence=Fence("op", 2)))
        ran = [argv for _, argv, _ in await remote.call("history")]
        assert ran == [["mkdir", "/a"], ["mkdir", "/b"], ["true"]]


async def test_without_a_daemon_nothing_was_sent(tmp_path: Path) -> None:
    remote = RemoteSimulatorTransport(tmp_path / "nobody")
    with pytest.raises(NodeUnreachable, match="does not answer") as caught:
        await remote.run(FIRST, batch("true"))
    assert not caught.value.sent

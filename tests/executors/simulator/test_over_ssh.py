"""Simulated nodes over real ssh and a real shell: what the direct transport does, and what only a shell gets wrong."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from heketipy.domain.errors import NodeUnreachable
from heketipy.executors.bricks import BrickSpec
from heketipy.executors.nodes import StorageNodes
from heketipy.executors.simulator import Effect, Fault, Simulator, SimulatorTransport, on
from heketipy.executors.ssh import SshTransport
from heketipy.executors.transport import Batch, Command, Fence, Lane, Result, Superseded, Transport
from tests.support.sshnode import SshNodes, ssh_nodes

HOSTS = ("127.0.0.1", "127.0.0.2")


@pytest.fixture
def simulator() -> Simulator:
    made = Simulator(seed=5)
    for number, host in enumerate(HOSTS, start=1):
        made.add_node(host, f"10.0.0.{number}", disks_gib={"/dev/vdb": 100})
    return made


@pytest.fixture
async def nodes(simulator: Simulator, tmp_path: Path) -> AsyncIterator[SshNodes]:
    async with ssh_nodes(simulator, tmp_path) as running:
        yield running


@pytest.fixture
async def transport(nodes: SshNodes) -> AsyncIterator[SshTransport]:
    made = nodes.transport()
    yield made
    await made.close()


def batch(*argvs: tuple[str, ...], fence: Fence | None = None, timeout: float = 30.0) -> Batch:
    return Batch(tuple(Command(argv, timeout=timeout, tolerated=True) for argv in argvs), Lane.BRICKS, fence=fence)


LINES: list[tuple[str, ...]] = [
    ("mkdir", "-p", "/var/lib/heketi/mounts/a b'c\"$HOME"),
    ("mkdir", "/etc"),
    ("printf", "%s\\n", "two\nlines", "it's $(id)"),
    ("awk", "-v", "line=/dev/x /mnt xfs rw 1 2", "-v", "file=/etc/fstab", "BEGIN {print line >> file}"),
    ("cat", "/etc/fstab"),
    ("sed", "-i.save", "-e", "\\,/mnt,d", "/etc/fstab"),
    ("cat", "/etc/fstab", "/nope"),
    ("lvs",),
    ("gluster", "--mode=script", "volume", "info", "--xml"),
    ("systemctl", "is-active", "glusterd"),
    ("mount",),
    ("nosuch", "*"),
]


async def test_commands_end_as_they_do_without_ssh(nodes: SshNodes, transport: SshTransport) -> None:
    twin = Simulator(seed=5)
    twin.add_node(HOSTS[0], "10.0.0.1", disks_gib={"/dev/vdb": 100})
    address = nodes.address(HOSTS[0])
    over_ssh = await transport.run(address, batch(*LINES))
    direct = await SimulatorTransport(twin).run(address, batch(*LINES))
    assert list(over_ssh[:-1]) == list(direct[:-1])
    assert over_ssh[-1].status == direct[-1].status == 127
    assert nodes.simulator.node(HOSTS[0]).dirs == twin.node(HOSTS[0]).dirs


async def test_devices_and_bricks_come_and_go(nodes: SshNodes, transport: SshTransport) -> None:
    storage = StorageNodes(transport, nodes.options)
    address = nodes.address(HOSTS[0])
    reading = await storage.set_up_device(address, "/dev/vdb", "d1", fence=Fence("add", 1))
    assert reading.total_kib == 25567 * 4096
    bricks = [
        BrickSpec(
            id=f"b{n}",
            device="d1",
            path=f"/var/lib/heketi/mounts/vg_d1/brick_b{n}/brick",
            size_kib=2 << 20,
            tp_size_kib=2 << 20,
            pool_metadata_kib=12288,
            gid=2000,
        )
        for n in range(3)
    ]
    await storage.create_bricks(address, bricks, fence=Fence("create", 1))
    assert len(nodes.simulator.node(HOSTS[0]).mount_list) == 3
    assert await storage.destroy_bricks(address, bricks, fence=Fence("create", 1)) == {
        "b0": True,
        "b1": True,
        "b2": True,
    }
    assert nodes.simulator.leftovers() == [f"{HOSTS[0]}: physical volume /dev/vdb", f"{HOSTS[0]}: volume group vg_d1"]


async def test_a_command_gets_its_stdin(nodes: SshNodes, transport: SshTransport) -> None:
    commands = Batch((Command(("tee", "-a", "/etc/fstab"), stdin="it's\n$HOME\n"),))
    assert await transport.run(nodes.address(HOSTS[0]), commands) == [Result(0, "it's\n$HOME\n")]
    assert nodes.simulator.node(HOSTS[0]).fstab.endswith("it's\n$HOME\n")


@pytest.mark.parametrize(("effect", "made"), [(Effect.LOSE, ["/a"]), (Effect.LOSE_AFTER, ["/a", "/b"])])
async def test_a_connection_may_die_before_or_after_a_command(
    nodes: SshNodes, transport: SshTransport, effect: Effect, made: list[str]
) -> None:
    nodes.simulator.faults.add(Fault(effect, on("/b")))
    lines = [("mkdir", path) for path in ("/a", "/b", "/c")]
    with pytest.raises(NodeUnreachable) as caught:
        await transport.run(nodes.address(HOSTS[0]), batch(*lines, fence=Fence("op", 1)))
    assert caught.value.sent
    await transport.run(nodes.address(HOSTS[0]), batch(("true",), fence=Fence("op", 2)))
    assert nodes.simulator.node(HOSTS[0]).dirs == made


async def test_a_successor_waits_for_a_command_that_outlives_its_connection(
    nodes: SshNodes, transport: SshTransport
) -> None:
    nodes.simulator.faults.add(Fault(Effect.OUTLIVE, on("/a"), seconds=0.3))
    address = nodes.address(HOSTS[0])
    with pytest.raises(NodeUnreachable):
        await transport.run(address, batch(("mkdir", "/a"), ("mkdir", "/b"), fence=Fence("op", 1)))
    results = await transport.run(address, batch(("ls", "/"), fence=Fence("op", 2)))
    assert {"a", "b"} & set(results[0].stdout.split()) == {"a"}
    with pytest.raises(Superseded):
        await transport.run(address, batch(("true",), fence=Fence("op", 1)))


async def test_a_command_that_hangs_is_ended_on_the_node(nodes: SshNodes, transport: SshTransport) -> None:
    nodes.simulator.faults.add(Fault(Effect.HANG, on("/a")))
    results = await transport.run(nodes.address(HOSTS[0]), batch(("mkdir", "/a"), ("mkdir", "/b"), timeout=1))
    assert [result.status for result in results] == [124, 0]
    assert nodes.simulator.node(HOSTS[0]).dirs == ["/b"]


async def test_a_node_goes_down_and_comes_back(nodes: SshNodes, transport: SshTransport) -> None:
    await nodes.down(HOSTS[1])
    with pytest.raises(NodeUnreachable, match="connection refused") as caught:
        await transport.run(nodes.address(HOSTS[1]), batch(("true",)))
    assert not caught.value.sent
    assert await transport.run(nodes.address(HOSTS[0]), batch(("true",))) == [Result(0)]
    await nodes.up(HOSTS[1])
    assert await transport.run(nodes.address(HOSTS[1]), batch(("hostname",))) == [Result(0, f"{HOSTS[1]}\n")]


async def test_nodes_work_at_the_same_time(nodes: SshNodes, transport: SshTransport) -> None:
    running: Transport = transport
    await asyncio.gather(*(running.run(nodes.address(host), batch(("mkdir", "/x"))) for host in HOSTS))
    assert [nodes.simulator.node(host).dirs for host in HOSTS] == [["/x"], ["/x"]]

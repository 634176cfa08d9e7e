"""The transport over ssh, against a server in this process that hands every exec to a real shell."""

import asyncio
import fcntl
import os
import socket
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

import asyncssh
import pytest

from heketipy.domain.errors import HeketipyError, NodeUnreachable
from heketipy.domain.model import NodeAddress
from heketipy.executors.hostkeys import RememberedKeys
from heketipy.executors.options import SshOptions
from heketipy.executors.ssh import SshTransport
from heketipy.executors.transport import Batch, Command, Fence, Lane, Result, Superseded
from tests.executors.sshd import Sshd, sshd

NODE = NodeAddress(id="n1", manage="127.0.0.1", storage="10.0.0.1")
LIMIT = 30.0
LOST = "wait: remote command exited without exit status or exit signal"

Connect = Callable[..., SshTransport]


@pytest.fixture
def keyfile(tmp_path: Path) -> Path:
    return tmp_path / "key"


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    path = tmp_path / "state"
    path.mkdir(mode=0o700)
    return path


@pytest.fixture
async def server(keyfile: Path) -> AsyncIterator[Sshd]:
    async with sshd(keyfile) as running:
        yield running


@pytest.fixture
async def connect(keyfile: Path, directory: Path) -> AsyncIterator[Connect]:
    made: list[SshTransport] = []

    def build(port: int, *, lock_wait: float = LIMIT, grace: float = LIMIT, host_keys: Any = None, **more: Any) -> Any:
        options = SshOptions(keyfile=str(keyfile), user="root", port=port, **more)
        made.append(
            SshTransport(options, lock_wait=lock_wait, grace=grace, host_keys=host_keys, directory=str(directory))
        )
        return made[-1]

    yield build
    for transport in made:
        await transport.close()


def batch(*argvs: tuple[str, ...], fence: Fence | None = None, lane: Lane = Lane.READ, **more: Any) -> Batch:
    return Batch(tuple(Command(argv, **more) for argv in argvs), lane, fence=fence)


async def refused(transport: SshTransport, node: NodeAddress = NODE, *, sent: bool = False) -> str:
    with pytest.raises(NodeUnreachable) as caught:
        await transport.run(node, batch(("true",)))
    assert caught.value.sent is sent
    assert caught.value.node == node.id
    return str(caught.value)


@asynccontextmanager
async def listener(answer: Callable[[socket.socket], None]) -> AsyncIterator[int]:
    """Something on a port that is no sshd."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        answer(writer.get_extra_info("socket"))
        with suppress(OSError):
            await reader.read()
        writer.close()
        with suppress(OSError):
            await writer.wait_closed()

    def accept(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        calls.add(asyncio.create_task(serve(reader, writer)))

    calls: set[asyncio.Task[None]] = set()
    server = await asyncio.start_server(accept, "127.0.0.1", 0)
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        server.close()
        if calls:
            await asyncio.wait(calls)


async def test_a_batch_is_one_exec_and_all_batches_share_one_connection(server: Sshd, connect: Connect) -> None:
    transport = connect(server.port)
    commands = batch(("echo", "it's\n$HOME"), ("sh", "-c", "cat; echo oops >&2; exit 3"), stdin="in", tolerated=True)
    for _ in range(3):
        assert await transport.run(NODE, commands) == [Result(0, "it's\n$HOME\n"), Result(3, "in", "oops\n")]
    assert server.executed == ["/bin/sh"] * 3
    assert server.logins == 1


async def test_more_batches_than_channels_wait(server: Sshd, connect: Connect, tmp_path: Path) -> None:
    transport = connect(server.port)
    with (tmp_path / "gate").open("w") as gate:
        fcntl.flock(gate, fcntl.LOCK_EX)
        wait = batch(("flock", "-s", gate.name, "true"))
        runs = [asyncio.create_task(transport.run(NODE, wait)) for _ in range(20)]
        while server.running < 8:
            await asyncio.sleep(0.01)
        fcntl.flock(gate, fcntl.LOCK_UN)
        assert await asyncio.gather(*runs) == [[Result(0)]] * 20
    assert server.most == 8
    assert server.logins == 1


async def test_a_channel_that_is_refused_waits(keyfile: Path, connect: Connect) -> None:
    async with sshd(keyfile, sessions=2) as server:
        transport = connect(server.port)
        results = await asyncio.gather(
            *(transport.run(NODE, batch(("sh", "-c", "sleep 0.05; echo done"))) for _ in range(6))
        )
        assert results == [[Result(0, "done\n")]] * 6
        assert server.most == 2


async def test_a_lost_connection_is_made_anew(server: Sshd, connect: Connect) -> None:
    transport = connect(server.port)
    assert await transport.run(NODE, batch(("true",))) == [Result(0)]
    await server.hang_up()
    assert await transport.run(NODE, batch(("true",))) == [Result(0)]
    await server.stop()
    assert await refused(transport) == f"dial tcp 127.0.0.1:{server.port}: connect: connection refused"
    await server.start()
    assert await transport.run(NODE, batch(("true",))) == [Result(0)]


async def test_a_connection_that_dies_before_anything_was_sent_is_made_anew_once(
    server: Sshd, connect: Connect
) -> None:
    transport = connect(server.port)
    server.drops = 1
    assert await transport.run(NODE, batch(("true",))) == [Result(0)]
    server.drops = 10
    assert (await refused(transport)).startswith("Unable to create SSH session: ")
    assert server.drops == 8


async def test_an_exec_that_is_refused_is_told_as_go_does(keyfile: Path, connect: Connect) -> None:
    async with sshd(keyfile, refuses_exec=True) as server:
        assert await refused(connect(server.port)) == "ssh: command /bin/sh failed"


async def test_a_node_on_which_no_lock_can_be_kept_says_so(server: Sshd, connect: Connect, directory: Path) -> None:
    transport = connect(server.port)
    directory.rmdir()
    directory.write_text("")
    assert await refused(transport) == f"127.0.0.1: no directory of our own: {directory}"


async def test_a_connection_lost_in_a_command_leaves_the_survivor_its_lock(
    server: Sshd, connect: Connect, directory: Path
) -> None:
    os.mkfifo(directory / "go")
    transport = connect(server.port)
    slow = batch(("cat", str(directory / "go")), ("touch", str(directory / "ran")), fence=Fence("a", 1))
    run = asyncio.create_task(transport.run(NODE, slow))
    writer = await asyncio.to_thread((directory / "go").open, "w")
    await server.hang_up()
    with pytest.raises(NodeUnreachable, match=LOST) as caught:
        await run
    assert caught.value.sent
    impatient = connect(server.port, lock_wait=0.2)
    with pytest.raises(NodeUnreachable, match="still at work on") as caught:
        await impatient.run(NODE, batch(("true",), fence=Fence("a", 2)))
    assert not caught.value.sent
    heir = asyncio.create_task(transport.run(NODE, batch(("echo", "mine"), fence=Fence("a", 2))))
    writer.close()
    assert await heir == [Result(0, "mine\n")]
    assert not (directory / "ran").exists()
    with pytest.raises(Superseded, match="epoch 2"):
        await transport.run(NODE, batch(("touch", str(directory / "ran")), fence=Fence("a", 1)))
    assert not (directory / "ran").exists()


async def test_a_run_that_is_cancelled_begins_no_further_command(
    server: Sshd, connect: Connect, directory: Path
) -> None:
    os.mkfifo(directory / "go")
    transport = connect(server.port)
    commands = batch(("cat", str(directory / "go")), ("touch", str(directory / "ran")), fence=Fence("a", 1))
    run = asyncio.create_task(transport.run(NODE, commands))
    writer = await asyncio.to_thread((directory / "go").open, "w")
    run.cancel()
    with pytest.raises(asyncio.CancelledError):
        await run
    while server.running:
        await asyncio.sleep(0.01)
    writer.close()
    assert await transport.run(NODE, batch(("true",), fence=Fence("a", 1))) == [Result(0)]
    assert not (directory / "ran").exists()


async def test_a_node_that_goes_silent_is_given_up(keyfile: Path, connect: Connect) -> None:
    async with sshd(keyfile, shell="cat >/dev/null; exec sleep 2") as server:
        transport = connect(server.port, grace=0.3)
        assert await refused(transport, sent=True) == "SSH command timeout"


async def test_an_account_without_a_shell_is_told(keyfile: Path, connect: Connect) -> None:
    async with sshd(keyfile, shell="echo This account is not available. >&2; exit 1") as server:
        assert await refused(connect(server.port)) == "no shell on 127.0.0.1: This account is not available."


async def test_a_report_that_is_garbage_is_told(keyfile: Path, connect: Connect) -> None:
    shell = "sed 's/\"$base64\" |/tr a-z ! |/' | sh"
    async with sshd(keyfile, shell=shell) as server:
        transport = connect(server.port)
        with pytest.raises(NodeUnreachable, match="unintelligible answer"):
            await transport.run(NODE, batch(("echo", "x")))


async def test_a_name_that_nobody_knows_is_told_as_go_does(server: Sshd, connect: Connect) -> None:
    node = replace(NODE, manage="no-such-host.invalid")
    assert await refused(connect(22), node) == "dial tcp: lookup no-such-host.invalid: no such host"


async def test_ipv6_addresses_are_reached(keyfile: Path, connect: Connect) -> None:
    node = replace(NODE, manage="::1")
    try:
        async with sshd(keyfile, host="::1") as server:
            assert await connect(server.port).run(node, batch(("true",))) == [Result(0)]
            port = server.port
    except OSError:
        pytest.skip("no IPv6 here")
    assert await refused(connect(port), node) == f"dial tcp [::1]:{port}: connect: connection refused"


async def test_a_node_that_does_not_let_us_in_is_told_from_one_that_is_away(
    server: Sshd, connect: Connect, keyfile: Path
) -> None:
    asyncssh.generate_private_key("ssh-ed25519").write_private_key(keyfile)
    with pytest.raises(NodeUnreachable) as key:
        await connect(server.port).run(NODE, batch(("true",)))
    await server.stop()
    with pytest.raises(NodeUnreachable) as nobody_listens:
        await connect(server.port).run(NODE, batch(("true",)))
    with pytest.raises(NodeUnreachable) as no_such_host:
        await connect(22).run(replace(NODE, manage="no-such-host.invalid"), batch(("true",)))
    assert (key.value.refused, nobody_listens.value.refused, no_such_host.value.refused) == (True, True, False)


async def test_a_key_that_is_not_accepted_is_told_as_go_does(server: Sshd, connect: Connect, keyfile: Path) -> None:
    asyncssh.generate_private_key("ssh-ed25519").write_private_key(keyfile)
    assert await refused(connect(server.port)) == (
        "ssh: handshake failed: ssh: unable to authenticate, attempted methods [none publickey],"
        " no supported methods remain"
    )


async def test_a_handshake_that_hangs_is_given_up(keyfile: Path, server: Sshd, connect: Connect) -> None:
    async with listener(lambda _: None) as port:
        text = await refused(connect(port, handshake_timeout=0.2))
    assert text == "ssh: handshake failed: i/o timeout"


async def test_a_handshake_that_is_cut_off_is_tried_again_and_told_as_go_does(server: Sshd, connect: Connect) -> None:
    calls = []

    def hang_up(connection: socket.socket) -> None:
        calls.append(connection)
        connection.shutdown(socket.SHUT_RDWR)

    async with listener(hang_up) as port:
        assert await refused(connect(port)) == "ssh: handshake failed: EOF"
    assert len(calls) == 2


async def test_a_node_that_is_down_costs_all_that_wait_for_it_one_attempt(server: Sshd, connect: Connect) -> None:
    calls = []
    async with listener(lambda connection: calls.append(connection)) as port:
        transport = connect(port, handshake_timeout=0.2)
        results = await asyncio.gather(
            *(transport.run(NODE, batch(("true",))) for _ in range(5)), return_exceptions=True
        )
    assert [type(result) for result in results] == [NodeUnreachable] * 5
    assert len(calls) == 1


async def test_a_host_key_is_pinned_at_first_use_and_a_changed_one_is_refused(server: Sshd, connect: Connect) -> None:
    keys = RememberedKeys()
    assert await connect(server.port, host_keys=keys).run(NODE, batch(("true",))) == [Result(0)]
    pinned = await keys.get("127.0.0.1")
    assert pinned is not None
    assert pinned.split()[:2] == server.host_key.export_public_key().decode().split()[:2]
    assert await connect(server.port, host_keys=keys).run(NODE, batch(("true",))) == [Result(0)]
    await server.stop()
    for kind in ("ssh-ed25519", "ecdsa-sha2-nistp256"):
        server.host_key = asyncssh.generate_private_key(kind)
        await server.start()
        text = await refused(connect(server.port, host_keys=keys))
        assert text.startswith(
            "ssh: handshake failed: knownhosts: key mismatch: the host key of 127.0.0.1 is not the one"
        )
        await server.stop()
    assert await keys.get("127.0.0.1") == pinned


@pytest.mark.parametrize(
    ("content", "text"),
    [
        ("[127.0.0.1]:{port} {key}", None),
        ("[127.0.0.1]:{port} {other}", "ssh: handshake failed: knownhosts: key mismatch"),
        ("", "ssh: handshake failed: knownhosts: key is unknown"),
        ("elsewhere {key}", "ssh: handshake failed: knownhosts: key is unknown"),
    ],
)
async def test_a_known_hosts_file_decides_where_there_is_one(
    server: Sshd, connect: Connect, tmp_path: Path, content: str, text: str | None
) -> None:
    key = server.host_key.export_public_key().decode()
    other = asyncssh.generate_private_key("ssh-ed25519").export_public_key().decode()
    file = tmp_path / "known_hosts"
    file.write_text(content.format(port=server.port, key=key, other=other))
    transport = connect(server.port, known_hosts=f"/dev/null:{file}")
    if text is None:
        assert await transport.run(NODE, batch(("true",))) == [Result(0)]
    else:
        assert await refused(transport) == text


def test_a_transport_without_a_usable_key_does_not_start(tmp_path: Path) -> None:
    broken = tmp_path / "broken"
    broken.write_text("no key")
    for keyfile, text in (
        ("", "Missing ssh private key file in configuration"),
        (str(broken), "Unable to read private key file"),
        (str(tmp_path / "none"), "Unable to read private key file"),
    ):
        with pytest.raises(HeketipyError, match=text):
            SshTransport(SshOptions(keyfile=keyfile), lock_wait=1)


def test_a_transport_without_its_known_hosts_does_not_start(tmp_path: Path) -> None:
    missing = f"{tmp_path}/none"
    with pytest.raises(HeketipyError, match=f'error parsing SSH_KNOWN_HOSTS "{missing}"'):
        SshTransport(SshOptions(keyfile="x", known_hosts=missing), lock_wait=1)


async def test_close_drops_connections_and_attempts(server: Sshd, connect: Connect) -> None:
    transport = connect(server.port)
    await transport.run(NODE, batch(("true",)))
    called = asyncio.Event()
    async with listener(lambda _: called.set()) as port:
        waiting = connect(port)
        run = asyncio.create_task(waiting.run(NODE, batch(("true",))))
        await called.wait()
        await waiting.close()
        await transport.close()
        with pytest.raises((NodeUnreachable, asyncio.CancelledError)):
            await run
    while server.running or any(not connection.is_closed() for connection in server.connections):
        await asyncio.sleep(0.01)

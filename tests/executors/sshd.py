"""A small sshd in this process: every exec runs under a real /bin/sh, and lives on when its connection is gone, as
under OpenSSH."""

import asyncio
import os
import subprocess
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import asyncssh

CHUNK = 65536


@dataclass
class Sshd:
    """One server. `sessions` is how many sessions there may be at once; `shell` replaces what is executed. It hangs
    up on the next `drops` sessions, and refuses all execs if told so."""

    client_key: asyncssh.SSHKey
    host_key: asyncssh.SSHKey
    environment: Mapping[str, str]
    host: str = "127.0.0.1"
    sessions: int = 10
    shell: str | None = None
    drops: int = 0
    refuses_exec: bool = False
    port: int = 0
    logins: int = 0
    executed: list[str] = field(default_factory=list)
    running: int = 0
    most: int = 0
    connections: list[asyncssh.SSHServerConnection] = field(default_factory=list)
    children: set[asyncio.Future[int]] = field(default_factory=set)
    acceptor: Any = None

    async def start(self) -> None:
        """Listen, on the port of before if there was one."""
        keys = self.client_key.export_public_key().decode()
        self.acceptor = await asyncssh.listen(
            self.host,
            self.port,
            server_factory=lambda: _Server(self),
            server_host_keys=[self.host_key],
            authorized_client_keys=asyncssh.import_authorized_keys(keys),
            encoding=None,
            config=None,
        )
        self.port = self.acceptor.get_port()

    async def stop(self) -> None:
        """Stop listening, drop all connections, and wait for what outlives them."""
        if self.acceptor is not None:
            self.acceptor.close()
            await self.acceptor.wait_closed()
            self.acceptor = None
        await self.hang_up()
        while self.children:
            await asyncio.wait(self.children)

    async def hang_up(self) -> None:
        """Drop all connections, as a network does."""
        connections, self.connections = self.connections, []
        for connection in connections:
            connection.abort()
            await connection.wait_closed()


class _Server(asyncssh.SSHServer):
    def __init__(self, sshd: Sshd) -> None:
        self._sshd = sshd

    def connection_made(self, conn: asyncssh.SSHServerConnection) -> None:
        self._sshd.connections.append(conn)

    def auth_completed(self) -> None:
        self._sshd.logins += 1

    def session_requested(self) -> "_Session":
        sshd = self._sshd
        if sshd.drops:
            sshd.drops -= 1
            sshd.connections[-1].abort()
        if sshd.running >= sshd.sessions:
            raise asyncssh.ChannelOpenError(asyncssh.OPEN_CONNECT_FAILED, "open failed")
        sshd.running += 1
        sshd.most = max(sshd.most, sshd.running)
        return _Session(sshd)


class _Session(asyncssh.SSHServerSession[bytes]):
    """One exec. The pipes of its process are closed when the connection is gone; the process is left alone."""

    def __init__(self, sshd: Sshd) -> None:
        self._sshd = sshd
        self._pipes: set[int] = set()
        self._stdin = -1
        self._child: asyncio.Future[int] | None = None

    def connection_made(self, chan: asyncssh.SSHServerChannel[bytes]) -> None:
        self._channel = chan

    def exec_requested(self, command: str) -> bool:
        if self._sshd.refuses_exec:
            return False
        self._sshd.executed.append(command)
        self._command = self._sshd.shell or command
        return True

    def session_started(self) -> None:
        process = subprocess.Popen(
            ["/bin/sh", "-c", self._command],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env=dict(self._sshd.environment),
        )
        assert process.stdin is not None
        assert process.stdout is not None
        assert process.stderr is not None
        self._stdin = os.dup(process.stdin.fileno())
        for pipe, write in ((process.stdout, self._channel.write), (process.stderr, self._channel.write_stderr)):
            self._forward(os.dup(pipe.fileno()), write)
        for pipe in (process.stdin, process.stdout, process.stderr):
            pipe.close()
        self._child = _reaped(process)
        self._sshd.children.add(self._child)
        self._child.add_done_callback(self._sshd.children.discard)
        self._child.add_done_callback(lambda _: self._exit())

    def _forward(self, pipe: int, write: Any) -> None:
        def ready() -> None:
            if data := os.read(pipe, CHUNK):
                write(data)
            else:
                self._close(pipe)
                self._exit()

        self._pipes.add(pipe)
        asyncio.get_running_loop().add_reader(pipe, ready)

    def _close(self, pipe: int) -> None:
        asyncio.get_running_loop().remove_reader(pipe)
        self._pipes.discard(pipe)
        os.close(pipe)

    def _exit(self) -> None:
        if not self._pipes and self._child is not None and self._child.done() and not self._channel.is_closing():
            self._channel.exit(self._child.result())

    def data_received(self, data: bytes, datatype: int | None) -> None:
        with suppress(BrokenPipeError):
            while data:
                data = data[os.write(self._stdin, data) :]

    def eof_received(self) -> bool:
        self._end_stdin()
        return True

    def _end_stdin(self) -> None:
        if self._stdin >= 0:
            os.close(self._stdin)
            self._stdin = -1

    def connection_lost(self, exc: Exception | None) -> None:
        self._sshd.running -= 1
        self._end_stdin()
        for pipe in list(self._pipes):
            self._close(pipe)


def _reaped(process: subprocess.Popen[bytes]) -> asyncio.Future[int]:
    loop = asyncio.get_running_loop()
    done: asyncio.Future[int] = loop.create_future()
    descriptor = os.pidfd_open(process.pid)

    def ready() -> None:
        loop.remove_reader(descriptor)
        os.close(descriptor)
        done.set_result(process.wait())

    loop.add_reader(descriptor, ready)
    return done


@asynccontextmanager
async def sshd(keyfile: Path, **more: Any) -> AsyncIterator[Sshd]:
    """Run a server that accepts the key in `keyfile`, which is made if there is none."""
    if not keyfile.exists():
        asyncssh.generate_private_key("ssh-ed25519").write_private_key(keyfile)
    server = Sshd(
        client_key=asyncssh.read_private_key(keyfile),
        host_key=asyncssh.generate_private_key("ssh-ed25519"),
        environment={"PATH": "/usr/bin:/bin", "HOME": str(keyfile.parent)},
        **more,
    )
    await server.start()
    try:
        yield server
    finally:
        await server.stop()

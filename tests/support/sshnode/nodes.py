"""The ssh servers of simulated nodes, and the socket at which their shims call."""

import asyncio
import errno
import sys
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field, replace
from pathlib import Path

import asyncssh

from heketipy.domain.model import NodeAddress
from heketipy.executors.options import NodeOptions, SshOptions
from heketipy.executors.simulator import Effect, Fault, Simulator
from heketipy.executors.simulator.registry import TOOLS
from heketipy.executors.simulator.transport import AFTER, DYING, LOSING, OUTLIVING
from heketipy.executors.ssh import SshTransport
from heketipy.executors.transport import Result
from tests.executors.sshd import Sshd

SHIM = Path(__file__).with_name("shim.py")
LOST = 255


@dataclass
class SshNodes:
    """Simulated nodes, reached over ssh; `servers` are their ssh servers by manage name."""

    simulator: Simulator
    folder: Path
    servers: dict[str, Sshd] = field(default_factory=dict)

    @property
    def bin(self) -> Path:
        """The folder of the shims."""
        return self.folder / "bin"

    @property
    def keyfile(self) -> Path:
        """The key that the nodes accept."""
        return self.folder / "key"

    @property
    def port(self) -> int:
        """The port at which all of them listen."""
        return next(iter(self.servers.values())).port

    @property
    def options(self) -> NodeOptions:
        """Options of the executors which lead to the shims."""
        return replace(NodeOptions(), lvm=str(self.bin / "lvm"), udevadm=str(self.bin / "udevadm"))

    def address(self, host: str) -> NodeAddress:
        """Return the address of a node."""
        node = self.simulator.node(host)
        return NodeAddress(f"id-of-{node.manage}", node.manage, node.storage)

    def transport(self, *, lock_wait: float = 60.0, grace: float = 30.0) -> SshTransport:
        """Return a transport to the nodes: a server of its own."""
        options = SshOptions(keyfile=str(self.keyfile), user="root", port=self.port)
        return SshTransport(options, lock_wait=lock_wait, grace=grace, directory=str(self.folder / "locks"))

    async def down(self, host: str) -> None:
        """Take a node off the network."""
        self.simulator.node_down(host)
        await self.servers[self.simulator.node(host).manage].stop()

    async def up(self, host: str) -> None:
        """Put a node back onto the network."""
        self.simulator.node_up(host)
        await self.servers[self.simulator.node(host).manage].start()

    def install_shims(self) -> None:
        """Make a shim for every tool that the simulator knows."""
        self.bin.mkdir()
        program = self.folder / "shim"
        program.write_text(f"#!{sys.executable} -SE\n{SHIM.read_text()}")
        program.chmod(0o755)
        for name in TOOLS:
            (self.bin / name).symlink_to(program)

    async def answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Run the command of one shim."""
        try:
            stdin, host, *argv = (await reader.readexactly(int(await reader.readline()))).split(b"\0")
            words = [word.decode() for word in argv]
            running = asyncio.ensure_future(self.run(host.decode(), words, stdin.decode()))
            ended = asyncio.ensure_future(reader.read())
            await asyncio.wait({running, ended}, return_when=asyncio.FIRST_COMPLETED)
            ended.cancel()
            if not running.done():
                running.cancel()
            with suppress(asyncio.CancelledError, OSError):
                result = await running
                out, err = result.stdout.encode(), result.stderr.encode()
                writer.write(b"%d %d\n" % (result.status, len(out)) + out + err)
                await writer.drain()
        finally:
            writer.close()

    async def run(self, host: str, argv: Sequence[str], stdin: str) -> Result:
        """Run a command on a node, with the fault that strikes at it."""
        node = self.simulator.node(host)
        fault = self.simulator.faults.at(node.manage, argv)
        if fault is None:
            return self.simulator.run_on(node, argv, stdin)
        if fault.effect is Effect.HANG:
            await asyncio.Event().wait()
        if fault.effect is Effect.DELAY:
            await asyncio.sleep(fault.seconds)
            return self.simulator.run_on(node, argv, stdin)
        return await self.fail(node.manage, argv, stdin, fault)

    async def fail(self, host: str, argv: Sequence[str], stdin: str, fault: Fault) -> Result:
        """Let a command fail, or its connection die."""
        node = self.simulator.node(host)
        result = Result(fault.status, fault.stdout, fault.stderr)
        if fault.effect in AFTER:
            real = self.simulator.run_on(node, argv, stdin)
            result = replace(real, stdout=fault.stdout) if fault.effect is Effect.GARBAGE else result
        if fault.effect in LOSING | DYING:
            if fault.effect in DYING and fault.kill is not None:
                fault.kill()
            await self.servers[host].hang_up()
            result = Result(LOST)
        if fault.effect in OUTLIVING:
            await asyncio.sleep(fault.seconds)
            result = self.simulator.run_on(node, argv, stdin)
        return result


@asynccontextmanager
async def ssh_nodes(simulator: Simulator, folder: Path) -> AsyncIterator[SshNodes]:
    """Serve every node of a simulator, whose manage names are loopback addresses, until the end of the `with`."""
    nodes = SshNodes(simulator, folder)
    nodes.install_shims()
    (folder / "locks").mkdir(mode=0o700)
    key = asyncssh.generate_private_key("ssh-ed25519")
    key.write_private_key(nodes.keyfile)
    shims = await asyncio.start_unix_server(nodes.answer, folder / "simulator.socket")
    try:
        await serve(nodes, key)
        yield nodes
    finally:
        for server in nodes.servers.values():
            await server.stop()
        shims.close()
        await shims.wait_closed()


async def serve(nodes: SshNodes, key: asyncssh.SSHKey) -> None:
    """Start the ssh servers, all at one port."""
    for _ in range(20):
        port = 0
        try:
            for host in nodes.simulator.nodes:
                server = Sshd(
                    client_key=key,
                    host_key=asyncssh.generate_private_key("ssh-ed25519"),
                    environment={
                        "PATH": f"{nodes.bin}:/usr/bin:/bin",
                        "HOME": str(nodes.folder),
                        "SSHNODE_HOST": host,
                        "SSHNODE_SOCKET": str(nodes.folder / "simulator.socket"),
                    },
                    host=host,
                    port=port,
                )
                await server.start()
                nodes.servers[host] = server
                port = server.port
            return
        except OSError as error:
            if error.errno != errno.EADDRINUSE:
                raise
            for server in nodes.servers.values():
                await server.stop()
            nodes.servers.clear()
    raise RuntimeError("no port is free at all loopback addresses")

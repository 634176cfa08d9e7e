"""A heketipy without HTTP whose server reaches its simulated nodes by ssh, through a real shell."""

from pathlib import Path

from heketipy.executors.options import NodeOptions
from heketipy.executors.ssh import SshTransport
from heketipy.executors.transport import Transport
from tests.support.sshnode import SshNodes
from tests.support.system import System

LOOPBACKS = ("127.0.0.41", "127.0.0.42", "127.0.0.43", "127.0.0.44")


class SystemOverSsh(System):
    """A system whose server reaches its nodes by ssh."""

    def __init__(self, database: Path, nodes: SshNodes) -> None:
        super().__init__(database, nodes.simulator, hosts=LOOPBACKS)
        self.nodes = nodes
        self.over_ssh: SshTransport

    @property
    def options(self) -> NodeOptions:
        return self.nodes.options

    def reach(self) -> Transport:
        self.over_ssh = self.nodes.transport()
        return self.over_ssh

    async def crash(self) -> None:
        await self.services.runner.close()
        await self.over_ssh.close()
        self.db.close()

    async def stop(self) -> None:
        await self.services.runner.drain()
        await self.crash()

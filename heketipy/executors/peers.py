"""The trusted pool of a cluster: who is in it, taking hosts in, letting them go."""

from collections.abc import Sequence
from dataclasses import dataclass

from heketipy.domain.errors import CommandFailed
from heketipy.domain.model import NodeAddress
from heketipy.executors import daemon, gluster
from heketipy.executors.answers import demand, refusal
from heketipy.executors.conversation import Conversation
from heketipy.executors.gluster import Gluster, Peer
from heketipy.executors.options import NodeOptions
from heketipy.executors.transport import Batch, Command, Fence, Lane, Result, Transport

CHECK_TIMEOUT = 60.0


@dataclass(frozen=True, slots=True)
class Peers:
    """The verbs about peers."""

    transport: Transport
    conversation: Conversation
    options: NodeOptions

    @property
    def _gluster(self) -> Gluster:
        return Gluster(self.options)

    async def check(self, node: NodeAddress, *, limit: float = CHECK_TIMEOUT) -> None:
        """Make sure that a node's gluster daemon runs, within `limit` seconds. Raises CommandFailed if not."""
        command = Command(daemon.status(), timeout=limit)
        demand(node, await self.transport.run(node, Batch((command,))))

    async def peers(self, node: NodeAddress) -> list[Peer]:
        """Ask a node for its trusted pool, itself (`localhost`) included."""
        reply = await self.conversation.ask(node, self._gluster.pool_list())
        if reply.error:
            raise CommandFailed(reply.error, node=node.id)
        try:
            return gluster.read_peers(reply)
        except ValueError as error:
            raise CommandFailed(str(error), node=node.id) from error

    async def probe(self, via: NodeAddress, host: str, *, cluster: str = "", fence: Fence | None = None) -> None:
        """Let a peer take a host into the trusted pool, and set the limit of snapshots where there is one. A host that
        is a peer already is success. Raises CommandFailed with gluster's text."""
        limit = self.options.snapshot_limit
        commands = [
            self._gluster.peer_probe(host),
            *([self._gluster.snapshot_limit(limit)] if limit > 0 else []),
        ]
        demand(via, await self._run(via, commands, cluster, fence))

    async def detach(
        self, via: NodeAddress, host: str, *, cluster: str = "", force: bool = False, fence: Fence | None = None
    ) -> None:
        """Let a peer throw a host out of the trusted pool. A host that is no peer is success. `force`: also while other
        peers are down. Raises CommandFailed with gluster's text, as for a host that holds bricks."""
        (result,) = await self._run(via, [self._gluster.peer_detach(host, force=force)], cluster, fence)
        if not result.ok and not gluster.not_a_peer(result.text):
            raise refusal(via, result)

    async def _run(
        self, via: NodeAddress, commands: Sequence[tuple[str, ...]], cluster: str, fence: Fence | None
    ) -> Sequence[Result]:
        return await self.conversation.run(
            via, self.conversation.commands(commands), lane=Lane.PEERS, subject=cluster, fence=fence
        )

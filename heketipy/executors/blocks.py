"""Block volumes on nodes: making, growing and deleting them, and what gluster-block says of them.

A name proves nothing: a block volume is ours if its target has the name that gluster-block gave when we made it, or if
there was none of its name just before.
"""

from dataclasses import dataclass

from heketipy.domain.errors import CommandFailed, NodeUnreachable
from heketipy.domain.model import BlockTarget, NodeAddress
from heketipy.executors import block
from heketipy.executors.block import Block, BlockVolumeLayout, BlockVolumeReading
from heketipy.executors.conversation import Conversation
from heketipy.executors.options import NodeOptions
from heketipy.executors.transport import Command, Fence, Lane, Result

TIMEOUT = 600.0
"""Seconds that gluster-block may take, whatever gluster itself may."""


class NameTaken(CommandFailed):
    """Somebody else's block volume has the name."""

    code = "block-volume-name-taken"


@dataclass(frozen=True, slots=True)
class Blocks:
    """The verbs about block volumes."""

    conversation: Conversation
    options: NodeOptions

    @property
    def _block(self) -> Block:
        return Block(self.options)

    async def create(self, node: NodeAddress, layout: BlockVolumeLayout, *, fence: Fence | None = None) -> BlockTarget:
        """Make a block volume. One of that name, size and hosts that exists is taken for it.

        Raises CommandFailed with heketi's texts; NameTaken if the one that exists is another.
        """
        command = Command(self._block.create(layout), timeout=TIMEOUT, secret=layout.auth)
        result = await self._run(node, command, hosting_volume=layout.hosting_volume, fence=fence)
        try:
            return block.read_created(result, layout)
        except ValueError as error:
            if not block.already_exists(result, layout.name):
                raise CommandFailed(str(error), node=node.id, status=result.status) from error
            found = await self.find(node, layout.hosting_volume, layout.name, fence=fence)
            if found is None or (found.size_gib, set(found.hosts)) != (layout.size_gib, set(layout.hosts)):
                raise NameTaken(str(error), node=node.id, status=result.status) from error
            return BlockTarget(layout.hosts, found.iqn, found.username, found.password)

    async def delete(self, node: NodeAddress, hosting_volume: str, name: str, *, fence: Fence | None = None) -> None:
        """Delete a block volume; one that does not exist is success. Raises CommandFailed with heketi's texts."""
        command = Command(self._block.delete(hosting_volume, name), timeout=TIMEOUT)
        result = await self._run(node, command, hosting_volume=hosting_volume, fence=fence)
        try:
            block.read_deleted(result, hosting_volume, name)
        except ValueError as error:
            raise CommandFailed(str(error), node=node.id, status=result.status) from error

    async def expand(
        self, node: NodeAddress, hosting_volume: str, name: str, *, size_gib: int, fence: Fence | None = None
    ) -> None:
        """Let a block volume grow to a size, or do so on hosts that refused before.

        Raises CommandFailed with heketi's texts; it may have its new size all the same, on some of its hosts.
        """
        command = Command(self._block.modify(hosting_volume, name, size_gib=size_gib), timeout=TIMEOUT)
        result = await self._run(node, command, hosting_volume=hosting_volume, fence=fence)
        try:
            block.read_resized(result)
        except ValueError as error:
            raise CommandFailed(str(error), node=node.id, status=result.status) from error

    async def find(
        self, node: NodeAddress, hosting_volume: str, name: str, *, fence: Fence | None = None
    ) -> BlockVolumeReading | None:
        """Ask for a block volume; None where there is none. Raises CommandFailed with heketi's texts."""
        command = Command(self._block.info(hosting_volume, name), timeout=TIMEOUT, secret=True)
        result = await self._run(node, command, fence=fence)
        try:
            return block.read_info(result, hosting_volume, name)
        except ValueError as error:
            raise CommandFailed(str(error), node=node.id, status=result.status) from error

    async def names(self, node: NodeAddress, hosting_volume: str, *, fence: Fence | None = None) -> list[str]:
        """Ask for the names of the block volumes on a hosting volume. Raises CommandFailed with heketi's texts."""
        result = await self._run(node, Command(self._block.list(hosting_volume), timeout=TIMEOUT), fence=fence)
        try:
            return block.read_list(result, hosting_volume)
        except ValueError as error:
            raise CommandFailed(str(error), node=node.id, status=result.status) from error

    async def _run(
        self, node: NodeAddress, command: Command, *, hosting_volume: str = "", fence: Fence | None
    ) -> Result:
        """Run one command: alone on its hosting volume if that is named, since it changes something there then."""
        lane = Lane.VOLUME if hosting_volume else Lane.READ
        (result,) = await self.conversation.run(node, [command], lane=lane, subject=hosting_volume, fence=fence)
        if block.is_daemon_away(result):
            raise NodeUnreachable(result.text.strip(), node=node.id, sent=False)
        return result

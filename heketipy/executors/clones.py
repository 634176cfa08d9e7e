"""Copying volumes in gluster: a snapshot, a volume made of it, and the snapshot gone again (commands §2.5.9).

The answers are documents, and the exit status says nothing: a refusal is one that the document tells.
"""

from dataclasses import dataclass

from heketipy.domain.errors import CommandFailed
from heketipy.domain.model import NodeAddress
from heketipy.executors import gluster
from heketipy.executors.conversation import Conversation
from heketipy.executors.gluster import Gluster, Reply
from heketipy.executors.options import NodeOptions
from heketipy.executors.transport import Fence, Lane, Result


@dataclass(frozen=True, slots=True)
class Clones:
    """The verbs about snapshots and clones."""

    conversation: Conversation
    options: NodeOptions

    @property
    def _gluster(self) -> Gluster:
        return Gluster(self.options)

    async def take_snapshot(self, node: NodeAddress, volume: str, snapshot: str, *, fence: Fence | None = None) -> None:
        """Take a snapshot of a volume and make it usable; one of that name that is there is success.

        Raises CommandFailed with heketi's texts.
        """
        (result,) = await self._run(node, [self._gluster.snapshot_create(snapshot, volume)], volume, fence)
        reply = self._read(
            node,
            result,
            f"Unable to create snapshot of volume {volume}",
            f"Unable to parse output of creating snapshot of volume {volume}",
        )
        if reply.error and not gluster.is_snapshot_there(reply.error):
            raise CommandFailed(f"Failed to create snapshot of volume {volume}: {reply.error}", node=node.id)
        (result,) = await self._run(node, [self._gluster.snapshot_activate(snapshot)], volume, fence)
        reply = self._read(
            node,
            result,
            f"Unable to activate snapshot {snapshot}",
            f"Unable to parse output from activate snapshot {snapshot}",
        )
        if reply.error and not gluster.already_activated(reply.error):
            raise CommandFailed(f"Failed to activate snapshot {snapshot}: {reply.error}", node=node.id)

    async def clone(
        self, node: NodeAddress, volume: str, clone: str, snapshot: str, *, fence: Fence | None = None
    ) -> str:
        """Make a volume of a snapshot; return its uuid. Raises CommandFailed with heketi's texts, also where there is a
        volume of that name."""
        (result,) = await self._run(node, [self._gluster.snapshot_clone(clone, snapshot)], volume, fence)
        reply = self._read(
            node,
            result,
            f"Unable to clone snapshot {snapshot}",
            f"Unable to parse output from clone snapshot {snapshot}",
        )
        if reply.error:
            text = f"Failed to clone snapshot {snapshot} to volume {clone}: {reply.error}"
            raise CommandFailed(text, node=node.id)
        return gluster.read_clone_uuid(reply)

    async def start(self, node: NodeAddress, clone: str, snapshot: str, *, fence: Fence | None = None) -> None:
        """Start a clone; one that runs is success. Raises CommandFailed with heketi's text."""
        (result,) = await self._run(node, [self._gluster.clone_start(clone)], clone, fence)
        text = f"Unable to start volume {clone}, clone of snapshot {snapshot}"
        reply = self._read(node, result, text, text)
        if reply.error and not gluster.already_started(reply.error):
            raise CommandFailed(f"{text}: {reply.error}", node=node.id)

    async def drop_snapshot(self, node: NodeAddress, volume: str, snapshot: str, *, fence: Fence | None = None) -> None:
        """Delete a snapshot; one that is not there is success. Raises CommandFailed."""
        argvs = [self._gluster.snapshot_deactivate(snapshot), self._gluster.snapshot_delete(snapshot)]
        *_, result = await self._run(node, argvs, volume, fence)
        text = f"Unable to delete snapshot {snapshot} of volume {volume}"
        reply = self._read(node, result, text, text)
        if reply.error and not gluster.is_snapshot_missing(reply.error):
            raise CommandFailed(f"{text}: {reply.error}", node=node.id)

    async def _run(
        self, node: NodeAddress, argvs: list[tuple[str, ...]], volume: str, fence: Fence | None
    ) -> list[Result]:
        commands = self.conversation.commands(argvs)
        return await self.conversation.run(node, commands, lane=Lane.VOLUME, subject=volume, fence=fence)

    @staticmethod
    def _read(node: NodeAddress, result: Result, failed: str, unreadable: str) -> Reply:
        """Read an answer. Raises CommandFailed with one text or the other in front."""
        if not result.ok:
            raise CommandFailed(f"{failed}: {result.text}", node=node.id, status=result.status)
        try:
            return gluster.read_reply(result.stdout)
        except ValueError as error:
            raise CommandFailed(f"{unreadable}: {error}", node=node.id) from error

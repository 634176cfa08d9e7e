"""Delete a volume: look, stop and delete it in gluster (from there on there is no way back), destroy the bricks."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import TypeVar

from heketipy.db.database import Tx
from heketipy.domain.errors import CommandFailed, InUse
from heketipy.domain.model import NodeAddress
from heketipy.domain.plans import DeleteVolume
from heketipy.executors.nodes import GlusterVolume, Peer
from heketipy.operations import bricks, gluster_volume
from heketipy.operations.context import Context
from heketipy.operations.hosts import first_answer, first_success
from heketipy.operations.kind import Kind, Outcome
from heketipy.operations.saga import Step

NAME = "delete-volume"

T = TypeVar("T")


def reserve(tx: Tx, volume_id: str, *, operation: str) -> DeleteVolume:
    """Hide the volume and claim its bricks.

    Raises NotFound, and InUse if the volume or a brick of it is being worked on.
    """
    volume = tx.volumes.get(volume_id)
    of_volume = tuple(tx.bricks.of_volume(volume_id))
    if volume.pending or any(brick.pending for brick in of_volume):
        raise InUse
    tx.volumes.set_pending(volume_id, operation)
    tx.bricks.set_pending([brick.id for brick in of_volume], operation)
    nodes = tuple(node.address for node in tx.nodes.of_cluster(volume.cluster))
    return DeleteVolume(volume=volume, bricks=of_volume, nodes=nodes)


@dataclass(frozen=True, slots=True)
class Deletion:
    """The work on the nodes. Any node of the cluster may run gluster; which one is tried first differs by volume."""

    plan: DeleteVolume
    context: Context

    def steps(self) -> Sequence[Step]:
        """The steps, in order."""
        return [
            Step("look", self.look),
            Step("delete", self.delete, undo=self.start_again, pivot=self.deleted),
            Step("bricks", self.destroy_bricks),
        ]

    @property
    def candidates(self) -> list[NodeAddress]:
        """The nodes to try, in order."""
        return self.context.candidates(self.plan.nodes, start=int(self.plan.volume.id[:8], 16))

    async def look(self) -> None:
        """Find out whether the gluster volume is ours, and refuse what gluster would refuse, while it still runs."""
        found, peers = await asyncio.gather(self._find(), self._ask(self.context.nodes.peers))
        ours = bool(gluster_volume.present(found, self.plan.bricks))
        if found is not None and ours:
            self._refuse_what_gluster_would(found, peers)
        await self.context.note(ours=ours, started=found is not None and found.started)

    async def start_again(self) -> None:
        """Start the volume again, if it ran before."""
        await self._act(self.context.nodes.start_volume, "started")

    async def delete(self) -> None:
        """Stop the volume and delete it in gluster."""
        await self._act(self.context.nodes.delete_volume, "ours")

    async def deleted(self) -> bool:
        """Ask whether gluster has forgotten the volume."""
        found = await self._find()
        return not gluster_volume.present(found, self.plan.bricks)

    async def destroy_bricks(self) -> None:
        """Destroy the bricks."""
        await bricks.destroy(self.context, self.plan.bricks, {node.id: node for node in self.plan.nodes})

    async def _find(self) -> GlusterVolume | None:
        return await self._ask(lambda node: self.context.nodes.volume(node, self.plan.volume.name))

    async def _ask(self, question: Callable[[NodeAddress], Awaitable[T]]) -> T:
        return await first_answer(self.candidates, question, total=len(self.plan.nodes))

    async def _act(self, verb: Callable[..., Awaitable[None]], condition: str) -> None:
        """Let one node do something to the volume, provided that it is ours and was found so."""
        if self.context.journal.get("ours") and self.context.journal.get(condition):
            await first_success(
                self.candidates,
                lambda node: verb(node, self.plan.volume.name, fence=self.context.fence),
                total=len(self.plan.nodes),
            )

    def _refuse_what_gluster_would(self, found: GlusterVolume, peers: Sequence[Peer]) -> None:
        name, node = found.name, self.candidates[0].id
        away = sorted(peer.hostname for peer in peers if not peer.connected)
        if away:
            text = f"volume delete: {name}: failed: Some of the peers are down: {', '.join(away)}"
            raise CommandFailed(text, node=node)
        if found.snapshot_count:
            text = f"Unable to delete volume {name} because it contains {found.snapshot_count} snapshots"
            raise CommandFailed(text, node=node)


def publish(tx: Tx, plan: DeleteVolume, context: Context) -> Outcome:
    """Strike the volume from the books."""
    bricks.release(tx, context, plan.bricks)
    tx.volumes.remove(plan.volume.id)
    return Outcome()


def release(tx: Tx, plan: DeleteVolume, context: Context) -> None:
    """Show the volume again."""
    tx.bricks.set_pending([brick.id for brick in plan.bricks], "")
    tx.volumes.set_pending(plan.volume.id, "")


def _steps(plan: DeleteVolume, context: Context) -> Sequence[Step]:
    return Deletion(plan, context).steps()


KIND = Kind(name=NAME, plan=DeleteVolume, steps=_steps, publish=publish, release=release)

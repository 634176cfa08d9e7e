"""Delete a volume: look, stop and delete it in gluster (from there on there is no way back), destroy the bricks."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import TypeVar

from heketipy.db.database import Tx
from heketipy.domain.errors import CommandFailed, InUse
from heketipy.domain.model import NodeAddress
from heketipy.domain.plans import DeleteVolume
from heketipy.domain.states import State
from heketipy.executors.nodes import GlusterVolume, Peer
from heketipy.operations import bricks, gluster_volume
from heketipy.operations.context import Context
from heketipy.operations.hosts import first_answer
from heketipy.operations.kind import Kind, Outcome
from heketipy.operations.presence import Silence, meanwhile, silent
from heketipy.operations.reservation import nearby
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
    return DeleteVolume(volume=volume, bricks=of_volume, nodes=nearby(tx, volume, of_volume))


@dataclass(frozen=True, slots=True)
class Deletion:
    """The work on the nodes. The node that answers first runs gluster; where to begin to ask differs by volume."""

    plan: DeleteVolume
    context: Context

    def steps(self) -> Sequence[Step]:
        """The steps, in order."""
        return [
            Step("look", self.look),
            Step("delete", self.delete, undo=self.start_again, pivot=self.deleted),
            Step("bricks", self.destroy_bricks),
        ]

    async def look(self) -> None:
        """Find out whether the gluster volume is ours, and refuse what gluster would refuse, while it still runs."""
        candidates = self.context.candidates(self.plan.nodes, start=int(self.plan.volume.id[:8], 16))
        first = candidates[0].id if candidates else ""
        async with meanwhile(self._silent(lambda node: node.id != first)) as others:
            via, found, peers = await first_answer(candidates, self._ask, total=len(self.plan.nodes))
            ours = bool(gluster_volume.present(found, self.plan.bricks))
            if found is not None and ours:
                # What gluster knows already is told without waiting for those that may be away.
                _refuse_what_gluster_would(found, peers, via)
                silences = await others
                if via.id != first:
                    silences += await self._silent(lambda node: node.id == first)
                await self._refuse_to_wait(found, silences)
        self.context.remember(via=via.id, ours=ours, started=found is not None and found.started)

    async def _silent(self, wanted: Callable[[NodeAddress], bool]) -> list[Silence]:
        """Return those of the wanted nodes with bricks that are away. One that does not let us in is there."""
        holders = {brick.node for brick in self.plan.bricks}
        asked = [node for node in self.plan.nodes if node.id in holders and wanted(node)]
        return [silence for silence in await silent(self.context.nodes, asked) if not silence.error.refused]

    async def _refuse_to_wait(self, found: GlusterVolume, silences: Sequence[Silence]) -> None:
        """Raise CommandFailed if a node that is in use is away, though gluster has not noticed yet: it would wait ten
        minutes for it, and hold its locks. Where the node was put out of use, gluster's word counts: only our way to
        it may be broken, and it owes its bricks then."""
        if not silences:
            return
        online = await self.context.db.read(_online, [silence.node.id for silence in silences])
        away = [silence for silence in silences if silence.node.id in online]
        if away:
            hosts = ", ".join(sorted(silence.node.storage for silence in away))
            text = "\n".join([_peers_down(found, hosts), *map(str, away)])
            raise CommandFailed(text, node=away[0].node.id)

    async def _ask(self, node: NodeAddress) -> tuple[NodeAddress, GlusterVolume | None, Sequence[Peer]]:
        found, peers = await asyncio.gather(self._find(node), self.context.nodes.peers(node))
        return node, found, peers

    async def delete(self) -> None:
        """Stop the volume and delete it in gluster."""
        if self.context.journal["ours"]:
            await self._on_via(self._delete)

    async def _delete(self, node: NodeAddress) -> None:
        await self.context.nodes.delete_volume(node, self.plan.volume.name, fence=self.context.fence)

    async def start_again(self) -> None:
        """Start the volume again, if it ran before."""
        if self.context.journal.get("ours") and self.context.journal["started"]:
            await self._on_via(self._start)

    async def _start(self, node: NodeAddress) -> None:
        await self.context.nodes.start_volume(node, self.plan.volume.name, fence=self.context.fence)

    async def deleted(self) -> bool:
        """Ask whether gluster has forgotten the volume."""
        return not gluster_volume.present(await self._on_via(self._find), self.plan.bricks)

    async def _find(self, node: NodeAddress) -> GlusterVolume | None:
        return await self.context.nodes.volume(node, self.plan.volume.name, fence=self.context.fence)

    async def _on_via(self, act: Callable[[NodeAddress], Awaitable[T]]) -> T:
        via = next(node for node in self.plan.nodes if node.id == self.context.journal["via"])
        return await self.context.ask_where_it_ran(via, self.plan.nodes, act)

    async def destroy_bricks(self) -> None:
        """Destroy the bricks."""
        await bricks.destroy(self.context, self.plan.bricks, {node.id: node for node in self.plan.nodes})


def _refuse_what_gluster_would(found: GlusterVolume, peers: Sequence[Peer], node: NodeAddress) -> None:
    """Raise CommandFailed for a delete that gluster would refuse when the volume is stopped already."""
    away = sorted(peer.hostname for peer in peers if not peer.connected)
    if away:
        raise CommandFailed(_peers_down(found, ", ".join(away)), node=node.id)
    if found.snapshot_count:
        text = f"Unable to delete volume {found.name} because it contains {found.snapshot_count} snapshots"
        raise CommandFailed(text, node=node.id)


def _peers_down(found: GlusterVolume, hosts: str) -> str:
    return (
        f"volume delete: {found.name}: failed: Some of the peers are down: {hosts}\n"
        "Nothing was touched. Delete the volume again when they are back, or when they were removed from the cluster."
    )


def _online(tx: Tx, nodes: Sequence[str]) -> frozenset[str]:
    return frozenset(node.id for node in tx.nodes.of_ids(nodes) if node.state is State.ONLINE)


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


KIND = Kind(name=NAME, plan=DeleteVolume, steps=_steps, publish=publish, release=release, finishes=True)

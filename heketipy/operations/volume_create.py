"""Create a volume: its bricks on all nodes side by side, then the gluster volume, started. Nobody sees it before."""

from collections.abc import Sequence
from dataclasses import dataclass

from heketipy.db.database import Tx
from heketipy.domain.errors import CommandFailed
from heketipy.domain.model import Brick, NodeAddress
from heketipy.domain.operation import Status
from heketipy.domain.plans import CreateVolume
from heketipy.executors.nodes import GlusterVolume
from heketipy.operations import bricks, gluster_volume
from heketipy.operations.context import Context
from heketipy.operations.kind import Kind, Outcome
from heketipy.operations.reservation import Reservations
from heketipy.operations.saga import Step

NAME = "create-volume"


@dataclass(frozen=True, slots=True)
class Creation:
    """The work on the nodes. gluster runs on the node of the first brick."""

    plan: CreateVolume
    context: Context

    def steps(self) -> Sequence[Step]:
        """The steps, in order."""
        return [
            Step("bricks", self.create_bricks, undo=self.destroy_bricks),
            Step("volume", self.create_volume, undo=self.destroy_volume),
        ]

    @property
    def nodes(self) -> dict[str, NodeAddress]:
        """All nodes of the cluster, by id."""
        return {node.id: node for node in self.plan.nodes}

    @property
    def first(self) -> NodeAddress:
        """The node that runs gluster."""
        return self.nodes[self.plan.bricks[0].node]

    async def create_bricks(self) -> None:
        """Make the bricks."""
        await bricks.create(self.context, self.plan.bricks, self.nodes, gid=self.plan.volume.gid)

    async def destroy_bricks(self) -> None:
        """Take the bricks back."""
        await bricks.destroy(self.context, self.plan.bricks, self.nodes)

    async def create_volume(self) -> None:
        """Make the gluster volume. Where somebody else's has its name, no other place would do."""
        if self.context.finishing:
            await self._finish()
            return
        layout = gluster_volume.layout(self.plan.volume, self.plan.bricks, self.nodes)
        try:
            await self.context.nodes.create_volume(self.first, layout, fence=self.context.fence)
        except CommandFailed as error:
            found = await self._find(self.first)
            foreign = found is not None and not gluster_volume.present(found, self.plan.bricks)
            culprit = gluster_volume.culprit(error, self.plan.nodes)
            raise CommandFailed(str(error), node=culprit, retryable=not foreign) from error

    async def _finish(self) -> None:
        """Make what is there a volume that is good for something, though a node is away without which it cannot be
        taken back: whole, or of the sets that gluster has taken in. In it bricks can move away from the node."""
        try:
            await self._make(self.plan.bricks)
        except CommandFailed:
            found = await self.context.ask_where_it_ran(self.first, self.plan.nodes, self._find)
            inside = set(gluster_volume.present(found, self.plan.bricks))
            awaited = self.context.operation.status is Status.NEW  # by a client, for whom less would be a failure
            if not inside or awaited or self.plan.volume.block:
                raise
            refused = [brick for brick in self.plan.bricks if brick.id not in inside]
            await self.context.note(refused=[brick.id for brick in refused])
            await self._make([brick for brick in self.plan.bricks if brick.id in inside])
            await bricks.destroy(self.context, refused, self.nodes)

    async def _make(self, some: Sequence[Brick]) -> None:
        layout = gluster_volume.layout(self.plan.volume, some, self.nodes)
        await self.context.ask_where_it_ran(
            self.first,
            self.plan.nodes,
            lambda node: self.context.nodes.create_volume(node, layout, fence=self.context.fence),
        )

    async def destroy_volume(self) -> None:
        """Take the gluster volume back, if there is one and it is ours."""
        await self.context.ask_where_it_ran(self.first, self.plan.nodes, self._destroy)

    async def _destroy(self, node: NodeAddress) -> None:
        if gluster_volume.present(await self._find(node), self.plan.bricks):
            await gluster_volume.delete_made(self.context, node, self.plan.volume.name, self.plan.bricks)

    async def _find(self, node: NodeAddress) -> GlusterVolume | None:
        return await self.context.nodes.volume(node, self.plan.volume.name, fence=self.context.fence)


def publish(tx: Tx, plan: CreateVolume, context: Context) -> Outcome:
    """Show the volume, as far as it was made."""
    missing = set(context.journal.get("refused", ()))
    refused = [brick for brick in plan.bricks if brick.id in missing]
    if refused:
        bricks.release(tx, context, refused)
        there = len(plan.bricks) - len(refused)
        tx.volumes.set_size(plan.volume.id, max(1, plan.volume.size_gib * there // len(plan.bricks)))
    tx.bricks.set_pending([brick.id for brick in plan.bricks if brick.id not in missing], "")
    tx.volumes.set_pending(plan.volume.id, "")
    return Outcome(result=f"/volumes/{plan.volume.id}")


def release(tx: Tx, plan: CreateVolume, context: Context) -> None:
    """Strike the volume and its bricks from the books."""
    bricks.release(tx, context, plan.bricks)
    tx.volumes.remove(plan.volume.id)


def _steps(plan: CreateVolume, context: Context) -> Sequence[Step]:
    return Creation(plan, context).steps()


KIND = Kind(
    name=NAME, plan=CreateVolume, steps=_steps, publish=publish, release=release, again=Reservations.create_again
)

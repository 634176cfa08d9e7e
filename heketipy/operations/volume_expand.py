"""Expand a volume: new bricks, then add-brick. From the first add-brick on clients write there, so there is no way
back: if only some sets of bricks got in, those are published, and the rest is destroyed."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import structlog

from heketipy.db.database import Tx
from heketipy.domain.capacity import block_reserve
from heketipy.domain.errors import CommandFailed, NodeFailure
from heketipy.domain.model import Brick, NodeAddress
from heketipy.domain.plans import ExpandVolume
from heketipy.operations import bricks, gluster_volume
from heketipy.operations.context import Context
from heketipy.operations.kind import Kind, Outcome
from heketipy.operations.saga import Step

NAME = "expand-volume"

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Expansion:
    """The work on the nodes. gluster runs on the node of the first new brick."""

    plan: ExpandVolume
    context: Context

    def steps(self) -> Sequence[Step]:
        """The steps, in order."""
        return [
            Step("bricks", self.create_bricks, undo=self.destroy_bricks),
            Step("add", self.add_bricks, pivot=self.any_added),
            Step("refused", self.destroy_refused),
            Step("rebalance", self.rebalance),
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
        """Make the new bricks."""
        await bricks.create(self.context, self.plan.bricks, self.nodes, gid=self.plan.volume.gid)

    async def destroy_bricks(self) -> None:
        """Take the new bricks back."""
        await bricks.destroy(self.context, self.plan.bricks, self.nodes)

    async def members(self) -> set[str]:
        """Ask which of the new bricks are part of the volume."""
        found = await self.context.ask_where_it_ran(
            self.first,
            self.plan.nodes,
            lambda node: self.context.nodes.volume(node, self.plan.volume.name, fence=self.context.fence),
        )
        return set(gluster_volume.present(found, self.plan.bricks))

    async def add_bricks(self) -> None:
        """Add what is not part of the volume yet. If gluster refuses a part, write down which."""
        inside = await self.members()
        missing = [brick for brick in self.plan.bricks if brick.id not in inside]
        if not missing:
            return
        try:
            layout = gluster_volume.layout(self.plan.volume, missing, self.nodes)
            await self.context.ask_where_it_ran(
                self.first,
                self.plan.nodes,
                lambda node: self.context.nodes.add_bricks(node, layout, layout.bricks, fence=self.context.fence),
            )
        except CommandFailed as error:
            inside = await self.members()
            if not inside:
                raise
            refused = [brick.id for brick in self.plan.bricks if brick.id not in inside]
            await self.context.note(refused=refused, reason=str(error))

    async def any_added(self) -> bool:
        """Ask whether clients may have written to the new bricks."""
        return bool(await self.members())

    async def destroy_refused(self) -> None:
        """Destroy the bricks that gluster did not take in."""
        refused = _refused(self.plan, self.context)
        if refused:
            await bricks.destroy(self.context, refused, self.nodes)

    async def rebalance(self) -> None:
        """Let existing files use the new bricks. A failure is only logged: the volume has grown all the same."""
        if not self.context.rebalance:
            return
        name = self.plan.volume.name
        try:
            await self.context.nodes.rebalance(self.first, name, fence=self.context.fence)
        except NodeFailure as error:
            log.warning("rebalance was not started; please run it by hand", volume=name, reason=str(error))


def _refused(plan: ExpandVolume, context: Context) -> list[Brick]:
    refused = set(context.journal.get("refused", ()))
    return [brick for brick in plan.bricks if brick.id in refused]


def publish(tx: Tx, plan: ExpandVolume, context: Context) -> Outcome:
    """Let the volume grow by what gluster took in."""
    refused = _refused(plan, context)
    bricks.release(tx, context, refused)
    taken = [brick for brick in plan.bricks if brick not in refused]
    tx.bricks.set_pending([brick.id for brick in taken], "")
    added_gib = plan.added_gib * len(taken) // len(plan.bricks)
    _grow(tx, plan.volume.id, added_gib)
    if refused:
        return Outcome(
            error=f"The volume grew by {added_gib} GiB instead of {plan.added_gib}: gluster took {len(taken)} of"
            f" {len(plan.bricks)} bricks: {context.journal['reason']}"
        )
    return Outcome(result=f"/volumes/{plan.volume.id}")


def _grow(tx: Tx, volume_id: str, added_gib: int) -> None:
    volume = tx.volumes.get(volume_id)
    tx.volumes.set_size(volume_id, volume.size_gib + added_gib)
    if volume.block:
        reserve, info = block_reserve(added_gib), volume.block_info
        grown = replace(
            info,
            free_gib=info.free_gib + reserve.free_gib,
            reserved_gib=info.reserved_gib + reserve.reserved_gib,
        )
        tx.volumes.set_block_info(volume_id, grown)


def release(tx: Tx, plan: ExpandVolume, context: Context) -> None:
    """Strike the new bricks from the books. The size was never changed."""
    bricks.release(tx, context, plan.bricks)


def _steps(plan: ExpandVolume, context: Context) -> Sequence[Step]:
    return Expansion(plan, context).steps()


KIND = Kind(name=NAME, plan=ExpandVolume, steps=_steps, publish=publish, release=release)

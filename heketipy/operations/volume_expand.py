"""Expand a volume: new bricks, then add-brick. From the first add-brick on clients write there, so there is no way back:
if only some sets of bricks got in, those are published, and the rest is destroyed."""

from collections.abc import Sequence
from dataclasses import replace

import structlog

from heketipy.db.database import Tx
from heketipy.domain.capacity import block_reserve
from heketipy.domain.errors import CommandFailed, NodeFailure
from heketipy.domain.model import Brick
from heketipy.domain.plans import ExpandVolume
from heketipy.operations import bricks, gluster_volume
from heketipy.operations.context import Context
from heketipy.operations.kind import Kind, Outcome
from heketipy.operations.saga import Step

NAME = "expand-volume"

log = structlog.get_logger(__name__)


def steps(plan: ExpandVolume, context: Context) -> Sequence[Step]:
    """The steps of an expansion. gluster runs on the node of the first new brick."""
    volume = plan.volume
    nodes = {node.id: node for node in plan.nodes}
    first = nodes[plan.bricks[0].node]
    start = plan.nodes.index(first)

    async def create_bricks() -> None:
        await bricks.create(context, plan.bricks, nodes, gid=volume.gid)

    async def destroy_bricks() -> None:
        await bricks.destroy(context, plan.bricks, nodes)

    async def members() -> list[str]:
        found = await gluster_volume.find(context, volume.name, plan.nodes, start=start)
        return gluster_volume.present(found, plan.bricks)

    async def add_bricks() -> None:
        inside = set(await members())
        missing = [brick for brick in plan.bricks if brick.id not in inside]
        if not missing:
            return
        try:
            layout = gluster_volume.layout(volume, missing, nodes)
            await context.nodes.add_bricks(first, layout, fence=context.fence)
        except CommandFailed as error:
            inside = set(await members())
            if not inside:
                raise
            await context.note(refused=[b.id for b in plan.bricks if b.id not in inside], reason=str(error))

    async def any_added() -> bool:
        return bool(await members())

    async def destroy_refused() -> None:
        refused = _refused(plan, context)
        if refused:
            await bricks.destroy(context, refused, nodes)

    async def rebalance() -> None:
        if not context.rebalance:
            return
        try:
            await context.nodes.rebalance(first, volume.name, fence=context.fence)
        except NodeFailure as error:
            log.warning("rebalance was not started; please run it by hand", volume=volume.name, reason=str(error))

    return [
        Step("bricks", create_bricks, undo=destroy_bricks),
        Step("add", add_bricks, pivot=any_added),
        Step("refused", destroy_refused),
        Step("rebalance", rebalance),
    ]


def _refused(plan: ExpandVolume, context: Context) -> list[Brick]:
    """Return the bricks that gluster did not take in."""
    refused = set(context.journal.get("refused", ()))
    return [brick for brick in plan.bricks if brick.id in refused]


def publish(tx: Tx, plan: ExpandVolume, context: Context) -> Outcome:
    """Let the volume grow by what gluster took in."""
    refused = _refused(plan, context)
    bricks.release(tx, context, refused)
    taken = [brick for brick in plan.bricks if brick not in refused]
    tx.bricks.set_pending([brick.id for brick in taken], "")
    added_gib = plan.added_gib * len(taken) // len(plan.bricks)
    volume = tx.volumes.get(plan.volume.id)
    tx.volumes.set_size(volume.id, volume.size_gib + added_gib)
    if volume.block:
        reserve = block_reserve(added_gib)
        info = volume.block_info
        tx.volumes.set_block_info(
            volume.id,
            replace(
                info,
                free_gib=info.free_gib + reserve.free_gib,
                reserved_gib=info.reserved_gib + reserve.reserved_gib,
            ),
        )
    if refused:
        return Outcome(
            error=f"The volume grew by {added_gib} GiB instead of {plan.added_gib}: gluster took {len(taken)} of"
            f" {len(plan.bricks)} bricks: {context.journal['reason']}"
        )
    return Outcome(result=f"/volumes/{plan.volume.id}")


def release(tx: Tx, plan: ExpandVolume, context: Context) -> None:
    """Strike the new bricks from the books. The size was never changed."""
    bricks.release(tx, context, plan.bricks)


KIND = Kind(name=NAME, plan=ExpandVolume, steps=steps, publish=publish, release=release)

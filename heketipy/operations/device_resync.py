"""Resync a device: the books take over what LVM says of its size and use, and what differs is told."""

from collections.abc import Sequence

import structlog

from heketipy.db.database import Tx
from heketipy.domain.drift import Booked, Surveyed, reconcile
from heketipy.domain.names import thin_pool
from heketipy.domain.plans import ResyncDevice
from heketipy.operations import pools
from heketipy.operations.context import Context, decode, encode
from heketipy.operations.kind import Kind, Outcome
from heketipy.operations.saga import Step

NAME = "resync-device"

log = structlog.get_logger(__name__)


def steps(plan: ResyncDevice, context: Context) -> Sequence[Step]:
    """The one step of a resync, which only looks."""
    device = plan.device

    async def read() -> None:
        before = await context.db.read(lambda tx: sorted(_charged(tx, plan)))
        survey = await context.nodes.survey_device(
            plan.node, device.id, paths=device.paths or (device.name,), pv_uuid=device.pv_uuid
        )
        surveyed = Surveyed(
            total_kib=survey.total_kib,
            used_kib=survey.used_kib,
            taken_kib=dict(survey.taken_kib),
            spare_kib=survey.spare_kib,
        )
        await context.note(before=before, surveyed=encode(surveyed))

    return [Step("read", read)]


def _charged(tx: Tx, plan: ResyncDevice) -> dict[str, int]:
    """Return what the books charge the device for: pools of bricks, and of those that its node still owes."""
    owed = {
        brick["thin_pool"] or thin_pool(brick["id"]): brick["tp_size_kib"] + brick["pool_metadata_kib"]
        for debt in tx.debts.of_node(plan.node.id)
        for brick in pools.owed_bricks(debt.work)
        if brick["device"] == plan.device.id
    }
    return owed | {brick.pool: brick.charged_kib for brick in tx.bricks.of_device(plan.device.id)}


def publish(tx: Tx, plan: ResyncDevice, context: Context) -> Outcome:
    """Take the sizes over. Extent size, paths and PV uuid stay as they are."""
    device = tx.devices.find(plan.device.id)
    if device is None:
        return Outcome()
    settled = {brick.pool for brick in tx.bricks.of_device(device.id) if not brick.pending}
    booked = Booked(
        charged_kib=_charged(tx, plan), settled=frozenset(settled), before=frozenset(context.journal["before"])
    )
    space = reconcile(booked, decode(Surveyed, context.journal["surveyed"]))
    tx.devices.set_sizes(device.id, total_kib=space.total_kib, free_kib=space.free_kib, used_kib=space.used_kib)
    tx.meta.set_drift(device.id, space.drift)
    if space.drift:
        log.warning(
            "a device is not as the books have it",
            device=device.id,
            node=device.node,
            differs=space.drift,
            total_kib=space.total_kib,
            used_kib=space.used_kib,
            used_before_kib=device.used_kib,
        )
    return Outcome()


def release(tx: Tx, plan: ResyncDevice, context: Context) -> None:
    """Nothing was changed."""


KIND = Kind(name=NAME, plan=ResyncDevice, steps=steps, publish=publish, release=release)

"""Resync a device: the books take over what LVM says of its size and use."""

from collections.abc import Sequence

from heketipy.db.database import Tx
from heketipy.domain.plans import ResyncDevice
from heketipy.operations.context import Context
from heketipy.operations.kind import Kind, Outcome
from heketipy.operations.saga import Step

NAME = "resync-device"


def steps(plan: ResyncDevice, context: Context) -> Sequence[Step]:
    """The one step of a resync, which only looks."""
    device = plan.device

    async def read() -> None:
        reading = await context.nodes.read_device(
            plan.node, device.id, paths=device.paths or (device.name,), pv_uuid=device.pv_uuid
        )
        await context.note(total_kib=reading.total_kib, free_kib=reading.free_kib, used_kib=reading.used_kib)

    return [Step("read", read)]


def publish(tx: Tx, plan: ResyncDevice, context: Context) -> Outcome:
    """Take the sizes over. Extent size, paths and PV uuid stay as they are."""
    read = context.journal
    tx.devices.set_sizes(
        plan.device.id, total_kib=read["total_kib"], free_kib=read["free_kib"], used_kib=read["used_kib"]
    )
    return Outcome()


def release(tx: Tx, plan: ResyncDevice, context: Context) -> None:
    """Nothing was changed."""


KIND = Kind(name=NAME, plan=ResyncDevice, steps=steps, publish=publish, release=release)

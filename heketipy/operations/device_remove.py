"""Remove a failed, empty device: its volume group goes, and its disk is free again."""

from collections.abc import Sequence
from contextlib import suppress

from heketipy.db.database import Tx
from heketipy.domain.errors import CommandFailed
from heketipy.domain.plans import RemoveDevice
from heketipy.operations import debts
from heketipy.operations.context import Context
from heketipy.operations.kind import Kind, Outcome
from heketipy.operations.saga import Step

NAME = "remove-device"


def steps(plan: RemoveDevice, context: Context) -> Sequence[Step]:
    """The steps of a device's removal. Taking it down has no undo, so only the node can tell whether it happened; that
    the node answers at all is made sure of before, or nothing is begun."""
    device = plan.device
    paths = device.paths or (device.name,)

    async def look() -> None:
        if not plan.forget:
            with suppress(CommandFailed):  # a refusal is an answer
                await context.nodes.has_device(plan.node, device.id, fence=context.fence)

    async def tear_down() -> None:
        act = context.nodes.forget_device if plan.forget else context.nodes.tear_down_device
        await act(plan.node, device.id, paths=paths, pv_uuid=device.pv_uuid, fence=context.fence)

    async def torn_down() -> bool:
        return plan.forget or not await context.nodes.has_device(plan.node, device.id, fence=context.fence)

    return [Step("look", look), Step("device", tear_down, pivot=torn_down)]


def publish(tx: Tx, plan: RemoveDevice, context: Context) -> Outcome:
    """Strike the device from the books. Of a device that is forgotten, its node owes nothing any more."""
    for debt in tx.debts.of_node(plan.node.id):
        debts.forgive(tx, debt, plan.device.id)
    tx.meta.set_drift(plan.device.id, "")
    tx.devices.remove(plan.device.id)
    return Outcome()


def release(tx: Tx, plan: RemoveDevice, context: Context) -> None:
    """The device never left the books."""


KIND = Kind(name=NAME, plan=RemoveDevice, steps=steps, publish=publish, release=release)

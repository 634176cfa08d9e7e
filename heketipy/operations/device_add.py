"""Add a device: its disk becomes an LVM volume group named after the device's id."""

from collections.abc import Sequence

from heketipy.db.database import Tx
from heketipy.domain.errors import CommandFailed
from heketipy.domain.model import Device
from heketipy.domain.plans import AddDevice
from heketipy.executors.nodes import DeviceNotAvailable, DeviceReading
from heketipy.operations.context import Context
from heketipy.operations.kind import Kind, Outcome
from heketipy.operations.saga import Step

NAME = "add-device"


def steps(plan: AddDevice, context: Context) -> Sequence[Step]:
    """The one step of a device add."""

    async def set_up() -> None:
        try:
            reading = await _taken(plan, context)
        except DeviceNotAvailable as error:
            if not error.connected:  # a node that could not be asked before is not asked again
                raise
            holdings = await context.nodes.holdings(plan.node, plan.name, refusal=str(error))
            raise error.more(holdings.lines()) from error
        context.remember(
            total_kib=reading.total_kib,
            free_kib=reading.free_kib,
            used_kib=reading.used_kib,
            extent_kib=reading.extent_kib,
            pv_uuid=reading.pv_uuid,
            paths=list(reading.paths),
        )

    async def tear_down() -> None:
        await context.nodes.tear_down_device(
            plan.node,
            plan.id,
            paths=tuple(context.journal.get("paths", (plan.name,))),
            pv_uuid=context.journal.get("pv_uuid", ""),
            fence=context.fence,
        )

    return [Step("device", set_up, undo=tear_down)]


async def _taken(plan: AddDevice, context: Context) -> DeviceReading:
    try:
        return await context.nodes.set_up_device(plan.node, plan.name, plan.id, fence=context.fence)
    except DeviceNotAvailable as error:
        if not plan.destroy_data:
            raise
        await _may_be_wiped(context, error)
        return await context.nodes.set_up_device(plan.node, plan.name, plan.id, destroy=True, fence=context.fence)


async def _may_be_wiped(context: Context, error: DeviceNotAvailable) -> None:
    """Allow wiping only where it is certain that no known device would be lost (commands §2.3.2)."""
    if not error.connected:
        raise error
    if error.pv_uuid is None:
        return
    known, devices = await context.db.read(_pv_uuids)
    if len(known) != devices:
        raise CommandFailed(f"Can not destroy device, destroy may not be safe: {error}", node=error.node) from error
    if error.pv_uuid in known:
        raise CommandFailed(f"Device already in use (ID: {known[error.pv_uuid]})", node=error.node) from error


def _pv_uuids(tx: Tx) -> tuple[dict[str, str], int]:
    devices = tx.devices.all()
    return {device.pv_uuid: device.id for device in devices if device.pv_uuid}, len(devices)


def publish(tx: Tx, plan: AddDevice, context: Context) -> Outcome:
    """Enter the device into the books, with the sizes that LVM told."""
    read = context.journal
    tx.devices.add(
        Device(
            id=plan.id,
            node=plan.node.id,
            name=plan.name,
            total_kib=read["total_kib"],
            free_kib=read["free_kib"],
            used_kib=read["used_kib"],
            extent_kib=read["extent_kib"],
            tags=plan.tags,
            paths=tuple(read["paths"]),
            pv_uuid=read["pv_uuid"],
        )
    )
    return Outcome()


def release(tx: Tx, plan: AddDevice, context: Context) -> None:
    """Nothing was entered yet."""


KIND = Kind(name=NAME, plan=AddDevice, steps=steps, publish=publish, release=release)

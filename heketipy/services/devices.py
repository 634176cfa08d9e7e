"""Devices: add, look at, remove, resync, change state."""

from collections.abc import Callable
from dataclasses import replace

from heketipy.db.database import Database, Tx
from heketipy.domain.details import DeviceDetails
from heketipy.domain.errors import Busy, Conflict, HeketipyError, InUse, InvalidRequest, NotFound
from heketipy.domain.model import Device, DeviceSpec
from heketipy.domain.operation import Operation
from heketipy.domain.plans import AddDevice, Evacuate, RemoveDevice, RemoveNode, ResyncDevice
from heketipy.domain.states import HealCheck, State
from heketipy.operations import device_add, device_remove, device_resync, evacuation, node_remove
from heketipy.operations.context import decode, encode
from heketipy.services.starter import Starter


class Devices:
    """Use cases about devices. What takes long returns the id of a job."""

    def __init__(self, db: Database, starter: Starter) -> None:
        self._db = db
        self._starter = starter

    async def info(self, device_id: str) -> DeviceDetails:
        """Return a device with its bricks. Raises NotFound."""
        return await self._db.read(_details, device_id)

    async def add(self, spec: DeviceSpec) -> str:
        """Start to add a device; return the job's id. Raises NotFound (the node), Conflict."""
        self._starter.admission.check_open()
        return await self._db.write(self._enter, spec)

    async def delete(self, device_id: str, *, forget: bool = False) -> str:
        """Start to remove a failed, empty device; return the job's id. Raises NotFound, InvalidRequest, Conflict."""
        self._starter.admission.check_open()
        return await self._db.write(self._claim, device_id, forget)

    async def resync(self, device_id: str) -> str:
        """Start to take over what LVM says of a device; return the job's id. Raises NotFound."""
        self._starter.admission.check_open()
        return await self._db.write(self._look, device_id)

    async def set_state(self, device_id: str, state: State, heal_check: HealCheck) -> str:
        """Change a device's state; return the id of a job. It has ended unless bricks are to be moved before; refusals
        are told there. Raises NotFound, Busy."""
        self._starter.admission.check_open()
        return await self._db.write(self._change_state, device_id, state, heal_check)

    def _enter(self, tx: Tx, spec: DeviceSpec) -> str:
        node = tx.nodes.find(spec.node)
        if node is None:
            raise NotFound("Node id does not exist")
        if _pending(tx, node_remove.NAME, lambda plan: decode(RemoveNode, plan).node.id == node.id):
            raise Conflict(f"Node [{node.id}] is being removed")
        device_id = self._starter.new_id()
        plan = AddDevice(
            id=device_id,
            node=node.address,
            name=spec.name,
            tags=dict(spec.tags),
            destroy_data=spec.destroy_data,
        )
        return self._starter.enter(tx, device_add.NAME, plan, operation=self._starter.new_id())

    def _claim(self, tx: Tx, device_id: str, forget: bool) -> str:
        device = tx.devices.get(device_id)
        if device.state is not State.FAILED:
            raise InvalidRequest(f"device: {device_id} is not in failed state")
        if tx.bricks.of_device(device_id):
            raise Conflict(f"Unable to delete device [{device_id}] because it contains bricks")
        if not forget and any(device_id in debt.charges for debt in tx.debts.of_node(device.node)):
            raise Conflict(
                f"Unable to delete device [{device_id}] because it contains bricks that are to be removed when its node"
                " answers again; to give them up, delete it with forceforget"
            )
        plan = RemoveDevice(device=device, node=tx.nodes.get(device.node).address, forget=forget)
        removal = _removal_of(tx, device_id)
        if removal is not None:
            return self._go_on(tx, removal, plan)
        return self._starter.enter(tx, device_remove.NAME, plan, operation=self._starter.new_id())

    def _go_on(self, tx: Tx, removal: Operation, plan: RemoveDevice) -> str:
        """Take up a removal that is stuck since its node refused, or went away; return a job's id. Who wants the device
        forgotten now need not wait for the node. Raises InUse while it is being worked on."""
        if self._starter.runner.works_on(removal.id):
            raise InUse
        if plan.forget:
            tx.operations.set_plan(removal.id, encode(plan), attempt=removal.attempt)
        return self._starter.follow(tx, removal.id)

    def _look(self, tx: Tx, device_id: str) -> str:
        device = tx.devices.get(device_id)
        being_filled = any(evacuation.being_added(tx, brick) for brick in tx.bricks.of_device(device_id))
        if being_filled or evacuation.under_way(tx, device_id) or _removal_of(tx, device_id):
            return self._starter.jobs.closed(tx, error=str(InUse()), code=InUse.code)
        plan = ResyncDevice(device=device, node=tx.nodes.get(device.node).address)
        return self._starter.enter(tx, device_resync.NAME, plan, operation=self._starter.new_id())

    def _change_state(self, tx: Tx, device_id: str, state: State, heal_check: HealCheck) -> str:
        device = tx.devices.get(device_id)
        try:
            if evacuation.under_way(tx, device_id):
                raise InUse
            if state is not device.state:
                _refuse_change(device, state)
                if state is State.FAILED and evacuation.holds_bricks(tx, device_id):
                    plan = evacuation.reserve(tx, Evacuate(devices=(device_id,), node="", heal_check=heal_check))
                    return self._starter.begin(tx, evacuation.OF_DEVICE, plan)
                tx.devices.set_state(device_id, state)
        except Busy:
            raise
        except HeketipyError as error:
            return self._starter.jobs.closed(tx, error=str(error), code=error.code)
        return self._starter.jobs.closed(tx)


def _details(tx: Tx, device_id: str) -> DeviceDetails:
    return replace(tx.details.device(device_id), drift=tx.meta.drift(device_id))


def _refuse_change(device: Device, state: State) -> None:
    """Raise Conflict for a change between states that is not allowed. failed → offline is, and revives a device."""
    if device.state is State.FAILED and state is State.ONLINE:
        raise Conflict("Cannot move a failed/removed device to online state")
    if device.state is State.ONLINE and state is State.FAILED:
        raise Conflict(f"Device must be offline before remove operation is performed, device:{device.id}")


def _removal_of(tx: Tx, device_id: str) -> Operation | None:
    return _pending(tx, device_remove.NAME, lambda plan: decode(RemoveDevice, plan).device.id == device_id)


def _pending(tx: Tx, kind: str, concerns: Callable[..., bool]) -> Operation | None:
    for operation in tx.operations.of_kind(kind):
        if concerns(operation.plan):
            return operation
    return None

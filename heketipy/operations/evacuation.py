"""Empty devices: each of their bricks is evicted, one after another, and then they are out of use (state failed); so is
their node, if it is about all devices of one.

Each eviction is an operation of its own, which this one begins and waits for. What has moved stays moved: the first
brick that cannot move ends the evacuation with its reason, and the next request goes on from there. So does the next
server after a crash.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from heketipy.db.database import Tx
from heketipy.domain.errors import CannotBegin, InUse
from heketipy.domain.model import Brick
from heketipy.domain.operation import Operation
from heketipy.domain.placement import NO_REPLACEMENT
from heketipy.domain.plans import Evacuate
from heketipy.domain.states import State
from heketipy.operations import brick_evict, volume_delete
from heketipy.operations.context import Context
from heketipy.operations.kind import Kind, Outcome
from heketipy.operations.saga import Step

OF_DEVICE = "evacuate-device"
OF_NODE = "evacuate-node"

Journal = dict[str, Any]
Change = Callable[[Tx, Journal], Journal]


def reserve(tx: Tx, plan: Evacuate) -> Evacuate:
    """Check that nobody else empties or fills these devices. Raises InUse."""
    if any(under_way(tx, device) for device in plan.devices):
        raise InUse
    for bricks in tx.bricks.of_devices(plan.devices).values():
        if any(being_added(tx, brick) for brick in bricks):
            raise InUse
    return plan


def under_way(tx: Tx, device: str) -> Operation | None:
    """Return the evacuation of a device that is pending, if there is one."""
    for operation in tx.operations.of_kind(OF_DEVICE, OF_NODE):
        if device in operation.plan["devices"]:
            return operation
    return None


def being_added(tx: Tx, brick: Brick) -> bool:
    """Tell whether an operation is about to make a brick, rather than to take it away or to look at it."""
    if not brick.pending:
        return False
    if brick.position < 0:
        return True
    operation = tx.operations.find(brick.pending)
    if operation is None:
        return True
    if "clone" in operation.plan:
        return bool(operation.plan["clone"]["id"] == brick.volume)
    return operation.kind not in {volume_delete.NAME, brick_evict.NAME}


def holds_bricks(tx: Tx, device: str) -> bool:
    """Tell whether something would have to be moved away. Bricks without a path are left-overs of old databases."""
    return any(brick.path for brick in tx.bricks.of_device(device))


@dataclass(frozen=True, slots=True)
class Evacuation:
    """The work: one step, which goes forward only."""

    plan: Evacuate
    context: Context

    def steps(self) -> Sequence[Step]:
        """The one step."""
        return [Step("bricks", self.move_all, pivot=self.begun)]

    async def begun(self) -> bool:
        """What has moved stays moved."""
        return True

    async def move_all(self) -> None:
        """Move one brick after the other, until none is left or one cannot move."""
        if "child" in self.context.journal:
            await self.context.children.settle(self.context.journal["child"]["operation"])
            await self._write(self._after_restart)
        while "error" not in self.context.journal:
            await self._write(self._next)
            if "child" not in self.context.journal:
                return
            await self.context.children.settle(self.context.journal["child"]["operation"])
            await self._write(self._after_child)

    async def _write(self, change: Change) -> None:
        """Let a transaction change the books together with the journal."""
        self.context.journal = await self.context.db.write(self._changed, change)

    def _changed(self, tx: Tx, change: Change) -> Journal:
        journal = change(tx, dict(self.context.journal))
        tx.operations.set_journal(self.context.operation.id, journal)
        return journal

    def _next(self, tx: Tx, journal: Journal) -> Journal:
        """Begin with the next brick; devices that are empty by now are out of use."""
        for device_id in self.plan.devices:
            device = tx.devices.find(device_id)
            if device is None:
                continue
            bricks = [brick for brick in tx.bricks.of_device(device_id) if brick.path]
            if bricks:
                return self._begin(tx, journal, bricks[0])
            if device.state is not State.FAILED:
                tx.devices.set_state(device_id, State.FAILED)
        return journal

    def _begin(self, tx: Tx, journal: Journal, brick: Brick) -> Journal:
        own, child = self.context.operation.id, self.context.reservations.ids()
        try:
            plan = brick_evict.reserve(tx, brick.id, operation=child, heal_check=self.plan.heal_check, parent=own)
        except CannotBegin as error:
            return {**journal, "error": f"failed to construct brick-evict for device remove ({own}): {error}"}
        job = self.context.children.enter(tx, brick_evict.NAME, plan, operation=child)
        return {**journal, "child": {"operation": child, "job": job, "device": brick.device}}

    def _after_child(self, tx: Tx, journal: Journal) -> Journal:
        child = journal.pop("child")
        job = tx.jobs.find(child["job"])
        if job is not None and job.ended is not None and not job.error:
            return journal
        return {**journal, "error": self._reason(job.error if job is not None else "", child["device"])}

    def _after_restart(self, tx: Tx, journal: Journal) -> Journal:
        """What a former server began is finished or taken back by now: if it was the latter, it is tried again."""
        child = tx.operations.find(journal["child"]["operation"])
        if child is not None:
            return self._after_child(tx, journal)
        del journal["child"]
        return journal

    def _reason(self, text: str, device: str) -> str:
        if not text.startswith(NO_REPLACEMENT):
            return text or f"A brick of device [{device}] could not be moved; the server's log says more."
        if not self.plan.node:
            return f"Unable to delete device [{device}] as no device was found to replace it: {text}"
        reasons = text.removeprefix(NO_REPLACEMENT)
        return f"Unable to remove node [{self.plan.node}] as no device was found to replace device [{device}]{reasons}"


def publish(tx: Tx, plan: Evacuate, context: Context) -> Outcome:
    """Tell what stopped it, if anything did; else the node is out of use as its devices are."""
    error = context.journal.get("error", "")
    if not error and plan.node and tx.nodes.find(plan.node) is not None:
        tx.nodes.set_state(plan.node, State.FAILED)
    return Outcome(error=error)


def release(tx: Tx, plan: Evacuate, context: Context) -> None:
    """Nothing has begun: the devices stay as they are."""


def _steps(plan: Evacuate, context: Context) -> Sequence[Step]:
    return Evacuation(plan, context).steps()


DEVICE_KIND = Kind(name=OF_DEVICE, plan=Evacuate, steps=_steps, publish=publish, release=release)
NODE_KIND = Kind(name=OF_NODE, plan=Evacuate, steps=_steps, publish=publish, release=release)

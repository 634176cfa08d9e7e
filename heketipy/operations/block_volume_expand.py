"""Expand a block volume. Initiators may see its new size as soon as gluster-block begins, so there is no way back:
whether it has grown, and on which of its hosts, only gluster-block can tell."""

from collections.abc import Sequence
from dataclasses import dataclass

from heketipy.db.database import Tx
from heketipy.domain import blockhosting
from heketipy.domain.errors import CommandFailed, InUse
from heketipy.domain.model import NodeAddress
from heketipy.domain.plans import ExpandBlockVolume
from heketipy.operations.context import Context
from heketipy.operations.gluster_block import Subject
from heketipy.operations.kind import Kind, Outcome
from heketipy.operations.reservation import addresses
from heketipy.operations.saga import Step

NAME = "expand-block-volume"


def reserve(tx: Tx, block_volume_id: str, new_gib: int) -> ExpandBlockVolume:
    """Book on the hosting volume what a block volume is to grow by. It stays visible, with its old size.

    Raises NotFound, InUse if it or its hosting volume is being worked on, CannotAllocate.
    """
    found = tx.block_volumes.get(block_volume_id)
    hosting = tx.volumes.get(found.hosting_volume)
    if found.pending or hosting.pending or under_way(tx, block_volume_id):
        raise InUse
    more_gib = blockhosting.check_expansion(found, hosting, new_gib)
    tx.volumes.set_block_info(hosting.id, blockhosting.booked(hosting, more_gib))
    return ExpandBlockVolume(
        id=found.id,
        name=found.name,
        iqn=found.target.iqn,
        hosting_volume=hosting.id,
        hosting_name=hosting.name,
        nodes=addresses(tx, found.cluster),
        new_gib=new_gib,
        booked_gib=more_gib,
    )


def under_way(tx: Tx, block_volume_id: str) -> bool:
    """Tell whether a block volume is being expanded."""
    return any(operation.plan["id"] == block_volume_id for operation in tx.operations.of_kind(NAME))


def booked_gib(tx: Tx) -> dict[str, int]:
    """Return what is booked for expansions, by the id of the hosting volume."""
    booked: dict[str, int] = {}
    for operation in tx.operations.of_kind(NAME):
        hosting = operation.plan["hosting_volume"]
        booked[hosting] = booked.get(hosting, 0) + operation.plan["booked_gib"]
    return booked


@dataclass(frozen=True, slots=True)
class BlockExpansion:
    """The work on the nodes."""

    plan: ExpandBlockVolume
    context: Context

    def steps(self) -> Sequence[Step]:
        """The steps, in order."""
        return [Step("look", self.look), Step("modify", self.modify, pivot=self.resized)]

    @property
    def subject(self) -> Subject:
        """The block volume on the nodes."""
        return Subject(self.plan, self.context)

    async def look(self) -> None:
        """Find out whether it is there, and ours."""
        reading = await self.subject.look()
        if reading is None or not self.subject.is_ours(reading):
            where = f"{self.plan.hosting_name}/{self.plan.name}"
            text = "doesn't exist" if reading is None else "is not the one that was made here"
            raise CommandFailed(f"Failed to expand block volume: block {where} {text}", node=self._via)

    async def modify(self) -> None:
        """Resize it, unless it has its new size everywhere. If some hosts refuse, write down what is usable."""
        reading = await self.subject.read()
        if reading is not None and reading.size_gib == self.plan.new_gib and not reading.usable_gib:
            await self.context.note(usable_gib=self.plan.new_gib, reason="")
            return
        try:
            await self.subject.on_via(self._modify)
        except CommandFailed as error:
            reading = await self.subject.read()
            if reading is None or reading.size_gib != self.plan.new_gib:
                raise
            usable = reading.usable_gib
            await self.context.note(usable_gib=usable or self.plan.new_gib, reason=str(error) if usable else "")
        else:
            await self.context.note(usable_gib=self.plan.new_gib, reason="")

    async def _modify(self, node: NodeAddress) -> None:
        plan = self.plan
        await self.context.nodes.expand_block_volume(
            node, plan.hosting_name, plan.name, size_gib=plan.new_gib, fence=self.context.fence
        )

    async def resized(self) -> bool:
        """Ask whether it has its new size, be it on some of its hosts."""
        reading = await self.subject.read()
        return reading is not None and reading.size_gib == self.plan.new_gib

    @property
    def _via(self) -> str:
        return str(self.context.journal["via"])


def publish(tx: Tx, plan: ExpandBlockVolume, context: Context) -> Outcome:
    """Let it have its new size, and say so if some of its hosts do not provide it."""
    tx.block_volumes.set_size(plan.id, plan.new_gib, usable_gib=context.journal["usable_gib"])
    if reason := context.journal["reason"]:
        return Outcome(error=reason)
    return Outcome(result=f"/blockvolumes/{plan.id}")


def release(tx: Tx, plan: ExpandBlockVolume, context: Context) -> None:
    """Give back what was booked. The size was never changed."""
    hosting = tx.volumes.get(plan.hosting_volume)
    tx.volumes.set_block_info(hosting.id, blockhosting.given_back(hosting, plan.booked_gib))


def _steps(plan: ExpandBlockVolume, context: Context) -> Sequence[Step]:
    return BlockExpansion(plan, context).steps()


KIND = Kind(name=NAME, plan=ExpandBlockVolume, steps=_steps, publish=publish, release=release)

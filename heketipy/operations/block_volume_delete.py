"""Delete a block volume: look whether it is ours, and let gluster-block delete it; there is no way back from that."""

from collections.abc import Sequence
from dataclasses import dataclass

from heketipy.db.database import Tx
from heketipy.domain import blockhosting
from heketipy.domain.errors import InUse
from heketipy.domain.model import NodeAddress
from heketipy.domain.plans import DeleteBlockVolume
from heketipy.operations import block_volume_expand
from heketipy.operations.context import Context
from heketipy.operations.gluster_block import Subject
from heketipy.operations.kind import Kind, Outcome
from heketipy.operations.reservation import addresses
from heketipy.operations.saga import Step

NAME = "delete-block-volume"


def reserve(tx: Tx, block_volume_id: str, *, operation: str) -> DeleteBlockVolume:
    """Hide a block volume. Raises NotFound, and InUse if it is being worked on."""
    found = tx.block_volumes.get(block_volume_id)
    if found.pending or block_volume_expand.under_way(tx, block_volume_id):
        raise InUse
    tx.block_volumes.set_pending(block_volume_id, operation)
    return DeleteBlockVolume(
        id=found.id,
        name=found.name,
        iqn=found.target.iqn,
        hosting_volume=found.hosting_volume,
        hosting_name=tx.volumes.get(found.hosting_volume).name,
        nodes=addresses(tx, found.cluster),
    )


@dataclass(frozen=True, slots=True)
class BlockDeletion:
    """The work on the nodes."""

    plan: DeleteBlockVolume
    context: Context

    def steps(self) -> Sequence[Step]:
        """The steps, in order."""
        return [Step("look", self.look), Step("delete", self.delete, pivot=self.deleted)]

    @property
    def subject(self) -> Subject:
        """The block volume on the nodes."""
        return Subject(self.plan, self.context)

    async def look(self) -> None:
        """Find out whether it is there, and ours: what others made under its name stays."""
        reading = await self.subject.look()
        await self.context.note(ours=reading is not None and self.subject.is_ours(reading))

    async def delete(self) -> None:
        """Delete it."""
        if self.context.journal["ours"]:
            await self.subject.on_via(self._delete)

    async def _delete(self, node: NodeAddress) -> None:
        plan = self.plan
        await self.context.nodes.delete_block_volume(node, plan.hosting_name, plan.name, fence=self.context.fence)

    async def deleted(self) -> bool:
        """Ask whether it is gone."""
        reading = await self.subject.read()
        return reading is None or not self.subject.is_ours(reading)


def publish(tx: Tx, plan: DeleteBlockVolume, context: Context) -> Outcome:
    """Strike it from the books; its hosting volume gets back what it took."""
    hosting = tx.volumes.get(plan.hosting_volume)
    tx.volumes.set_block_info(hosting.id, blockhosting.given_back(hosting, tx.block_volumes.get(plan.id).size_gib))
    tx.block_volumes.remove(plan.id)
    return Outcome()


def release(tx: Tx, plan: DeleteBlockVolume, context: Context) -> None:
    """Show it again."""
    tx.block_volumes.set_pending(plan.id, "")


def _steps(plan: DeleteBlockVolume, context: Context) -> Sequence[Step]:
    return BlockDeletion(plan, context).steps()


KIND = Kind(name=NAME, plan=DeleteBlockVolume, steps=_steps, publish=publish, release=release, finishes=True)

"""Block volumes: create, list, look at, expand, delete; and the books of the volumes that host them."""

import structlog

from heketipy.db.database import Database, Tx
from heketipy.domain.blockhosting import repaired
from heketipy.domain.errors import CannotAllocate, NoSpace, NotFound
from heketipy.domain.model import BlockVolume, BlockVolumeSpec
from heketipy.operations import block_volume_create, block_volume_delete, block_volume_expand
from heketipy.operations.reservation import Reservations, known_clusters
from heketipy.services.admission import admitted
from heketipy.services.explanations import Explanations
from heketipy.services.starter import Starter

log = structlog.get_logger(__name__)


class BlockVolumes:
    """Use cases about block volumes. What takes long returns the id of a job."""

    def __init__(self, db: Database, reservations: Reservations, starter: Starter, explanations: Explanations) -> None:
        self._db = db
        self._reservations = reservations
        self._starter = starter
        self._explanations = explanations

    async def ids(self) -> list[str]:
        """Return the ids of all visible block volumes, ascending."""
        return await self._db.read(lambda tx: tx.block_volumes.ids())

    async def info(self, block_volume_id: str) -> BlockVolume:
        """Return a visible block volume. Raises NotFound."""
        return await self._db.read(_visible, block_volume_id)

    async def create(self, spec: BlockVolumeSpec) -> str:
        """Take room on a hosting volume, or reserve one, and start to make a block volume; return the job's id.

        Raises InvalidRequest, Busy, and CannotAllocate with heketi's prefix.
        """
        try:
            return await self._db.write(self._reserve, spec)
        except CannotAllocate as error:
            if not isinstance(error.__cause__, NoSpace):
                raise
            policy = self._reservations.policy
            asked = block_volume_create.hosting_spec(policy.hosting_volume_gib, spec.clusters)
            explanation = await self._explanations.of_create(asked)
            raise CannotAllocate(f"{error}\n{explanation}".rstrip()) from error

    async def expand(self, block_volume_id: str, new_gib: int) -> str:
        """Book room on the hosting volume and start to let a block volume grow; return the job's id.

        Raises NotFound, Busy, and CannotAllocate or CannotBegin with heketi's prefix.
        """
        return await self._db.write(self._book, block_volume_id, new_gib)

    async def delete(self, block_volume_id: str) -> str:
        """Start to delete a block volume; return the job's id. One that is being deleted has its job already.

        Raises NotFound, and CannotBegin with heketi's prefix.
        """
        return await self._db.write(self._claim, block_volume_id)

    def _reserve(self, tx: Tx, spec: BlockVolumeSpec) -> str:
        known_clusters(tx, spec.clusters)
        operation, block_volume = self._starter.new_id(), self._starter.new_id()
        with admitted(tx, self._starter.admission, "Failed to allocate new block volume"):
            plan = block_volume_create.reserve(
                tx, spec, self._reservations, block_volume=block_volume, operation=operation
            )
            return self._starter.enter(tx, block_volume_create.NAME, plan, operation=operation, admitted=True)

    def _book(self, tx: Tx, block_volume_id: str, new_gib: int) -> str:
        found = tx.block_volumes.get(block_volume_id)
        operation = self._starter.new_id()
        with admitted(tx, self._starter.admission, "Failed to allocate block volume expansion"):
            try:
                plan = block_volume_expand.reserve(tx, block_volume_id, new_gib)
            except NoSpace as error:
                raise CannotAllocate(f"{error}\n{_room(tx, found, new_gib)}") from error
            return self._starter.enter(tx, block_volume_expand.NAME, plan, operation=operation, admitted=True)

    def _claim(self, tx: Tx, block_volume_id: str) -> str:
        found = tx.block_volumes.get(block_volume_id)
        at_work = tx.operations.find(found.pending) if found.pending else None
        if at_work is not None and at_work.kind == block_volume_delete.NAME:
            return self._starter.follow(tx, at_work.id)
        operation = self._starter.new_id()
        with admitted(tx, self._starter.admission, "Failed to set up block volume delete", always=True):
            plan = block_volume_delete.reserve(tx, block_volume_id, operation=operation)
            return self._starter.enter(tx, block_volume_delete.NAME, plan, operation=operation, admitted=True)


def _visible(tx: Tx, block_volume_id: str) -> BlockVolume:
    found = tx.block_volumes.get(block_volume_id)
    if found.pending:
        raise NotFound
    return found


def _room(tx: Tx, found: BlockVolume, new_gib: int) -> str:
    hosting = tx.volumes.get(found.hosting_volume)
    return (
        f"Hosting volume {hosting.name} has {hosting.block_info.free_gib} GiB free,"
        f" {new_gib - found.size_gib} GiB are needed"
    )


def repair_hosting_volumes(tx: Tx) -> None:
    """At a start: make the books of hosting volumes come out even, as books of other servers sometimes do not.

    A volume whose books had to be changed takes no block volumes until somebody has unlocked it.
    """
    taken, booked = tx.block_volumes.taken_gib(), block_volume_expand.booked_gib(tx)
    for volume in tx.volumes.hosting():
        taken_gib = taken.get(volume.id, 0) + booked.get(volume.id, 0)
        info = repaired(volume, taken_gib)
        if info != volume.block_info:
            tx.volumes.set_block_info(volume.id, info)
            log.warning(
                "the books of a hosting volume were put right",
                volume=volume.id,
                taken_gib=taken_gib,
                free_gib=info.free_gib,
                reserved_gib=info.reserved_gib,
                restriction=info.restriction,
                free_before_gib=volume.block_info.free_gib,
            )

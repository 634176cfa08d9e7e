"""Volumes: create, list, look at, expand, delete."""

from heketipy.db.database import Database, Tx
from heketipy.domain.blockhosting import restricted
from heketipy.domain.details import VolumeDetails
from heketipy.domain.dry_run import NoOutlook, VolumeOutlook
from heketipy.domain.errors import (
    CannotAllocate,
    Conflict,
    NotFound,
)
from heketipy.domain.model import VolumeSpec
from heketipy.domain.placement import NoRoom, NotEligible
from heketipy.operations import volume_clone, volume_create, volume_delete, volume_expand
from heketipy.operations.reservation import Reservations
from heketipy.services.admission import admitted
from heketipy.services.dry_runs import volume_outlook
from heketipy.services.endpoints import EndpointCheck
from heketipy.services.explanations import Explanations
from heketipy.services.starter import Starter

NOT_ALLOCATED = "Failed to allocate new volume"

DATABASE_VOLUME = "heketidbstorage"
"""The volume that holds heketi's own database, by convention. It is never deleted."""


class Volumes:
    """Use cases about volumes. What takes long returns the id of a job."""

    def __init__(
        self,
        db: Database,
        reservations: Reservations,
        starter: Starter,
        explanations: Explanations,
        endpoints: EndpointCheck,
    ) -> None:
        self._db = db
        self._reservations = reservations
        self._starter = starter
        self._explanations = explanations
        self._endpoints = endpoints

    async def ids(self) -> list[str]:
        """Return the ids of all visible volumes, ascending."""
        return await self._db.read(lambda tx: tx.volumes.ids())

    async def info(self, volume_id: str) -> VolumeDetails:
        """Return a visible volume with its bricks and hosts. Raises NotFound."""
        return await self._db.glance(lambda tx: tx.details.volume(volume_id))

    async def create(self, spec: VolumeSpec) -> str:
        """Reserve a volume and start to make it; return the job's id.

        Raises InvalidRequest, Busy, and CannotAllocate with heketi's prefix.
        """
        try:
            return await self._db.write(self._reserve, spec)
        except CannotAllocate as error:
            if isinstance(error.__cause__, NotEligible):  # which has nothing to do with room
                raise
            raise _explained(error, await self._explanations.of_create(spec)) from error

    async def dry_run(self, spec: VolumeSpec) -> VolumeOutlook:
        """Tell what a create would lead to, without touching anything.

        Raises InvalidRequest, and CannotAllocate with heketi's prefix: where there is no room, its last line says for
        what there is.
        """
        try:
            outlook = await self._db.read(volume_outlook, spec, self._reservations, self._endpoints)
        except CannotAllocate as error:
            raise CannotAllocate(f"{NOT_ALLOCATED}: {error}") from error
        if isinstance(outlook, VolumeOutlook):
            return outlook
        refusal = _explained(
            CannotAllocate(f"{NOT_ALLOCATED}: {outlook.refusal}"), await self._explanations.of_create(spec)
        )
        raise CannotAllocate(f"{refusal}\n{_hint(outlook)}") from outlook.refusal

    async def expand(self, volume_id: str, gib: int) -> str:
        """Reserve more bricks for a volume and start to add them; return the job's id.

        Raises NotFound, Busy, and CannotAllocate with heketi's prefix.
        """
        try:
            return await self._db.write(self._reserve_more, volume_id, gib)
        except CannotAllocate as error:
            raise _explained(error, await self._explanations.of_expansion(volume_id, gib)) from error

    async def clone(self, volume_id: str, name: str) -> str:
        """Start to copy a volume; return the job's id. Without a name, one is made of the copy's id.

        Raises NotFound, Busy, CannotBegin.
        """
        return await self._db.write(self._copy, volume_id, name)

    async def delete(self, volume_id: str) -> str:
        """Start to delete a volume; return the job's id. One that is being deleted has its job already.

        Raises NotFound, Conflict.
        """
        return await self._db.write(self._claim, volume_id)

    async def restrict(self, volume_id: str, restriction: str) -> str:
        """Say whether a hosting volume takes more block volumes; return the id of a job that has ended.

        Raises NotFound, Busy, and CannotBegin with heketi's prefix.
        """
        return await self._db.write(self._restrict, volume_id, restriction)

    def _restrict(self, tx: Tx, volume_id: str, restriction: str) -> str:
        volume = tx.volumes.get(volume_id)
        if volume.pending:
            raise NotFound
        with admitted(tx, self._starter.admission, "Failed to set block restriction"):
            tx.volumes.set_block_info(volume_id, restricted(volume, restriction))
        tx.after_commit(self._starter.admission.leave)
        return self._starter.jobs.closed(tx, result=f"/volumes/{volume_id}")

    def _reserve(self, tx: Tx, spec: VolumeSpec) -> str:
        self._reservations.clusters_for(tx, spec)
        operation, volume = self._starter.new_id(), self._starter.new_id()
        with admitted(tx, self._starter.admission, NOT_ALLOCATED):
            plan = self._reservations.create(tx, spec, volume=volume, operation=operation)
            self._endpoints.check_cluster(self._reservations.nodes(tx, plan.volume.cluster))
            return self._starter.enter(tx, volume_create.NAME, plan, operation=operation, admitted=True)

    def _reserve_more(self, tx: Tx, volume_id: str, gib: int) -> str:
        if tx.volumes.get(volume_id).pending:
            raise NotFound
        operation = self._starter.new_id()
        with admitted(tx, self._starter.admission, "Failed to allocate volume expansion"):
            try:
                plan = self._reservations.expand(tx, volume_id, gib, operation=operation)
            except NoRoom as error:
                raise CannotAllocate(error.reason) from error
            return self._starter.enter(tx, volume_expand.NAME, plan, operation=operation, admitted=True)

    def _copy(self, tx: Tx, volume_id: str, name: str) -> str:
        if tx.volumes.get(volume_id).pending:
            raise NotFound
        operation = self._starter.new_id()
        with admitted(tx, self._starter.admission, f"Failed clone volume {volume_id}"):
            plan = volume_clone.reserve(tx, volume_id, name, operation=operation, ids=self._starter.new_id)
            return self._starter.enter(tx, volume_clone.NAME, plan, operation=operation, admitted=True)

    def _claim(self, tx: Tx, volume_id: str) -> str:
        volume = tx.volumes.get(volume_id)
        if volume.name == DATABASE_VOLUME:
            raise Conflict("Cannot delete volume containing the Heketi database")
        if tx.block_volumes.ids_on(volume_id, visible=False):
            raise Conflict("Cannot delete a block hosting volume containing block volumes")
        under_way = self._delete_under_way(tx, volume.pending)
        if under_way:
            return under_way
        operation = self._starter.new_id()
        with admitted(tx, self._starter.admission, "Failed to set up volume delete", always=True):
            plan = volume_delete.reserve(tx, volume_id, operation=operation)
            return self._starter.enter(tx, volume_delete.NAME, plan, operation=operation, admitted=True)

    def _delete_under_way(self, tx: Tx, operation_id: str) -> str:
        """Return the job of the delete that works on a volume; one that is stuck is taken up again for a new job."""
        operation = tx.operations.find(operation_id) if operation_id else None
        if operation is None or operation.kind != volume_delete.NAME:
            return ""
        return self._starter.follow(tx, operation.id)


def _explained(error: CannotAllocate, explanation: str) -> CannotAllocate:
    return CannotAllocate(f"{error}\n{explanation}") if explanation else error


def _hint(outlook: NoOutlook) -> str:
    return f"The largest that fits is {outlook.largest_gib} GiB" if outlook.largest_gib else "No other size fits either"

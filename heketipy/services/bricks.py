"""Bricks: evict."""

from heketipy.db.database import Database, Tx
from heketipy.domain.states import HealCheck
from heketipy.operations import brick_evict
from heketipy.services.admission import admitted
from heketipy.services.starter import Starter


class Bricks:
    """Use cases about bricks. What takes long returns the id of a job."""

    def __init__(self, db: Database, starter: Starter) -> None:
        self._db = db
        self._starter = starter

    async def evict(self, brick_id: str, heal_check: HealCheck) -> str:
        """Start to move a brick to another device; return the job's id. Raises NotFound, Busy, CannotBegin."""
        return await self._db.write(self._claim, brick_id, heal_check)

    def _claim(self, tx: Tx, brick_id: str, heal_check: HealCheck) -> str:
        tx.bricks.get(brick_id)
        operation = self._starter.new_id()
        with admitted(tx, self._starter.admission, "Failed to set up brick eviction"):
            plan = brick_evict.reserve(tx, brick_id, operation=operation, heal_check=heal_check)
            return self._starter.enter(tx, brick_evict.NAME, plan, operation=operation, admitted=True)

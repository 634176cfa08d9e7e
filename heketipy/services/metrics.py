"""Numbers for monitoring, computed when somebody asks."""

from dataclasses import dataclass

import structlog

from heketipy.db.database import Database
from heketipy.domain.errors import StorageFailure, explain
from heketipy.domain.gauges import SiteGauges
from heketipy.domain.pending import PendingCounts
from heketipy.services.operations import Operations

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Counted:
    """What there is: None where the books cannot be read."""

    site: SiteGauges | None
    operations: PendingCounts | None


class Metrics:
    """Use case about numbers."""

    def __init__(self, db: Database, operations: Operations) -> None:
        self._db = db
        self._operations = operations

    async def gauges(self) -> Counted:
        """Count everything. Never fails: monitoring is to hear of trouble with the books, not to be refused."""
        try:
            site = await self._db.read(lambda tx: tx.gauges.site())
            return Counted(site, await self._operations.counts())
        except StorageFailure as error:
            log.error("the books could not be counted", reason=explain(error))
            return Counted(None, None)

"""Bodies of the routes of pending operations."""

from collections.abc import Sequence

from pydantic import BaseModel, ConfigDict, Field

from heketipy.domain.ids import is_id
from heketipy.domain.pending import PendingCounts, PendingRecord, description
from heketipy.wire import checks
from heketipy.wire.encode import Json

MAX_IDS = 32

_STATUS = "Empty while new, `stale`, or `failed`."
_SUB_STATUS = "`in-flight` while the server works on it, else empty."


class PendingOperationsCleanRequest(BaseModel):
    """What is to be cleaned up."""

    operations: list[str] = Field(default_factory=list, max_length=MAX_IDS, description="Ids, at most 32; none: all.")

    def check(self) -> None:
        """Raise InvalidRequest where the form is wrong."""
        checks.refuse({"operations": _ids_failure(self.operations)})


class OperationsInfo(BaseModel):
    """How many operations are pending."""

    model_config = ConfigDict(extra="forbid")

    total: int
    in_flight: int = Field(description="Being worked on; they are among the others.")
    stale: int
    failed: int
    new: int


class PendingOperation(BaseModel):
    """A pending operation in the list."""

    model_config = ConfigDict(extra="forbid")

    id: str
    type_name: str
    status: str = Field(description=_STATUS)
    sub_status: str = Field(description=_SUB_STATUS)


class PendingOperationListResponse(BaseModel):
    """All pending operations that heketi would record."""

    model_config = ConfigDict(extra="forbid")

    pendingoperations: list[PendingOperation] = Field(description="Ascending by id.")


class PendingChange(BaseModel):
    """What an operation does to one object."""

    model_config = ConfigDict(extra="forbid")

    id: str = Field(description="The object's.")
    description: str


class PendingOperationDetails(PendingOperation):
    """A pending operation and what it changes."""

    sub_status: str = Field(description="Always empty here.")
    changes: list[PendingChange]


def counts_info(counts: PendingCounts) -> Json:
    """Return the members of an OperationsInfo."""
    return {
        "total": counts.total,
        "in_flight": counts.in_flight,
        "stale": counts.stale,
        "failed": counts.failed,
        "new": counts.new,
    }


def pending_list(records: Sequence[PendingRecord]) -> Json:
    """Return the members of a PendingOperationListResponse."""
    return {"pendingoperations": [_summary(record, "in-flight" if record.at_work else "") for record in records]}


def pending_details(record: PendingRecord) -> Json:
    """Return the members of a PendingOperationDetails."""
    changes = [{"id": action.id, "description": description(action.change)} for action in record.actions]
    return {**_summary(record, ""), "changes": changes}


def _summary(record: PendingRecord, sub_status: str) -> dict[str, object]:
    return {"id": record.id, "type_name": record.type_name, "status": record.status, "sub_status": sub_status}


def _ids_failure(ids: Sequence[str]) -> str:
    if len(ids) > MAX_IDS:
        return f"too many ids specified ({len(ids)}), up to {MAX_IDS} supported"
    return next((f"{id} is not a valid UUID" for id in ids if id and not is_id(id)), "")

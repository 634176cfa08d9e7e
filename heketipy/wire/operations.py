"""Bodies of the routes of pending operations."""

from collections.abc import Sequence
from datetime import UTC, datetime

from pydantic import BaseModel, ConfigDict, Field

from heketipy.domain.ids import is_id
from heketipy.domain.pending import (
    OpenDebt,
    PendingCounts,
    PendingRecord,
    UnrecordedOperation,
    Unsettled,
    description,
)
from heketipy.wire import checks
from heketipy.wire.encode import Json

MAX_IDS = 32

_STATUS = "Empty while new, `stale`, or `failed`."
_SUB_STATUS = "`in-flight` while the server works on it, else empty."
_REASON = (
    "Why it is stuck, in the words of the node; left out where there is nothing to say. heketi has no such member."
)
_NEXT_TRY = "From when on it is tried again (RFC 3339); left out where nobody waits. heketi has no such member."


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
    debts: int = Field(
        default=0,
        description="What absent nodes owe, listed by `/operations/pending`; left out where nothing is owed. heketi has"
        " no such member.",
    )


class PendingOperation(BaseModel):
    """A pending operation in the list."""

    model_config = ConfigDict(extra="forbid")

    id: str
    type_name: str
    status: str = Field(description=_STATUS)
    sub_status: str = Field(description=_SUB_STATUS)
    reason: str = Field(default="", description=_REASON)
    next_try: str = Field(default="", description=_NEXT_TRY)


class OpenDebtInfo(BaseModel):
    """A node's share of a clean-up, which it still owes since it did not answer then."""

    model_config = ConfigDict(extra="forbid")

    id: str
    node: str = Field(description="Its id.")
    host: str = Field(description="Its manage name; empty if it is no node any more.")
    operation: str = Field(description="The id of the operation that it did not take part in.")
    bricks: list[str] = Field(default_factory=list, description="Ids of the bricks that it has to give up.")
    charged: int = Field(default=0, description="KiB that stay taken on its devices until then.")
    detach: str = Field(default="", description="The host that it has to throw out of the trusted pool.")
    created: str = Field(description="Since when it owes (RFC 3339).")
    attempts: int = Field(description="How often it was tried since.")
    reason: str = Field(description="What went wrong the last time.")
    next_try: str = Field(
        default="",
        description="From when on it is tried again (RFC 3339); left out while the node is known not to answer: then it"
        " is tried when it does.",
    )


class PendingOperationListResponse(BaseModel):
    """All pending operations that heketi would record."""

    model_config = ConfigDict(extra="forbid")

    pendingoperations: list[PendingOperation] = Field(description="Ascending by id.")
    unrecorded: list[PendingOperation] = Field(
        default_factory=list,
        description="Pending operations of kinds that heketi has no record of, ascending by id; left out where there"
        " are none. heketi has no such member.",
    )
    debts: list[OpenDebtInfo] = Field(
        default_factory=list,
        description="What absent nodes owe, oldest first; left out where nothing is owed. heketi has no such member.",
    )


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
        **({"debts": counts.debts} if counts.debts else {}),
    }


def pending_list(unsettled: Unsettled) -> Json:
    """Return the members of a PendingOperationListResponse. heketi's clients pass over members that they do not know;
    what heketi has not is left out where it is empty."""
    result: dict[str, object] = {
        "pendingoperations": [_summary(record, record.at_work) for record in unsettled.records]
    }
    if unsettled.unrecorded:
        result["unrecorded"] = [_unrecorded(operation) for operation in unsettled.unrecorded]
    if unsettled.debts:
        result["debts"] = [_debt(debt) for debt in unsettled.debts]
    return result


def pending_details(record: PendingRecord) -> Json:
    """Return the members of a PendingOperationDetails."""
    changes = [{"id": action.id, "description": description(action.change)} for action in record.actions]
    return {**_summary(record, at_work=False), "changes": changes}


def _summary(record: PendingRecord, at_work: bool) -> dict[str, object]:
    return {
        "id": record.id,
        "type_name": record.type_name,
        "status": record.status,
        "sub_status": "in-flight" if at_work else "",
        **_why_and_when(record.reason, record.next_try),
    }


def _unrecorded(operation: UnrecordedOperation) -> dict[str, object]:
    return {
        "id": operation.id,
        "type_name": operation.kind,
        "status": operation.status,
        "sub_status": "in-flight" if operation.at_work else "",
        **_why_and_when(operation.reason, operation.next_try),
    }


def _why_and_when(reason: str, next_try: float | None) -> dict[str, object]:
    why: dict[str, object] = {"reason": reason} if reason else {}
    return why if next_try is None else {**why, "next_try": _time(next_try)}


def _debt(debt: OpenDebt) -> dict[str, object]:
    result: dict[str, object] = {"id": debt.id, "node": debt.node, "host": debt.host, "operation": debt.operation}
    if debt.bricks:
        result |= {"bricks": list(debt.bricks), "charged": debt.charged_kib}
    if debt.detach:
        result["detach"] = debt.detach
    result |= {"created": _time(debt.created), "attempts": debt.attempts, "reason": debt.reason}
    return result if debt.next_try is None else {**result, "next_try": _time(debt.next_try)}


def _time(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _ids_failure(ids: Sequence[str]) -> str:
    if len(ids) > MAX_IDS:
        return f"too many ids specified ({len(ids)}), up to {MAX_IDS} supported"
    return next((f"{id} is not a valid UUID" for id in ids if id and not is_id(id)), "")

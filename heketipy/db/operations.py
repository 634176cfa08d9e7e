"""Operations in the books: the plan, and how far it came."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import BindParameter, Connection, bindparam, delete, insert, select, update

from heketipy.db import tables
from heketipy.db.rows import touched
from heketipy.domain.errors import NotFound
from heketipy.domain.operation import Json, Operation, Status

_c = tables.operations.c
_id: BindParameter[Any] = bindparam("id")
_operation = _c.id == bindparam("operation")

_COLUMNS = (
    _c.id,
    _c.kind,
    _c.created,
    _c.epoch,
    _c.plan,
    _c.journal,
    _c.status,
    _c.pivoted,
    _c.attempt,
    _c.error,
)
_FIND = select(*_COLUMNS).where(_c.id == _id)
_ALL = select(*_COLUMNS).order_by(_c.id)
_OF_KIND = select(*_COLUMNS).where(_c.kind.in_(bindparam("kinds", expanding=True))).order_by(_c.id)
_BY_STATUS = select(*_COLUMNS).where(_c.status.in_(bindparam("statuses", expanding=True))).order_by(_c.created, _c.id)
_ADD = insert(tables.operations)
_REMOVE = delete(tables.operations).where(_c.id == _id)


def _set(*names: str) -> Any:
    values: dict[str, Any] = {name: bindparam(f"new_{name}") for name in names}
    return update(tables.operations).where(_operation).values(values)


_SET_STATUS = _set("status", "error")
_SET_JOURNAL = _set("journal")
_SET_PIVOT = _set("pivoted")
_SET_PLAN = _set("plan", "journal", "attempt")
_SET_EPOCH = _set("epoch")


def _from_row(row: Sequence[Any]) -> Operation:
    id, kind, created, epoch, plan, journal, status, pivoted, attempt, error = row
    return Operation(
        id=id,
        kind=kind,
        created=created,
        epoch=epoch,
        plan=plan,
        journal=journal,
        status=Status(status),
        pivoted=pivoted,
        attempt=attempt,
        error=error,
    )


class Operations:
    """The table of operations."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def find(self, id: str) -> Operation | None:
        """Return an operation, or None."""
        row = self._connection.execute(_FIND, {"id": id}).one_or_none()
        return None if row is None else _from_row(row)

    def get(self, id: str) -> Operation:
        """Return an operation. Raises NotFound."""
        operation = self.find(id)
        if operation is None:
            raise NotFound
        return operation

    def all(self) -> list[Operation]:
        """Return all operations, ascending by id."""
        return [_from_row(row) for row in self._connection.execute(_ALL)]

    def of_kind(self, *kinds: str) -> list[Operation]:
        """Return the operations of one of these kinds, ascending by id."""
        return [_from_row(row) for row in self._connection.execute(_OF_KIND, {"kinds": list(kinds)})]

    def by_status(self, *statuses: Status) -> list[Operation]:
        """Return the operations with one of these statuses, oldest first."""
        values = [status.value for status in statuses]
        return [_from_row(row) for row in self._connection.execute(_BY_STATUS, {"statuses": values})]

    def add(self, operation: Operation) -> None:
        """Write down what is about to be done."""
        self._connection.execute(
            _ADD,
            {
                "id": operation.id,
                "kind": operation.kind,
                "created": operation.created,
                "epoch": operation.epoch,
                "plan": dict(operation.plan),
                "journal": dict(operation.journal),
                "status": operation.status.value,
                "pivoted": operation.pivoted,
                "attempt": operation.attempt,
                "error": operation.error,
            },
        )

    def set_status(self, id: str, status: Status, error: str = "") -> None:
        """Say where it stands, and why. Raises NotFound."""
        self._update(_SET_STATUS, id, new_status=status.value, new_error=error)

    def set_journal(self, id: str, journal: Json) -> None:
        """Replace what only a node could tell. Raises NotFound."""
        self._update(_SET_JOURNAL, id, new_journal=dict(journal))

    def set_pivot(self, id: str) -> None:
        """Write down that there may be no way back. Raises NotFound."""
        self._update(_SET_PIVOT, id, new_pivoted=True)

    def set_plan(self, id: str, plan: Json, *, attempt: int, journal: Json | None = None) -> None:
        """Start over with another plan: the next attempt, with an empty journal. Raises NotFound."""
        self._update(_SET_PLAN, id, new_plan=dict(plan), new_journal=dict(journal or {}), new_attempt=attempt)

    def set_epoch(self, id: str, epoch: int) -> None:
        """Write down the epoch of the server that takes the operation over. Raises NotFound."""
        self._update(_SET_EPOCH, id, new_epoch=epoch)

    def remove(self, id: str) -> None:
        """Remove an operation that is settled. Raises NotFound."""
        touched(self._connection.execute(_REMOVE, {"id": id}))

    def _update(self, statement: Any, id: str, **values: Any) -> None:
        touched(self._connection.execute(statement, {"operation": id, **values}))

"""Debts in the books: what nodes that did not answer still have to remove."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import BindParameter, Connection, bindparam, delete, insert, select, update

from heketipy.db import tables
from heketipy.db.rows import touched
from heketipy.domain.errors import NotFound
from heketipy.domain.operation import Debt

_c = tables.debts.c
_id: BindParameter[Any] = bindparam("id")
_COLUMNS = (_c.id, _c.node, _c.operation, _c.created, _c.work, _c.charges, _c.attempts, _c.error)

_FIND = select(*_COLUMNS).where(_c.id == _id)
_ALL = select(*_COLUMNS).order_by(_c.created, _c.id)
_OF_NODE = _ALL.where(_c.node == bindparam("node"))
_ADD = insert(tables.debts)
_REMOVE = delete(tables.debts).where(_c.id == _id)
_SET_ERROR = (
    update(tables.debts)
    .where(_c.id == bindparam("debt"))
    .values(error=bindparam("new_error"), attempts=bindparam("new_attempts"))
)


def _from_row(row: Sequence[Any]) -> Debt:
    id, node, operation, created, work, charges, attempts, error = row
    return Debt(
        id=id,
        node=node,
        operation=operation,
        created=created,
        work=work,
        charges=charges,
        attempts=attempts,
        error=error,
    )


class Debts:
    """The table of debts."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def find(self, id: str) -> Debt | None:
        """Return a debt, or None."""
        row = self._connection.execute(_FIND, {"id": id}).one_or_none()
        return None if row is None else _from_row(row)

    def get(self, id: str) -> Debt:
        """Return a debt. Raises NotFound."""
        debt = self.find(id)
        if debt is None:
            raise NotFound
        return debt

    def all(self) -> list[Debt]:
        """Return all debts, oldest first."""
        return [_from_row(row) for row in self._connection.execute(_ALL)]

    def of_node(self, node: str) -> list[Debt]:
        """Return what a node owes, oldest first."""
        return [_from_row(row) for row in self._connection.execute(_OF_NODE, {"node": node})]

    def add(self, debt: Debt) -> None:
        """Add a debt."""
        self._connection.execute(
            _ADD,
            {
                "id": debt.id,
                "node": debt.node,
                "operation": debt.operation,
                "created": debt.created,
                "work": dict(debt.work),
                "charges": dict(debt.charges),
                "attempts": debt.attempts,
                "error": debt.error,
            },
        )

    def set_error(self, id: str, error: str, attempts: int) -> None:
        """Write down why it could not be paid, and how often that was tried. Raises NotFound."""
        touched(self._connection.execute(_SET_ERROR, {"debt": id, "new_error": error, "new_attempts": attempts}))

    def remove(self, id: str) -> None:
        """Remove a debt that is paid or forgiven. Raises NotFound."""
        touched(self._connection.execute(_REMOVE, {"id": id}))

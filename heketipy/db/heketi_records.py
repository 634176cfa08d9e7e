"""Records that were taken over from heketi and that our own tables cannot say in the same way."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, bindparam, delete, insert, select

from heketipy.db import tables

_c = tables.heketi_records.c

_OF_SECTION = select(_c.id, _c.entry, _c.ours).where(_c.section == bindparam("section")).order_by(_c.id)
_FIND = select(_c.entry, _c.ours).where(_c.section == bindparam("section"), _c.id == bindparam("id"))
_ADD = insert(tables.heketi_records)
_REMOVE = delete(tables.heketi_records).where(_c.section == bindparam("in_section"), _c.id == bindparam("the_id"))


@dataclass(frozen=True, slots=True)
class HeketiRecord:
    """A record, and what our tables said of the same object when it was taken over; None if they did not know it."""

    entry: Mapping[str, Any]
    ours: Mapping[str, Any] | None


class HeketiRecords:
    """The table of these records."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def of(self, section: str) -> dict[str, HeketiRecord]:
        """Return the records of a section by id, ascending."""
        rows = self._connection.execute(_OF_SECTION, {"section": section})
        return {id: HeketiRecord(entry, ours) for id, entry, ours in rows}

    def find(self, section: str, id: str) -> HeketiRecord | None:
        """Return a record, or None."""
        row = self._connection.execute(_FIND, {"section": section, "id": id}).one_or_none()
        return None if row is None else HeketiRecord(*row)

    def add(self, section: str, records: Mapping[str, HeketiRecord]) -> None:
        """Keep records of a section, by id."""
        rows = [
            {"section": section, "id": id, "entry": record.entry, "ours": record.ours} for id, record in records.items()
        ]
        if rows:
            self._connection.execute(_ADD, rows)

    def remove(self, section: str, ids: Iterable[str]) -> None:
        """Forget records of a section."""
        rows = [{"in_section": section, "the_id": id} for id in ids]
        if rows:
            self._connection.execute(_REMOVE, rows)

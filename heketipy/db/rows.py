"""What every repository needs to know of results: whether a row was there, and how many ids go into one query."""

from collections.abc import Iterator, Sequence
from typing import Any

from sqlalchemy import CursorResult

from heketipy.domain.errors import NotFound

_IDS_PER_QUERY = 500


def touched(result: CursorResult[Any]) -> None:
    """Raise NotFound if an UPDATE or DELETE met no row."""
    if result.rowcount == 0:
        raise NotFound


def portions(ids: Sequence[str]) -> Iterator[Sequence[str]]:
    """Cut a list of ids, which may be as long as the books, into lists that a query can carry."""
    for start in range(0, len(ids), _IDS_PER_QUERY):
        yield ids[start : start + _IDS_PER_QUERY]

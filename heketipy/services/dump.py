"""The whole of the books, for people and tools: as records of heketi, checked, or as the file that they are."""

import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import BinaryIO, TypeVar

from heketipy.db.database import Database, Tx
from heketipy.domain.consistency import Records, Report, check
from heketipy.services.interchange.pace import paced
from heketipy.services.interchange.sections import Entries, sections

R = TypeVar("R")


class Dump:
    """Use cases about everything at once."""

    def __init__(self, db: Database) -> None:
        self._db = db

    async def through(self, write: Callable[[Iterator[tuple[str, Entries]]], R]) -> R:
        """Have all records written, as they are at one moment, by a function that is called on another thread. It gets
        each section's name and records, has to use up each before it looks at the next, and all before it returns."""
        return await self._db.read(lambda tx: write(_paced(tx)))

    async def check(self) -> Report:
        """Compare all records with each other."""
        return await self._db.read(lambda tx: check(Records.of(_paced(tx))))

    async def backup(self) -> BinaryIO:
        """Return a copy of the database's file as it is at one moment, open for reading and with no name any more.

        Raises StorageFailure.
        """
        with tempfile.TemporaryDirectory(prefix="heketipy-backup-") as folder:
            target = Path(folder) / "heketi.db"
            await self._db.backup(target)
            return target.open("rb")


def _paced(tx: Tx) -> Iterator[tuple[str, Entries]]:
    return ((name, paced(entries)) for name, entries in sections(tx))

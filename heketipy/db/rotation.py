"""Where backups lie, how they are called, and how many are kept. No clock runs here; `backups` has that."""

import os
import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Self

from heketipy.domain.errors import StorageFailure

_NAME = re.compile(r"heketi-(?P<time>\d{8}T\d{6}\.\d{3}Z)(?P<before>-before-\w+)?\.db")
_FORMAT = "%Y%m%dT%H%M%S.%f"

Copy = Callable[[Path], None]


@dataclass(frozen=True, slots=True)
class Rotation:
    """A folder of backups `heketi-<UTC time>.db`, of which the newest `keep` are kept; those made before a migration
    (`…-before-<revision>.db`) are counted by themselves, so that ordinary ones do not push them out."""

    folder: Path
    keep: int = 14

    @classmethod
    def beside(cls, database: Path, *, keep: int = 14) -> Self:
        """Return the usual place: a folder `<file>.backups` beside the database."""
        return cls(database.with_name(database.name + ".backups"), keep)

    def copies(self, *, before_migration: bool = False) -> tuple[Path, ...]:
        """Return the ordinary backups, or those made before a migration, oldest first."""
        found = (_NAME.fullmatch(file.name) for file in self._files())
        names = sorted(name[0] for name in found if name and bool(name["before"]) is before_migration)
        return tuple(self.folder / name for name in names)

    def newest(self) -> datetime | None:
        """Return when the newest ordinary backup was made, or None."""
        copies = self.copies()
        name = _NAME.fullmatch(copies[-1].name) if copies else None
        return datetime.strptime(name["time"][:-1], _FORMAT).replace(tzinfo=UTC) if name else None

    def copy(self, make: Copy, *, before: str = "") -> Path:
        """Make one more backup, before a migration to the revision `before` if that is given, and remove those beyond
        the number to be kept. Blocks. Raises StorageFailure; then no old backup was removed."""
        try:
            self.folder.mkdir(mode=0o700, exist_ok=True)
            for left_over in self.folder.glob("heketi-*.db.part"):
                left_over.unlink(missing_ok=True)
            target = self._free_name(f"-before-{before}" if before else "")
            make(target)
            for old in self.copies(before_migration=bool(before))[: -self.keep]:
                old.unlink(missing_ok=True)
        except OSError as error:
            raise StorageFailure(f"The folder {self.folder} for backups cannot be used: {error.strerror}") from error
        return target

    def _free_name(self, suffix: str) -> Path:
        while True:
            time = datetime.now(UTC).strftime(_FORMAT)[:-3]
            target = self.folder / f"heketi-{time}Z{suffix}.db"
            if not target.exists():
                return target

    def _files(self) -> list[os.DirEntry[str]]:
        try:
            with os.scandir(self.folder) as entries:
                return list(entries)
        except OSError:
            # What cannot be read holds nothing; whoever makes a backup is told why that fails.
            return []

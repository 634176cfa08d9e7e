"""What the database layer needs of a place where the books are kept. There are two: `sqlite` and `postgresql`."""

from pathlib import Path
from typing import Protocol

from sqlalchemy import Connection


class Store(Protocol):
    """A place for the books. Its methods block, and are called from the database's own threads."""

    def begin(self) -> None:
        """Take it into use, once its schema is the right one."""
        ...

    @property
    def where(self) -> str:
        """Its name for people, without passwords."""
        ...

    @property
    def path(self) -> Path | None:
        """The file, if it is one."""
        ...

    def connect_writer(self) -> Connection:
        """Open a connection that may write."""
        ...

    def connect_reader(self) -> Connection:
        """Open a connection whose transactions see one moment each, and cannot write."""
        ...

    def connect_at_once(self) -> Connection | None:
        """Open a reader that waits neither for writers nor for a network; None where there is no such thing."""
        ...

    def seize(self, writer: Connection) -> None:
        """Wait until no other writer is at work, as the first act of a transaction."""
        ...

    def foreign_keys_off(self) -> Connection:
        """Open a writer for a migration, on which foreign keys are not enforced where tables may have to be rebuilt."""
        ...

    def settle(self, writer: Connection) -> None:
        """Leave everything in one complete file, if it is one. No reader is connected meanwhile."""
        ...

    def backup(self, target: Path) -> None:
        """Copy the books, as they are at one moment, to a new file."""
        ...

    def close(self) -> None:
        """Let go of it, after the last connection was closed."""
        ...

"""Journals that a killed server left beside its file, and whether they belong to the file that is there now.

SQLite takes what lies beside a file for the rest of it. But people put back a copy of the file after a server was
killed, and forget, or do not know, its `-wal`; then SQLite would write newer pages into the older file, and ruin it.
So every server marks its file, at a place in the header that SQLite leaves to programs, and notes the mark in its lock.
A backup has no mark. What lies beside a file with another mark, and is older than the file, is not its own, and is put
aside.
"""

import secrets
import sqlite3
from datetime import UTC, datetime
from pathlib import Path

import structlog

from heketipy.db.lock import ServerLock

log = structlog.get_logger(__name__)

_USER_VERSION = slice(60, 64)
_NO_MARK = 0


def put_aside(database: Path, lock: ServerLock) -> None:
    """Rename the journals that do not belong to the file, before SQLite sees them. Nothing is deleted that holds
    anything."""
    marked = mark_in(database)
    if lock.mark is None or marked is None or marked == lock.mark:
        return
    for suffix in ("-wal", "-journal"):
        journal = database.with_name(database.name + suffix)
        if not _is_older(journal, database):
            continue
        aside = journal.with_name(f"{journal.name}.stale-{datetime.now(UTC):%Y%m%dT%H%M%SZ}")
        journal.rename(aside)
        database.with_name(database.name + "-shm").unlink(missing_ok=True)
        log.warning("the database was replaced: the journal of the one before is put aside", journal=str(aside))


def mark(driver: sqlite3.Connection, lock: ServerLock) -> None:
    """Mark a file that has no journals, and note the mark in the lock. In between the lock knows of none, so that
    nothing is put aside whenever this breaks off."""
    lock.set_mark(None)
    made = secrets.randbelow(2**31 - 1) + 1
    driver.execute(f"PRAGMA user_version = {made}").fetchall()
    driver.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
    lock.set_mark(made)


def unmark(driver: sqlite3.Connection) -> None:
    """Take the mark off a copy."""
    driver.execute(f"PRAGMA user_version = {_NO_MARK}").fetchall()


def mark_in(database: Path) -> int | None:
    """Return the mark in the header of the file itself, whatever its journals say; None if there is no header."""
    try:
        with database.open("rb") as file:
            header = file.read(100)
    except FileNotFoundError:
        return None
    return int.from_bytes(header[_USER_VERSION], "big") if len(header) == 100 else None


def _is_older(journal: Path, database: Path) -> bool:
    """Whether the file came to its place after the journal was last written. Who puts back a pair of file and journal
    has them in the other order."""
    try:
        state = journal.stat()
    except FileNotFoundError:
        return False
    return state.st_size > 0 and state.st_mtime_ns < database.stat().st_ctime_ns

"""`heketi db …`: the books in heketi's form, out of a database file and into a new one, while no server runs.

Each command says what went wrong on standard error, in heketi's words, and returns an exit status. Unlike heketi's,
none leaves an empty file behind when it fails, and a database that is not there is not made by looking at it.
"""

import asyncio
import os
import secrets
import sys
from collections.abc import AsyncIterator, Callable, Coroutine, Iterable, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, Final

from heketipy.db.database import Database, JournalMode, Tx
from heketipy.db.postgresql import is_url, shown
from heketipy.domain.consistency import Report
from heketipy.domain.errors import HeketipyError, StorageFailure
from heketipy.domain.ids import is_id
from heketipy.services.dump import Dump
from heketipy.services.interchange.pathless_bricks import Selection, remove_pathless
from heketipy.services.interchange.taking_over import take_over
from heketipy.wire.dump import checked, dumped
from heketipy.wire.heketi_database import Entries, UnreadableError, read_database

STDOUT: Final = "-"

_NO_JSON: Final = "Please provide file for input"
_NO_DATABASE: Final = "Please provide path for db file"
_WAIT: Final = 3.0
"""Seconds that a database may be in use, as for heketi."""


class _Failed(HeketipyError):
    """What the user is told."""

    code = "database-command"


def export_database(database: str, file: str) -> int:
    """Write all records of a database into a new file, or to standard output (`-`)."""

    async def work() -> None:
        if file != STDOUT and _there(file):
            raise _Failed(f"Could not create json file: open {file}: file exists")
        async with _opened(database) as db:
            await Dump(db).through(lambda sections: _write(file, dumped(sections)))

    if not file:
        return _told(_NO_JSON)
    if not database:
        return _told(_NO_DATABASE)
    return _run(work, failed="failed to dump db", done=f"DB exported to {file}")


def import_database(database: str, file: str) -> int:
    """Make a new database of the records in a file."""

    async def work() -> None:
        records = _read(file)
        if not is_url(database) and _there(database):
            raise _Failed(f"{database} file already exists")
        await _make(database, records)

    if not file:
        return _told(_NO_JSON)
    if not database:
        return _told(_NO_DATABASE)
    return _run(work, failed="db creation failed", done=f"DB imported to {_shown(database)}")


def check_database(database: str) -> int:
    """Print in what the records of a database disagree. That they do is no failure, as for heketi."""

    async def work() -> None:
        async with _opened(database) as db:
            report: Report = await Dump(db).check()
        sys.stdout.write(checked(report).decode())

    if not database:
        return _told(_NO_DATABASE)
    return _run(work, failed="failed to check db", done="")


def delete_pathless_bricks(
    database: str, *, everywhere: bool, clusters: Sequence[str], nodes: Sequence[str], devices: Sequence[str]
) -> int:
    """Remove bricks without a path, on all devices or on those that are named or stand in what is named."""
    selection = Selection(everywhere, tuple(clusters), tuple(nodes), tuple(devices))

    async def work() -> None:
        for id in (*selection.clusters, *selection.nodes, *selection.devices):
            if not is_id(id):
                raise _Failed(f"{id} is not a valid UUID")
        async with _opened(database) as db:
            await db.write(remove_pathless, selection)

    if selection == Selection():
        return _told("neither --all flag nor list of clusters/nodes/devices is given")
    return _run(work, failed="failed to delete bricks with empty path", done="bricks with empty path removed ")


def _run(work: Callable[[], Coroutine[Any, Any, None]], *, failed: str, done: str) -> int:
    try:
        asyncio.run(work())
    except HeketipyError as error:
        return _told(f"{failed}: {error}")
    if done:
        sys.stderr.write(f"{done}\n")
    return 0


def _told(text: str) -> int:
    sys.stderr.write(f"{text}\n")
    return 1


@asynccontextmanager
async def _opened(database: str) -> AsyncIterator[Database]:
    """Open a database that is there."""
    if "://" not in database and not _there(database):
        raise _Failed(f"Unable to open database: open {database}: no such file or directory")
    db = _open(database)
    try:
        yield db
    finally:
        db.close()


def _shown(database: str) -> str:
    """Return a database's name without passwords."""
    try:
        return shown(database) if "://" in database else database
    except StorageFailure:
        return "the database"


def _there(path: str) -> bool:
    return os.path.lexists(path)


def _open(database: str) -> Database:
    try:
        return Database.open(database, journal_mode=JournalMode.DELETE, readers=1, wait=_WAIT)
    except StorageFailure as error:
        reason = f"timeout: {error}" if " is in use by " in str(error) else str(error)
        raise _Failed(f"Unable to open database: {reason}") from error


async def _make(database: str, records: Entries) -> None:
    """Fill a new database. One that could not be filled is removed."""
    try:
        db = _open(database)
    except _Failed as error:
        raise _Failed(f"Could not open db file: {error.__cause__}") from error
    try:
        await db.write(_fill, records)
    except BaseException:
        db.close()
        _remove(db.path)
        raise
    db.close()


def _fill(tx: Tx, records: Entries) -> None:
    if tx.clusters.ids() or tx.meta.all():
        raise _Failed("the database holds something already")
    take_over(tx, records, generation=secrets.token_hex(16))


def _remove(path: Path | None) -> None:
    if path is not None:
        for name in (path, path.with_name(f"{path.name}.lock")):
            name.unlink(missing_ok=True)


def _read(file: str) -> Entries:
    try:
        content = Path(file).read_bytes()
    except OSError as error:
        reason = (error.strerror or str(error)).lower()
        raise _Failed(f"Could not open input file: open {file}: {reason}") from error
    try:
        return read_database(content)
    except UnreadableError as error:
        raise _Failed(f"Could not decode input file as JSON: {error}") from error


def _write(file: str, pieces: Iterable[bytes]) -> None:
    if file == STDOUT:
        sys.stdout.buffer.writelines(pieces)
        sys.stdout.flush()
        return
    try:
        descriptor = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    except OSError as error:
        reason = (error.strerror or str(error)).lower()
        raise _Failed(f"Could not create json file: open {file}: {reason}") from error
    try:
        with os.fdopen(descriptor, "wb") as target:
            target.writelines(pieces)
    except BaseException as error:
        Path(file).unlink(missing_ok=True)
        if isinstance(error, OSError):
            raise _Failed(f"Could not write json file: {error.strerror}") from error
        raise

"""What the database's driver says, in our words. Exceptions of the driver and of SQLAlchemy end in this package."""

import sqlite3

from sqlalchemy.exc import DataError, DBAPIError, IntegrityError, SQLAlchemyError

from heketipy.domain.errors import Conflict, HeketipyError, InvalidRequest, StorageFailure

_SQLITE_TEXTS = {
    "FULL": "There is no room left for the database {where}: its disk is full. Nothing was changed.",
    "READONLY": "The database {where} cannot be written: it, or its file system, is read-only. Nothing was changed.",
    "CANTOPEN": "The database {where} cannot be opened: check that its directory exists and may be written.",
    "BUSY": "The database {where} is locked by another program. Nothing was changed.",
    "LOCKED": "The database {where} is locked by another program. Nothing was changed.",
    "CORRUPT": "The database {where} is damaged. Stop the server and put back a backup.",
    "NOTADB": "The file {where} is no database of heketipy.",
    "IOERR": "The disk of the database {where} failed. Nothing was changed.",
    "PERM": "The database {where} may not be accessed. Nothing was changed.",
    "NOLFS": "The database {where} has reached the size that its file system allows. Nothing was changed.",
}

_POSTGRESQL_TEXTS = {
    "53": "The database server of {where} has run out of something (disk, memory, connections). Nothing was changed.",
    "25006": "The database {where} is read-only. Nothing was changed.",
    "55P03": "The database {where} is locked by another server. Nothing was changed.",
    "28": "The database server of {where} refuses user or password.",
    "3D000": "The database {where} does not exist.",
    "42501": "The database server of {where} does not allow this. Nothing was changed.",
}

DRIVER_ERRORS = (SQLAlchemyError, sqlite3.Error, OverflowError, UnicodeEncodeError)
"""What a transaction may raise that is neither ours nor a mistake in the code."""


def translated(error: Exception, where: str) -> HeketipyError:
    """Return the domain error for one of DRIVER_ERRORS. `where` names the database. The caller raises it from `error`,
    so that the log has the driver's own words."""
    if isinstance(error, DataError | OverflowError | UnicodeEncodeError):
        return InvalidRequest("A value does not fit into the database")
    cause: BaseException | None = error.orig if isinstance(error, DBAPIError) else error
    if isinstance(error, IntegrityError | sqlite3.IntegrityError):
        return _refused(str(cause).splitlines()[0])
    if isinstance(cause, sqlite3.Error):
        return StorageFailure(_sqlite_text(cause).format(where=where))
    return StorageFailure(_postgresql_text(cause).format(where=where))


def _refused(reason: str) -> HeketipyError:
    text = f"The database refuses this change: {reason}"
    broken_rule = "CHECK" in reason or "check constraint" in reason or "NOT NULL" in reason.upper()
    return StorageFailure(text) if broken_rule else Conflict(text)


def _sqlite_text(error: sqlite3.Error) -> str:
    name = getattr(error, "sqlite_errorname", None) or ""
    for family, text in _SQLITE_TEXTS.items():
        if name == f"SQLITE_{family}" or name.startswith(f"SQLITE_{family}_"):
            return text
    return "The database {where} failed: " + _literal(error)


def _postgresql_text(error: BaseException | None) -> str:
    state = getattr(error, "sqlstate", None) or ""
    for prefix, text in _POSTGRESQL_TEXTS.items():
        if state.startswith(prefix):
            return text
    if not state:
        return "The database server of {where} does not answer: " + _literal(error)
    return "The database {where} failed: " + _literal(error)


def _literal(error: BaseException | None) -> str:
    lines = str(error).splitlines() or [type(error).__name__]
    return lines[0].replace("{", "{{").replace("}", "}}")

"""A quick look into an SQLite file before anything heavy is imported: one fact, without waiting, locking or leaving
anything. It may miss what is not in the file proper yet; whoever opens the books finds that."""

import sqlite3
from pathlib import Path


def fact(path: Path, key: str) -> str | None:
    """Return a fact; None where there is none, or no such file."""
    try:
        if not path.is_file():
            return None
        connection = sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro&immutable=1", uri=True)
        try:
            row = connection.execute("SELECT value FROM meta WHERE key = ?", (key,)).fetchone()
        finally:
            connection.close()
    except (OSError, sqlite3.Error):
        return None
    return None if row is None else str(row[0])

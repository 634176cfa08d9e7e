"""Backups of a running server's SQLite file: made online, checked, rotated."""

import asyncio
from datetime import UTC, datetime, timedelta
from pathlib import Path

import structlog

from heketipy.db.database import Database
from heketipy.db.rotation import Rotation
from heketipy.domain.errors import StorageFailure, explain

log = structlog.get_logger(__name__)


class Backups:
    """Makes a backup when the newest is older than `every`: at start, and then for ever. An idle server makes none, so
    that the copies kept do not all become the same. On PostgreSQL there is nothing to do: it has its own tools."""

    def __init__(self, db: Database, rotation: Rotation, *, every: timedelta) -> None:
        self._db = db
        self._rotation = rotation
        self._every = every
        self._commits: int | None = None

    async def make(self) -> Path:
        """Make one now. Raises StorageFailure."""
        commits = self._db.commits
        target = await asyncio.to_thread(self._rotation.copy, self._db.copy_to)
        self._commits = commits
        return target

    def due_in(self, now: datetime) -> timedelta:
        """Return how long the newest backup is still young enough; zero if it is too old, or there is none."""
        newest = self._rotation.newest()
        if newest is None or newest > now:
            return timedelta()
        return max(newest + self._every - now, timedelta())

    async def run(self) -> None:
        """Keep making them until cancelled. What goes wrong is logged, and tried again after the same time."""
        if self._db.path is None:
            return
        wait = self.due_in(datetime.now(UTC))
        while True:
            await asyncio.sleep(wait.total_seconds())
            if self._commits != self._db.commits:
                try:
                    log.info("database backed up", backup=str(await self.make()))
                except StorageFailure as error:
                    log.error("database not backed up", error=explain(error))
            wait = self._every

"""Jobs in the books: what clients poll. They stay readable after their end, until they are purged."""

from typing import Any

from sqlalchemy import Connection, bindparam, delete, insert, select, update

from heketipy.db import tables
from heketipy.domain.errors import NotFound
from heketipy.domain.operation import Job

_c = tables.jobs.c
_COLUMNS = (_c.id, _c.operation, _c.created, _c.ended, _c.result, _c.error, _c.code)

_FIND = select(*_COLUMNS).where(_c.id == bindparam("id"))
_OF_OPERATION = select(*_COLUMNS).where(_c.operation == bindparam("operation")).order_by(_c.created, _c.id)
_UNFINISHED = select(*_COLUMNS).where(_c.ended.is_(None)).order_by(_c.created, _c.id)
_UNFINISHED_OF = (
    select(*_COLUMNS).where(_c.operation == bindparam("operation"), _c.ended.is_(None)).order_by(_c.created, _c.id)
)
_ADD = insert(tables.jobs)
_FINISH: Any = (
    update(tables.jobs)
    .where(_c.id == bindparam("job"), _c.ended.is_(None))
    .values({name: bindparam(f"new_{name}") for name in ("ended", "result", "error", "code")})
)
_PURGE = delete(tables.jobs).where(_c.ended < bindparam("limit"))


class Jobs:
    """The table of jobs."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def find(self, id: str) -> Job | None:
        """Return a job, or None."""
        row = self._connection.execute(_FIND, {"id": id}).one_or_none()
        return None if row is None else Job(*row)

    def get(self, id: str) -> Job:
        """Return a job. Raises NotFound."""
        job = self.find(id)
        if job is None:
            raise NotFound
        return job

    def of_operation(self, operation: str) -> list[Job]:
        """Return the jobs that tell of an operation, oldest first."""
        return [Job(*row) for row in self._connection.execute(_OF_OPERATION, {"operation": operation})]

    def unfinished_of(self, operation: str) -> tuple[Job, ...]:
        """Return the jobs of an operation that have no end yet, oldest first."""
        return tuple(Job(*row) for row in self._connection.execute(_UNFINISHED_OF, {"operation": operation}))

    def unfinished(self) -> list[Job]:
        """Return the jobs that have no end yet, oldest first."""
        return [Job(*row) for row in self._connection.execute(_UNFINISHED)]

    def add(self, job: Job) -> None:
        """Add a job."""
        self._connection.execute(
            _ADD,
            {
                "id": job.id,
                "operation": job.operation,
                "created": job.created,
                "ended": job.ended,
                "result": job.result,
                "error": job.error,
                "code": job.code,
            },
        )

    def finish(self, id: str, *, ended: float, result: str = "", error: str = "", code: str = "") -> bool:
        """End a job, and tell whether this did it: what a client may already have read is never changed."""
        values = {"new_ended": ended, "new_result": result, "new_error": error, "new_code": code}
        return self._connection.execute(_FINISH, {"job": id, **values}).rowcount > 0

    def purge(self, older_than: float) -> int:
        """Remove the jobs that ended before a moment (seconds since 1970); return how many those were."""
        return self._connection.execute(_PURGE, {"limit": older_than}).rowcount

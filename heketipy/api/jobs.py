"""`GET /queue/{id}`: what became of work. Results stay readable; polls are held open for a moment."""

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from heketipy.api import answers
from heketipy.api.contract import Jobs
from heketipy.api.described import job_answers
from heketipy.api.errors import plain
from heketipy.api.routing import HeketiRoute
from heketipy.domain.operation import Job

router = APIRouter(route_class=HeketiRoute, tags=["jobs"])


class HeldPolls:
    """Holds polls open until their job ends, so that a fast job costs its client no second poll.

    At most `limit` at a time are held for up to `seconds`; further ones are answered at once, as all are by
    heketi.
    """

    def __init__(self, jobs: Jobs, *, seconds: float, limit: int) -> None:
        self._jobs = jobs
        self._seconds = seconds
        self._limit = limit
        self._held = 0

    async def outcome(self, job: str) -> Job:
        """Return a job, ended or not. Raises NotFound."""
        if self._held >= self._limit:
            return await self._jobs.wait(job, 0)
        self._held += 1
        try:
            return await self._jobs.wait(job, self._seconds)
        finally:
            self._held -= 1


@router.get("/queue/{id}", operation_id="Async", response_class=Response, responses=job_answers())
async def poll(request: Request, id: str) -> Response:
    """Ask what became of work: still going on, done, done with something to see, or failed."""
    polls: HeldPolls = request.app.state.polls
    job = await polls.outcome(id)
    if job.ended is None:
        return answers.pending()
    if job.error:
        return plain(500, job.error, code=job.code)
    return answers.see_other(job.result) if job.result else answers.nothing(204)

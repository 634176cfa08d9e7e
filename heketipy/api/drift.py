"""Routes of drift: what books, nodes and gluster do not agree on, and tidying up what nobody knows."""

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from heketipy.api import answers
from heketipy.api.contract import services
from heketipy.api.described import refusals, starts_work
from heketipy.api.routing import HeketiRoute
from heketipy.wire.drift import (
    DriftCleanUpRequest,
    DriftCleanUpResponse,
    DriftReleaseRequest,
    DriftResponse,
    clean_up_info,
    drift_info,
)

router = APIRouter(route_class=HeketiRoute, tags=["drift"])


@router.get("/internal/state/drift", operation_id="Drift", response_model=DriftResponse, responses=refusals())
async def look(request: Request) -> Response:
    """Ask every node what it has, and compare it with the books and with gluster. It takes as long as the slowest
    node."""
    found = await services(request).drift.look()
    return answers.json(drift_info(found.findings, found.hosts, found.unseen, found.seen))


@router.post(
    "/internal/state/drift/clean-up",
    operation_id="DriftCleanUp",
    response_model=DriftCleanUpResponse,
    responses=starts_work(404, 409, 422, 429, 503),
)
async def clean_up(request: Request, body: DriftCleanUpRequest) -> Response:
    """Put orphans into quarantine, or say (by default) what would be done. What was in quarantine long enough is
    removed by the server."""
    body.check()
    drift = services(request).drift
    if not body.dry_run:
        return answers.accepted(await drift.clean_up(body.ids()))
    proposal = await drift.propose(body.ids())
    return answers.json(clean_up_info(proposal.leftovers, proposal.refused, proposal.hosts, proposal.until))


@router.post(
    "/internal/state/drift/release",
    operation_id="DriftRelease",
    status_code=202,
    response_class=Response,
    responses=starts_work(404, 422, 429, 503),
)
async def release(request: Request, body: DriftReleaseRequest) -> Response:
    """Give what is in quarantine its former name. It is not mounted again."""
    body.check()
    return answers.accepted(await services(request).drift.release(body.findings))

"""Routes of pending operations."""

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from heketipy.api import answers
from heketipy.api.contract import services
from heketipy.api.described import refusals, starts_work
from heketipy.api.routing import HeketiRoute
from heketipy.wire.operations import (
    OperationsInfo,
    PendingOperationDetails,
    PendingOperationListResponse,
    PendingOperationsCleanRequest,
    counts_info,
    pending_details,
    pending_list,
)

router = APIRouter(route_class=HeketiRoute, tags=["operations"])


@router.get("/operations", operation_id="OperationsInfo", response_model=OperationsInfo, responses=refusals())
async def counts(request: Request) -> Response:
    """Count the pending operations."""
    return answers.json(counts_info(await services(request).operations.counts()))


@router.get(
    "/operations/pending",
    operation_id="PendingOperationList",
    response_model=PendingOperationListResponse,
    responses=refusals(),
)
async def list_(request: Request) -> Response:
    """List the pending operations, those being worked on included."""
    return answers.json(pending_list(await services(request).operations.unsettled()))


@router.post(
    "/operations/pending/cleanup",
    operation_id="PendingOperationCleanUp",
    status_code=202,
    response_class=Response,
    responses=starts_work(422, 503),
)
async def clean_up(request: Request, body: PendingOperationsCleanRequest) -> Response:
    """Take back or finish what is stale or failed. The job succeeds even where that fails again."""
    body.check()
    return answers.accepted(await services(request).operations.clean_up(body.operations))


@router.get(
    "/operations/pending/{id}",
    operation_id="PendingOperationDetails",
    response_model=PendingOperationDetails,
    responses=refusals(404),
)
async def info(request: Request, id: str) -> Response:
    """Show what a pending operation changes."""
    return answers.json(pending_details(await services(request).operations.info(id)))

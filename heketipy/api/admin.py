"""Routes of the admin mode and of the log level."""

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from heketipy.api import answers
from heketipy.api.contract import services
from heketipy.api.described import refusals
from heketipy.api.routing import ExplainingRoute
from heketipy.wire.admin import AdminStatus, LogLevelInfo, admin_status, log_levels

router = APIRouter(route_class=ExplainingRoute, tags=["server"])


@router.get("/admin", operation_id="GetAdminState", response_model=AdminStatus, responses=refusals())
async def mode(request: Request) -> Response:
    """Show the admin mode."""
    return answers.json(admin_status(services(request).admin.mode))


@router.post("/admin", operation_id="SetAdminState", status_code=204, response_class=Response, responses=refusals(503))
async def set_mode(request: Request, body: AdminStatus) -> Response:
    """Change the admin mode. Out of `read-only` leads only a restart, or the signal USR2."""
    body.check()
    services(request).admin.set(body.mode())
    return answers.nothing(204)


@router.get("/internal/logging", operation_id="GetLogLevel", response_model=LogLevelInfo, responses=refusals())
async def levels(request: Request) -> Response:
    """Show the log level."""
    return answers.json(log_levels(services(request).logging.levels()))


@router.post(
    "/internal/logging",
    operation_id="SetLogLevel",
    response_model=LogLevelInfo,
    responses=refusals(422, 503),
)
async def set_levels(request: Request, body: LogLevelInfo) -> Response:
    """Change the log level until the next start."""
    services(request).logging.set(body.loglevel)
    return answers.json(log_levels(services(request).logging.levels()))

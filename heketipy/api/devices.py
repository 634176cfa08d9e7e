"""Routes of devices."""

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from heketipy.api import answers
from heketipy.api.contract import services
from heketipy.api.described import refusals, starts_work
from heketipy.api.routing import HeketiRoute
from heketipy.wire.devices import (
    DeviceAddRequest,
    DeviceDeleteOptions,
    DeviceInfoResponse,
    StateRequest,
    device_info,
)

router = APIRouter(route_class=HeketiRoute, tags=["devices"])


@router.post(
    "/devices",
    operation_id="DeviceAdd",
    status_code=202,
    response_class=Response,
    responses=starts_work(404, 422, 429, 503),
)
async def add(request: Request, body: DeviceAddRequest) -> Response:
    """Take a disk over. The job ends without naming the device: the node shows it."""
    body.check()
    return answers.accepted(await services(request).devices.add(body.spec()))


@router.get("/devices/{id}", operation_id="DeviceInfo", response_model=DeviceInfoResponse, responses=refusals(404))
async def info(request: Request, id: str) -> Response:
    """Show a device and its bricks."""
    return answers.json(device_info(await services(request).devices.info(id)))


@router.delete(
    "/devices/{id}",
    operation_id="DeviceDelete",
    status_code=202,
    response_class=Response,
    responses=starts_work(404, 409, 422, 429, 503),
)
async def delete(request: Request, id: str, body: DeviceDeleteOptions | None = None) -> Response:
    """Let a failed device without bricks go. The body is looked at only if its length is announced."""
    forget = body is not None and body.forceforget
    return answers.accepted(await services(request).devices.delete(id, forget=forget))


@router.get(
    "/devices/{id}/resync",
    operation_id="DeviceResync",
    status_code=202,
    response_class=Response,
    responses=starts_work(404, 429, by_get=True),
)
async def resync(request: Request, id: str) -> Response:
    """Read a device's size anew from its node. Work that is started by a GET."""
    return answers.accepted_by_get(await services(request).devices.resync(id))


@router.post(
    "/devices/{id}/state",
    operation_id="DeviceSetState",
    status_code=202,
    response_class=Response,
    responses=starts_work(404, 422, 429, 503),
)
async def set_state(request: Request, id: str, body: StateRequest) -> Response:
    """Change a device's state. A change that is not allowed shows in the job."""
    body.check()
    job = await services(request).devices.set_state(id, body.new_state(), body.heal_check())
    return answers.accepted(job)

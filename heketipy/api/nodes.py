"""Routes of nodes."""

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from heketipy.api import answers
from heketipy.api.contract import services
from heketipy.api.described import refusals, starts_work
from heketipy.api.routing import HeketiRoute
from heketipy.wire.devices import StateRequest
from heketipy.wire.nodes import NodeAddRequest, NodeInfoResponse, node_info

router = APIRouter(route_class=HeketiRoute, tags=["nodes"])


@router.post(
    "/nodes",
    operation_id="NodeAdd",
    status_code=202,
    response_class=Response,
    responses=starts_work(404, 409, 422, 429, 503),
)
async def add(request: Request, body: NodeAddRequest) -> Response:
    """Take a storage server into a cluster. The job leads to the node."""
    body.check()
    return answers.accepted(await services(request).nodes.add(body.spec()))


@router.get("/nodes/{id}", operation_id="NodeInfo", response_model=NodeInfoResponse, responses=refusals(404))
async def info(request: Request, id: str) -> Response:
    """Show a node, its devices and their bricks."""
    return answers.json(node_info(await services(request).nodes.info(id)))


@router.delete(
    "/nodes/{id}",
    operation_id="NodeDelete",
    status_code=202,
    response_class=Response,
    responses=starts_work(404, 409, 429, 503),
)
async def delete(request: Request, id: str) -> Response:
    """Let a node go that has no devices."""
    return answers.accepted(await services(request).nodes.delete(id))


@router.post(
    "/nodes/{id}/state",
    operation_id="NodeSetState",
    status_code=202,
    response_class=Response,
    responses=starts_work(404, 422, 429, 503),
)
async def set_state(request: Request, id: str, body: StateRequest) -> Response:
    """Change a node's state. A change that is not allowed shows in the job."""
    body.check()
    job = await services(request).nodes.set_state(id, body.new_state(), body.heal_check())
    return answers.accepted(job)

"""Routes of clusters."""

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from heketipy.api import answers
from heketipy.api.contract import services
from heketipy.api.described import refusals
from heketipy.api.routing import HeketiRoute
from heketipy.wire.clusters import ClusterFlags, ClusterInfoResponse, ClusterListResponse, cluster_info

router = APIRouter(route_class=HeketiRoute, tags=["clusters"])


@router.post(
    "/clusters",
    operation_id="ClusterCreate",
    status_code=201,
    response_model=ClusterInfoResponse,
    responses=refusals(422, 503),
)
async def create(request: Request, body: ClusterFlags) -> Response:
    """Make an empty cluster."""
    details = await services(request).clusters.create(file=body.file, block=body.block)
    return answers.json(cluster_info(details), 201)


@router.get("/clusters", operation_id="ClusterList", response_model=ClusterListResponse, responses=refusals())
async def list_(request: Request) -> Response:
    """List the clusters."""
    return answers.json({"clusters": list(await services(request).clusters.ids())})


@router.get("/clusters/{id}", operation_id="ClusterInfo", response_model=ClusterInfoResponse, responses=refusals(404))
async def info(request: Request, id: str) -> Response:
    """Show a cluster."""
    return answers.json(cluster_info(await services(request).clusters.info(id)))


@router.post(
    "/clusters/{id}/flags",
    operation_id="ClusterSetFlags",
    response_class=Response,
    responses=refusals(404, 422, 503),
)
async def set_flags(request: Request, id: str, body: ClusterFlags) -> Response:
    """Say what a cluster may host: both flags are set, one that is left out to false."""
    await services(request).clusters.set_flags(id, file=body.file, block=body.block)
    return answers.flags_set()


@router.delete(
    "/clusters/{id}",
    operation_id="ClusterDelete",
    response_class=Response,
    responses=refusals(404, 409, 503),
)
async def delete(request: Request, id: str) -> Response:
    """Delete a cluster that has neither nodes nor volumes."""
    await services(request).clusters.delete(id)
    return answers.nothing()

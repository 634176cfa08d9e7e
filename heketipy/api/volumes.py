"""Routes of volumes."""

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from heketipy.api import answers
from heketipy.api.contract import services
from heketipy.api.described import flag_in_query, refusals, starts_work
from heketipy.api.routing import HeketiRoute
from heketipy.wire.volumes import (
    VolumeCloneRequest,
    VolumeCreateRequest,
    VolumeDryRunResponse,
    VolumeExpandRequest,
    VolumeInfoResponse,
    VolumeListResponse,
    volume_info,
    volume_outlook,
)

router = APIRouter(route_class=HeketiRoute, tags=["volumes"])


@router.get("/volumes/{id}", operation_id="VolumeInfo", response_model=VolumeInfoResponse, responses=refusals(404))
async def info(request: Request, id: str) -> Response:
    """Show a volume, how to mount it, and its bricks."""
    return answers.json(volume_info(await services(request).volumes.info(id)))


@router.post(
    "/volumes",
    operation_id="VolumeCreate",
    status_code=202,
    response_class=Response,
    responses={
        200: {"model": VolumeDryRunResponse, "description": "What a dry run found."},
        **starts_work(422, 429, 503),
    },
    openapi_extra=flag_in_query(
        "dry-run", "Only look: 200 and the volume as it would be, or the refusal and the largest size that fits."
    ),
)
async def create(request: Request, body: VolumeCreateRequest) -> Response:
    """Make a volume. What placement refuses is a 500 at once. The job leads to the volume."""
    body.check()
    if request.query_params.get("dry-run") == "true":
        return answers.json(volume_outlook(await services(request).volumes.dry_run(body.spec())))
    return answers.accepted(await services(request).volumes.create(body.spec()))


@router.get("/volumes", operation_id="VolumeList", response_model=VolumeListResponse, responses=refusals())
async def list_(request: Request) -> Response:
    """List the volumes."""
    return answers.json({"volumes": list(await services(request).volumes.ids())})


@router.post(
    "/volumes/{id}/expand",
    operation_id="VolumeExpand",
    status_code=202,
    response_class=Response,
    responses=starts_work(404, 422, 429, 503),
)
async def expand(request: Request, id: str, body: VolumeExpandRequest) -> Response:
    """Let a volume grow by so much. The job leads to the volume."""
    body.check()
    return answers.accepted(await services(request).volumes.expand(id, body.expand_size))


@router.post(
    "/volumes/{id}/clone",
    operation_id="VolumeClone",
    status_code=202,
    response_class=Response,
    responses=starts_work(404, 422, 429, 503),
)
async def clone(request: Request, id: str, body: VolumeCloneRequest) -> Response:
    """Copy a volume as it is now. The job leads to the copy."""
    body.check()
    return answers.accepted(await services(request).volumes.clone(id, body.usable_name()))


@router.delete(
    "/volumes/{id}",
    operation_id="VolumeDelete",
    status_code=202,
    response_class=Response,
    responses=starts_work(404, 409, 429, 503),
)
async def delete(request: Request, id: str) -> Response:
    """Delete a volume and everything in it."""
    return answers.accepted(await services(request).volumes.delete(id))

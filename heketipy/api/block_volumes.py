"""Routes of block volumes."""

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from heketipy.api import answers
from heketipy.api.contract import services
from heketipy.api.described import refusals, starts_work
from heketipy.api.routing import HeketiRoute
from heketipy.wire.block_volumes import (
    BlockVolumeCreateRequest,
    BlockVolumeExpandRequest,
    BlockVolumeInfoResponse,
    BlockVolumeListResponse,
    VolumeBlockRestrictionRequest,
    block_volume_info,
)

router = APIRouter(route_class=HeketiRoute, tags=["block volumes"])


@router.get(
    "/blockvolumes", operation_id="BlockVolumeList", response_model=BlockVolumeListResponse, responses=refusals()
)
async def list_(request: Request) -> Response:
    """List the block volumes."""
    return answers.json({"blockvolumes": list(await services(request).block_volumes.ids())})


@router.post(
    "/blockvolumes",
    operation_id="BlockVolumeCreate",
    status_code=202,
    response_class=Response,
    responses=starts_work(422, 429, 503),
)
async def create(request: Request, body: BlockVolumeCreateRequest) -> Response:
    """Make a block volume on a hosting volume that has room, or on a new one. The job leads to the block volume."""
    body.check()
    return answers.accepted(await services(request).block_volumes.create(body.spec()))


@router.get(
    "/blockvolumes/{id}",
    operation_id="BlockVolumeInfo",
    response_model=BlockVolumeInfoResponse,
    responses=refusals(404),
)
async def info(request: Request, id: str) -> Response:
    """Show a block volume, and how to reach it."""
    return answers.json(block_volume_info(await services(request).block_volumes.info(id)))


@router.post(
    "/blockvolumes/{id}/expand",
    operation_id="BlockVolumeExpand",
    status_code=202,
    response_class=Response,
    responses=starts_work(404, 422, 429, 503),
)
async def expand(request: Request, id: str, body: BlockVolumeExpandRequest) -> Response:
    """Let a block volume grow to a size. The job leads to the block volume."""
    body.check()
    return answers.accepted(await services(request).block_volumes.expand(id, body.new_size))


@router.delete(
    "/blockvolumes/{id}",
    operation_id="BlockVolumeDelete",
    status_code=202,
    response_class=Response,
    responses=starts_work(404, 429, 503),
)
async def delete(request: Request, id: str) -> Response:
    """Delete a block volume and everything in it. Its hosting volume stays."""
    return answers.accepted(await services(request).block_volumes.delete(id))


@router.post(
    "/volumes/{id}/block-restriction",
    operation_id="VolumeSetBlockRestriction",
    status_code=202,
    response_class=Response,
    responses=starts_work(404, 422, 429, 503),
)
async def restrict(request: Request, id: str, body: VolumeBlockRestrictionRequest) -> Response:
    """Say whether a hosting volume takes more block volumes. The job leads to the volume."""
    body.check()
    return answers.accepted(await services(request).volumes.restrict(id, body.restriction))

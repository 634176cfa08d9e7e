"""Routes of tags, which nodes and devices share."""

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from heketipy.api import answers
from heketipy.api.contract import services
from heketipy.api.described import refusals
from heketipy.api.routing import HeketiRoute
from heketipy.wire.tags import TagsChangeRequest, TagsResponse, tags_info

router = APIRouter(route_class=HeketiRoute, tags=["tags"])


@router.post(
    "/nodes/{id}/tags",
    operation_id="NodeSetTags",
    response_model=TagsResponse,
    responses=refusals(404, 422, 429, 503),
)
async def of_node(request: Request, id: str, body: TagsChangeRequest) -> Response:
    """Change the tags of a node; show all that are there afterwards."""
    body.check()
    return answers.json(tags_info(await services(request).tags.of_node(id, body.change(), body.tags)))


@router.post(
    "/devices/{id}/tags",
    operation_id="DeviceSetTags",
    response_model=TagsResponse,
    responses=refusals(404, 422, 429, 503),
)
async def of_device(request: Request, id: str, body: TagsChangeRequest) -> Response:
    """Change the tags of a device; show all that are there afterwards."""
    body.check()
    return answers.json(tags_info(await services(request).tags.of_device(id, body.change(), body.tags)))

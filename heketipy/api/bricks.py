"""Routes of bricks."""

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from heketipy.api import answers
from heketipy.api.contract import services
from heketipy.api.described import starts_work
from heketipy.api.routing import HeketiRoute
from heketipy.wire.bricks import BrickEvictOptions

router = APIRouter(route_class=HeketiRoute, tags=["bricks"])


@router.post(
    "/bricks/to-evict/{id}",
    operation_id="BrickEvict",
    status_code=202,
    response_class=Response,
    responses=starts_work(404, 422, 429, 503),
)
async def evict(request: Request, id: str, body: BrickEvictOptions | None = None) -> Response:
    """Move a brick to another device. The body is looked at only if its length is announced."""
    options = body or BrickEvictOptions()
    options.check()
    return answers.accepted(await services(request).bricks.evict(id, options.heal_check()))

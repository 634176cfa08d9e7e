"""`GET /hello`: whether the server is there."""

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from heketipy.api.routing import OpenRoute

router = APIRouter(route_class=OpenRoute, tags=["server"])

_GREETING = {"content": {"text/plain": {"schema": {"const": "Hello from Heketi"}}}}


@router.get("/hello", operation_id="Hello", responses={200: _GREETING}, response_class=Response)
async def hello(_request: Request) -> Response:
    """Greet. No token is needed."""
    return Response("Hello from Heketi", media_type="text/plain; charset=UTF-8")

"""`GET /metrics`: heketi's gauges and our own counters, for Prometheus."""

import asyncio
import gzip
from typing import Final

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from heketipy.api.contract import services
from heketipy.api.routing import OpenRoute
from heketipy.domain.gauges import SiteGauges
from heketipy.domain.pending import PendingCounts
from heketipy.telemetry.metrics import exposition as own_exposition
from heketipy.wire.metrics import exposition

router = APIRouter(route_class=OpenRoute, tags=["server"])

_TYPE: Final = "text/plain; version=0.0.4; charset=utf-8"
_TEXT: Final = {"content": {"text/plain": {"schema": {"type": "string"}}}}


@router.get("/metrics", operation_id="Metrics", responses={200: _TEXT}, response_class=Response)
async def metrics(request: Request) -> Response:
    """Tell monitoring what there is and how it went. No token is needed."""
    counted = await services(request).metrics.gauges()
    compressed = "gzip" in request.headers.get("accept-encoding", "")
    content = await asyncio.to_thread(_written, counted.site, counted.operations, compressed)
    headers = {"Content-Encoding": "gzip"} if compressed else {}
    return Response(content, media_type=_TYPE, headers={**headers, "Vary": "Accept-Encoding"})


def _written(site: SiteGauges | None, operations: PendingCounts | None, compressed: bool) -> bytes:
    text = exposition(site, operations).encode() + own_exposition()
    return gzip.compress(text, compresslevel=1) if compressed else text

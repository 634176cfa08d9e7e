"""`GET /metrics`: heketi's gauges and our own counters, for Prometheus."""

import asyncio
import zlib
from collections.abc import Iterator
from itertools import chain
from typing import Final

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from heketipy.api.contract import services
from heketipy.api.routing import OpenRoute
from heketipy.api.spool import sent, spooled
from heketipy.domain.gauges import SiteGauges
from heketipy.domain.pending import PendingCounts
from heketipy.telemetry.metrics import exposition as own_exposition
from heketipy.wire.metrics import exposition

router = APIRouter(route_class=OpenRoute, tags=["server"])

_TYPE: Final = "text/plain; version=0.0.4; charset=utf-8"
_GZIP: Final = 16 + zlib.MAX_WBITS
_TEXT: Final = {"content": {"text/plain": {"schema": {"type": "string"}}}}


@router.get("/metrics", operation_id="Metrics", responses={200: _TEXT}, response_class=Response)
async def metrics(request: Request) -> Response:
    """Tell monitoring what there is and how it went. No token is needed."""
    counted = await services(request).metrics.gauges()
    compressed = "gzip" in request.headers.get("accept-encoding", "")
    file = await asyncio.to_thread(spooled, _pieces(counted.site, counted.operations, compressed))
    headers = {"Content-Encoding": "gzip"} if compressed else {}
    return sent(file, media_type=_TYPE, headers={**headers, "Vary": "Accept-Encoding"})


def _pieces(site: SiteGauges | None, operations: PendingCounts | None, compressed: bool) -> Iterator[bytes]:
    plain = chain(map(str.encode, exposition(site, operations)), [own_exposition()])
    if not compressed:
        yield from plain
        return
    compressor = zlib.compressobj(level=1, wbits=_GZIP)
    for piece in plain:
        yield compressor.compress(piece)
    yield compressor.flush()

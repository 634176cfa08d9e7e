"""The route of the whole site: one request for what `heketi-cli topology info` asks one by one. heketi has none."""

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from heketipy.api import answers
from heketipy.api.contract import services
from heketipy.api.described import refusals
from heketipy.api.routing import HeketiRoute
from heketipy.api.spool import spooled
from heketipy.wire.site import TopologyResponse, written

router = APIRouter(route_class=HeketiRoute, tags=["clusters"])


@router.get("/topology", operation_id="Topology", response_model=TopologyResponse, responses=refusals())
async def topology(request: Request) -> Response:
    """Show all clusters with their volumes, nodes, devices and bricks, as they are at one moment."""
    return answers.long_json(await services(request).topology.through(lambda clusters: spooled(written(clusters))))

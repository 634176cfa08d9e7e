"""`GET /internal/state/examine/gluster`: the books beside what the nodes have."""

from itertools import chain

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from heketipy.api import answers
from heketipy.api.contract import services
from heketipy.api.described import refusals
from heketipy.api.routing import HeketiRoute
from heketipy.api.spool import spooled
from heketipy.wire.examination import ExaminationResponse, books, examined

router = APIRouter(route_class=HeketiRoute, tags=["database"])


@router.get(
    "/internal/state/examine/gluster",
    operation_id="ExamineGluster",
    response_model=ExaminationResponse,
    responses=refusals(),
)
async def examine(request: Request) -> Response:
    """Ask every node what it has, and compare. It takes as long as the slowest node."""
    found = await services(request).examiner.examine()
    rest = examined(found.report, found.clusters)
    return answers.long_json(
        await services(request).dump.through(lambda sections: spooled(chain(books(sections), [rest])))
    )

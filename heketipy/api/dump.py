"""Routes of everything at once: the dump, its check, and the database's file."""

from typing import Final

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse

from heketipy.api import answers
from heketipy.api.contract import services
from heketipy.api.described import refusals
from heketipy.api.routing import HeketiRoute
from heketipy.api.spool import sent, spooled
from heketipy.wire.dump import CheckResponse, DumpResponse, checked, dumped

router = APIRouter(route_class=HeketiRoute, tags=["database"])

_FILE: Final = {"content": {"application/octet-stream": {"schema": {"type": "string", "format": "binary"}}}}


@router.get("/db/dump", operation_id="DbDump", response_model=DumpResponse, responses=refusals())
async def dump(request: Request) -> Response:
    """Show all of the books, as `heketi db export` writes them."""
    return answers.long_json(await services(request).dump.through(lambda sections: spooled(dumped(sections))))


@router.get("/db/check", operation_id="DbCheck", response_model=CheckResponse, responses=refusals())
async def check(request: Request) -> Response:
    """Compare everything in the books with everything."""
    return answers.written_json(checked(await services(request).dump.check()))


@router.get("/backup/db", operation_id="Backup", responses={200: _FILE, **refusals()}, response_class=StreamingResponse)
async def backup(request: Request) -> Response:
    """Copy the database's file, as it is at one moment. It is heketipy's, and of use to nobody else."""
    file = await services(request).dump.backup()
    headers = {"Content-Disposition": 'attachment; filename="heketi.db"'}
    return sent(file, headers=headers, media_type="application/octet-stream")

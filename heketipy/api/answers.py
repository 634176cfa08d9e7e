"""Successful answers: JSON, nothing, a job that was started, a job's outcome."""

from collections.abc import Sequence
from html import escape
from typing import IO, Any, Final

from starlette.responses import Response

from heketipy.api.spool import sent
from heketipy.wire.encode import Json, encode

_JSON: Final = "application/json; charset=UTF-8"


def json(body: Json | Sequence[Any], status: int = 200) -> Response:
    """Return a body in heketi's JSON."""
    return Response(encode(body), status, media_type=_JSON)


def written_json(body: bytes) -> Response:
    """Return JSON that is written already."""
    return Response(body, media_type=_JSON)


def long_json(file: IO[bytes]) -> Response:
    """Return JSON that is written already, into a file."""
    return sent(file, media_type=_JSON)


def nothing(status: int = 200, *, media_type: str | None = None) -> Response:
    """Return an empty body."""
    return Response(status_code=status, media_type=media_type)


def flags_set() -> Response:
    """Return an empty body that claims to be JSON, as heketi does for this one route."""
    return nothing(media_type=_JSON)


def accepted(job: str) -> Response:
    """Say where the outcome of work will be found: a path without host, which clients sign as it is."""
    return Response(status_code=202, headers={"Location": f"/queue/{job}"})


def accepted_by_get(job: str) -> Response:
    """Do the same where the work was started by a GET: heketi then sends a link."""
    return linking(202, "Accepted", f"/queue/{job}")


def see_other(path: str) -> Response:
    """Send a client to what its work has made."""
    return linking(303, "See Other", path)


def pending() -> Response:
    """Tell that work goes on. The header must be on no other answer: some clients look only whether it is there."""
    return Response(status_code=200, headers={"X-Pending": "true"})


def linking(status: int, phrase: str, location: str) -> Response:
    """Return a redirect to a path with a page that links it, as clients expect for a GET."""
    page = f'<a href="{escape(location)}">{phrase}</a>.\n\n'
    return Response(page, status, headers={"Location": location}, media_type="text/html")

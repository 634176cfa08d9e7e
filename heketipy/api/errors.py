"""The one table from our errors to statuses, and what a refusal looks like: plain text, never JSON."""

from typing import Final

from starlette.responses import Response

from heketipy.api.auth import MalformedHeader, Unauthorized
from heketipy.domain import errors
from heketipy.wire.decode import Undecodable

STATUS: Final[dict[type[errors.HeketipyError], int]] = {
    errors.HeketipyError: 500,
    errors.InvalidRequest: 400,
    errors.Unprocessable: 422,
    errors.Maintenance: 503,
    errors.NotFound: 404,
    errors.Conflict: 409,
    # heketi answers 500 here, and clients tell a volume in use from other conflicts by that.
    errors.InUse: 500,
    errors.Busy: 429,
    errors.CannotBegin: 500,
    errors.CannotAllocate: 500,
    errors.NoSpace: 500,
    errors.NodeFailure: 500,
    errors.NodeUnreachable: 500,
    errors.DaemonAway: 500,
    errors.CommandFailed: 500,
    errors.StorageFailure: 500,
    Undecodable: 422,
    MalformedHeader: 400,
    Unauthorized: 401,
}
"""A class that is not listed has the status of its nearest listed base."""

CODE_HEADER: Final = "X-Heketipy-Code"


def status_of(error: errors.HeketipyError) -> int:
    """Return the status of an error."""
    return next(STATUS[kind] for kind in type(error).__mro__ if kind in STATUS)


def refusal(error: errors.HeketipyError) -> Response:
    """Return the answer that an error becomes."""
    response = plain(status_of(error), str(error), code=error.code)
    if isinstance(error, errors.Busy):
        response.headers["Retry-After"] = str(error.retry_after)
    return response


def plain(status: int, text: str, *, code: str = "") -> Response:
    """Return a refusal: its text and a line feed, and its code in a header."""
    response = Response(f"{text}\n", status, media_type="text/plain")
    response.headers["X-Content-Type-Options"] = "nosniff"
    if code:
        response.headers[CODE_HEADER] = code
    return response

"""How routes describe their answers in the OpenAPI document: what they refuse, and where work leads."""

from typing import Any, Final

REFUSALS: Final = {
    400: "The request makes no sense, or is not possible now; the text says why.",
    401: "There is no token, or it does not allow this request.",
    404: "There is no such object.",
    409: "The state of the object does not allow it.",
    422: "The body is no JSON, or has values of wrong types.",
    429: "Too much is going on; come again after the seconds in `Retry-After`.",
    500: "It could not be done; the text says why.",
    503: "The server is closed for changes at the moment.",
}
"""What each status of a refusal means."""

_EVERYWHERE: Final = (400, 401, 500)
_TEXT: Final = {"text/plain": {"schema": {"type": "string"}}}
_CODE: Final = {"X-Heketipy-Code": {"description": "Stable code.", "schema": {"type": "string"}}}
_LOCATION: Final = {"Location": {"description": "A path without host.", "schema": {"type": "string"}}}
_PENDING: Final = {"X-Pending": {"description": "`true`: go on polling.", "schema": {"const": "true"}}}
_RETRY: Final = {"Retry-After": {"description": "Seconds.", "schema": {"type": "integer"}}}
_LINK: Final = {"text/html": {"schema": {"type": "string"}}}

Responses = dict[int | str, dict[str, Any]]


def refusals(*statuses: int) -> Responses:
    """Describe the refusals of a route: these, and those that every route has."""
    return {status: refusal(status) for status in sorted({*statuses, *_EVERYWHERE})}


def starts_work(*statuses: int, by_get: bool = False) -> Responses:
    """Describe the answers of a route that starts work."""
    accepted: dict[str, Any] = {
        "description": "Accepted. The outcome will be at `Location`.",
        "headers": _LOCATION,
    }
    if by_get:
        accepted["content"] = _LINK
    return {202: accepted, **refusals(*statuses)}


def flag_in_query(name: str, about: str) -> dict[str, Any]:
    """Describe a parameter in the query that counts only as `true`."""
    schema = {"type": "string", "enum": ["true"]}
    return {"parameters": [{"name": name, "in": "query", "required": False, "description": about, "schema": schema}]}


def job_answers() -> Responses:
    """Describe the answers of the queue."""
    return {
        200: {"description": "The work goes on.", "headers": _PENDING},
        204: {"description": "It is done."},
        303: {"description": "It is done; see what it made.", "headers": _LOCATION, "content": _LINK},
        **refusals(404),
        500: {**refusal(500), "description": "It failed, and was taken back; the text says why."},
    }


def refusal(status: int) -> dict[str, Any]:
    """Describe the refusals of one status."""
    headers = {**_CODE, **_RETRY} if status == 429 else _CODE
    return {"description": REFUSALS[status], "headers": headers, "content": _TEXT}

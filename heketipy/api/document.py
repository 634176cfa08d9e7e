"""The OpenAPI document: FastAPI's, freed of what this API does not do, with what FastAPI cannot know.

`python -m heketipy.api.document FILE` writes it; the copy in `openapi/` is compared with it by a test.
"""

import json
import re
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

from fastapi.openapi.utils import get_openapi
from starlette.routing import BaseRoute

_VERSION: Final = "10"
"""The version of heketi whose API this is; ours changes without the API changing."""

_DESCRIPTION: Final = """Volumes of GlusterFS by HTTP, compatible with heketi 10.

Work is answered with 202 and a `Location` under `/queue/`, which is polled until it no longer says
`X-Pending: true`. Refusals are plain text; their `X-Heketipy-Code` is stable. Bodies are read leniently: names
match in any case, unknown ones are skipped, and `Content-Type` does not matter."""

_TEXTS: Final = {
    400: "The request makes no sense, or is not possible now; the text says why.",
    401: "There is no token, or it does not allow this request.",
    404: "There is no such object.",
    409: "The state of the object does not allow it.",
    422: "The body is no JSON, or has values of wrong types.",
    429: "Too much is going on; come again after the seconds in `Retry-After`.",
    500: "It could not be done; the text says why.",
    503: "The server is closed for changes at the moment.",
}
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
    return {status: _refusal(status) for status in sorted({*statuses, *_EVERYWHERE})}


def starts_work(*statuses: int, by_get: bool = False) -> Responses:
    """Describe the answers of a route that starts work."""
    accepted: dict[str, Any] = {
        "description": "Accepted. The outcome will be at `Location`.",
        "headers": _LOCATION,
    }
    if by_get:
        accepted["content"] = _LINK
    return {202: accepted, **refusals(*statuses)}


def job_answers() -> Responses:
    """Describe the answers of the queue."""
    return {
        200: {"description": "The work goes on.", "headers": _PENDING},
        204: {"description": "It is done."},
        303: {"description": "It is done; see what it made.", "headers": _LOCATION, "content": _LINK},
        **refusals(404),
        500: {**_refusal(500), "description": "It failed, and was taken back; the text says why."},
    }


def document(routes: Sequence[BaseRoute]) -> dict[str, Any]:
    """Return the OpenAPI document of an application's routes."""
    found = get_openapi(
        title="heketipy", version=_VERSION, description=_DESCRIPTION, routes=routes, separate_input_output_schemas=False
    )
    for path, operations in found["paths"].items():
        for operation in operations.values():
            _describe(operation, open_to_all=path in ("/hello", "/metrics"))
    schemas = found["components"]["schemas"]
    _tell_what_is_required(schemas)
    for fastapis_own in ("HTTPValidationError", "ValidationError"):
        schemas.pop(fastapis_own, None)
    found["components"]["responses"] = _shared_refusals(found)
    found["components"]["securitySchemes"] = {
        "token": {
            "type": "http",
            "scheme": "bearer",
            "bearerFormat": "JWT",
            "description": "Claims: `iss` (`admin` or `user`), `iat`, `exp`, and `qsh`, the SHA-256 in hex of "
            "`METHOD&PATH`. Signed with the role's key by HMAC.",
        }
    }
    return found


def _describe(operation: dict[str, Any], *, open_to_all: bool) -> None:
    """Drop FastAPI's idea of a 422, and FastAPI's schema of ids; say who may call."""
    answer = operation["responses"].get("422", {})
    if "application/json" in answer.get("content", {}):
        del operation["responses"]["422"]
    for parameter in operation.get("parameters", ()):
        parameter["schema"] = {"type": "string", "pattern": "^[A-Fa-f0-9]+$"}
    if not open_to_all:
        operation["security"] = [{"token": []}]


def _tell_what_is_required(schemas: dict[str, Any]) -> None:
    """Require the members whose absence is refused: absent means the default, and the bounds do not allow it.

    Models cannot say so themselves, since they are read leniently: whoever leaves such a member out is told which.
    """
    for schema in schemas.values():
        for name, member in schema.get("properties", {}).items():
            if _refuses_its_default(member):
                member.pop("default", None)
                schema["required"] = sorted({*schema.get("required", ()), name}, key=list(schema["properties"]).index)
    for schema in schemas.values():
        for name, member in schema.get("properties", {}).items():
            below = schemas.get(member.get("$ref", "").rpartition("/")[2], {})
            if "required" in below:
                schema["required"] = sorted({*schema.get("required", ()), name}, key=list(schema["properties"]).index)


def _refuses_its_default(member: dict[str, Any]) -> bool:
    default = member.get("default", [] if member.get("type") == "array" else None)
    match default:
        case str():
            return default not in member.get("enum", [default]) or re.search(member.get("pattern", ""), default) is None
        case int():
            return bool(default < member.get("minimum", default))
        case list():
            return bool(len(default) < member.get("minItems", 0))
    return False


def _refusal(status: int) -> dict[str, Any]:
    headers = {**_CODE, **_RETRY} if status == 429 else _CODE
    return {"description": _TEXTS[status], "headers": headers, "content": _TEXT}


def _shared_refusals(found: dict[str, Any]) -> dict[str, Any]:
    """Replace the refusals that all routes word alike by references, and return what they refer to."""
    shared = {f"Refusal{status}": _refusal(status) for status in _TEXTS}
    for operations in found["paths"].values():
        for operation in operations.values():
            for status, answer in operation["responses"].items():
                if answer == shared.get(f"Refusal{status}"):
                    operation["responses"][status] = {"$ref": f"#/components/responses/Refusal{status}"}
    return shared


def write(path: Path) -> None:
    """Write the document of this version to a file."""
    from heketipy.api.routes import build_router

    path.write_text(json.dumps(document(build_router().routes), indent=2, ensure_ascii=False) + "\n")


if __name__ == "__main__":
    write(Path(sys.argv[1]))

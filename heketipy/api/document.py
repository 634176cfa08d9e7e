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

from heketipy.api.described import REFUSALS, refusal
from heketipy.api.routes import build_router

_VERSION: Final = "10"
"""The version of heketi whose API this is; ours changes without the API changing."""

_DESCRIPTION: Final = """Volumes of GlusterFS by HTTP, compatible with heketi 10.

Work is answered with 202 and a `Location` under `/queue/`, which is polled until it no longer says
`X-Pending: true`. Refusals are plain text; their `X-Heketipy-Code` is stable. Bodies are read leniently: names
match in any case, unknown ones are skipped, and `Content-Type` does not matter."""


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
        if parameter["in"] == "path":
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


def _shared_refusals(found: dict[str, Any]) -> dict[str, Any]:
    """Replace the refusals that all routes word alike by references, and return what they refer to."""
    shared = {f"Refusal{status}": refusal(status) for status in REFUSALS}
    for operations in found["paths"].values():
        for operation in operations.values():
            for status, answer in operation["responses"].items():
                if answer == shared.get(f"Refusal{status}"):
                    operation["responses"][status] = {"$ref": f"#/components/responses/Refusal{status}"}
    return shared


def write(path: Path) -> None:
    """Write the document of this version to a file."""
    path.write_text(json.dumps(document(build_router().routes), indent=2, ensure_ascii=False) + "\n")


if __name__ == "__main__":
    write(Path(sys.argv[1]))

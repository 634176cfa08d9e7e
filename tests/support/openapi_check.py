"""Comparing answers with the golden OpenAPI document: path, method, status, headers, media type, body."""

import json
import re
from pathlib import Path
from typing import Any

import httpx
from jsonschema import Draft202012Validator

GOLDEN = Path(__file__).parents[2] / "openapi" / "heketipy.json"

_ROUTING_RESULTS = (301, 400, 401, 404, 405, 503)
"""What may answer a path or method that the document does not know."""


class UndocumentedError(AssertionError):
    """An answer that the document does not allow."""


class OpenApiCheck:
    """The document, ready to judge answers."""

    def __init__(self, document: dict[str, Any] | None = None) -> None:
        self.document = document if document is not None else json.loads(GOLDEN.read_text())
        self._paths = [
            (re.compile(re.sub(r"\{\w+\}", "[A-Fa-f0-9]+", path)), operations)
            for path, operations in self.document["paths"].items()
        ]

    def judge(self, response: httpx.Response) -> None:
        """Raise UndocumentedError if an answer, whose body has been read, is not as documented."""
        request = response.request
        asked = f"{request.method} {request.url.path}"
        operation = self._operation(request.method, re.sub("//+", "/", request.url.path))
        if operation is None:
            if response.status_code not in _ROUTING_RESULTS:
                raise UndocumentedError(f"{asked} is not documented, and answered {response.status_code}")
            return
        answer = operation["responses"].get(str(response.status_code))
        if answer is None:
            raise UndocumentedError(f"{asked}: status {response.status_code} is not documented")
        self._judge_answer(asked, response, self._resolved(answer))

    async def hook(self, response: httpx.Response) -> None:
        """Judge each answer of an `httpx.AsyncClient(event_hooks={"response": [check.hook]})`."""
        await response.aread()
        self.judge(response)

    def _operation(self, method: str, path: str) -> dict[str, Any] | None:
        for pattern, operations in self._paths:
            if pattern.fullmatch(path):
                found: dict[str, Any] | None = operations.get(method.lower())
                return found
        return None

    def _resolved(self, answer: dict[str, Any]) -> dict[str, Any]:
        if "$ref" not in answer:
            return answer
        found: dict[str, Any] = self.document["components"]["responses"][answer["$ref"].rpartition("/")[2]]
        return found

    def _judge_answer(self, asked: str, response: httpx.Response, answer: dict[str, Any]) -> None:
        status = response.status_code
        if status in (202, 303) and "location" not in response.headers:
            raise UndocumentedError(f"{asked}: {status} without Location")
        for name in ("X-Pending", "Retry-After"):
            if name in response.headers and name not in answer.get("headers", {}):
                raise UndocumentedError(f"{asked}: header {name} is not documented for {status}")
        contents = answer.get("content", {})
        if not response.content:
            if "application/json" in contents or "text/plain" in contents:
                raise UndocumentedError(f"{asked}: {status} without a body")
            return
        media_type = response.headers.get("content-type", "").partition(";")[0]
        if media_type not in contents:
            raise UndocumentedError(f"{asked}: {status} with {media_type!r}, not one of {sorted(contents)}")
        body = response.json() if media_type == "application/json" else response.text
        self._judge_body(asked, body, contents[media_type]["schema"])

    def _judge_body(self, asked: str, body: object, schema: dict[str, Any]) -> None:
        validator = Draft202012Validator({**schema, "components": self.document["components"]})
        for error in validator.iter_errors(body):
            raise UndocumentedError(f"{asked}: {error.json_path}: {error.message}")

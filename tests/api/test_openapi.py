"""The golden OpenAPI document says what the application does."""

import json

import httpx
import pytest
from jsonschema import Draft202012Validator

from heketipy.api.document import document
from heketipy.api.routes import build_router
from tests.support.openapi_check import GOLDEN, OpenApiCheck, UndocumentedError

ROUTES = {
    ("get", "/topology"),
    ("get", "/hello"),
    ("get", "/queue/{id}"),
    ("post", "/clusters"),
    ("get", "/clusters"),
    ("get", "/clusters/{id}"),
    ("post", "/clusters/{id}/flags"),
    ("delete", "/clusters/{id}"),
    ("post", "/nodes"),
    ("get", "/nodes/{id}"),
    ("delete", "/nodes/{id}"),
    ("post", "/nodes/{id}/state"),
    ("post", "/nodes/{id}/tags"),
    ("post", "/devices"),
    ("get", "/devices/{id}"),
    ("delete", "/devices/{id}"),
    ("get", "/devices/{id}/resync"),
    ("post", "/devices/{id}/state"),
    ("post", "/devices/{id}/tags"),
    ("post", "/bricks/to-evict/{id}"),
    ("get", "/admin"),
    ("post", "/admin"),
    ("get", "/internal/logging"),
    ("post", "/internal/logging"),
    ("get", "/backup/db"),
    ("get", "/db/check"),
    ("get", "/db/dump"),
    ("get", "/internal/state/examine/gluster"),
    ("get", "/internal/state/drift"),
    ("post", "/internal/state/drift/clean-up"),
    ("post", "/internal/state/drift/release"),
    ("get", "/metrics"),
    ("get", "/operations"),
    ("get", "/operations/pending"),
    ("get", "/operations/pending/{id}"),
    ("post", "/operations/pending/cleanup"),
    ("post", "/volumes"),
    ("get", "/volumes"),
    ("get", "/volumes/{id}"),
    ("post", "/volumes/{id}/expand"),
    ("post", "/volumes/{id}/clone"),
    ("delete", "/volumes/{id}"),
    ("post", "/volumes/{id}/block-restriction"),
    ("post", "/blockvolumes"),
    ("get", "/blockvolumes"),
    ("get", "/blockvolumes/{id}"),
    ("post", "/blockvolumes/{id}/expand"),
    ("delete", "/blockvolumes/{id}"),
}


def golden() -> dict:
    return json.loads(GOLDEN.read_text())


def operations() -> list[tuple[str, str, dict]]:
    return [(method, path, found) for path, methods in golden()["paths"].items() for method, found in methods.items()]


def test_the_golden_document_is_what_the_routes_make() -> None:
    made = json.loads(json.dumps(document(build_router().routes)))
    assert made == golden(), "run: python -m heketipy.api.document openapi/heketipy.json"


def test_every_route_is_in_it() -> None:
    assert {(method, path) for method, path, _ in operations()} == ROUTES


def test_every_operation_has_a_name_of_its_own_and_a_sentence() -> None:
    names = [found["operationId"] for _, _, found in operations()]
    assert len(set(names)) == len(names)
    assert all(found["description"].endswith(".") for _, _, found in operations())


def test_every_post_documents_its_body_and_that_it_may_be_unparsable() -> None:
    for method, path, found in operations():
        assert ("requestBody" in found) == (method == "post" or (method, path) == ("delete", "/devices/{id}")), path
        explained = path == "/admin"
        assert ("422" in found["responses"]) == ("requestBody" in found and not explained), path


def test_every_refusal_is_plain_text() -> None:
    check = OpenApiCheck()
    for _, path, found in operations():
        for status, answer in found["responses"].items():
            if int(status) >= 400:
                resolved = check._resolved(answer)
                assert set(resolved["content"]) == {"text/plain"}, path


def test_nothing_of_fastapis_own_errors_is_in_it() -> None:
    assert "ValidationError" not in GOLDEN.read_text()


def test_every_reference_leads_somewhere_and_every_schema_is_one() -> None:
    text = GOLDEN.read_text()
    components = golden()["components"]
    for kind in ("schemas", "responses"):
        for name in components[kind]:
            if kind == "schemas":
                Draft202012Validator.check_schema(components[kind][name])
        used = {part.split('"')[0] for part in text.split(f"#/components/{kind}/")[1:]}
        assert used == set(components[kind])


@pytest.mark.parametrize(
    ("status", "headers", "content"),
    [
        (418, {}, b""),
        (200, {"Content-Type": "application/json"}, b'{"volumes":[1]}'),
        (200, {"Content-Type": "application/json"}, b'{"volumes":[],"more":1}'),
        (200, {"Content-Type": "application/json"}, b"{}"),
        (200, {"Content-Type": "text/html"}, b"x"),
        (200, {}, b""),
        (500, {"Content-Type": "application/json"}, b"{}"),
        (200, {"Content-Type": "application/json", "X-Pending": "true"}, b'{"volumes":[]}'),
    ],
)
def test_the_check_notices_answers_that_are_not_documented(status: int, headers: dict, content: bytes) -> None:
    request = httpx.Request("GET", "http://server/volumes")
    with pytest.raises(UndocumentedError):
        OpenApiCheck().judge(httpx.Response(status, headers=headers, content=content, request=request))

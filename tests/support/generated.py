"""Requests that schemathesis makes of the golden OpenAPI document, and the judgement of what is answered."""

import os
from typing import Any, Final

import httpx
import hypothesis
import requests
import schemathesis
from schemathesis import Case, CheckContext, Response
from schemathesis.specs.openapi import checks

from tests.support.openapi_check import GOLDEN, OpenApiCheck
from tests.support.signed import SignedForRequests

SWITCH: Final = "HEKETIPY_TEST_EFFORT"
"""Environment: so many times the usual number of requests, and others in every run."""
EFFORT: Final = int(os.environ.get(SWITCH, "1"))

LIMIT: Final = 20.0
"""Seconds that any request may take."""

SCHEMA: Final = schemathesis.openapi.from_path(GOLDEN)
SCHEMA.auth.set_from_requests(SignedForRequests())

OF_THE_WORK: Final = "Async"
REFUSALS: Final = {
    "VolumeCreate": ("Failed to allocate new volume: ",),
    "VolumeExpand": ("Failed to allocate volume expansion: ",),
    "VolumeClone": ("Failed clone volume ",),
    "VolumeDelete": ("Failed to set up volume delete: ", "Refusing to delete block-hosting volume: "),
    "VolumeSetBlockRestriction": ("Failed to set block restriction: ",),
    "BlockVolumeCreate": ("Failed to allocate new block volume: ",),
    "BlockVolumeExpand": ("Failed to allocate block volume expansion: ",),
    "BlockVolumeDelete": ("Failed to set up block volume delete: ",),
    "BrickEvict": ("Failed to set up brick eviction: ",),
}
"""How heketi's texts of status 500 begin, by operation (rest-api §6). The others have none while books and nodes are
well; what became of work has any text."""

OUR_FAULT: Final = frozenset({"", "error", "internal", "storage-failure", "node-unreachable", "superseded"})
"""Codes that no request may lead to while books and nodes are well."""

_documented = OpenApiCheck()


def settings(examples: int) -> hypothesis.settings:
    """Return Hypothesis' settings for so many examples: the same ones in every run, unless more effort is asked for."""
    return hypothesis.settings(
        max_examples=examples * EFFORT,
        derandomize=EFFORT == 1,
        database=None,
        deadline=None,
        suppress_health_check=list(hypothesis.HealthCheck),
        phases=(hypothesis.Phase.explicit, hypothesis.Phase.generate),
    )


def ask(case: Case, url: str, session: requests.Session, *, without_token: bool = False, **more: Any) -> Response:
    """Send a request and judge what comes back. Raises AssertionError, and requests' errors where nothing comes.

    `without_token` sends what was answered well again with no token and with a wrong one, which must be refused. `more`
    is for requests; a case that was not generated needs `auth=…`.
    """
    how = {"session": session, "timeout": LIMIT, "allow_redirects": False, **more}
    response = case.call(base_url=url, **how)
    case.validate_response(
        response,
        checks=[
            checks.status_code_conformance,
            checks.content_type_conformance,
            checks.response_headers_conformance,
            checks.response_schema_conformance,
            as_documented,
            refused_in_heketis_words,
            *([checks.missing_required_header, checks.ignored_auth] if without_token else []),
        ],
        transport_kwargs={"base_url": url, **how},
    )
    return response


# Not among schemathesis' own checks: bodies are read leniently (`negative_data_rejection`), a wrong method gets no
# `Allow` (`unsupported_method`), and what a DELETE deletes is gone when its job has ended (`use_after_free`).


def as_documented(_context: CheckContext, response: Response, _case: Case) -> None:
    """Judge what schemathesis does not: empty bodies, and headers that are not documented."""
    sent = httpx.Request(str(response.request.method), str(response.request.url))
    headers = [(name, value) for name, values in response.headers.items() for value in values]
    headers = [(name, value) for name, value in headers if name.lower() != "content-encoding"]
    _documented.judge(httpx.Response(response.status_code, headers=headers, content=response.content, request=sent))


def refused_in_heketis_words(_context: CheckContext, response: Response, case: Case) -> None:
    """Let a 500 pass only where heketi answers one, and begins it so."""
    if response.status_code < 500:
        return
    operation = str(case.operation.definition.raw["operationId"])
    code = response.headers.get("x-heketipy-code", [""])[0]
    assert code not in OUR_FAULT, f"{operation}: {code}: {response.text}"
    if response.status_code == 500 and operation != OF_THE_WORK:
        assert response.text.startswith(REFUSALS.get(operation, ())), f"{operation}: {response.text}"

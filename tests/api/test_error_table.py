"""Errors become statuses by one table."""

import inspect

import httpx
import pytest
from fastapi import FastAPI

from heketipy.api import auth
from heketipy.api.errors import STATUS, plain, refusal, status_of
from heketipy.domain import errors
from tests.api.fake_services import VOLUME, FakeServices

OURS = [kind for _, kind in inspect.getmembers(errors, inspect.isclass) if issubclass(kind, errors.HeketipyError)]


@pytest.mark.parametrize("kind", OURS)
def test_every_error_of_the_domain_has_a_row(kind: type[errors.HeketipyError]) -> None:
    assert kind in STATUS


def test_codes_are_unique_and_fit_for_a_header() -> None:
    codes = [kind.code for kind in STATUS]
    assert len(set(codes)) == len(codes)
    assert all(code.replace("-", "").isalpha() and code.isascii() for code in codes)


def test_an_error_that_is_not_listed_has_the_status_of_its_base() -> None:
    class Particular(errors.Conflict):
        """A conflict of some kind."""

    assert status_of(Particular("no")) == 409
    assert status_of(auth.InvalidToken("no")) == 401


def test_busy_says_when_to_come_again() -> None:
    response = refusal(errors.Busy(retry_after=7))
    assert response.status_code == 429
    assert response.headers["retry-after"] == "7"
    assert response.body == b"Server busy. Retry operation later.\n"


def test_a_refusal_is_text_with_one_line_feed_more_than_it_has() -> None:
    response = plain(409, "Hostname h already used by node with id i\n")
    assert response.body == b"Hostname h already used by node with id i\n\n"
    assert response.headers["content-length"] == str(len(response.body))


@pytest.mark.parametrize(
    ("error", "status"),
    [
        (errors.InvalidRequest("No clusters configured"), 400),
        (errors.Conflict("Cannot delete volume containing the Heketi database"), 409),
        (errors.InUse("Failed to set up volume delete: The target exists"), 500),
        (errors.Busy(), 429),
        (errors.NoSpace("Failed to allocate new volume: No space"), 500),
        (errors.NodeUnreachable("no hosts available (3 total)", node="n"), 500),
        (errors.StorageFailure("database is in read-only mode"), 500),
    ],
)
async def test_what_a_service_raises_is_answered_in_its_words(
    client: httpx.AsyncClient, services: FakeServices, error: errors.HeketipyError, status: int
) -> None:
    services.refusal = error
    response = await client.delete(f"/volumes/{VOLUME}")
    assert (response.status_code, response.text) == (status, f"{error}\n")
    assert response.headers["content-type"] == "text/plain; charset=utf-8"
    assert response.headers["x-content-type-options"] == "nosniff"
    assert response.headers["x-heketipy-code"] == error.code


async def test_a_bug_is_a_plain_500_without_its_traceback(
    client: httpx.AsyncClient, services: FakeServices, app: FastAPI, capsys: pytest.CaptureFixture[str]
) -> None:
    services.refusal = RuntimeError("secret of the inside")
    response = await client.delete(f"/volumes/{VOLUME}")
    assert response.status_code == 500
    assert response.text.startswith("Internal error")
    assert "secret of the inside" not in response.text
    assert response.headers["x-request-id"] in response.text
    assert "secret of the inside" in capsys.readouterr().out

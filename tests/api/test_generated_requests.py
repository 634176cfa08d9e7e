"""Requests that are made of the OpenAPI document: whatever comes, the answer is one that the document has."""

import random
from collections.abc import Iterator
from pathlib import Path

import pytest
import requests
from schemathesis import Case
from schemathesis.errors import FailureGroup

from tests.support.furnished import Site, furnished
from tests.support.generated import SCHEMA, ask, settings
from tests.support.signed import SignedForRequests

EXAMPLES = 15
"""Of chance, for each operation; those of bounds and of wrong types come first, and in any number."""


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Site:
    return furnished(tmp_path_factory.mktemp("site"))


@pytest.fixture
def url(site: Site, tmp_path: Path) -> Iterator[str]:
    """A server of its own for each operation: what others have done there would make it hard to repeat."""
    with site.served(tmp_path) as server:
        yield server.url


@pytest.fixture(scope="module")
def session() -> Iterator[requests.Session]:
    with requests.Session() as session:
        yield session


@SCHEMA.parametrize()
@settings(EXAMPLES)
def test_every_answer_is_documented(case: Case, site: Site, url: str, session: requests.Session) -> None:
    _lead_somewhere(case, site)
    ask(case, url, session, without_token=True)


def test_the_judgement_notices_an_error_of_ours(
    site: Site, tmp_path: Path, session: requests.Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def fail() -> list[str]:
        raise RuntimeError("planted")

    with site.served(tmp_path) as server:
        case = SCHEMA["/volumes"]["GET"].Case()
        assert ask(case, server.url, session, auth=SignedForRequests()).status_code == 200
        monkeypatch.setattr(server.parts.services.volumes, "ids", fail)
        with pytest.raises(FailureGroup, match="internal"):
            ask(case, server.url, session, auth=SignedForRequests())


def _lead_somewhere(case: Case, site: Site) -> None:
    """Let every other request that is about an object be about one that there is."""
    there = site.ids.get(case.path.split("/")[1], ())
    given = str(case.path_parameters.get("id", ""))
    if there and given and random.Random(f"{given} {case.body}").random() < 0.5:
        case.path_parameters["id"] = there[len(given) % len(there)]

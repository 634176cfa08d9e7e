"""Routes of drift, on the whole server."""

from collections.abc import Callable
from contextlib import AbstractAsyncContextManager

import httpx
import pytest

from tests.api.fake_services import UNKNOWN
from tests.api.test_whole_server import KEYS, Signed, finished, furnished

Server = Callable[..., AbstractAsyncContextManager[httpx.AsyncClient]]

DRIFT = "/internal/state/drift"


async def test_nothing_differs_on_a_site_in_order(server: Server) -> None:
    async with server() as client:
        await furnished(client)
        await finished(client, await client.post("/volumes", json={"size": 1}))
        assert (await client.get(DRIFT)).text == '{"findings":[],"unseen":[]}\n'


async def test_a_clean_up_is_a_dry_run_unless_it_is_asked_for(server: Server) -> None:
    async with server() as client:
        proposal = await client.post(f"{DRIFT}/clean-up", json={})
        assert proposal.status_code == 200
        assert {**proposal.json(), "until": ""} == {"until": "", "leftovers": [], "refused": []}
        job = await client.post(f"{DRIFT}/clean-up", json={"dry_run": False})
        assert (await finished(client, job)).status_code == 204


@pytest.mark.parametrize(
    ("path", "body", "status", "text"),
    [
        ("clean-up", {"findings": ["x"]}, 400, "validation failed: findings: x is not a valid UUID."),
        ("clean-up", {"findings": [UNKNOWN]}, 404, f"Id not found: {UNKNOWN}"),
        ("release", {"findings": [UNKNOWN]}, 404, f"Id not found in quarantine: {UNKNOWN}"),
        ("release", {}, 400, "validation failed: findings: cannot be blank."),
    ],
)
async def test_what_is_refused(server: Server, path: str, body: dict[str, object], status: int, text: str) -> None:
    async with server() as client:
        answer = await client.post(f"{DRIFT}/{path}", json=body)
        assert (answer.status_code, answer.text) == (status, f"{text}\n")


async def test_the_user_may_not_even_look(server: Server) -> None:
    async with server(jwt={role: {"key": key} for role, key in KEYS.items()}) as client:
        assert (await client.get(DRIFT, auth=Signed("admin"))).status_code == 200
        assert (await client.get(DRIFT, auth=Signed("user"))).status_code == 401

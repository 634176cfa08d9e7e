"""The asynchronous protocol: how work starts, how it is polled, how it ends."""

import asyncio

import httpx
import pytest
from fastapi import FastAPI

from heketipy.api.application import ApiOptions, create_api
from tests.api.conftest import client_of
from tests.api.fake_services import CLUSTER, DEVICE, NODE, UNKNOWN, VOLUME, FakeServices

NEW_NODE = {"cluster": CLUSTER, "zone": 1, "hostnames": {"manage": ["n1"], "storage": ["10.0.0.1"]}}

STARTERS = [
    ("POST", "/nodes", NEW_NODE),
    ("DELETE", f"/nodes/{NODE}", None),
    ("POST", f"/nodes/{NODE}/state", {"state": "offline"}),
    ("POST", "/devices", {"node": NODE, "name": "/dev/sdb"}),
    ("DELETE", f"/devices/{DEVICE}", None),
    ("POST", f"/devices/{DEVICE}/state", {"state": "failed", "healcheck": "disable"}),
    ("POST", "/volumes", {"size": 1}),
    ("POST", f"/volumes/{VOLUME}/expand", {"expand_size": 1}),
    ("DELETE", f"/volumes/{VOLUME}", None),
]


async def start(client: httpx.AsyncClient) -> str:
    response = await client.post("/volumes", json={"size": 1})
    return response.headers["location"].removeprefix("/queue/")


@pytest.mark.parametrize(("method", "path", "body"), STARTERS)
async def test_work_starts_with_an_empty_202_and_a_bare_path(
    client: httpx.AsyncClient, services: FakeServices, method: str, path: str, body: object
) -> None:
    response = await client.request(method, path, json=body)
    (job,) = services.jobs_by_id
    assert (response.status_code, response.content) == (202, b"")
    assert response.headers["location"] == f"/queue/{job}"
    assert response.headers["content-length"] == "0"
    assert "content-type" not in response.headers
    assert "x-pending" not in response.headers


async def test_work_started_by_a_get_is_a_202_with_a_link(client: httpx.AsyncClient, services: FakeServices) -> None:
    response = await client.get(f"/devices/{DEVICE}/resync")
    (job,) = services.jobs_by_id
    assert response.status_code == 202
    assert response.headers["location"] == f"/queue/{job}"
    assert response.headers["content-type"] == "text/html; charset=utf-8"
    assert response.text == f'<a href="/queue/{job}">Accepted</a>.\n\n'


async def test_a_running_job_is_an_empty_200_with_x_pending(services: FakeServices) -> None:
    app = create_api(services, authenticator=None, options=ApiOptions(poll_hold=0))
    async with client_of(app) as client:
        response = await client.get(f"/queue/{await start(client)}")
    assert (response.status_code, response.content) == (200, b"")
    assert response.headers["x-pending"] == "true"
    assert response.headers["content-length"] == "0"


async def test_a_job_that_made_something_is_a_303_again_and_again(
    client: httpx.AsyncClient, services: FakeServices
) -> None:
    job = await start(client)
    services.end(job, result=f"/volumes/{VOLUME}")
    for _ in range(2):
        response = await client.get(f"/queue/{job}")
        assert response.status_code == 303
        assert response.headers["location"] == f"/volumes/{VOLUME}"
        assert response.headers["content-type"] == "text/html; charset=utf-8"
        assert response.text == f'<a href="/volumes/{VOLUME}">See Other</a>.\n\n'
        assert "x-pending" not in response.headers


async def test_a_job_that_made_nothing_is_a_204(client: httpx.AsyncClient, services: FakeServices) -> None:
    job = await start(client)
    services.end(job)
    response = await client.get(f"/queue/{job}")
    assert (response.status_code, response.content) == (204, b"")
    assert "x-pending" not in response.headers


async def test_a_job_that_failed_is_a_500_with_its_text_and_code(
    client: httpx.AsyncClient, services: FakeServices
) -> None:
    job = await start(client)
    services.end(job, error="No space", code="no-space")
    response = await client.get(f"/queue/{job}")
    assert (response.status_code, response.text) == (500, "No space\n")
    assert response.headers["x-heketipy-code"] == "no-space"
    assert "x-pending" not in response.headers


async def test_an_unknown_job_is_a_404_that_does_not_say_that_a_volume_is_gone(client: httpx.AsyncClient) -> None:
    response = await client.get(f"/queue/{UNKNOWN}")
    assert response.status_code == 404
    assert response.text.strip() != "Id not found"
    assert response.text.endswith("\n")


async def test_no_answer_of_the_queue_keeps_its_connection(client: httpx.AsyncClient, services: FakeServices) -> None:
    job = await start(client)
    services.end(job)
    for path in (f"/queue/{job}", f"/queue/{UNKNOWN}"):
        assert (await client.get(path)).headers["connection"] == "close"
    assert "connection" not in (await client.get("/volumes")).headers


async def test_a_poll_is_held_until_the_job_ends(client: httpx.AsyncClient, services: FakeServices) -> None:
    job = await start(client)
    poll = asyncio.create_task(client.get(f"/queue/{job}"))
    while not services.jobs.asked:
        await asyncio.sleep(0)
    assert services.jobs.asked == [2.0]
    assert not poll.done()
    services.end(job)
    assert (await poll).status_code == 204


async def test_polls_beyond_the_limit_are_answered_at_once(services: FakeServices) -> None:
    app: FastAPI = create_api(services, authenticator=None, options=ApiOptions(max_held_polls=2))
    async with client_of(app) as client:
        job = await start(client)
        held = [asyncio.create_task(client.get(f"/queue/{job}")) for _ in range(2)]
        while len(services.jobs.asked) < 2:
            await asyncio.sleep(0)
        for _ in range(3):
            assert (await client.get(f"/queue/{job}")).headers["x-pending"] == "true"
        assert not any(poll.done() for poll in held)
        services.end(job)
        assert [response.status_code for response in await asyncio.gather(*held)] == [204, 204]
        assert (await client.get(f"/queue/{job}")).status_code == 204


async def test_a_poll_that_fails_gives_its_place_back(services: FakeServices) -> None:
    app = create_api(services, authenticator=None, options=ApiOptions(max_held_polls=1))
    async with client_of(app) as client:
        for _ in range(3):
            await client.get(f"/queue/{UNKNOWN}")
    assert services.jobs.asked == [2.0, 2.0, 2.0]


async def test_other_methods_and_spellings_of_the_queue(client: httpx.AsyncClient, services: FakeServices) -> None:
    job = await start(client)
    services.end(job)
    assert (await client.delete(f"/queue/{job}")).status_code == 405
    assert (await client.get(f"/queue/{job}/")).headers["location"] == f"/queue/{job}"
    assert (await client.get("/queue/ABC")).status_code == 404

"""Routes of pending operations, on the whole server."""

from collections.abc import Callable
from contextlib import AbstractAsyncContextManager

import httpx
import pytest

from tests.api.fake_services import UNKNOWN
from tests.api.test_whole_server import finished

Server = Callable[..., AbstractAsyncContextManager[httpx.AsyncClient]]


async def test_nothing_is_pending_on_a_new_server(server: Server) -> None:
    async with server() as client:
        counts = await client.get("/operations")
        assert counts.text == '{"total":0,"in_flight":0,"stale":0,"failed":0,"new":0}\n'
        assert (await client.get("/operations/pending")).text == '{"pendingoperations":[]}\n'


async def test_an_unknown_operation_is_named(server: Server) -> None:
    async with server() as client:
        answer = await client.get(f"/operations/pending/{UNKNOWN}")
        assert (answer.status_code, answer.text) == (404, f"Id not found: {UNKNOWN}\n")


async def test_the_path_of_the_clean_up_takes_only_posts(server: Server) -> None:
    async with server() as client:
        assert (await client.get("/operations/pending/cleanup")).status_code == 405


@pytest.mark.parametrize(
    "body", ['{"operations":[]}', "{}", "null", '{"operations":null}', f'{{"operations":["","{UNKNOWN}"]}}']
)
async def test_a_clean_up_ends_well_whatever_it_finds(server: Server, body: str) -> None:
    async with server() as client:
        ended = await finished(client, await client.post("/operations/pending/cleanup", content=body))
        assert (ended.status_code, ended.text) == (204, "")


@pytest.mark.parametrize(
    ("body", "status", "text"),
    [
        ("", 422, "request unable to be parsed"),
        ("[]", 422, "request unable to be parsed"),
        ('{"operations":["x"]}', 400, "validation failed: operations: x is not a valid UUID."),
        (
            '{"operations":[' + ",".join(['""'] * 33) + "]}",
            400,
            "validation failed: operations: too many ids specified (33), up to 32 supported.",
        ),
    ],
)
async def test_wrong_forms_are_refused(server: Server, body: str, status: int, text: str) -> None:
    async with server() as client:
        answer = await client.post("/operations/pending/cleanup", content=body)
        assert (answer.status_code, answer.text) == (status, f"{text}\n")

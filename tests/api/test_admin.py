"""The admin mode and the log level, on the whole server."""

from collections.abc import Callable
from contextlib import AbstractAsyncContextManager

import httpx
import pytest

from heketipy.domain.admin import AdminMode
from tests.api.fake_services import UNKNOWN

Server = Callable[..., AbstractAsyncContextManager[httpx.AsyncClient]]

REFUSED = "Service disabled for maintenance\n"


@pytest.mark.parametrize(
    ("mode", "method", "peer", "through"),
    [
        ("normal", "DELETE", "10.0.0.9", True),
        ("read-only", "GET", "10.0.0.9", True),
        ("read-only", "HEAD", "10.0.0.9", True),
        ("read-only", "POST", "10.0.0.9", False),
        ("read-only", "POST", "127.0.0.1", False),
        ("local-client", "GET", "10.0.0.9", True),
        ("local-client", "HEAD", "10.0.0.9", True),
        ("local-client", "POST", "127.0.0.1", True),
        ("local-client", "POST", "::1", True),
        ("local-client", "POST", "127.0.0.2", False),
        ("local-client", "DELETE", "10.0.0.9", False),
        ("local-client", "DELETE", "", False),
    ],
)
def test_each_mode_lets_through_what_heketis_does(mode: str, method: str, peer: str, through: bool) -> None:
    assert AdminMode(mode).lets_through(method, peer) is through


async def test_the_mode_is_shown_and_set(server: Server) -> None:
    async with server() as client:
        assert (await client.get("/admin")).text == '{"state":"normal"}\n'
        answer = await client.post("/admin", json={"state": "local-client"})
        assert (answer.status_code, answer.text) == (204, "")
        assert (await client.get("/admin")).text == '{"state":"local-client"}\n'
        assert (await client.post("/clusters", json={})).status_code == 201


async def test_the_read_only_mode_refuses_every_change_even_its_own_and_before_routes(server: Server) -> None:
    async with server(default_state="read-only") as client:
        for method, path in (("POST", "/clusters"), ("POST", "/admin"), ("DELETE", "/nothing"), ("POST", "/hello")):
            answer = await client.request(method, path, json={"state": "normal"})
            assert (answer.status_code, answer.text) == (503, REFUSED), path
        assert (await client.get("/clusters")).status_code == 200
        assert (await client.get("/hello")).status_code == 200
        assert (await client.head("/clusters")).status_code == 405
        assert (await client.get(f"/devices/{UNKNOWN}/resync")).status_code == 404


@pytest.mark.parametrize(
    ("body", "text"),
    [
        ("", "request unable to be parsed: "),
        ("[]", "request unable to be parsed: "),
        ('{"state":5}', "request unable to be parsed: "),
        ("null", "validation failed: state: cannot be blank.\n"),
        ('{"state":"Normal"}', "validation failed: state: must be a valid value.\n"),
    ],
)
async def test_wrong_modes_are_refused(server: Server, body: str, text: str) -> None:
    async with server() as client:
        answer = await client.post("/admin", content=body)
        assert answer.status_code == 400
        assert answer.text.startswith(text)
        assert answer.text.endswith("\n")
        assert not answer.text.endswith(": \n")


async def test_the_log_level_is_shown_and_set(server: Server) -> None:
    async with server() as client:
        assert (await client.get("/internal/logging")).text == '{"loglevel":{"glusterfs":"info"}}\n'
        for level in ("none", "critical", "error", "warning", "debug"):
            answer = await client.post("/internal/logging", json={"loglevel": {"glusterfs": level, "other": "x"}})
            assert (answer.status_code, answer.json()) == (200, {"loglevel": {"glusterfs": level}})
        answer = await client.post("/internal/logging", json={"loglevel": {"glusterfs": ""}})
        assert answer.json() == {"loglevel": {"glusterfs": "debug"}}


@pytest.mark.parametrize(
    ("body", "status", "text"),
    [
        ("", 400, "request unable to be parsed: "),
        ('{"loglevel":"x"}', 400, "request unable to be parsed: "),
        ("{}", 422, 'Only "glusterfs" logger may be modified\n'),
        ("null", 422, 'Only "glusterfs" logger may be modified\n'),
        ('{"loglevel":{"other":"debug"}}', 422, 'Only "glusterfs" logger may be modified\n'),
        ('{"loglevel":{"glusterfs":"Debug"}}', 422, "invalid log level: Debug\n"),
    ],
)
async def test_wrong_levels_are_refused(server: Server, body: str, status: int, text: str) -> None:
    async with server() as client:
        answer = await client.post("/internal/logging", content=body)
        assert answer.status_code == status
        assert answer.text.startswith(text)

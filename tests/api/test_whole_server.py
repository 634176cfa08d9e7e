"""Routes on the real services and the simulator: refusals that need the books, and the two roles."""

import hashlib
import time
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from typing import Any

import httpx
import jwt
import pytest

from tests.api.fake_services import UNKNOWN
from tests.support.signed import KEYS

Server = Callable[..., AbstractAsyncContextManager[httpx.AsyncClient]]

__all__ = ["KEYS"]


class Signed(httpx.Auth):
    """Signs every request as heketi's clients do."""

    def __init__(self, role: str) -> None:
        self.role = role

    def auth_flow(self, request: httpx.Request) -> Any:
        now = int(time.time())
        qsh = hashlib.sha256(f"{request.method}&{request.url.path}".encode()).hexdigest()
        claims = {"iss": self.role, "iat": now, "exp": now + 300, "qsh": qsh}
        request.headers["Authorization"] = "bearer " + jwt.encode(claims, KEYS[self.role], "HS256")
        yield request


async def finished(client: httpx.AsyncClient, response: httpx.Response, **options: Any) -> httpx.Response:
    """Follow work to its end, without fetching what it made."""
    assert response.status_code == 202, response.text
    while True:
        answer = await client.get(response.headers["location"], **options)
        if "x-pending" not in answer.headers:
            return answer


async def furnished(client: httpx.AsyncClient, **options: Any) -> tuple[str, str, str]:
    """Set up one cluster with one node and one device; return their ids."""
    cluster = (await client.post("/clusters", json={"file": True, "block": True}, **options)).json()["id"]
    asked = {"cluster": cluster, "zone": 1, "hostnames": {"manage": ["n1"], "storage": ["10.0.0.1"]}}
    added = await finished(client, await client.post("/nodes", json=asked, **options), **options)
    node = added.headers["location"].removeprefix("/nodes/")
    device = {"node": node, "name": "/dev/sdb"}
    assert (await finished(client, await client.post("/devices", json=device, **options), **options)).status_code == 204
    shown = (await client.get(f"/nodes/{node}", **options)).json()
    return cluster, node, shown["devices"][0]["id"]


def node_of(cluster: str, *, manage: str = "n2", storage: str = "10.0.0.2") -> dict[str, Any]:
    return {"cluster": cluster, "zone": 1, "hostnames": {"manage": [manage], "storage": [storage]}}


async def test_what_needs_the_books_is_refused_in_heketis_words(server: Server) -> None:
    async with server() as client:
        cluster, node, device = await furnished(client)
        cases: list[tuple[str, str, Any, int, str]] = [
            ("POST", "/nodes", node_of(UNKNOWN), 404, "Cluster id does not exist\n"),
            (
                "POST",
                "/nodes",
                node_of(cluster, manage="n1"),
                409,
                f"Hostname n1 already used by node with id {node}\n\n",
            ),
            (
                "POST",
                "/nodes",
                node_of(cluster, storage="10.0.0.1"),
                409,
                f"Hostname 10.0.0.1 already used by node with id {node}\n\n",
            ),
            ("POST", "/devices", {"node": UNKNOWN, "name": "/dev/sdc"}, 404, "Node id does not exist\n"),
            (
                "DELETE",
                f"/clusters/{cluster}",
                None,
                409,
                f"Unable to delete cluster [{cluster}] because it contains volumes and/or nodes\n",
            ),
            (
                "DELETE",
                f"/nodes/{node}",
                None,
                409,
                f"Unable to delete node [{node}] because it contains devices\n",
            ),
            ("DELETE", f"/devices/{device}", None, 400, f"device: {device} is not in failed state\n"),
            ("POST", "/volumes", {"size": 1, "clusters": [UNKNOWN]}, 400, f"Cluster id {UNKNOWN} not found\n"),
            ("POST", "/volumes", {"size": 1, "clusters": [""]}, 400, "Cluster id  not found\n"),
            ("POST", f"/clusters/{UNKNOWN}/flags", {}, 404, "Id not found\n"),
            ("DELETE", f"/clusters/{UNKNOWN}", None, 404, "Id not found\n"),
            ("DELETE", f"/nodes/{UNKNOWN}", None, 404, "Id not found\n"),
            ("POST", f"/nodes/{UNKNOWN}/state", {"state": "online"}, 404, "Id not found\n"),
            ("DELETE", f"/devices/{UNKNOWN}", None, 404, "Id not found\n"),
            ("POST", f"/devices/{UNKNOWN}/state", {"state": "online"}, 404, "Id not found\n"),
            ("GET", f"/devices/{UNKNOWN}/resync", None, 404, "Id not found\n"),
            ("POST", f"/volumes/{UNKNOWN}/expand", {"expand_size": 1}, 404, "Id not found\n"),
            ("DELETE", f"/volumes/{UNKNOWN}", None, 404, "Id not found\n"),
        ]
        for method, path, body, status, text in cases:
            response = await client.request(method, path, json=body)
            assert (response.status_code, response.text) == (status, text), (method, path)


async def test_a_volume_of_absurd_size_is_refused_for_lack_of_space(server: Server) -> None:
    async with server() as client:
        await furnished(client)
        for size in (2**44, 2**44 + 1, 2**53, 2**63 - 1):
            response = await client.post("/volumes", json={"size": size})
            assert response.status_code == 500
            assert response.text.startswith("Failed to allocate new volume: No space\n")


async def test_a_poll_finds_a_volume_that_is_ready_without_asking_twice(server: Server) -> None:
    async with server() as client:
        await furnished(client)
        started = await client.post("/volumes", json={"size": 1, "name": "a.b"})
        polled = await client.get(started.headers["location"])
        assert polled.status_code == 303
        shown = (await client.get(polled.headers["location"])).json()
        assert shown["name"] == "a-b"
        assert (await client.get(started.headers["location"])).status_code == 303


async def test_the_user_can_follow_the_volume_it_creates(server: Server) -> None:
    async with server(jwt={role: {"key": key} for role, key in KEYS.items()}) as client:
        await furnished(client, auth=Signed("admin"))
        user = Signed("user")
        created = await client.post("/volumes", json={"size": 1}, auth=user)
        ended = await finished(client, created, auth=user)
        volume = await client.get(ended.headers["location"], auth=user)
        assert volume.json()["size"] == 1
        refused = await client.delete(ended.headers["location"], auth=user)
        assert (refused.status_code, refused.text) == (401, "Administrator access required\n")


@pytest.mark.parametrize("path", ["/clusters", "/volumes", "/nothing"])
async def test_a_token_is_asked_for(server: Server, path: str) -> None:
    async with server(jwt={role: {"key": key} for role, key in KEYS.items()}) as client:
        assert (await client.get(path)).text == "Required authorization token not found\n"
        assert (await client.get("/hello")).status_code == 200

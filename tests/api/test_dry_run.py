"""`POST /volumes?dry-run=true`."""

from collections.abc import Callable
from contextlib import AbstractAsyncContextManager

import httpx
import pytest

from tests.api.fake_services import FakeServices

BODY = {"size": 10, "durability": {"type": "replicate", "replicate": {"replica": 3}}, "name": "v"}


async def test_it_is_answered_at_once_with_the_volume_as_it_would_be(
    client: httpx.AsyncClient, services: FakeServices
) -> None:
    answer = await client.post("/volumes?dry-run=true", json=BODY)
    assert answer.status_code == 200
    assert answer.json() == {
        "size": 10,
        "name": "v",
        "durability": {"type": "replicate", "replicate": {"replica": 3}, "disperse": {}},
        "glustervolumeoptions": ["", ""],
        "snapshot": {"enable": False, "factor": 1},
        "cluster": "c" * 32,
        "bricks": [
            {
                "node": "a" * 32,
                "host": "m1.lab",
                "zone": 1,
                "device": "d" * 32,
                "name": "/dev/sdb",
                "size": 1048576,
            }
        ],
        "largest_size_gib": 498,
    }
    assert [call[0] for call in services.calls] == ["dry run of a volume"]


@pytest.mark.parametrize("query", ["", "?dry-run=false", "?dry-run", "?dry-run=1", "?dryrun=true", "?x=dry-run=true"])
async def test_any_other_query_means_a_create(client: httpx.AsyncClient, services: FakeServices, query: str) -> None:
    assert (await client.post(f"/volumes{query}", json=BODY)).status_code == 202
    assert [call[0] for call in services.calls] == ["create volume"]


async def test_a_refusal_keeps_its_status_and_first_line_and_adds_the_largest_size(
    server: Callable[..., AbstractAsyncContextManager[httpx.AsyncClient]],
) -> None:
    async with server() as client:
        assert (await client.post("/volumes?dry-run=true", json=BODY)).status_code == 400
        await client.post("/clusters", json={"file": True, "block": True})
        answer = await client.post("/volumes?dry-run=true", json=BODY)
        assert answer.status_code == 500
        assert answer.headers["x-heketipy-code"] == "cannot-allocate"
        assert answer.text == "Failed to allocate new volume: No nodes in cluster\nNo other size fits either\n"
        wrong = await client.post("/volumes?dry-run=true", json={**BODY, "size": 0})
        assert wrong.status_code == 400

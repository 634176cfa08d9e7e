"""Tags of nodes and devices, on the whole server."""

from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from typing import Any

import httpx
import pytest

from tests.api.fake_services import UNKNOWN
from tests.api.test_whole_server import furnished

Server = Callable[..., AbstractAsyncContextManager[httpx.AsyncClient]]

KINDS = ("nodes", "devices")

MANY = {f"t{number:02}": "x" for number in range(32)}

REFUSED: list[tuple[Any, int, str]] = [
    ("", 422, "request unable to be parsed"),
    ('{"tags":{"a":1},"change_type":"set"}', 422, "request unable to be parsed"),
    ("{}", 400, "validation failed: change_type: cannot be blank."),
    ('{"change_type":"Set"}', 400, "validation failed: change_type: must be a valid value."),
    (
        '{"change_type":"x","tags":{"":"x"}}',
        400,
        "validation failed: change_type: must be a valid value; tags: tag names may not be empty.",
    ),
    (
        '{"change_type":"set","tags":{"a b":"x"}}',
        400,
        "validation failed: tags: invalid characters in tag name a b.",
    ),
]


async def objects(client: httpx.AsyncClient) -> dict[str, str]:
    _, node, device = await furnished(client)
    return {"nodes": node, "devices": device}


@pytest.mark.parametrize("kind", KINDS)
async def test_tags_are_set_updated_and_deleted(server: Server, kind: str) -> None:
    async with server() as client:
        id = (await objects(client))[kind]

        async def change(change_type: str, tags: dict[str, Any] | None) -> str:
            answer = await client.post(f"/{kind}/{id}/tags", json={"change_type": change_type, "tags": tags})
            assert answer.status_code == 200
            return answer.text

        assert await change("set", None) == "{}\n"
        assert await change("set", {"z": "1", "a": "<"}) == '{"a":"\\u003c","z":"1"}\n'
        assert await change("update", {"a": "2", "b": None}) == '{"a":"2","b":"","z":"1"}\n'
        assert await change("delete", {"b": "whatever", "unknown": "x"}) == '{"a":"2","z":"1"}\n'
        assert (await client.get(f"/{kind}/{id}")).json()["tags"] == {"a": "2", "z": "1"}
        assert await change("set", {}) == "{}\n"
        assert "tags" not in (await client.get(f"/{kind}/{id}")).json()


async def test_the_limit_of_tags_is_that_of_one_request(server: Server) -> None:
    async with server() as client:
        node = (await objects(client))["nodes"]
        await client.post(f"/nodes/{node}/tags", json={"change_type": "set", "tags": MANY})
        more = await client.post(f"/nodes/{node}/tags", json={"change_type": "update", "tags": {"one": "more"}})
        assert len(more.json()) == 33


@pytest.mark.parametrize("kind", KINDS)
async def test_the_form_is_judged_before_the_object_is_looked_for(server: Server, kind: str) -> None:
    async with server() as client:
        for body, status, text in REFUSED:
            answer = await client.post(f"/{kind}/{UNKNOWN}/tags", content=body)
            assert (answer.status_code, answer.text) == (status, f"{text}\n")
        answer = await client.post(f"/{kind}/{UNKNOWN}/tags", json={"change_type": "set"})
        assert (answer.status_code, answer.text) == (404, "Id not found\n")


async def test_placement_heeds_changed_tags_at_once(server: Server) -> None:
    async with server() as client:
        device = (await objects(client))["devices"]
        asked = {"size": 1, "glustervolumeoptions": ["user.heketi.device-tag-match tier=ssd"]}
        assert (await client.post("/volumes", json=asked)).text.startswith("Failed to allocate new volume: No space\n")
        await client.post(f"/devices/{device}/tags", json={"change_type": "update", "tags": {"tier": "ssd"}})
        assert (await client.post("/volumes", json=asked)).status_code == 202

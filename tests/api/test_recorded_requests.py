"""Requests and answers recorded from heketi, repeated against the whole server on its simulator.

`vectors/requests.json` is a list of fixtures: configuration, nodes to be set up, and steps. The fixture `server`
starts a server: `server(config=…, environment=…)` is an asynchronous context manager that gives an HTTP client;
`config` are members of the section `glusterfs`.
"""

import json
from collections.abc import Callable, Mapping
from contextlib import AbstractAsyncContextManager
from pathlib import Path
from typing import Any

import httpx
import pytest

from heketipy.domain.placement.request import BRICK_FLOOR_KIB
from heketipy.domain.units import KIB_PER_GIB

Server = Callable[..., AbstractAsyncContextManager[httpx.AsyncClient]]
Json = dict[str, Any]

RECORDED: list[Json] = json.loads((Path(__file__).parent / "vectors" / "requests.json").read_text())

DIFFERENT: dict[tuple[str, int], Json] = {
    ("three-nodes", 6): {"brick_sizes_kib": [12 * KIB_PER_GIB] * 3},
    ("three-nodes", 8): {"brick_sizes_kib": [BRICK_FLOOR_KIB, KIB_PER_GIB, KIB_PER_GIB]},
}
"""Results where we knowingly differ: no arbiter bricks in disperse volumes, and none that mkfs.xfs refuses."""


@pytest.mark.parametrize("fixture", RECORDED, ids=lambda fixture: fixture["fixture"])
async def test_the_server_answers_as_heketi_did(server: Server, fixture: Json) -> None:
    async with server(config=fixture["config"], environment=fixture["environment"]) as client:
        ids = await set_up(client, fixture)
        for number, step in enumerate(fixture["steps"]):
            result = {**step.get("result", {}), **DIFFERENT.get((fixture["fixture"], number), {})}
            await repeat(client, {**step, "result": result}, ids, place=f"step {number}: {step['request']}")


async def set_up(client: httpx.AsyncClient, fixture: Json) -> dict[str, str]:
    """Build the fixture's clusters, nodes and devices. Return what the placeholders stand for."""
    ids: dict[str, str] = {}
    for cluster_number in range(fixture["clusters"]):
        cluster = (await client.post("/clusters", json={"file": True, "block": True})).json()["id"]
        ids["{cluster}"] = cluster
        for number, zone in enumerate(fixture["zones"], start=1):
            host = f"10.0.{cluster_number}.{number}"
            asked = {"cluster": cluster, "zone": zone, "hostnames": {"manage": [host], "storage": [host]}}
            node = (await end(client, await client.post("/nodes", json=asked))).json()["id"]
            ids[f"{{node{number}}}"] = node
            for device in range(1, fixture["devices_per_node"] + 1):
                asked = {"node": node, "name": f"/dev/sd{chr(ord('a') + device)}"}
                assert (await end(client, await client.post("/devices", json=asked))).status_code == 204
            shown = (await client.get(f"/nodes/{node}")).json()
            ids[f"{{device{number}}}"] = shown["devices"][0]["id"]
    return ids


async def end(client: httpx.AsyncClient, response: httpx.Response) -> httpx.Response:
    """Follow work to its end: the object, or an empty 204, or a 500."""
    assert response.status_code == 202, response.text
    location = response.headers["location"]
    while True:
        response = await client.get(location)
        if "x-pending" not in response.headers:
            break
    return await client.get(response.headers["location"]) if response.status_code == 303 else response


async def repeat(client: httpx.AsyncClient, step: Json, ids: dict[str, str], *, place: str) -> None:
    """Send a step's request and compare all that was recorded of the answer."""
    method, path, body = step["request"]
    content = body if isinstance(body, str) or body is None else json.dumps(body)
    response = await client.request(
        method, filled(path, ids), content=None if content is None else filled(content, ids)
    )
    assert response.status_code == step["status"], f"{place}: {response.text}"
    if "body" in step:
        assert same_text(response.text, filled(step["body"], ids)), f"{place}: {response.text}"
    if "result_status" not in step:
        return
    result = await end(client, response)
    assert result.status_code == step["result_status"], f"{place}: {result.text}"
    if "result_body" in step:
        assert same_text(result.text, filled(step["result_body"], ids)), f"{place}: {result.text}"
    if "result_id_as" in step:
        ids[step["result_id_as"]] = result.json()["id"]
    if step["result"]:
        assert shown(result.json(), step["result"]) == sorted_sizes(step["result"]), place


def filled(text: str, ids: Mapping[str, str]) -> str:
    for placeholder, id in ids.items():
        text = text.replace(placeholder, id)
    return text


def same_text(ours: str, recorded: str) -> bool:
    """Compare texts. Ours may go on with lines that explain; the recorded ones end with a line feed."""
    return ours == recorded or (bool(recorded) and ours.startswith(recorded))


def shown(answer: Json, recorded: Json) -> Json:
    """Return of an answer what was recorded, in the recording's form."""
    bricks = answer.get("bricks", ())
    summary = {"bricks": len(bricks), "brick_sizes_kib": sorted(brick["size"] for brick in bricks)}
    return {name: summary.get(name, answer.get(name)) for name in recorded}


def sorted_sizes(recorded: Json) -> Json:
    return {name: sorted(value) if name == "brick_sizes_kib" else value for name, value in recorded.items()}

"""The whole site in one answer, on the whole server."""

import json
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from typing import Any

import httpx

from tests.api.test_whole_server import finished, furnished

Server = Callable[..., AbstractAsyncContextManager[httpx.AsyncClient]]


async def one_by_one(client: httpx.AsyncClient) -> Any:
    """Ask for everything as heketi's own client does."""

    async def get(path: str) -> Any:
        return (await client.get(path)).json()

    clusters = []
    for cluster_id in (await get("/clusters"))["clusters"]:
        cluster = await get(f"/clusters/{cluster_id}")
        clusters.append(
            {
                "volumes": [await get(f"/volumes/{id}") for id in cluster["volumes"]],
                "nodes": [await get(f"/nodes/{id}") for id in cluster["nodes"]],
                "id": cluster["id"],
                "block": cluster["block"],
                "file": cluster["file"],
            }
        )
    return {"clusters": clusters}


async def test_it_is_what_a_walk_over_the_site_shows_byte_for_byte(server: Server) -> None:
    async with server() as client:
        assert (await client.get("/topology")).json() == {"clusters": []}
        await furnished(client)
        await client.post("/clusters", json={"file": True, "block": False})
        for name in ("first", "second"):
            await finished(client, await client.post("/volumes", json={"size": 1, "name": name}))
        answer = await client.get("/topology")
        assert answer.headers["content-type"] == "application/json; charset=UTF-8"
        wanted = await one_by_one(client)
        assert [len(cluster["volumes"]) for cluster in wanted["clusters"]] in ([2, 0], [0, 2])
        assert answer.text == json.dumps(wanted, separators=(",", ":"), ensure_ascii=False) + "\n"

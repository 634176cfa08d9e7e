"""`GET /internal/state/examine/gluster`, on the whole server."""

import json
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager

import httpx

from tests.api.test_whole_server import finished, furnished

Server = Callable[..., AbstractAsyncContextManager[httpx.AsyncClient]]


async def test_the_answer_is_indented_json_with_the_dump_in_it(server: Server) -> None:
    async with server() as client:
        await furnished(client)
        await finished(client, await client.post("/volumes", json={"size": 1}))
        answer = await client.get("/internal/state/examine/gluster")
        assert answer.headers["content-type"] == "application/json; charset=UTF-8"
        found = answer.json()
        assert answer.text == json.dumps(found, indent=4) + "\n"
        assert found["heketidb"] == (await client.get("/db/dump")).json()
        assert found["report"][-1] == "heketi volume list matches with volume list of all nodes"
        mounts = found["clusters"][0]["NodesData"][0]["BricksMountStatus"]["Statuses"]
        assert [one["Mounted"] for one in mounts if "/heketi/" in one["MountPoint"]] == [True]

"""What clients in the field rely on, on the whole server: where no other test says it."""

import asyncio
import re
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from typing import Any

import httpx

from tests.api.test_whole_server import finished, furnished

Server = Callable[..., AbstractAsyncContextManager[httpx.AsyncClient]]
REPLICA_3 = {"type": "replicate", "replicate": {"replica": 3}}


async def site(client: httpx.AsyncClient, count: int) -> str:
    """Make a cluster of nodes with a device each, whose storage names are not their manage names; return its id."""
    cluster: str = (await client.post("/clusters", json={"file": True, "block": True})).json()["id"]
    for number in range(1, count + 1):
        hosts = {"manage": [f"node{number}"], "storage": [f"10.0.0.{number}"]}
        asked = {"cluster": cluster, "zone": 1, "hostnames": hosts}
        node = (await finished(client, await client.post("/nodes", json=asked))).headers["location"].split("/")[-1]
        device = {"node": node, "name": "/dev/sdb"}
        assert (await finished(client, await client.post("/devices", json=device))).status_code == 204
    return cluster


async def create(client: httpx.AsyncClient, **asked: Any) -> Any:
    ended = await finished(client, await client.post("/volumes", json={"size": 1, **asked}))
    assert ended.status_code == 303, ended.text
    return (await client.get(ended.headers["location"])).json()


async def test_a_volume_is_mounted_from_all_nodes_of_its_cluster_with_the_first_one_in_front(server: Server) -> None:
    async with server() as client:
        await site(client, 5)
        mount = (await create(client, durability=REPLICA_3))["mount"]["glusterfs"]
        assert sorted(mount["hosts"]) == [f"10.0.0.{number}" for number in range(1, 6)]
        assert mount["device"].startswith(f"{mount['hosts'][0]}:vol_")
        assert mount["options"] == {"backup-volfile-servers": ",".join(mount["hosts"][1:])}


async def test_a_volume_without_options_shows_two_empty_ones_and_a_device_its_uuid(server: Server) -> None:
    async with server() as client:
        _, _, device = await furnished(client)
        assert (await create(client))["glustervolumeoptions"] == ["", ""]
        assert (await client.get(f"/devices/{device}")).json()["pv_uuid"]


async def test_a_name_of_128_characters_is_kept(server: Server) -> None:
    async with server() as client:
        await furnished(client)
        assert (await create(client, name="n" * 128))["name"] == "n" * 128


async def test_every_id_is_32_hexadecimal_digits(server: Server) -> None:
    async with server() as client:
        ids = list(await furnished(client))
        started = await client.post("/volumes", json={"size": 1})
        ids.append(started.headers["location"].removeprefix("/queue/"))
        volume = (await client.get((await finished(client, started)).headers["location"])).json()
        ids += [volume["id"], volume["bricks"][0]["id"]]
        assert [id for id in ids if not re.fullmatch("[0-9a-f]{32}", id)] == []


async def test_beyond_the_configured_number_of_operations_it_is_busy(server: Server) -> None:
    async with server(config={"max_inflight_operations": 2}) as client:
        await furnished(client)
        many = await asyncio.gather(*(client.post("/volumes", json={"size": 1}) for _ in range(20)))
        refused = [answer for answer in many if answer.status_code != 202]
        assert refused
        assert {(a.status_code, a.text) for a in refused} == {(429, "Server busy. Retry operation later.\n")}
        for answer in many:
            if answer.status_code == 202:
                await finished(client, answer)
        assert (await client.post("/volumes", json={"size": 1})).status_code == 202


async def test_a_malformed_id_is_404_before_the_body_is_looked_at(server: Server) -> None:
    async with server() as client:
        for method, path, body in (
            ("GET", "/volumes/xyz", ""),
            ("POST", "/volumes/xyz/expand", "{"),
            ("POST", f"/devices/{'g' * 32}/state", ""),
        ):
            answer = await client.request(method, path, content=body)
            assert (answer.status_code, answer.text) == (404, "Invalid path or request\n"), path

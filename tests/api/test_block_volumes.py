"""Routes of block volumes: bodies, order of checks, and the whole server on its simulator."""

from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from typing import Any

import httpx
import pytest

from heketipy.domain.model import BlockTarget, BlockVolumeSpec
from tests.api.fake_services import BLOCK_VOLUME, CLUSTER, UNKNOWN, VOLUME, FakeServices, block_volume
from tests.api.test_recorded_requests import end, set_up

Server = Callable[..., AbstractAsyncContextManager[httpx.AsyncClient]]


async def test_a_block_volume_is_shown_as_heketi_shows_it(client: httpx.AsyncClient) -> None:
    response = await client.get(f"/blockvolumes/{BLOCK_VOLUME}")
    assert response.text == (
        f'{{"size":3,"name":"bv1","hacount":1,"id":"{BLOCK_VOLUME}","blockvolume":{{"hosts":["10.0.0.1"],'
        '"iqn":"iqn.2016-12.org.gluster-block:aafea465","lun":0,"username":"aafea465","password":"4a1f5c1e"},'
        f'"cluster":"{CLUSTER}","blockhostingvolume":"{VOLUME}","usablesize":3}}\n'
    )
    assert (await client.get("/blockvolumes")).json() == {"blockvolumes": [BLOCK_VOLUME]}


async def test_an_old_record_shows_its_size_as_usable(client: httpx.AsyncClient, services: FakeServices) -> None:
    services.block_volumes_by_id[BLOCK_VOLUME] = block_volume(usable_gib=0, ha_count=0, target=BlockTarget())
    shown = (await client.get(f"/blockvolumes/{BLOCK_VOLUME}")).json()
    assert shown["usablesize"] == 3
    assert "hacount" not in shown
    assert shown["blockvolume"] == {"hosts": [], "iqn": "", "lun": 0, "username": "", "password": ""}


async def test_what_is_asked_for_reaches_the_use_case(client: httpx.AsyncClient, services: FakeServices) -> None:
    asked: dict[str, Any] = {"size": 3, "name": "bv", "hacount": 2, "auth": True, "clusters": [CLUSTER]}
    assert (await client.post("/blockvolumes", json=asked)).status_code == 202
    assert (await client.post(f"/blockvolumes/{BLOCK_VOLUME}/expand", json={"new_size": 9})).status_code == 202
    assert (await client.delete(f"/blockvolumes/{BLOCK_VOLUME}")).status_code == 202
    assert (await client.post(f"/volumes/{VOLUME}/block-restriction", json={})).status_code == 202
    assert services.calls == [
        ("create block volume", BlockVolumeSpec(3, "bv", (CLUSTER,), 2, True)),
        ("expand block volume", BLOCK_VOLUME, 9),
        ("delete block volume", BLOCK_VOLUME),
        ("restrict volume", VOLUME, ""),
    ]


@pytest.mark.parametrize(
    ("path", "body", "text"),
    [
        ("/blockvolumes", {}, "size: cannot be blank."),
        ("/blockvolumes", {"size": -1}, "size: must be no less than 1."),
        (
            "/blockvolumes",
            {"hacount": -1, "name": "a b"},
            "hacount: must be no less than 1; name: must be in a valid format; size: cannot be blank.",
        ),
        ("/blockvolumes", {"size": 1, "name": "a.b"}, "name: must be in a valid format."),
        (f"/blockvolumes/{UNKNOWN}/expand", {}, "new_size: cannot be blank."),
        (f"/blockvolumes/{UNKNOWN}/expand", {"new_size": -1}, "new_size: must be no less than 1."),
        (f"/volumes/{UNKNOWN}/block-restriction", {"restriction": "x"}, "restriction: must be a valid value."),
        (
            f"/volumes/{UNKNOWN}/block-restriction",
            {"restriction": "locked-by-update"},
            "restriction: must be a valid value.",
        ),
    ],
)
async def test_a_wrong_form_is_refused_before_anything_is_looked_up(
    client: httpx.AsyncClient, path: str, body: dict[str, Any], text: str
) -> None:
    response = await client.post(path, json=body)
    assert (response.status_code, response.text) == (400, f"validation failed: {text}\n")


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("GET", f"/blockvolumes/{UNKNOWN}", None),
        ("DELETE", f"/blockvolumes/{UNKNOWN}", None),
        ("POST", f"/blockvolumes/{UNKNOWN}/expand", {"new_size": 1}),
        ("POST", f"/volumes/{UNKNOWN}/block-restriction", {"restriction": "locked"}),
    ],
)
async def test_what_does_not_exist_is_404(client: httpx.AsyncClient, method: str, path: str, body: Any) -> None:
    response = await client.request(method, path, json=body)
    assert (response.status_code, response.text) == (404, "Id not found\n")


@pytest.mark.parametrize(
    "path", ["/blockvolumes", f"/blockvolumes/{UNKNOWN}/expand", f"/volumes/{UNKNOWN}/block-restriction"]
)
async def test_what_is_no_json_is_422(client: httpx.AsyncClient, path: str) -> None:
    assert (await client.post(path, content=b"{")).status_code == 422


async def test_block_volumes_of_simulated_nodes_outlive_the_server(server: Server) -> None:
    config = {"auto_create_block_hosting_volume": True, "block_hosting_volume_size": 20}
    async with server(config=config) as client:
        await set_up(client, {"clusters": 1, "zones": [1, 2, 3], "devices_per_node": 1})
        made = (await end(client, await client.post("/blockvolumes", json={"size": 5, "auth": True}))).json()
        assert made["blockvolume"]["password"]
    async with server(config=config) as client:
        assert (await client.get(f"/blockvolumes/{made['id']}")).json() == made
        grown = await end(client, await client.post(f"/blockvolumes/{made['id']}/expand", json={"new_size": 9}))
        assert (grown.json()["size"], grown.json()["usablesize"]) == (9, 9)
        hosting = (await client.get(f"/volumes/{made['blockhostingvolume']}")).json()
        assert hosting["blockinfo"] == {"freesize": 10, "reservedsize": 1, "blockvolume": [made["id"]]}
        gone = await end(client, await client.delete(f"/blockvolumes/{made['id']}"))
        assert gone.status_code == 204

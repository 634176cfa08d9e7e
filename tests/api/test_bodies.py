"""Which bodies are read, how leniently, and what the answers' bodies look like."""

import json
from collections.abc import AsyncIterator

import httpx
import pytest

from heketipy.domain.model import DeviceSpec, VolumeSpec
from tests.api.fake_services import CLUSTER, DEVICE, NODE, VOLUME, FakeServices

UNPARSABLE = "request unable to be parsed\n"


NO_JSON = [
    b"",
    b" ",
    b"{",
    b"{} {}",
    b"{'size':1}",
    b'{"x":1,}',
    b"\xef\xbb\xbf{}",
    b'{"x":NaN}',
    b'{"x":"\x01"}',
    b"\xff",
]
NO_OBJECT = [b"[]", b'"x"', b"5", b"true"]

WRONG_TYPES = [
    ("/clusters", {"file": 1}),
    ("/clusters", {"file": "true"}),
    (f"/clusters/{CLUSTER}/flags", {"block": []}),
    ("/nodes", {"zone": "1"}),
    ("/nodes", {"zone": 1.5}),
    ("/nodes", {"hostnames": []}),
    ("/nodes", {"hostnames": {"manage": "m1"}}),
    ("/nodes", {"hostnames": {"storage": [1]}}),
    ("/nodes", {"tags": {"a": 1}}),
    (f"/nodes/{NODE}/state", {"state": 1}),
    ("/devices", {"name": ["/dev/sdb"]}),
    ("/devices", {"destroydata": "yes"}),
    (f"/devices/{DEVICE}/state", {"healcheck": False}),
    ("/volumes", {"size": "1"}),
    ("/volumes", {"size": 2**63}),
    ("/volumes", {"size": 1e3}),
    ("/volumes", {"clusters": "abc"}),
    ("/volumes", {"glustervolumeoptions": "a b"}),
    ("/volumes", {"durability": "none"}),
    ("/volumes", {"durability": {"replicate": {"replica": True}}}),
    ("/volumes", {"gid": "1000"}),
    ("/volumes", {"snapshot": {"factor": "2"}}),
    (f"/volumes/{VOLUME}/expand", {"expand_size": -(2**63) - 1}),
]


@pytest.mark.parametrize("body", [*NO_JSON, *NO_OBJECT])
@pytest.mark.parametrize("path", sorted({path for path, _ in WRONG_TYPES}))
async def test_what_is_no_json_object_is_422_in_text(client: httpx.AsyncClient, path: str, body: bytes) -> None:
    response = await client.post(path, content=body)
    assert (response.status_code, response.text) == (422, UNPARSABLE)
    assert response.headers["content-type"] == "text/plain; charset=utf-8"
    assert response.headers["x-heketipy-code"] == "undecodable"


@pytest.mark.parametrize(("path", "body"), WRONG_TYPES)
async def test_a_member_of_a_wrong_type_is_422(client: httpx.AsyncClient, path: str, body: object) -> None:
    response = await client.post(path, json=body)
    assert (response.status_code, response.text) == (422, UNPARSABLE)


async def test_the_content_type_of_a_request_does_not_matter(client: httpx.AsyncClient) -> None:
    for media_type in ("text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x", ""):
        response = await client.post("/clusters", content=b"{}", headers={"Content-Type": media_type})
        assert response.status_code == 201


async def test_null_is_an_empty_object_and_an_omitted_flag_is_false(
    client: httpx.AsyncClient, services: FakeServices
) -> None:
    assert (await client.post("/clusters", content=b"null")).status_code == 201
    assert (await client.post("/clusters", content=b' {"Block":true, "unknown":1e999} ')).status_code == 201
    assert services.calls == [("create cluster", False, False), ("create cluster", False, True)]


async def test_bodies_of_a_hundred_thousand_levels_and_of_megabytes_crash_nothing(client: httpx.AsyncClient) -> None:
    deep = b'{"file":true,"x":' + b"[" * 100_000 + b"]" * 100_000 + b"}"
    assert (await client.post("/clusters", content=deep)).status_code == 422
    allowed = b'{"file":true,"x":' + b"[" * 9_999 + b"]" * 9_999 + b"}"
    assert (await client.post("/clusters", content=allowed)).status_code == 201
    long = b'{"file":true,"x":"' + b"a" * 30_000_000 + b'"}'
    assert (await client.post("/clusters", content=long)).status_code == 201


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/clusters", 200),
        ("GET", f"/volumes/{VOLUME}", 200),
        ("GET", f"/devices/{DEVICE}/resync", 202),
        ("DELETE", f"/volumes/{VOLUME}", 202),
        ("DELETE", f"/nodes/{NODE}", 202),
        ("DELETE", f"/clusters/{CLUSTER}", 200),
    ],
)
async def test_a_body_where_none_belongs_is_ignored(
    client: httpx.AsyncClient, method: str, path: str, status: int
) -> None:
    for body in (b"{}", b"{"):
        response = await client.request(method, path, content=body)
        if path.startswith("/clusters/"):
            assert response.status_code in (status, 404)
        else:
            assert response.status_code == status


async def test_the_options_of_a_device_delete_are_read_only_if_their_length_is_announced(
    client: httpx.AsyncClient, services: FakeServices
) -> None:
    async def chunks() -> AsyncIterator[bytes]:
        yield b'{"forceforget":true}'

    path = f"/devices/{DEVICE}"
    assert (await client.delete(path)).status_code == 202
    assert (await client.request("DELETE", path, content=b"{}")).status_code == 202
    assert (await client.request("DELETE", path, content=chunks())).status_code == 202
    assert (await client.request("DELETE", path, content=b'{"forceforget":true}')).status_code == 202
    assert (await client.request("DELETE", path, content=b"null")).status_code == 202
    assert (await client.request("DELETE", path, content=b"x")).status_code == 422
    assert [call[2] for call in services.calls] == [False, False, False, True, False]


async def test_an_unparsable_body_comes_before_an_unknown_id(client: httpx.AsyncClient) -> None:
    response = await client.post("/volumes/0/expand", content=b"{")
    assert response.status_code == 422
    response = await client.post("/volumes/0/expand", json={})
    assert (response.status_code, response.text) == (400, "validation failed: expand_size: cannot be blank.\n")
    response = await client.post("/volumes/0/expand", json={"expand_size": 1})
    assert (response.status_code, response.text) == (404, "Id not found\n")
    response = await client.request("DELETE", "/devices/0", content=b"{")
    assert response.status_code == 422


async def test_json_answers_are_compact_with_one_line_feed(client: httpx.AsyncClient) -> None:
    response = await client.get("/clusters")
    assert response.content == b'{"clusters":["' + CLUSTER.encode() + b'"]}\n'
    assert response.headers["content-type"] == "application/json; charset=UTF-8"
    assert response.headers["content-length"] == str(len(response.content))


async def test_lists_of_nothing_are_empty_lists(client: httpx.AsyncClient, services: FakeServices) -> None:
    services.clusters_by_id.clear()
    services.volumes_by_id.clear()
    assert (await client.get("/clusters")).content == b'{"clusters":[]}\n'
    assert (await client.get("/volumes")).content == b'{"volumes":[]}\n'


async def test_a_new_cluster_is_201_and_looks_as_when_it_is_asked_for(client: httpx.AsyncClient) -> None:
    made = await client.post("/clusters", json={"file": True})
    shown = await client.get(f"/clusters/{CLUSTER}")
    assert (made.status_code, shown.status_code) == (201, 200)
    assert made.content == shown.content
    assert list(made.json()) == ["id", "nodes", "volumes", "block", "file", "blockvolumes"]


async def test_set_flags_answers_an_empty_body_that_claims_to_be_json(
    client: httpx.AsyncClient, services: FakeServices
) -> None:
    response = await client.post(f"/clusters/{CLUSTER}/flags", json={"block": True})
    assert (response.status_code, response.content) == (200, b"")
    assert response.headers["content-type"] == "application/json; charset=UTF-8"
    assert response.headers["content-length"] == "0"
    assert services.calls == [("set flags", CLUSTER, False, True)]


async def test_deleting_a_cluster_answers_an_empty_200_without_a_type(client: httpx.AsyncClient) -> None:
    response = await client.delete(f"/clusters/{CLUSTER}")
    assert (response.status_code, response.content) == (200, b"")
    assert "content-type" not in response.headers
    assert response.headers["content-length"] == "0"


async def test_what_kubernetes_sends_arrives_whole(client: httpx.AsyncClient, services: FakeServices) -> None:
    body = (
        b'{"size":2,"clusters":["a"," b"],"name":"p_ns_pvc.1","durability":{"type":"disperse","replicate":{},'
        b'"disperse":{"data":4,"redundancy":2}},"gid":2000,'
        b'"glustervolumeoptions":["client.ssl on"," server.ssl on",""],"snapshot":{"enable":true,"factor":1.1}}'
    )
    response = await client.post("/volumes", content=body, headers={"Accept-Encoding": "gzip"})
    assert response.status_code == 202
    ((_, spec),) = services.calls
    assert isinstance(spec, VolumeSpec)
    assert spec.clusters == ("a", "b")
    assert spec.options == ("client.ssl on", "server.ssl on")
    assert spec.name == "p_ns_pvc-1"
    assert (spec.durability.data, spec.durability.redundancy) == (4, 2)
    assert spec.gid == 2000
    assert spec.snapshot.factor == pytest.approx(1.1)


async def test_every_member_of_a_device_arrives(client: httpx.AsyncClient, services: FakeServices) -> None:
    body = {"node": NODE, "name": "/dev/sdb", "tags": {"a": "1"}, "destroydata": True}
    assert (await client.post("/devices", content=json.dumps(body))).status_code == 202
    assert services.calls == [("add device", DeviceSpec(NODE, "/dev/sdb", {"a": "1"}, True))]

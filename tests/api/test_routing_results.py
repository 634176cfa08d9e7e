"""What unknown, unclean and misused paths get."""

import httpx
import pytest

from heketipy.api.application import ApiOptions, create_api
from tests.api.conftest import client_of
from tests.api.fake_services import CLUSTER, FakeServices

NOT_FOUND = "Invalid path or request\n"


@pytest.mark.parametrize(
    "path",
    [
        "/",
        "/nothing",
        "/clusters/xyz",
        "/clusters/abc%0A",
        "/clusters%0A",
        "/clusters/abc/nothing",
        "/Clusters",
        "/VOLUMES",
        "/hello/",
        "/docs",
        "/redoc",
        "/openapi.json",
        "/queue",
        "/queue/",
    ],
)
async def test_a_path_that_no_route_matches_is_404_in_text(client: httpx.AsyncClient, path: str) -> None:
    response = await client.get(path)
    assert (response.status_code, response.text) == (404, NOT_FOUND)
    assert response.headers["content-type"] == "text/plain; charset=utf-8"
    assert response.headers["x-content-type-options"] == "nosniff"


@pytest.mark.parametrize("id", ["abc", "0" * 33, CLUSTER.upper()])
@pytest.mark.parametrize("resource", ["clusters", "nodes", "devices", "volumes"])
async def test_an_unknown_id_of_any_length_is_the_handlers_404(
    client: httpx.AsyncClient, resource: str, id: str
) -> None:
    response = await client.get(f"/{resource}/{id}")
    assert (response.status_code, response.text) == (404, "Id not found\n")
    assert response.headers["x-heketipy-code"] == "not-found"


@pytest.mark.parametrize("method", ["HEAD", "OPTIONS", "PUT", "PATCH", "DELETE"])
@pytest.mark.parametrize("path", ["/clusters", "/volumes/", "/volumes", "/nodes"])
async def test_a_wrong_method_is_an_empty_405(client: httpx.AsyncClient, method: str, path: str) -> None:
    response = await client.request(method, path)
    assert (response.status_code, response.content) == (405, b"")
    assert response.headers.get("content-length") == (None if method == "HEAD" else "0")
    assert "allow" not in response.headers
    assert "content-type" not in response.headers


async def test_head_and_options_are_wrong_methods_for_a_known_object_too(client: httpx.AsyncClient) -> None:
    for method in ("HEAD", "OPTIONS"):
        assert (await client.request(method, f"/clusters/{CLUSTER}")).status_code == 405


@pytest.mark.parametrize("method", ["POST", "OPTIONS", "DELETE"])
async def test_hello_answers_nothing_but_get(client: httpx.AsyncClient, method: str) -> None:
    response = await client.request(method, "/hello")
    assert (response.status_code, response.text) == (404, NOT_FOUND)


async def test_hello_greets_without_a_line_feed(client: httpx.AsyncClient) -> None:
    response = await client.get("/hello")
    assert (response.status_code, response.content) == (200, b"Hello from Heketi")
    assert response.headers["content-type"] == "text/plain; charset=UTF-8"


async def test_one_slash_too_many_on_a_get_is_a_relative_301_with_a_link(client: httpx.AsyncClient) -> None:
    response = await client.get("/clusters/?a=b&c")
    assert response.status_code == 301
    assert response.headers["location"] == "/clusters?a=b&c"
    assert response.headers["content-type"] == "text/html; charset=utf-8"
    assert response.text == '<a href="/clusters?a=b&amp;c">Moved Permanently</a>.\n\n'


async def test_one_slash_too_many_on_other_methods_is_an_empty_301(client: httpx.AsyncClient) -> None:
    response = await client.delete(f"/clusters/{CLUSTER}/")
    assert (response.status_code, response.content) == (301, b"")
    assert response.headers["location"] == f"/clusters/{CLUSTER}"
    assert "content-type" not in response.headers
    assert response.headers["content-length"] == "0"


@pytest.mark.parametrize(
    ("path", "location"),
    [
        ("/clusters/%2e", "/clusters"),
        ("/clusters/%2e/", "/clusters/"),
        ("/x/%2e%2e/clusters?a=1", "/clusters?a=1"),
        ("/clusters/%2e%2e", "/"),
        ("/%2e%2e/a%20b%0d%0aX:%20y", "/a%20b%0D%0AX:%20y"),
    ],
)
async def test_a_path_with_dots_is_an_empty_301_to_the_clean_one(
    client: httpx.AsyncClient, path: str, location: str
) -> None:
    # httpx resolves plain dots itself before it sends anything; escaped ones mean the same to a server.
    for method in ("GET", "POST", "DELETE", "HEAD"):
        response = await client.request(method, path)
        assert (response.status_code, response.content) == (301, b"")
        assert response.headers["location"] == location


async def test_repeated_slashes_count_as_one(client: httpx.AsyncClient, services: FakeServices) -> None:
    assert (await client.get("http://server//clusters")).json() == {"clusters": [CLUSTER]}
    assert (await client.get(f"http://server/clusters//{CLUSTER}")).status_code == 200
    assert (await client.get("http://server/%2Fclusters")).status_code == 200
    assert (await client.post("http://server//volumes", json={"size": 1})).status_code == 202
    assert services.calls[-1][0] == "create volume"


async def test_an_escaped_slash_is_a_slash(client: httpx.AsyncClient) -> None:
    assert (await client.get(f"/clusters%2F{CLUSTER}")).status_code == 200


async def test_the_query_is_ignored(client: httpx.AsyncClient) -> None:
    assert (await client.get("/clusters?limit=1&x=%zz")).json() == {"clusters": [CLUSTER]}


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/debug/pprof/heap"),
        ("GET", "/nodes/0/tags/more"),
    ],
)
async def test_what_is_no_route_is_an_unknown_path(client: httpx.AsyncClient, method: str, path: str) -> None:
    response = await client.request(method, path)
    assert (response.status_code, response.text) == (404, NOT_FOUND)


async def test_every_answer_has_an_id_of_its_own_and_a_given_one_is_kept(client: httpx.AsyncClient) -> None:
    ids = {(await client.get(path)).headers["x-request-id"] for path in ("/clusters", "/nothing", "/hello", "/queue/0")}
    assert len(ids) == 4
    given = await client.get("/clusters", headers={"X-Request-Id": "abc-1.2_3"})
    assert given.headers["x-request-id"] == "abc-1.2_3"
    harmful = await client.get("/clusters", headers={"X-Request-Id": "a b\x01"})
    assert harmful.headers["x-request-id"] not in ("a b\x01", "")


async def test_the_simulator_is_announced_on_every_answer(services: FakeServices) -> None:
    async with client_of(create_api(services, authenticator=None, options=ApiOptions(simulator=True))) as client:
        for path in ("/hello", "/clusters", "/nothing", "/queue/0", "/clusters/"):
            assert (await client.get(path)).headers["x-heketipy-simulator"] == "no real storage"
    async with client_of(create_api(services, authenticator=None)) as client:
        assert "x-heketipy-simulator" not in (await client.get("/clusters")).headers


async def test_hello_leaves_no_line_in_the_access_log(
    client: httpx.AsyncClient, capsys: pytest.CaptureFixture[str]
) -> None:
    await client.get("/hello")
    assert capsys.readouterr().out == ""
    await client.get("/clusters")
    assert "/clusters" in capsys.readouterr().out

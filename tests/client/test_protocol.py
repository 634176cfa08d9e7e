"""What the client says, and what it makes of answers."""

import asyncio
from hashlib import sha256

import pytest

from heketipy.client import Client, ClientError, MisunderstoodError, RefusedError
from tests.client.scripted_server import Answer, ScriptedServer
from tests.support.secrets import secret

VOLUME = "0123456789abcdef0123456789abcdef"
STARTED = Answer(202, headers={"Location": "/queue/77"})
PENDING = Answer(200, headers={"X-Pending": "true"})
DONE = Answer(204)
BUSY = Answer(429, "Server busy\n")


@pytest.mark.looptime
async def test_a_job_is_polled_until_it_leads_to_its_result() -> None:
    see_volume = Answer(303, headers={"Location": f"/volumes/{VOLUME}"})
    server = ScriptedServer([STARTED, PENDING, PENDING, see_volume, Answer(body='{"id":"x"}')])
    start = asyncio.get_running_loop().time()
    async with server.client() as client:
        assert await client.volumes.create(3, name="v") == {"id": "x"}
    assert asyncio.get_running_loop().time() - start == pytest.approx(0.8)
    assert server.asked[0].body == {"size": 3, "name": "v"}
    poll = "GET http://server/queue/77"
    assert server.lines == ["POST http://server/volumes", poll, poll, poll, f"GET http://server/volumes/{VOLUME}"]


async def test_every_request_has_a_token_of_its_own_for_its_method_and_path() -> None:
    server = ScriptedServer([STARTED, DONE])
    async with server.client() as client:
        await client.volumes.delete(VOLUME)
    for asked, signed in zip(server.asked, (f"DELETE&/volumes/{VOLUME}", "GET&/queue/77"), strict=True):
        assert asked.claims["qsh"] == sha256(signed.encode()).hexdigest()
        assert asked.claims["iss"] == "admin"
        assert asked.claims["exp"] == asked.claims["iat"] + 300


async def test_a_failed_job_is_an_error_with_its_text_status_and_code() -> None:
    failure = Answer(500, "no space\nanywhere\n", {"X-Heketipy-Code": "no-space"})
    async with ScriptedServer([STARTED, failure]).client() as client:
        with pytest.raises(RefusedError) as caught:
            await client.volumes.create(1)
    assert (str(caught.value), caught.value.status, caught.value.code) == ("no space\nanywhere", 500, "no-space")


@pytest.mark.parametrize(
    ("answer", "text"),
    [
        (Answer(405), "server did not provide a message (status 405: Method Not Allowed)"),
        (Answer(599), "server did not provide a message (status 599: )"),
        (Answer(404, "  Id not found \n\n"), "Id not found"),
        (Answer(201, "{}"), "{}"),
    ],
)
async def test_an_answer_of_another_status_is_an_error_with_its_text(answer: Answer, text: str) -> None:
    async with ScriptedServer([answer]).client() as client:
        with pytest.raises(RefusedError) as caught:
            await client.volumes.info(VOLUME)
    assert str(caught.value) == text


async def test_a_pending_job_with_another_status_is_an_error() -> None:
    async with ScriptedServer([STARTED, Answer(503, "gone", {"X-Pending": "true"})]).client() as client:
        with pytest.raises(RefusedError, match="gone"):
            await client.volumes.delete(VOLUME)


@pytest.mark.parametrize("body", ["<html>", "[]", ""])
async def test_an_answer_that_is_no_object_is_misunderstood(body: str) -> None:
    async with ScriptedServer([Answer(body=body)]).client() as client:
        with pytest.raises(MisunderstoodError):
            await client.volumes.info(VOLUME)


@pytest.mark.looptime
async def test_a_busy_server_is_asked_again_with_the_same_body() -> None:
    server = ScriptedServer([BUSY, Answer(429, "x", {"Retry-After": "40"}), STARTED, DONE])
    start = asyncio.get_running_loop().time()
    async with server.client() as client:
        await client.volumes.create(5)
    waited = asyncio.get_running_loop().time() - start
    assert 10 + 40 <= waited <= 29 + 49
    assert [asked.body for asked in server.asked[:3]] == [{"size": 5}] * 3


@pytest.mark.looptime
async def test_a_server_that_stays_busy_is_given_up_after_six_more_tries() -> None:
    server = ScriptedServer([BUSY] * 7)
    async with server.client() as client:
        with pytest.raises(RefusedError, match="Server busy") as caught:
            await client.clusters.ids()
    assert caught.value.status == 429
    assert len(server.asked) == 7


async def test_a_poll_is_not_repeated_for_a_busy_server() -> None:
    server = ScriptedServer([STARTED, BUSY])
    async with server.client() as client:
        with pytest.raises(RefusedError, match="Server busy"):
            await client.volumes.delete(VOLUME)


@pytest.mark.parametrize(
    ("server_url", "location", "poll"),
    [
        ("http://server", "/queue/1", "http://server/queue/1"),
        ("http://server:8080", "http://server:8080/queue/1", "http://server:8080/queue/1"),
        ("http://server", "https://server/queue/1", "https://server/queue/1"),
        ("https://server:8443", "http://server/queue/1", "https://server:8443/queue/1"),
    ],
)
async def test_a_location_is_followed_on_the_same_host(server_url: str, location: str, poll: str) -> None:
    server = ScriptedServer([Answer(202, headers={"Location": location}), DONE])
    async with server.client(server_url) as client:
        await client.volumes.delete(VOLUME)
    assert server.lines[1] == f"GET {poll}"


@pytest.mark.parametrize("location", ["http://elsewhere/queue/1", "//elsewhere/queue/1", "", "http://["])
async def test_a_location_elsewhere_gets_no_token(location: str) -> None:
    server = ScriptedServer([Answer(202, headers={"Location": location})])
    async with server.client() as client:
        with pytest.raises(MisunderstoodError):
            await client.volumes.delete(VOLUME)
    assert len(server.asked) == 1


async def test_a_read_follows_redirects_but_not_for_ever() -> None:
    there = Answer(301, headers={"Location": "/clusters"})
    async with ScriptedServer([there, Answer(body='{"clusters":[]}')]).client() as client:
        assert await client.clusters.ids() == []
    async with ScriptedServer([there] * 20).client() as client:
        with pytest.raises(MisunderstoodError, match="10 redirects"):
            await client.clusters.ids()


async def test_a_change_is_never_turned_into_a_read() -> None:
    server = ScriptedServer([Answer(301, headers={"Location": "/clusters"})])
    async with server.client() as client:
        with pytest.raises(MisunderstoodError, match="moved to /clusters"):
            await client.clusters.create()
    assert server.lines == ["POST http://server/clusters"]


async def test_a_change_follows_a_redirect_that_keeps_its_method() -> None:
    server = ScriptedServer([Answer(308, headers={"Location": "https://server/clusters"}), Answer(201, '{"id":"1"}')])
    async with server.client() as client:
        await client.clusters.create(file=False)
    assert server.lines == ["POST http://server/clusters", "POST https://server/clusters"]
    assert server.asked[1].body == {"file": False, "block": True}


@pytest.mark.parametrize("slashes", ["", "/", "//"])
async def test_slashes_at_the_end_of_the_address_do_not_matter(slashes: str) -> None:
    server = ScriptedServer([Answer(body='{"clusters":[]}')])
    async with server.client(f"http://server{slashes}") as client:
        await client.clusters.ids()
    assert server.lines == ["GET http://server/clusters"]


@pytest.mark.parametrize("id", ["", "..", "../clusters/0", "0/expand", "0?x", "0#x", "%30", "g", "０", "0\n"])
async def test_what_has_not_the_form_of_an_id_reaches_no_server(id: str) -> None:
    server = ScriptedServer([])
    async with server.client() as client:
        for call in (
            client.volumes.delete(id),
            client.clusters.info(id),
            client.nodes.info(id),
            client.devices.info(id),
        ):
            with pytest.raises(RefusedError, match="Invalid path or request"):
                await call
    assert not server.asked


@pytest.mark.parametrize(
    ("url", "text"),
    [
        ("foo", 'Get "foo/clusters": unsupported protocol scheme ""'),
        ("", 'Get "/clusters": unsupported protocol scheme ""'),
        ("localhost:8080", 'Get "localhost:8080/clusters": unsupported protocol scheme "localhost"'),
        ("ftp://server", 'Get "ftp://server/clusters": unsupported protocol scheme "ftp"'),
        ("127.0.0.1:80", 'parse "127.0.0.1:80/clusters": first path segment in URL cannot contain colon'),
        ("http://", 'Get "http:///clusters": http: no Host in request URL'),
        ("http://a:abc", 'parse "http://a:abc/clusters": invalid port ":abc" after host'),
        ("http://[::1]:x", 'parse "http://[::1]:x/clusters": invalid port ":x" after host'),
        ("http://a:99999", 'Get "http://a:99999/clusters": dial tcp: address 99999: invalid port'),
    ],
)
async def test_a_bad_address_is_told_as_go_tells_it(url: str, text: str) -> None:
    async with ScriptedServer([]).client(url) as client:
        with pytest.raises(ClientError) as caught:
            await client.clusters.ids()
    assert str(caught.value) == text


@pytest.mark.parametrize("url", ["http://a b", "http://\x00", "http://xn--a", "http://[::1", "http://a..b/\n"])
async def test_what_is_no_address_is_an_error(url: str) -> None:
    async with Client(url) as client:
        with pytest.raises(ClientError):
            await client.clusters.ids()


async def test_a_user_in_the_address_does_not_replace_the_token() -> None:
    server = ScriptedServer([Answer(body='{"clusters":[]}')])
    async with server.client(f"http://somebody:{secret('password')}@server") as client:
        await client.clusters.ids()
    assert server.asked[0].claims["iss"] == "admin"


async def test_another_service_is_told_from_a_heketi() -> None:
    async with ScriptedServer([Answer(body='{"status":"ok"}')]).client() as client:
        with pytest.raises(MisunderstoodError, match="is this a heketi"):
            await client.volumes.ids()


async def test_the_greeting_is_a_text() -> None:
    async with ScriptedServer([Answer(body="Hello from Heketi")]).client() as client:
        assert await client.hello() == "Hello from Heketi"

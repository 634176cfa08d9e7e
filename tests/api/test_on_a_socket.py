"""The application on a real socket: what a client of raw HTTP sees behind uvicorn."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
import uvicorn
from fastapi import FastAPI

from tests.api.fake_services import CLUSTER, VOLUME, FakeServices


@asynccontextmanager
async def serving(app: FastAPI) -> AsyncIterator[int]:
    server = uvicorn.Server(uvicorn.Config(app, port=0, lifespan="off", log_config=None, access_log=False))
    running = asyncio.create_task(server.serve())
    while not server.started:
        await asyncio.sleep(0.01)
    try:
        yield server.servers[0].sockets[0].getsockname()[1]
    finally:
        server.should_exit = True
        await running


@pytest.fixture
async def port(app: FastAPI) -> AsyncIterator[int]:
    async with serving(app) as port:
        yield port


async def exchange(port: int, request: str, *, then_close: bool = True) -> str:
    """Send one request and return all that comes until the server closes the connection."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    headers = "Host: x\r\n" + ("Connection: close\r\n" if then_close else "")
    head, _, body = request.partition("\r\n\r\n")
    line, _, rest = head.partition("\r\n")
    writer.write(f"{line}\r\n{headers}{rest + chr(13) + chr(10) if rest else ''}\r\n{body}".encode())
    answer = await asyncio.wait_for(reader.read(), 30)
    writer.close()
    await writer.wait_closed()
    return answer.decode()


async def test_a_head_request_gets_no_body_and_no_length(port: int) -> None:
    answer = await exchange(port, "HEAD /clusters HTTP/1.1")
    head, _, body = answer.partition("\r\n\r\n")
    assert head.startswith("HTTP/1.1 405")
    assert body == ""
    assert "allow:" not in head.lower()


async def test_repeated_slashes_and_escapes_reach_their_route(port: int) -> None:
    assert (await exchange(port, "GET //clusters HTTP/1.1")).startswith("HTTP/1.1 200")
    assert (await exchange(port, f"GET /clusters%2F{CLUSTER} HTTP/1.1")).startswith("HTTP/1.1 200")
    answer = await exchange(port, "POST //volumes HTTP/1.1\r\nContent-Length: 10\r\n\r\n" + '{"size":1}')
    assert answer.startswith("HTTP/1.1 202")
    assert "location: /queue/" in answer.lower()


async def test_dots_are_redirected(port: int) -> None:
    answer = await exchange(port, "GET /x/../clusters HTTP/1.1")
    assert answer.startswith("HTTP/1.1 301")
    assert "location: /clusters\r\n" in answer.lower()


async def test_an_answer_to_a_poll_ends_the_connection_by_itself(port: int, services: FakeServices) -> None:
    job = services.start("work")
    services.end(job, result=f"/volumes/{VOLUME}")
    answer = await exchange(port, f"GET /queue/{job} HTTP/1.1", then_close=False)
    assert answer.startswith("HTTP/1.1 303")
    assert f"location: /volumes/{VOLUME}\r\n" in answer.lower()


async def test_a_body_that_nobody_reads_does_not_disturb(port: int) -> None:
    answer = await exchange(port, f"DELETE /volumes/{VOLUME} HTTP/1.1\r\nContent-Length: 2\r\n\r\n" + "{}")
    assert answer.startswith("HTTP/1.1 202")


async def test_a_client_that_goes_away_in_the_middle_of_its_body_starts_nothing(
    port: int, services: FakeServices, capsys: pytest.CaptureFixture[str]
) -> None:
    _, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(b"POST /volumes HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\n{")
    await writer.drain()
    writer.close()
    await writer.wait_closed()
    assert (await exchange(port, "GET /volumes HTTP/1.1")).startswith("HTTP/1.1 200")
    assert services.calls == []
    assert "Traceback" not in capsys.readouterr().out

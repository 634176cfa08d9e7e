"""A light HTTP client: one request at a time on a kept connection, as little work as possible for each.

It shares the machine with the servers that it measures. It understands the answers that they give, and no more.
"""

import asyncio
import json
from dataclasses import dataclass
from typing import Any

_ROOM = 1 << 26


@dataclass(frozen=True, slots=True)
class Answer:
    """Status, headers (names in lower case) and body."""

    status: int
    headers: dict[str, str]
    body: bytes

    def json(self) -> Any:
        """Return the body's value."""
        return json.loads(self.body)


class RequestError(Exception):
    """A server did not answer, or not as it must."""


class Connection:
    """One client. It connects when it needs to, and again when the server has hung up."""

    def __init__(self, port: int) -> None:
        self._port = port
        self._reader: asyncio.StreamReader | None = None
        self._writer: asyncio.StreamWriter | None = None

    async def request(self, method: str, path: str, body: object = None) -> Answer:
        """Send a request and return what is answered. Raises RequestError."""
        content = b"" if body is None else json.dumps(body).encode()
        head = f"{method} {path} HTTP/1.1\r\nHost: localhost\r\n"
        if content:
            head += f"Content-Type: application/json\r\nContent-Length: {len(content)}\r\n"
        kept = self._writer is not None
        try:
            try:
                return await self._exchange(f"{head}\r\n".encode() + content)
            except (OSError, asyncio.IncompleteReadError):
                self.close()
                if not kept or method != "GET":
                    raise
                return await self._exchange(f"{head}\r\n".encode() + content)
        except (OSError, asyncio.IncompleteReadError) as error:
            self.close()
            raise RequestError(f"{method} {path}: {error}") from error

    async def get(self, path: str) -> Any:
        """Return what a path shows. Raises RequestError unless that is JSON."""
        answer = await self.request("GET", path)
        if answer.status != 200:
            raise RequestError(f"GET {path}: {answer.status} {answer.body[:200]!r}")
        return answer.json()

    def close(self) -> None:
        """Hang up."""
        if self._writer is not None:
            self._writer.close()
        self._reader = self._writer = None

    async def _exchange(self, request: bytes) -> Answer:
        if self._writer is None or self._writer.is_closing() or self._reader is None or self._reader.at_eof():
            self.close()
            self._reader, self._writer = await asyncio.open_connection("127.0.0.1", self._port, limit=_ROOM)
        reader, writer = self._reader, self._writer
        assert reader is not None
        writer.write(request)
        status_line, *lines = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
        headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines) if name}
        status = int(status_line.split(" ", 2)[1])
        answer = Answer(status, headers, await _body(reader, status, headers))
        if headers.get("connection", "").lower() == "close":
            self.close()
        return answer


async def _body(reader: asyncio.StreamReader, status: int, headers: dict[str, str]) -> bytes:
    if status in (204, 304):
        return b""
    if "content-length" in headers:
        return await reader.readexactly(int(headers["content-length"]))
    if headers.get("transfer-encoding") != "chunked":
        return await reader.read()
    pieces = []
    while size := int(await reader.readline(), 16):
        pieces.append(await reader.readexactly(size))
        await reader.readexactly(2)
    await reader.readexactly(2)
    return b"".join(pieces)

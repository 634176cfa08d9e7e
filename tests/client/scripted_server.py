"""A server that answers as a test says: for answers that ours does not give, or not when a test wants them."""

import base64
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import httpx

from heketipy.client import Client
from tests.support.secrets import secret


@dataclass(frozen=True, slots=True)
class Answer:
    """One answer."""

    status: int = 200
    body: str = ""
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Asked:
    """One request: its method and URL, what it carried, and the claims of its token."""

    line: str
    body: Any
    claims: dict[str, Any]


@dataclass(slots=True)
class ScriptedServer(httpx.AsyncBaseTransport):
    """Gives its answers in order, and keeps what it was asked."""

    answers: list[Answer]
    asked: list[Asked] = field(default_factory=list)

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        body = await request.aread()
        kind, token = request.headers["Authorization"].split()
        assert kind == "bearer"
        payload = token.split(".")[1]
        claims = json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))
        self.asked.append(Asked(f"{request.method} {request.url}", json.loads(body) if body else None, claims))
        answer = self.answers.pop(0)
        return httpx.Response(answer.status, headers=answer.headers, text=answer.body)

    @property
    def lines(self) -> list[str]:
        """What was asked."""
        return [asked.line for asked in self.asked]

    def client(self, url: str = "http://server") -> Client:
        """Return a client of this server."""
        return Client(url, user="admin", secret=secret("key"), transport=self)

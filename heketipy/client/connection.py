"""Speaking heketi's protocol: a token for every request, jobs that are polled, and patience with a busy server."""

import asyncio
import random
import re
import ssl
import time
from collections.abc import Mapping
from typing import Any, Final

import httpx

from heketipy.client import address
from heketipy.client.errors import MisunderstoodError, RefusedError, UnansweredError
from heketipy.client.silence import reason
from heketipy.client.token import token

Json = dict[str, Any]
"""A JSON object as it was answered. The members are those of the class in `heketipy.wire` that a method names."""

POLL_INTERVAL: Final = 0.4
BUSY_RETRIES: Final = 6
MAX_REDIRECTS: Final = 10
CONNECT_TIMEOUT: Final = 30.0

_HEKETIPYS_HEADER: Final = "X-Request-Id"
_BUSY: Final = 429
_REDIRECTS: Final = frozenset({301, 302, 303, 307, 308})
_ID: Final = re.compile(r"[A-Fa-f0-9]+")
_SECONDS: Final = re.compile(r"[0-9]{1,6}")


def segment(id: str) -> str:
    """Return an id as part of a path.

    What has not an id's form is refused here with the text that the server has for it: sent on, it could form
    the path of something else (`../clusters/…`).
    """
    if not _ID.fullmatch(id):
        raise RefusedError("Invalid path or request", status=404)
    return id


def ids(answer: Json, member: str) -> list[str]:
    """Return the ids that an answer lists. Raises MisunderstoodError."""
    found = answer.get(member)
    if not isinstance(found, list):
        raise MisunderstoodError(f"the answer lists no {member}: is this a heketi?")
    return found


class Connection:
    """A server, and how requests reach it. Errors are ClientErrors."""

    def __init__(
        self,
        server: str,
        *,
        user: str,
        secret: str,
        verify: ssl.SSLContext | bool,
        transport: httpx.AsyncBaseTransport | None,
    ) -> None:
        self._server = address.trimmed(server)
        self._user = user
        self._secret = secret
        self._http = httpx.AsyncClient(
            transport=transport,
            verify=verify,
            trust_env=False,
            follow_redirects=False,
            # Else a user and password in the address would take the place of the token.
            auth=httpx.Auth(),
            timeout=httpx.Timeout(None, connect=CONNECT_TIMEOUT),
        )

    async def close(self) -> None:
        """Close what is open."""
        await self._http.aclose()

    async def get(self, path: str) -> Json:
        """Read a resource."""
        return _object(_accepted(await self._ask("GET", path), 200))

    async def text(self, path: str) -> str:
        """Read a plain text."""
        return _accepted(await self._ask("GET", path), 200).text

    async def call(self, method: str, path: str, body: Mapping[str, Any] | None = None, *, status: int = 200) -> Json:
        """Do something that is done with the answer of a status. Without a body in it the result is empty."""
        answer = _accepted(await self._ask(method, path, body), status)
        return _object(answer) if answer.content else {}

    async def check_heketipy(self, wanted: str) -> None:
        """Make sure that the server is no heketi, which does not look at queries. Raises MisunderstoodError."""
        answer = _accepted(await self._ask("GET", "/hello"), 200)
        if _HEKETIPYS_HEADER not in answer.headers:
            raise MisunderstoodError(f"the server is a heketi that knows no {wanted}; nothing was asked of it")

    async def work(self, method: str, path: str, body: Mapping[str, Any] | None = None) -> Json:
        """Do something that takes a while: wait for the job's end and return its result, if it leads to one."""
        answer = _accepted(await self._ask(method, path, body), 202)
        url = self._target(answer)
        while (answer := await self._send("GET", url)).headers.get("X-Pending") == "true":
            _accepted(answer, 200)
            await asyncio.sleep(POLL_INTERVAL)
        if answer.status_code == 204:
            return {}
        if answer.status_code == 303:
            return _object(_accepted(await self._follow(answer), 200))
        raise _refused(answer)

    async def _ask(self, method: str, path: str, body: Mapping[str, Any] | None = None) -> httpx.Response:
        """Send a first request: as often as it takes, within reason, where the server is busy."""
        url = address.parsed(method, self._server + path)
        for _ in range(BUSY_RETRIES):
            answer = await self._follow_of(method, url, body)
            if answer.status_code != _BUSY:
                return answer
            await asyncio.sleep(_pause(answer))
        return await self._follow_of(method, url, body)

    async def _follow_of(self, method: str, url: httpx.URL, body: Mapping[str, Any] | None) -> httpx.Response:
        """Send a request, also to where the server has moved to. What changes something is never turned into a GET."""
        answer = await self._send(method, url, body)
        if method == "GET" and answer.status_code in _REDIRECTS:
            return await self._follow(answer)
        for _ in range(MAX_REDIRECTS):
            if answer.status_code not in (307, 308):
                break
            answer = await self._send(method, self._target(answer), body)
        if answer.status_code in _REDIRECTS:
            raise MisunderstoodError(
                f"{method} {url}: the server has moved to {answer.headers.get('Location', '?')}; use that"
            )
        return answer

    async def _follow(self, answer: httpx.Response) -> httpx.Response:
        """Read what an answer redirects to."""
        for _ in range(MAX_REDIRECTS):
            answer = await self._send("GET", self._target(answer))
            if answer.status_code not in _REDIRECTS:
                return answer
        raise MisunderstoodError(f"{answer.url}: stopped after {MAX_REDIRECTS} redirects")

    def _target(self, answer: httpx.Response) -> httpx.URL:
        """Return where an answer points: to the same host, whatever it says, and never from https to http."""
        location = answer.headers.get("Location", "")
        if not location:
            raise MisunderstoodError(f"{answer.url}: the answer {answer.status_code} says not where to look")
        try:
            url = answer.url.join(location)
        except httpx.InvalidURL as error:
            raise MisunderstoodError(f"{answer.url}: the answer points to {location!r}: {error}") from error
        if url.host != answer.url.host:
            raise MisunderstoodError(f"{answer.url}: the answer points to another host, {url.host!r}")
        if answer.url.scheme == "https" and url.scheme != "https":
            return url.copy_with(scheme="https", port=answer.url.port)
        return url

    async def _send(self, method: str, url: httpx.URL, body: Mapping[str, Any] | None = None) -> httpx.Response:
        bearer = token(user=self._user, secret=self._secret, method=method, path=url.path, now=time.time())
        try:
            return await self._http.request(method, url, json=body, headers={"Authorization": f"bearer {bearer}"})
        except (httpx.RequestError, UnicodeError) as error:
            raise UnansweredError(method, str(url), reason(error, url)) from error


def _pause(answer: httpx.Response) -> float:
    """Return how long to wait for a busy server, in seconds. The dice keep clients from coming back all at once."""
    wanted = answer.headers.get("Retry-After", "")
    if _SECONDS.fullmatch(wanted):
        return int(wanted) + random.randint(0, 9)  # noqa: S311 - no secret
    return random.randint(10, 29)  # noqa: S311 - no secret


def _accepted(answer: httpx.Response, status: int) -> httpx.Response:
    if answer.status_code != status:
        raise _refused(answer)
    return answer


def _refused(answer: httpx.Response) -> RefusedError:
    return RefusedError(answer.text.strip(), status=answer.status_code, code=answer.headers.get("X-Heketipy-Code", ""))


def _object(answer: httpx.Response) -> Json:
    try:
        value = answer.json()
    except ValueError as error:
        raise MisunderstoodError(f"{answer.url}: the answer is no JSON: {error}") from error
    if not isinstance(value, dict):
        raise MisunderstoodError(f"{answer.url}: the answer is no JSON object")
    return value

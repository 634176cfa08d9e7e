"""What every request passes before a route sees it, from the outside in: observation, clean paths,
authentication, the admin mode.

All of it is plain ASGI: nothing is buffered and no task is started for a request.
"""

import itertools
import posixpath
import re
import secrets
import time
from collections.abc import Container, Iterator, Sequence
from typing import Final
from urllib.parse import unquote_to_bytes

import structlog
from starlette.requests import ClientDisconnect
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from heketipy.api.auth import Authenticator, demand_access
from heketipy.api.errors import plain, refusal
from heketipy.api.routing import redirected
from heketipy.domain.errors import HeketipyError, Maintenance
from heketipy.telemetry.logging import bound
from heketipy.telemetry.metrics import request_answered

REQUEST_ID: Final = b"x-request-id"

_GIVEN_ID: Final = re.compile(rb"[A-Za-z0-9._-]{1,64}")
_SLASHES: Final = re.compile("//+")
_METHODS: Final = frozenset({"GET", "HEAD", "OPTIONS", "POST", "PUT", "PATCH", "DELETE"})
"""Those counted by name: a client may send any word, and each would be a time series of its own."""
_DOTS: Final = frozenset({".", ".."})

_log = structlog.get_logger(__name__)

OpenPaths = Container[tuple[str, str]]
"""Methods and paths that need no token and leave no line in the access log."""


class Observation:
    """Gives the request an id, logs and counts it, and turns what nobody caught into a plain 500."""

    def __init__(self, app: ASGIApp, *, open_paths: OpenPaths, headers: Sequence[tuple[bytes, bytes]] = ()) -> None:
        self._app = app
        self._open = open_paths
        self._headers = tuple(headers)
        self._own_ids = _ids()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve a request. Whatever is logged meanwhile, by work that it starts too, carries its id."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        request_id = _given_id(scope) or next(self._own_ids)
        extra = [(REQUEST_ID, request_id.encode()), *self._headers]
        if scope["path"].startswith("/queue/"):
            # Kubernetes opens a connection for each poll and leaves it idle for 90 seconds.
            extra.append((b"connection", b"close"))
        status = 0

        async def send_with_headers(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                message = {**message, "headers": [*message["headers"], *extra]}
            await send(message)

        start = time.perf_counter()
        with bound(request=request_id):
            try:
                await self._app(scope, receive, send_with_headers)
            except ClientDisconnect:
                return
            except Exception:
                _log.exception("a request failed unexpectedly", method=scope["method"], path=scope["path"])
                if not status:
                    await _unexpected(request_id)(scope, receive, send_with_headers)
            method = scope["method"]
            if (method, scope["path"]) not in self._open:
                seconds = round(time.perf_counter() - start, 6)
                _log.info("request", method=method, path=scope["path"], status=status, seconds=seconds)
        request_answered(method if method in _METHODS else "other", status)


class CleanPaths:
    """Serves paths with repeated slashes as if there were one, and redirects those with `.` and `..` in them.

    heketi redirects the former too, which turns every POST behind a base URL that ends in a slash into a
    failure. A token is still judged by the path as it was sent.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve a request."""
        path = scope.get("path", "")
        if scope["type"] == "http" and ("//" in path or "/." in path):
            if not _DOTS.isdisjoint(path.split("/")):
                location = redirected(_cleaned(path), scope["query_string"])
                await Response(status_code=301, headers={"Location": location})(scope, receive, send)
                return
            scope = {**scope, "path": _SLASHES.sub("/", path)}
        await self._app(scope, receive, send)


class Authentication:
    """Lets through what carries a good token, and what needs none."""

    def __init__(self, app: ASGIApp, *, authenticator: Authenticator, open_paths: OpenPaths) -> None:
        self._app = app
        self._authenticator = authenticator
        self._open = open_paths

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve a request, or refuse it. The role is left in the request's state."""
        if scope["type"] == "http" and (scope["method"], scope["path"]) not in self._open:
            try:
                role = self._authenticator.role(_authorization(scope), scope["method"], _sent_path(scope))
                demand_access(role, scope["method"], scope["path"])
            except HeketipyError as error:
                await refusal(error)(scope, receive, send)
                return
            scope.setdefault("state", {})["role"] = role
        await self._app(scope, receive, send)


class AdminGate:
    """Lets through what the admin mode allows. It stands behind authentication and before the routes, as in heketi."""

    def __init__(self, app: ASGIApp, *, open_paths: OpenPaths) -> None:
        self._app = app
        self._open = open_paths

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve a request, or refuse it."""
        if scope["type"] == "http" and (scope["method"], scope["path"]) not in self._open:
            mode = scope["app"].state.services.admin.mode
            if not mode.lets_through(scope["method"], _peer(scope)):
                await refusal(Maintenance())(scope, receive, send)
                return
        await self._app(scope, receive, send)


def _peer(scope: Scope) -> str:
    """Return the address at the other end of the connection; what proxies say does not count."""
    client = scope.get("client")
    return str(client[0]) if client else ""


def _given_id(scope: Scope) -> str:
    """Take over an id that a proxy has given, if it is harmless; else return an empty text."""
    for name, value in scope["headers"]:
        if name == REQUEST_ID and _GIVEN_ID.fullmatch(value):
            return str(value, "ascii")
    return ""


def _ids() -> Iterator[str]:
    """Number requests, behind a prefix that tells this server's run from others. To ask the system for chance at
    every request costs more than all else here: it lets other threads take over."""
    prefix = secrets.token_hex(4)
    for number in itertools.count(1):
        yield f"{prefix}-{number}"


def _authorization(scope: Scope) -> str | None:
    """Return the first Authorization header."""
    for name, value in scope["headers"]:
        if name == b"authorization":
            return str(value, "latin-1")
    return None


def _sent_path(scope: Scope) -> bytes:
    """Return the path as clients sign it: percent-decoded, otherwise as it was sent."""
    sent: bytes = scope.get("raw_path") or scope["path"].encode()
    return unquote_to_bytes(sent) if b"%" in sent else sent


def _cleaned(path: str) -> str:
    """Resolve dots and repeated slashes; a slash at the end stays, unless dots made the end."""
    clean = "/" + posixpath.normpath(path).lstrip("/")
    return f"{clean}/" if path.endswith("/") and clean != "/" else clean


def _unexpected(request_id: str) -> Response:
    return plain(500, f"Internal error; the log tells more under request {request_id}", code="internal")

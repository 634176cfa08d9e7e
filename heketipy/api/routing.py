"""Routes that behave as heketi's: which paths they match, and how their handlers get a body.

FastAPI keeps the routes and documents them; matching and calling is done here, since its own ways differ
where clients notice: a wrong method is an empty 405 without `Allow`, one slash too many a relative 301, and
bodies are read by heketi's rules, by routes that take one and by no others.
"""

import asyncio
import re
import types
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any, Final, Union, get_args, get_origin, get_type_hints
from urllib.parse import quote

from fastapi.routing import APIRoute, APIRouter
from pydantic import BaseModel
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Match
from starlette.types import Receive, Scope, Send

from heketipy.api import answers
from heketipy.api.errors import plain, refusal
from heketipy.domain.errors import HeketipyError
from heketipy.wire.decode import Undecodable, decode, empty

_ID: Final = "[A-Fa-f0-9]+"
_PARAMETER: Final = re.compile(r"\{(\w+)\}")
_LONG_BODY: Final = 64 * 1024

Endpoint = Callable[..., Awaitable[Response]]


@dataclass(frozen=True, slots=True)
class _Body:
    """A handler's parameter for the body. An optional one is looked for only where a length was announced."""

    parameter: str
    model: type[BaseModel]
    optional: bool


class HeketiRoute(APIRoute):
    """One method of one path. Ids are hex digits of any number and case."""

    def __init__(self, path: str, endpoint: Endpoint, **options: Any) -> None:
        super().__init__(path, endpoint, **options)
        self._pattern = re.compile(_PARAMETER.sub(rf"(?P<\1>{_ID})", path) + "/?")
        self._body = _body_of(endpoint)
        self._methods = frozenset(self.methods or ())

    def matches(self, scope: Scope) -> tuple[Match, Scope]:
        """Match the path, also with one slash too many, of which `handle` will get rid."""
        if scope["type"] != "http" or (found := self._pattern.fullmatch(scope["path"])) is None:
            return Match.NONE, {}
        child: Scope = {"endpoint": self.endpoint, "path_params": found.groupdict(), "route": self}
        return (Match.FULL if scope["method"] in self._methods else Match.PARTIAL), child

    async def handle(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request that was matched."""
        if scope["method"] not in self._methods:
            response = _wrong_method(scope["method"])
        elif scope["path"].endswith("/"):
            response = _without_slash(scope)
        else:
            response = await self._answer(Request(scope, receive))
        await response(scope, receive, send)

    async def _answer(self, request: Request) -> Response:
        arguments: dict[str, Any] = dict(request.path_params)
        try:
            if self._body is not None:
                arguments[self._body.parameter] = await _read(request, self._body)
            response: Response = await self.endpoint(request, **arguments)
        except Undecodable as error:
            return self.undecodable(error)
        except HeketipyError as error:
            return refusal(error)
        return response

    def undecodable(self, error: Undecodable) -> Response:
        """Refuse a body that cannot be read."""
        return refusal(error)


class ExplainingRoute(HeketiRoute):
    """A route that says what is wrong with a body that cannot be read. heketi's newer ones do, with another status."""

    def undecodable(self, error: Undecodable) -> Response:
        """Refuse such a body with the reason."""
        return plain(400, f"{error}: {error.__cause__}", code=error.code)


class OpenRoute(HeketiRoute):
    """A route that heketi's outer router serves: without authentication, and for exactly this method and path."""

    def matches(self, scope: Scope) -> tuple[Match, Scope]:
        """Match nothing but the exact method and path; all else looks like an unknown path."""
        match, child = super().matches(scope)
        exact = match is Match.FULL and scope["path"] == self.path
        return (match, child) if exact else (Match.NONE, {})


class Dispatch:
    """Hands a request to its route, as Starlette's router does: the first that matches path and method, else the first
    that matches the path. Only routes that begin as the path does are tried.

    Whatever is no request (the start and the end of the server) is the router's own.
    """

    def __init__(self, router: APIRouter) -> None:
        self._router = router
        self._routes: dict[str, tuple[BaseRoute, ...]] = {}
        self._any = tuple(route for route in router.routes if _beginning(route) is None)
        for beginning in {_beginning(route) for route in router.routes} - {None}:
            self._routes[str(beginning)] = tuple(
                route for route in router.routes if _beginning(route) in (beginning, None)
            )

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request."""
        if scope["type"] != "http":
            await self._router(scope, receive, send)
            return
        partial: tuple[BaseRoute, Scope] | None = None
        beginning = scope["path"].lstrip("/").partition("/")[0]
        for route in self._routes.get(beginning, self._any):
            match, child = route.matches(scope)
            if match is Match.FULL:
                scope.update(child)
                await route.handle(scope, receive, send)
                return
            if match is Match.PARTIAL and partial is None:
                partial = route, child
        if partial is None:
            await unknown_path(scope, receive, send)
            return
        route, child = partial
        scope.update(child)
        await route.handle(scope, receive, send)


def _beginning(route: BaseRoute) -> str | None:
    """Return the first name in the paths of a route; None if that is no fixed one."""
    path = getattr(route, "path", "")
    first = path.split("/", 2)[1] if path.startswith("/") else ""
    return first if first and "{" not in first else None


async def unknown_path(scope: Scope, receive: Receive, send: Send) -> None:
    """Answer what no route matches."""
    if scope["type"] == "websocket":
        await send({"type": "websocket.close", "code": 1000})
        return
    await plain(404, "Invalid path or request", code="unknown-path")(scope, receive, send)


def redirected(path: str, query: bytes) -> str:
    """Return a path, percent-encoded as heketi does, with the query that came."""
    encoded = quote(path, safe="/$&+,:;=@~")
    return f"{encoded}?{query.decode('latin-1')}" if query else encoded


def _wrong_method(method: str) -> Response:
    response = Response(status_code=405)
    if method == "HEAD":
        del response.headers["content-length"]
    return response


def _without_slash(scope: Scope) -> Response:
    location = redirected(scope["path"].removesuffix("/"), scope["query_string"])
    if scope["method"] == "GET":
        return answers.linking(301, "Moved Permanently", location)
    return Response(status_code=301, headers={"Location": location})


async def _read(request: Request, body: _Body) -> BaseModel:
    if body.optional and not _announced(request):
        return empty(body.model)
    content = await request.body()
    if len(content) > _LONG_BODY:
        return await asyncio.to_thread(decode, body.model, content)
    return decode(body.model, content)


def _announced(request: Request) -> bool:
    length = request.headers.get("content-length", "0")
    return length.isascii() and length.isdigit() and int(length) > 0


def _body_of(endpoint: Endpoint) -> _Body | None:
    """Find the parameter that takes the body: the one whose type is a model, or a model or None."""
    for parameter, hint in get_type_hints(endpoint).items():
        optional = get_origin(hint) in (Union, types.UnionType)
        for choice in get_args(hint) if optional else (hint,):
            if isinstance(choice, type) and issubclass(choice, BaseModel):
                return _Body(parameter, choice, optional)
    return None

"""The web application: routes, what stands before them, and what they need."""

from collections.abc import Callable, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from typing import Any, Final

from fastapi import FastAPI
from starlette.routing import BaseRoute
from starlette.types import ASGIApp

from heketipy.api.auth import Authenticator
from heketipy.api.contract import Services
from heketipy.api.document import document
from heketipy.api.jobs import HeldPolls
from heketipy.api.middleware import AdminGate, Authentication, CleanPaths, Observation
from heketipy.api.routes import build_router
from heketipy.api.routing import Dispatch, OpenRoute, unknown_path

Lifespan = Callable[[FastAPI], AbstractAsyncContextManager[Any]]

SIMULATOR_HEADER: Final = (b"x-heketipy-simulator", b"no real storage")


@dataclass(frozen=True, slots=True)
class ApiOptions:
    """How the API behaves where that can be set."""

    simulator: bool = False
    """Every answer says that there is no real storage behind it."""
    poll_hold: float = 2.0
    """Seconds that a poll waits for its job to end."""
    max_held_polls: int = 512
    """How many polls may wait at the same time."""


def create_api(
    services: Services,
    *,
    authenticator: Authenticator | None,
    options: ApiOptions = ApiOptions(),
    more_routes: Sequence[BaseRoute] = (),
    lifespan: Lifespan | None = None,
) -> FastAPI:
    """Return the application. Without an authenticator every route is open and no token is looked at.

    `more_routes` are served beside the API's own and not documented; an OpenRoute among them needs no token.
    """
    app = FastAPI(
        title="heketipy",
        openapi_url=None,
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,
        lifespan=lifespan,
    )
    app.router.routes.extend([*build_router().routes, *more_routes])
    app.router.default = unknown_path
    app.state.services = services
    app.state.polls = HeldPolls(services.jobs, seconds=options.poll_hold, limit=options.max_held_polls)
    app.openapi = lambda: document(build_router().routes)  # type: ignore[method-assign]

    app.middleware_stack = _stack(app, authenticator, options)
    return app


def _stack(app: FastAPI, authenticator: Authenticator | None, options: ApiOptions) -> ASGIApp:
    """Return what a request passes, from the outside in.

    It takes the place of FastAPI's own stack, whose layers (exception handlers, exit stacks, limits, telemetry) have
    nothing to do for our routes and cost each request as much as our own do.
    """
    open_paths = _open_paths(app.router.routes)
    inner: ASGIApp = AdminGate(Dispatch(app.router), open_paths=open_paths)
    if authenticator is not None:
        inner = Authentication(inner, authenticator=authenticator, open_paths=open_paths)
    headers = [SIMULATOR_HEADER] if options.simulator else []
    return Observation(CleanPaths(inner), open_paths=open_paths, headers=headers)


def _open_paths(routes: Sequence[BaseRoute]) -> frozenset[tuple[str, str]]:
    """Return the methods and paths that need no token."""
    return frozenset(
        (method, route.path) for route in routes if isinstance(route, OpenRoute) for method in route.methods or ()
    )

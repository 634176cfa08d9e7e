"""All routes, in one place."""

from fastapi import APIRouter

from heketipy.api import (
    admin,
    block_volumes,
    bricks,
    clusters,
    devices,
    drift,
    dump,
    examination,
    hello,
    jobs,
    metrics,
    nodes,
    operations,
    tags,
    topology,
    volumes,
)

_RESOURCES = (
    jobs,
    volumes,
    clusters,
    nodes,
    devices,
    block_volumes,
    bricks,
    tags,
    operations,
    admin,
    metrics,
    dump,
    topology,
    examination,
    drift,
    hello,
)


def build_router() -> APIRouter:
    """Return a router with every route of the API: what is asked most comes first, since matching goes in order."""
    router = APIRouter(redirect_slashes=False)
    for resource in _RESOURCES:
        router.routes.extend(resource.router.routes)
    return router

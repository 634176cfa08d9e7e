"""All routes, in one place."""

from fastapi import APIRouter

from heketipy.api import admin, bricks, clusters, devices, hello, jobs, metrics, nodes, operations, tags, volumes


def build_router() -> APIRouter:
    """Return a router with every route of the API: what is asked most comes first, since matching goes in order."""
    router = APIRouter(redirect_slashes=False)
    for resource in (jobs, volumes, clusters, nodes, devices, bricks, tags, operations, admin, metrics, hello):
        router.routes.extend(resource.router.routes)
    return router

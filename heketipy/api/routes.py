"""All routes, in one place."""

from fastapi import APIRouter

from heketipy.api import clusters, devices, hello, jobs, nodes, volumes


def build_router() -> APIRouter:
    """Return a router with every route of the API."""
    router = APIRouter(redirect_slashes=False)
    for resource in (hello, jobs, clusters, nodes, devices, volumes):
        router.routes.extend(resource.router.routes)
    return router

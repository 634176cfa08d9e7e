"""An application on services in memory, and clients whose every answer is compared with the OpenAPI document."""

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from functools import partial
from pathlib import Path

import httpx
import pytest
from fastapi import FastAPI

from heketipy.api.application import create_api
from heketipy.domain.durability import Durability
from heketipy.domain.model import Volume
from tests.api.fake_services import CLUSTER, VOLUME, FakeServices, furnished
from tests.support.databases import postgresql_server, where
from tests.support.openapi_check import OpenApiCheck
from tests.support.whole_server import whole_server

__all__ = ["postgresql_server", "where"]

CHECK = OpenApiCheck()


@pytest.fixture
def sample() -> Volume:
    return Volume(VOLUME, "appvol", CLUSTER, 1, Durability(), options=("", ""))


@pytest.fixture
def services(sample: Volume) -> FakeServices:
    return furnished(sample)


@pytest.fixture
def app(services: FakeServices) -> FastAPI:
    return create_api(services, authenticator=None)


@asynccontextmanager
async def client_of(app: FastAPI) -> AsyncIterator[httpx.AsyncClient]:
    async with httpx.AsyncClient(
        transport=httpx.ASGITransport(app), base_url="http://server", event_hooks={"response": [CHECK.hook]}
    ) as client:
        yield client


@pytest.fixture
async def client(app: FastAPI) -> AsyncIterator[httpx.AsyncClient]:
    async with client_of(app) as client:
        yield client


@pytest.fixture
def server(tmp_path: Path, where: str) -> Callable[..., AbstractAsyncContextManager[httpx.AsyncClient]]:
    """Start a whole server, on either database: `async with server(config=…, environment=…) as client`."""
    return partial(whole_server, tmp_path, database=where)

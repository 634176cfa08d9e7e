"""A system on simulated nodes, and silence: failures are what these tests are about."""

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
import structlog

from heketipy.executors.simulator import Simulator
from tests.operations.trouble import Site, untroubled
from tests.support.databases import postgresql_server, where
from tests.support.system import System

__all__ = ["postgresql_server", "system", "system_on_both", "where"]


@pytest.fixture(autouse=True)
def _quiet() -> Iterator[None]:
    before = structlog.get_config()
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger("critical"))
    yield
    structlog.configure(**before)


def _simulator() -> Simulator:
    return Simulator(accept_anything=True, device_size_gib=500, seed=1)


@pytest.fixture
async def system(tmp_path: Path) -> AsyncIterator[System]:
    """A running server on SQLite, without nodes yet."""
    running = await System(tmp_path / "heketi.db", _simulator()).start()
    yield running
    await running.stop()


@pytest.fixture
async def site(tmp_path: Path) -> AsyncIterator[Site]:
    """A site without trouble so far."""
    async with untroubled(tmp_path / "heketi.db") as made:
        yield made


@pytest.fixture
async def system_on_both(where: str) -> AsyncIterator[System]:
    """The same on SQLite, and then on PostgreSQL."""
    running = await System(where, _simulator()).start()
    yield running
    await running.stop()

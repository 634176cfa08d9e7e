"""Fixtures that make the same test run on SQLite and on PostgreSQL. Import them into a conftest."""

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from heketipy.db.database import Database
from tests.support.postgresql import NoPostgresqlError, Server, server

__all__ = ["books", "postgresql_server", "where"]


@pytest.fixture(scope="session")
def postgresql_server(request: pytest.FixtureRequest) -> Iterator[Server]:
    """A PostgreSQL server for the whole run. Where there is none, the tests that need it are skipped, and that is said
    even if nobody asks for the reasons of skips."""
    started = server()
    try:
        running = started.__enter__()
    except NoPostgresqlError as reason:
        with request.config.pluginmanager.getplugin("capturemanager").global_and_fixture_disabled():
            print(f"\n*** NOT TESTED ON POSTGRESQL: {reason} ***", flush=True)
        pytest.skip(f"no PostgreSQL: {reason}")
    try:
        yield running
    finally:
        started.__exit__(None, None, None)


@pytest.fixture(params=["sqlite", "postgresql"])
def where(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The name of an empty database: a path, then a URL."""
    if request.param == "sqlite":
        return str(tmp_path / "heketi.db")
    running: Server = request.getfixturevalue("postgresql_server")
    return running.empty_database()


@pytest.fixture
async def books(where: str) -> AsyncIterator[Database]:
    """Empty books, on both databases."""
    opened = Database.open(where)
    yield opened
    opened.close()

"""heketi-cli with and without a server."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.cli.command_line import CommandLine, server_at
from tests.support.signed import JWT


@pytest.fixture
def alone() -> CommandLine:
    """heketi-cli without a server: what reaches for one uses the network."""
    return CommandLine(None, environment={})


@pytest.fixture
async def cli(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[CommandLine]:
    """heketi-cli and an empty server that asks for no token; the current directory is the test's own."""
    monkeypatch.chdir(tmp_path)
    async with server_at(tmp_path) as command_line:
        yield command_line


@pytest.fixture
async def guarded(tmp_path: Path) -> AsyncIterator[CommandLine]:
    """heketi-cli and an empty server that asks for tokens."""
    async with server_at(tmp_path, jwt=JWT) as command_line:
        yield command_line

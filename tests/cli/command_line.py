"""heketi-cli in this process, against a whole server in this process."""

import io
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx

from heketipy.cli.main import run
from heketipy.cli.session import Streams
from heketipy.config import ExecutorName
from heketipy.config.load import load
from heketipy.server.options import ServerOptions
from heketipy.server.wiring import put_together

URL = "http://server"


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a command line printed, and its exit status."""

    out: str
    err: str
    status: int


class Terminal(io.StringIO):
    """A stream before which a person sits."""

    def isatty(self) -> bool:
        return True


@dataclass(slots=True)
class CommandLine:
    """Runs command lines against a transport."""

    transport: httpx.AsyncBaseTransport | None
    environment: dict[str, str] = field(default_factory=lambda: {"HEKETI_CLI_SERVER": URL})
    at_terminal: bool = False

    async def __call__(self, *words: str) -> Outcome:
        out, err = io.StringIO(), Terminal() if self.at_terminal else io.StringIO()
        status = await run(words, Streams(out, err, self.transport), self.environment)
        return Outcome(out.getvalue(), err.getvalue(), status)

    async def ok(self, *words: str) -> str:
        """Run a command line that must succeed, and return what it printed."""
        outcome = await self(*words)
        assert (outcome.status, outcome.err) == (0, ""), outcome
        return outcome.out

    async def error(self, *words: str) -> str:
        """Run a command line that must fail without printing anything else, and return its complaint."""
        outcome = await self(*words)
        assert (outcome.status, outcome.out) == (255, ""), outcome
        return outcome.err

    async def json(self, *words: str) -> Any:
        """Run a command line and read the JSON that it prints."""
        return json.loads(await self.ok(*words, "--json"))

    def http(self) -> httpx.AsyncClient:
        """Return a client that speaks to the same server without a token."""
        return httpx.AsyncClient(transport=self.transport, base_url=URL)


@asynccontextmanager
async def server_at(folder: Path, **top: Any) -> AsyncIterator[CommandLine]:
    """Start a server on the simulator; with `jwt=…` it asks for tokens."""
    file = folder / "heketi.json"
    file.write_text(json.dumps({"glusterfs": {"executor": "mock", "db": str(folder / "heketi.db")}, **top}))
    options = ServerOptions(load(str(file), {}).settings, ExecutorName.SIMULATOR, authenticate="jwt" in top)
    async with put_together(options) as parts:
        yield CommandLine(httpx.ASGITransport(parts.app))

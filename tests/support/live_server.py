"""A whole server behind a real socket, in a thread of this process: for clients that are not asynchronous, and for many
servers one after the other."""

import asyncio
import json
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import structlog

from heketipy.config import ExecutorName
from heketipy.config.load import load
from heketipy.executors.simulator import Simulator
from heketipy.server.listening import listen, port_of
from heketipy.server.options import ServerOptions
from heketipy.server.serving import Ending, Serving
from heketipy.server.wiring import Parts, put_together

LIMIT = 60.0


@dataclass(slots=True)
class LiveServer:
    """A running server."""

    url: str
    parts: Parts
    loop: asyncio.AbstractEventLoop

    @property
    def simulator(self) -> Simulator:
        """What is behind its nodes."""
        assert self.parts.nodes.simulated is not None
        return self.parts.nodes.simulated.simulator


@contextmanager
def live_server(folder: Path, *, config: Mapping[str, Any] | None = None, **top_level: Any) -> Iterator[LiveServer]:
    """Start a server on the simulator, with its files in a folder, and end it without waiting for what runs.

    `config` are members of the section `glusterfs`, `top_level` ones beside it. Tokens are asked for if there are keys
    (`jwt=…`). Of its log only errors are to be seen.
    """
    file = folder / "heketi.json"
    section = {"executor": "mock", "db": str(folder / "heketi.db"), **(config or {})}
    file.write_text(json.dumps({"glusterfs": section, **top_level}))
    options = ServerOptions(load(str(file), {}).settings, ExecutorName.SIMULATOR, authenticate="jwt" in top_level)
    before = structlog.get_config()
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger("error"))
    thread = _Thread(options)
    thread.start()
    try:
        yield thread.started()
    finally:
        thread.end()
        structlog.configure(**before)


class _Thread(threading.Thread):
    """The thread of one server."""

    def __init__(self, options: ServerOptions) -> None:
        super().__init__(name="live server")
        self._options = options
        self._ready = threading.Event()
        self._server: LiveServer
        self._serving: Serving
        self._loop: asyncio.AbstractEventLoop
        self._failure: BaseException | None = None

    def run(self) -> None:
        try:
            asyncio.run(self._serve())
        except BaseException as error:
            self._failure = error
        finally:
            self._ready.set()

    async def _serve(self) -> None:
        self._loop = asyncio.get_running_loop()
        async with put_together(self._options) as parts:
            await parts.services.cleaner.take_over()
            with listen("127.0.0.1", "") as listener:
                ending = Ending(
                    settle=parts.db.settle,
                    close=parts.services.admission.close,
                    idle=lambda: not parts.services.runner.at_work,
                )
                self._serving = Serving(parts.app, listener, ending, grace=0)
                self._server = LiveServer(f"http://127.0.0.1:{port_of(listener)}", parts, self._loop)
                await self._serving.run(ready=self._ready.set, signals=False)

    def started(self) -> LiveServer:
        """Wait until it listens."""
        assert self._ready.wait(LIMIT)
        if self._failure is not None:
            raise self._failure
        return self._server

    def end(self) -> None:
        """Tell it to end, and wait until it has."""
        if self.is_alive():
            self._loop.call_soon_threadsafe(self._serving.end)
        self.join(LIMIT)
        assert not self.is_alive()
        if self._failure is not None:
            raise self._failure

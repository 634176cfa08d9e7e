"""Serving HTTP, and ending without losing anybody.

uvicorn's own signal handling closes the listener first, and a client whose next poll is refused takes its volume for
lost. Here the listener closes last:

1. the books are brought into one complete file, at once: some scripts copy it a tenth of a second after the signal;
2. new work is answered 429 with `Retry-After`; polls and reads are served on, on new connections too;
3. when the running operations have ended and everybody has fetched the answer, or when the grace is nearly over, the
   listener closes, and the requests under way are answered.

A second signal ends the process at once; what was running is finished or taken back at the next start.
"""

import asyncio
import contextlib
import math
import os
import signal
import socket
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import structlog
import uvicorn
from starlette.types import ASGIApp

from heketipy.server.followers import Followers
from heketipy.server.listening import BACKLOG, ListenError

INTERRUPT_GRACE = 8.0
"""Longest grace after SIGINT, in seconds: tools expect the end within 10."""

KEEP_ALIVE = 5
"""Seconds that an idle connection is kept. The provisioner of Kubernetes opens one for every request."""

_LAST_ANSWERS = 3.0
_STEP = 0.05
_ENDING = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Tls:
    """Files in PEM for serving HTTPS."""

    certificate: str
    key: str


@dataclass(frozen=True, slots=True)
class Ending:
    """What there is to do when the server is told to end.

    `settle` brings the books into one file, `close` takes on no new work, `idle` tells whether nothing runs any more.
    """

    settle: Callable[[], Awaitable[None]]
    close: Callable[[], None]
    idle: Callable[[], bool]


class _Uvicorn(uvicorn.Server):
    """uvicorn without its signal handling."""

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.ready = asyncio.Event()

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Leave signals alone."""
        yield

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Start, and tell that it has."""
        await super().startup(sockets)
        self.ready.set()


class Serving:
    """One HTTP server on one socket, from its start to its end."""

    def __init__(
        self,
        app: ASGIApp,
        listener: socket.socket,
        ending: Ending,
        *,
        grace: float,
        tls: Tls | None = None,
        back_to_normal: Callable[[], None] | None = None,
        headers: tuple[tuple[str, str], ...] = (),
    ) -> None:
        """`grace` is in seconds. `back_to_normal` is called at the signal USR2, `headers` stand in every answer. Raises
        ListenError for files of TLS."""
        self._followers = Followers(app, asyncio.get_running_loop().time)
        self._listener = listener
        self._ending = ending
        self._grace = grace
        self._back_to_normal = back_to_normal
        self._told = asyncio.Event()
        self._signal: signal.Signals | None = None
        config = uvicorn.Config(
            self._followers,
            lifespan="off",
            log_config=None,
            access_log=False,
            server_header=False,
            headers=list(headers),
            backlog=BACKLOG,
            timeout_keep_alive=KEEP_ALIVE,
            timeout_graceful_shutdown=math.ceil(_LAST_ANSWERS),
            ssl_certfile=tls.certificate if tls else None,
            ssl_keyfile=tls.key if tls else None,
        )
        _load(config, tls)
        self._server = _Uvicorn(config)

    async def run(self, *, ready: Callable[[], None], signals: bool = True) -> None:
        """Serve until told to end. `ready` is called when requests are answered."""
        if signals:
            self._listen_to_signals()
        serving = asyncio.create_task(self._server.serve([self._listener]), name="http server")
        started = asyncio.create_task(self._server.ready.wait())
        await asyncio.wait((serving, started), return_when=asyncio.FIRST_COMPLETED)
        started.cancel()
        if not serving.done():
            ready()
            told = asyncio.create_task(self._told.wait())
            await asyncio.wait((serving, told), return_when=asyncio.FIRST_COMPLETED)
            told.cancel()
        if not serving.done():
            await self._wind_down()
        self._server.should_exit = True
        await serving

    def end(self, number: signal.Signals = signal.SIGTERM) -> None:
        """Tell the server to end, as a signal does. A second one ends the process."""
        if self._signal is not None:
            log.warning("second signal: ending at once", signal=number.name)
            os._exit(1)
        self._signal = number
        self._told.set()

    def _listen_to_signals(self) -> None:
        loop = asyncio.get_running_loop()
        for number in _ENDING:
            loop.add_signal_handler(number, self.end, number)
        if self._back_to_normal is not None:
            loop.add_signal_handler(signal.SIGUSR2, self._back_to_normal)

    async def _wind_down(self) -> None:
        interrupted = self._signal is signal.SIGINT
        grace = min(self._grace, INTERRUPT_GRACE) if interrupted else self._grace
        loop = asyncio.get_running_loop()
        end = loop.time() + max(0.0, grace - _LAST_ANSWERS)
        log.info("ending", grace=grace, interrupted=interrupted)
        self._ending.close()
        try:
            await self._ending.settle()
        except Exception:
            log.exception("the books could not be brought into one file")
        while loop.time() < end and (self._followers.waiting or not self._ending.idle()):  # noqa: ASYNC110 - time passes
            await asyncio.sleep(_STEP)
        if not self._ending.idle():
            log.warning("the grace is over: what still runs is finished or taken back at the next start")


def _load(config: uvicorn.Config, tls: Tls | None) -> None:
    try:
        config.load()
    except OSError as error:
        files = (tls.certificate, tls.key) if tls else ()
        name = next((file for file in files if not Path(file).exists()), " and ".join(files))
        raise ListenError(f"open {name}: {(error.strerror or str(error)).lower()}") from error

"""One run of the server, from its first line to its exit status."""

import asyncio
import gc
import sys
from contextlib import suppress
from typing import TextIO

import structlog
from uvicorn.loops.auto import auto_loop_factory

from heketipy.config import ConfigurationError, ExecutorName, Settings
from heketipy.domain.errors import StorageFailure
from heketipy.server.listening import ListenError, listen, port_of
from heketipy.server.loops import run_all
from heketipy.server.options import ServerOptions
from heketipy.server.serving import Ending, Serving, Tls
from heketipy.server.wiring import Parts, not_opened, put_together
from heketipy.telemetry.logging import Threshold, configure
from heketipy.wire.topology import Topology

SIMULATOR_BANNER = """\
****************************************************************************
*  SIMULATOR: the executor is "mock". Nodes and devices exist in memory    *
*  only. Volumes can be made and looked at, but NOTHING CAN BE STORED.     *
****************************************************************************
"""

_SHORT_KEY = 32

_GARBAGE = (10_000, 20, 200)
"""How many new objects make a look at the youngest worth while; how many of these looks one at the middle-aged, and how
many of those one at all."""

_SWITCH_SECONDS = 0.0005
"""How long a thread keeps the interpreter while another one waits for it. The writer gives it up at each statement, and
would wait 5 ms each time, Python's default, whenever requests keep it busy."""

log = structlog.get_logger(__name__)


def run(options: ServerOptions) -> int:
    """Serve until told to end; return the exit status."""
    gluster = options.settings.glusterfs
    log_level = configure(gluster.loglevel, form=options.settings.log_format, secrets=options.secrets)
    if options.executor is ExecutorName.SIMULATOR:
        _write(sys.stderr, SIMULATOR_BANNER)
    _warn(options)
    try:
        file = _topology(options.topology) if options.topology else None
        sys.setswitchinterval(_SWITCH_SECONDS)
        with asyncio.Runner(loop_factory=auto_loop_factory()) as runner:
            runner.run(_serve(options, file, log_level))
    except ConfigurationError as error:
        _write(sys.stderr, f"ERROR: {error}\n")
        return 1
    except StorageFailure as error:
        _write(sys.stderr, f"ERROR: {not_opened(error)}\n")
        return 1
    except ListenError as error:
        _write(sys.stdout, f"ERROR: HTTP Server error: {error}\nShutting down...\n")
        return 0 if options.drop_in else 1
    return 0


async def _serve(options: ServerOptions, file: Topology | None, log_level: Threshold) -> None:
    settings = options.settings
    async with put_together(options, log_level=log_level) as parts:
        with listen(settings.listen_address, settings.port) as listener:
            serving = Serving(
                parts.app,
                listener,
                _ending(parts),
                grace=settings.shutdown_grace,
                tls=_tls(settings),
                back_to_normal=parts.services.admin.reset,
            )
            beside = asyncio.create_task(_beside(parts, options, file), name="work beside requests")
            try:
                await serving.run(ready=lambda: _ready(settings, port_of(listener)))
            finally:
                beside.cancel()
                with suppress(asyncio.CancelledError):
                    await beside


def _ending(parts: Parts) -> Ending:
    def told() -> None:
        parts.services.admission.close()
        _write(sys.stdout, "Shutting down...\n")

    return Ending(settle=parts.db.settle, close=told, idle=lambda: not parts.services.runner.at_work)


async def _beside(parts: Parts, options: ServerOptions, file: Topology | None) -> None:
    """Take up what a former server left, then do what is done again and again."""
    await parts.services.cleaner.take_over()
    async with asyncio.TaskGroup() as group:
        group.create_task(run_all(parts.loops))
        if parts.backups is not None:
            group.create_task(parts.backups.run())
        if file is not None:
            group.create_task(_load(parts, options, file))


def _topology(path: str) -> Topology:
    from heketipy.server.topology import read_topology

    return read_topology(path)


async def _load(parts: Parts, options: ServerOptions, file: Topology) -> None:
    """Load a topology. What that needs is imported here: a server without one starts faster, and is smaller."""
    import httpx

    from heketipy.client.client import Client
    from heketipy.server import topology

    secret = options.settings.jwt.admin.key.get_secret_value()
    transport = httpx.ASGITransport(parts.app)
    try:
        async with Client("http://localhost", user="admin", secret=secret, transport=transport) as client:
            await topology.load(client, file)
    except Exception:
        log.exception("the topology could not be loaded")


def _ready(settings: Settings, port: int) -> None:
    _announce(settings, port)
    # From now on garbage is collected, but never again looked for in what is there already: a look at all of it would
    # stop everything else for a good part of a second on a large site.
    gc.freeze()
    # For the same reason what has come since is seldom looked at as a whole. Nearly all garbage is found among what is
    # young.
    gc.set_threshold(*_GARBAGE)
    gc.enable()


def _announce(settings: Settings, port: int) -> None:
    tls = " with TLS enabled" if settings.enable_tls else ""
    _write(sys.stdout, f"Listening on port {port}{tls}\n")


def _warn(options: ServerOptions) -> None:
    for text in options.warnings:
        log.warning(text)
    jwt = options.settings.jwt
    keys = (jwt.admin.key.get_secret_value(), jwt.user.key.get_secret_value())
    if options.authenticate and any(len(key) < _SHORT_KEY for key in keys):
        log.warning("a JWT key is short: it can be guessed from a token", shorter_than=_SHORT_KEY)
    log.info("executor loaded", executor=options.executor)


def _tls(settings: Settings) -> Tls | None:
    return Tls(settings.cert_file, settings.key_file) if settings.enable_tls else None


def _write(stream: TextIO, text: str) -> None:
    stream.write(text)
    stream.flush()

"""`heketi offline …`: work on the nodes and the books without a server.

Cleaning up needs the books for itself, as a server does. The others only look at them, and may run beside one.
"""

import asyncio
import sys
from collections.abc import Callable, Coroutine
from dataclasses import replace
from typing import Any, Final, TextIO

from heketipy.config import ConfigurationError
from heketipy.db.database import Tx
from heketipy.domain.errors import HeketipyError, StorageFailure
from heketipy.server.options import ServerOptions
from heketipy.server.wiring import Parts, not_opened, put_together
from heketipy.services.database_volume import DatabaseVolume
from heketipy.telemetry.logging import configure
from heketipy.wire.examination import books, examined

_INTERRUPTED: Final = 130
"""What shells make of SIGINT."""


def clean_up(options: ServerOptions) -> int:
    """Take back or finish every pending operation, and have nodes do what they owe. What cannot be done now stays
    pending, and is no failure, as in heketi."""

    async def work(parts: Parts) -> None:
        _write(sys.stderr, "Starting clean now...\n")
        if parts.db.read_only:
            raise StorageFailure("database is in read-only mode")
        await parts.services.cleaner.take_over()
        await parts.services.runner.drain()
        await parts.services.cleaner.pay_now()
        operations, debts = await parts.db.read(_left)
        if operations or debts:
            _write(sys.stderr, f"Left are {operations} pending operations, and {debts} that nodes owe\n")

    _write(sys.stdout, "OFFLINE COMMAND: Clean All Pending Operations\n")
    return _run(options, work, failed="Error cleaning operations")


def examine(options: ServerOptions) -> int:
    """Print what the nodes have beside what the books say."""

    async def work(parts: Parts) -> None:
        _write(sys.stdout, "Starting examiner now...\n")
        written = await parts.services.dump.through(lambda sections: list(books(sections)))
        found = await parts.services.examiner.examine(serving=False)
        text = b"".join([*written, examined(found.report or None, found.clusters)]).decode()
        _write(sys.stdout, f"EXAMINER_OUTPUT_STARTS\n{text}EXAMINER_OUTPUT_ENDS\n")

    _write(sys.stdout, "OFFLINE COMMAND: Examine state of Gluster\n")
    return _run(_looking(options), work, failed="Failed to examine Gluster")


def update_database_volume(options: ServerOptions, name: str) -> int:
    """Set the options of the volume that holds heketi's database, unless it has them."""

    async def work(parts: Parts) -> None:
        await DatabaseVolume(parts.db, parts.nodes.storage).update(name)

    _write(sys.stdout, "OFFLINE COMMAND: update dbvol\n")
    return _run(_looking(options), work, failed="Error updating db volume")


def _looking(options: ServerOptions) -> ServerOptions:
    gluster = options.settings.glusterfs.model_copy(update={"db_read_only": True})
    return replace(options, settings=options.settings.model_copy(update={"glusterfs": gluster}))


def _run(options: ServerOptions, work: Callable[[Parts], Coroutine[Any, Any, None]], *, failed: str) -> int:
    settings = options.settings
    configure(settings.glusterfs.loglevel, form=settings.log_format, secrets=options.secrets, stream=sys.stderr)
    try:
        return asyncio.run(_worked(options, work, failed))
    except (ConfigurationError, StorageFailure) as error:
        text = not_opened(error) if isinstance(error, StorageFailure) else str(error)
        _write(sys.stderr, f"ERROR: {text}\n")
        return 1
    except KeyboardInterrupt:
        return _INTERRUPTED


async def _worked(options: ServerOptions, work: Callable[[Parts], Coroutine[Any, Any, None]], failed: str) -> int:
    async with put_together(options) as parts:
        try:
            await work(parts)
        except HeketipyError as error:
            _write(sys.stderr, f"{failed}: {error}\n")
            return 1
    return 0


def _left(tx: Tx) -> tuple[int, int]:
    return len(tx.operations.all()), len(tx.debts.all())


def _write(stream: TextIO, text: str) -> None:
    stream.write(text)
    stream.flush()

"""Counting and timing what is run on nodes."""

import time
from collections.abc import Sequence
from enum import StrEnum
from typing import Protocol

from heketipy.domain.errors import NodeFailure, NodeUnreachable
from heketipy.domain.model import NodeAddress
from heketipy.executors.transport import Batch, Lane, Result, Transport


class Outcome(StrEnum):
    """How a batch ended."""

    OK = "ok"
    """All commands ran; those that failed were tolerated."""
    REFUSED = "refused"
    """A command failed and ended the batch."""
    UNREACHABLE = "unreachable"
    """The node did not answer."""
    FENCED = "fenced"
    """Another server has taken the operation over."""


class Meter(Protocol):
    """Where the figures go. Times are in seconds."""

    def waited(self, lane: Lane, seconds: float) -> None:
        """Note how long a batch waited for its lane."""
        ...

    def ran(self, node: str, lane: Lane, outcome: Outcome, seconds: float) -> None:
        """Note how a batch ended, and how long it took from its start on."""
        ...

    def command(self, tool: str, status: int) -> None:
        """Note the exit status of one command."""
        ...


def tool(argv: Sequence[str]) -> str:
    """Name the program that a command runs: `lvcreate` for one of LVM's, whatever stands before it."""
    names = [word.rpartition("/")[2] for word in argv]
    at = names.index("lvm") + 1 if "lvm" in names[:-1] else 0
    return names[at]


class Metered:
    """Tells a meter of every batch. Implements Transport."""

    def __init__(self, transport: Transport, meter: Meter) -> None:
        self._transport = transport
        self._meter = meter

    async def run(self, node: NodeAddress, batch: Batch) -> Sequence[Result]:
        """Run a batch. As `Transport.run`."""
        start = time.monotonic()
        try:
            results = await self._transport.run(node, batch)
        except NodeFailure as error:
            outcome = Outcome.UNREACHABLE if isinstance(error, NodeUnreachable) else Outcome.FENCED
            self._meter.ran(node.id, batch.lane, outcome, time.monotonic() - start)
            raise
        complete = len(results) == len(batch.commands) and (
            not results or results[-1].ok or batch.commands[-1].tolerated
        )
        outcome = Outcome.OK if complete else Outcome.REFUSED
        self._meter.ran(node.id, batch.lane, outcome, time.monotonic() - start)
        for command, result in zip(batch.commands, results, strict=False):
            self._meter.command(tool(command.argv), result.status)
        return results

    async def close(self) -> None:
        """Close the transport below."""
        await self._transport.close()

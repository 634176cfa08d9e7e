"""How nodes are reached: one method.

A batch is a list of commands for one node, run there one after the other under the same lock, in one round trip where
the transport can. ssh, Kubernetes exec and the simulator are transports; lanes, metering, recording and faults are
wrappers around any of them. Builders and parsers of commands live above, and never see how a batch travels.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

from heketipy.domain.errors import NodeFailure
from heketipy.domain.model import NodeAddress

_SIGNALS = {1: "HUP", 2: "INT", 6: "ABRT", 9: "KILL", 11: "SEGV", 13: "PIPE", 15: "TERM"}
_TIMED_OUT = 124


@dataclass(frozen=True, slots=True)
class Command:
    """One process to start on a node: its argv (never shell text), its limit, and what its failure means.

    `timeout` is in seconds and is enforced on the node as well, so that a command which we gave up does not live on.
    `tolerated` lets the batch go on after a non-zero status; otherwise the first failure ends it. `secret` keeps argv
    and output out of every log.
    """

    argv: tuple[str, ...]
    timeout: float = 300.0
    stdin: str = ""
    tolerated: bool = False
    secret: bool = False


@dataclass(frozen=True, slots=True)
class Result:
    """What a command that ran to its end left: status and complete, untrimmed output.

    `cause` says why it failed where that is something else than its status.
    """

    status: int
    stdout: str = ""
    stderr: str = ""
    cause: str = ""

    @property
    def ok(self) -> bool:
        """Whether the command succeeded."""
        return self.status == 0

    @property
    def text(self) -> str:
        """What a user is told of a failure: stderr as it is, or else how the command ended (commands §1.1)."""
        return self.stderr or self.ending

    @property
    def ending(self) -> str:
        """How the command ended, whatever it printed."""
        if self.cause:
            return self.cause
        if self.status == _TIMED_OUT:
            return "SSH command timeout"
        signal = _SIGNALS.get(self.status - 128)
        return f"Process exited with status {self.status}" + (f" from signal {signal}" if signal else "")


@dataclass(frozen=True, slots=True)
class Fence:
    """Ties a batch to an operation. On the node a batch first takes the lock of `operation` (waiting for a survivor of
    a dead server), then refuses if the node has already seen a higher `epoch` for this operation.

    The epoch is compared per operation, not per node: several servers may be at work on different operations, and a
    server with a new database must not be locked out by what an older one left on the node.
    """

    operation: str
    epoch: int


class Superseded(NodeFailure):
    """The node has seen a higher epoch for this operation: another server has taken it over. Nothing was run, and
    whoever gets this must not touch the operation any more."""

    code = "superseded"


class Lane(StrEnum):
    """What a batch must not overlap with on its node (design §6)."""

    READ = "read"
    """Nothing: it only looks."""
    BRICKS = "bricks"
    """LVM, mkfs, mount, fstab: one batch at a time on a node."""
    VOLUME = "volume"
    """gluster commands about one volume: one batch at a time for that volume, on whatever node it runs."""
    PEERS = "peers"
    """peer probe and detach: alone in the whole cluster."""


@dataclass(frozen=True, slots=True)
class Batch:
    """Commands for one node. `subject` is the volume's name in the lane VOLUME, the cluster's id in PEERS."""

    commands: tuple[Command, ...]
    lane: Lane = Lane.READ
    subject: str = ""
    fence: Fence | None = None


class Transport(Protocol):
    """Runs batches on nodes."""

    async def run(self, node: NodeAddress, batch: Batch) -> Sequence[Result]:
        """Run the commands in order and return the results of those that ran: all of them, or up to the first failure
        that is not tolerated (which is the last result then). A failing command is a result, not an exception.

        Raises NodeUnreachable if the node did not answer, or stopped answering: then nothing is known about what ran,
        unless its `sent` is false (as it is too when the operation's lock could not be had in time). Raises Superseded
        if the fence's epoch is too low.
        """
        ...

    async def close(self) -> None:
        """Drop connections. The transport is not used afterwards."""
        ...

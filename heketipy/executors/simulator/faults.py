"""What goes wrong on simulated nodes: per command, below batching.

A fault names the commands it is about by a predicate on the node and the argv, and which of them: the n-th, and how
many from there on. It says what happens: before the command's effect, after it, or instead of an answer.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from enum import StrEnum


class Killed(BaseException):
    """The server died at this command. No `except Exception` may survive it; the transport is dead from here on."""


class Effect(StrEnum):
    """What a fault does."""

    FAIL = "fail"
    """The command fails, and has done nothing."""
    FAIL_AFTER = "fail after"
    """The command fails, though it has done its work."""
    LOSE = "lose"
    """The connection dies before the command; it and the rest of the batch are not run."""
    LOSE_AFTER = "lose after"
    """The connection dies after the command; the rest of the batch is not run."""
    OUTLIVE = "outlive"
    """The connection dies before the command; after `seconds` it runs all the same, so does the rest of the batch
    (as long as the node does not notice) unless `rest` is false. Only then the node gives its locks back."""
    DELAY = "delay"
    """The command takes `seconds` longer."""
    GARBAGE = "garbage"
    """The command does its work, and prints `stdout` instead of its answer."""
    HANG = "hang"
    """The command does nothing until its time is over."""
    DIE = "die"
    """The server dies before the command runs."""
    DIE_AFTER = "die after"
    """The server dies when the command has run."""
    DIE_OUTLIVED = "die outlived"
    """The server dies before the command; the node goes on as with OUTLIVE."""


Predicate = Callable[[str, Sequence[str]], bool]


def on(*words: str, node: str = "") -> Predicate:
    """Return a predicate: the command's text holds all the words, and it runs on the node (a manage name) if given."""

    def matches(host: str, argv: Sequence[str]) -> bool:
        text = " ".join(argv)
        return (not node or node == host) and all(word in text for word in words)

    return matches


@dataclass(slots=True)
class Fault:
    """One thing that goes wrong, at the `nth` command that `when` matches and at `times` of them (0: for ever).

    `status`, `stdout` and `stderr` are what a failing or garbled command answers. `kill` is called when the server
    dies; it may end the process.
    """

    effect: Effect
    when: Predicate = field(default_factory=on)
    nth: int = 1
    times: int = 1
    status: int = 1
    stdout: str = ""
    stderr: str = "simulated failure\n"
    seconds: float = 1.0
    rest: bool = True
    kill: Callable[[], None] | None = None
    seen: int = 0
    fired: int = 0

    def strikes(self, node: str, argv: Sequence[str]) -> bool:
        """Count a command, and return whether the fault is about it."""
        if not self.when(node, argv):
            return False
        self.seen += 1
        if self.seen < self.nth or (self.times and self.fired >= self.times):
            return False
        self.fired += 1
        return True


@dataclass(slots=True)
class Faults:
    """The faults of a simulator. The first that is about a command strikes; the others count it all the same."""

    active: list[Fault] = field(default_factory=list)

    def add(self, *faults: Fault) -> None:
        """Let faults happen from now on."""
        self.active += faults

    def clear(self) -> None:
        """Let nothing go wrong any more."""
        self.active.clear()

    @contextmanager
    def during(self, *faults: Fault) -> Iterator[None]:
        """Let faults happen inside a `with`."""
        self.add(*faults)
        try:
            yield
        finally:
            self.active = [fault for fault in self.active if fault not in faults]

    def at(self, node: str, argv: Sequence[str]) -> Fault | None:
        """Return the fault that strikes at a command, if one does."""
        striking = [fault for fault in self.active if fault.strikes(node, argv)]
        return striking[0] if striking else None

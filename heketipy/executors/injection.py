"""Faults by configuration, as heketi's executors `inject/ssh` and `inject/mock` have them (commands §6.3).

Hooks look at each single command, in the form that heketi gives it, though commands travel in batches. A batch that no
hook may be about stays one; else it is taken apart just there: what stands before the command has run, what a hook
replaces is not run, and then the batch goes on or ends, as if the node had answered so.
"""

import asyncio
import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import NoReturn

import structlog

from heketipy.domain.errors import NodeUnreachable
from heketipy.domain.model import NodeAddress
from heketipy.executors.go_expressions import compile_go
from heketipy.executors.heketi_form import heketi_form
from heketipy.executors.transport import Batch, Command, Result, Transport

log = structlog.get_logger(__name__)

_PANIC_STATUS = 2
"""Of a Go program that panics."""


@dataclass(frozen=True, slots=True)
class Reaction:
    """What happens instead of a command or of its result: wait for `pause` seconds, crash the server with the text
    `panic`, or answer. The members are heketi's: `result` is what the command prints, `err` why it fails, which it also
    prints as its error unless `err_output` says otherwise."""

    result: str = ""
    err: str = ""
    pause: float = 0.0
    panic: str = ""
    exit_status: int = 0
    err_output: str = ""
    force_err: bool = False
    force_err_output: bool = False

    def answer(self) -> Result:
        """Return what the command seems to have left."""
        fails = bool(self.err) or self.force_err
        stderr = self.err_output or (self.err if not self.force_err_output else "")
        return Result(
            status=self.exit_status or int(fails),
            stdout=self.result,
            stderr=stderr,
            cause=self.err if fails else "",
        )


@dataclass(frozen=True, slots=True)
class Hook:
    """When to react. `command` is searched in a command, `result` (None: before it is run) in what it left; both in
    vain if they are no regular expressions. `condition` is a file on the server that has to exist, "" for none."""

    command: str
    reaction: Reaction
    result: str | None = None
    condition: str = ""


@dataclass(frozen=True, slots=True)
class _Trap:
    """A hook that may be sprung."""

    hook: Hook
    command: Callable[[str], object]
    result: Callable[[str], object]

    def is_about(self, texts: Sequence[str]) -> bool:
        return any(self.command(text) for text in texts)

    @property
    def is_set(self) -> bool:
        try:
            return not self.hook.condition or bool(Path(self.hook.condition).stat())
        except (OSError, ValueError):
            return False

    def awaits(self, result: Result) -> bool:
        """Look where heketi does: at what a command printed, or else at why it failed."""
        return bool(self.result(result.stdout if result.ok else result.ending))


def _traps(hooks: Sequence[Hook]) -> list[_Trap]:
    traps = []
    for number, hook in enumerate(hooks):
        try:
            command, result = compile_go(hook.command), compile_go(hook.result or "")
        except ValueError as error:
            # heketi's never matches either, and nobody is told.
            kind = "commands" if hook.result is None else "results"
            log.error(
                "a hook is no regular expression, and never takes effect",
                setting=f"glusterfs.injectexec.command_injection.{kind}[{number}]",
                expression=hook.command if hook.result is None else f"{hook.command} / {hook.result}",
                reason=str(error),
            )
        else:
            traps.append(_Trap(hook, command.search, result.search))
    return traps


def crash(text: str) -> NoReturn:
    """End the process on the spot, as a panic of Go's does."""
    os.write(2, f"panic: {text}\n".encode(errors="replace"))
    os._exit(_PANIC_STATUS)


class Injected:
    """Lets commands fail, and worse. Implements Transport.

    `commands` are the hooks before commands, `results` those behind them; the first one that fits is taken.
    """

    def __init__(
        self,
        transport: Transport,
        *,
        commands: Sequence[Hook] = (),
        results: Sequence[Hook] = (),
        crash: Callable[[str], NoReturn] = crash,
    ) -> None:
        self._transport = transport
        self._before = _traps(commands)
        self._behind = _traps(results)
        self._crash = crash

    async def run(self, node: NodeAddress, batch: Batch) -> Sequence[Result]:
        """Run a batch, with what is made to go wrong. As `Transport.run`."""
        if not batch.commands:
            return await self._transport.run(node, batch)
        running = _Running(self._transport, node, batch)
        for command in batch.commands:
            await self._take(running, command)
            if running.over:
                return running.results
        await running.catch_up()
        return running.results

    async def close(self) -> None:
        """Close the transport below."""
        await self._transport.close()

    async def _take(self, running: "_Running", command: Command) -> None:
        """Take the next command of a batch: put it to those that wait, or run it, or do not run it."""
        texts = heketi_form(command.argv)
        if before := [trap for trap in self._before if trap.is_about(texts)]:
            await running.catch_up()
            trap = None if running.over else next((trap for trap in before if trap.is_set), None)
            if trap is not None:
                running.results.append(await self._react(running.node, command, trap.hook.reaction))
            if trap is not None or running.over:
                return
        running.waiting.append(command)
        if behind := [trap for trap in self._behind if trap.is_about(texts)]:
            await running.catch_up()
            if running.complete:
                await self._look_back(running, command, behind)

    async def _look_back(self, running: "_Running", command: Command, behind: Sequence[_Trap]) -> None:
        """Replace the result of the command that has just run."""
        result = running.results[-1]
        trap = next((trap for trap in behind if trap.awaits(result) and trap.is_set), None)
        if trap is not None:
            running.results[-1] = await self._react(running.node, command, trap.hook.reaction, real=result)

    async def _react(
        self, node: NodeAddress, command: Command, reaction: Reaction, *, real: Result | None = None
    ) -> Result:
        answer = reaction.answer()
        log.warning(
            "injected",
            node=node.id,
            command=command.argv[0] if command.secret else " ".join(command.argv),
            ran=real is not None,
            status=answer.status,
            pause=reaction.pause,
            panic=reaction.panic,
        )
        await asyncio.sleep(reaction.pause)
        if reaction.panic:
            self._crash(reaction.panic)
        return answer


@dataclass(slots=True)
class _Running:
    """A batch on its way, piece by piece: what its commands left so far, and which ones wait to be run together.

    `complete` tells whether the last piece got to its end, `touched` whether the node has had any.
    """

    transport: Transport
    node: NodeAddress
    batch: Batch
    results: list[Result] = field(default_factory=list)
    waiting: list[Command] = field(default_factory=list)
    complete: bool = False
    touched: bool = False

    @property
    def over(self) -> bool:
        """Whether it ended with a failure that is not tolerated."""
        done = len(self.results)
        return bool(done) and not (self.results[-1].ok or self.batch.commands[done - 1].tolerated)

    async def catch_up(self) -> None:
        """Run what waits."""
        piece, self.waiting = self.waiting, []
        if not piece:
            return
        try:
            results = await self.transport.run(self.node, replace(self.batch, commands=tuple(piece)))
        except NodeUnreachable as error:
            if error.sent or not self.touched:
                raise
            # Nothing of this piece was sent; of the batch there was.
            raise NodeUnreachable(str(error), node=error.node) from error
        self.touched = True
        self.complete = len(results) == len(piece)
        self.results += results

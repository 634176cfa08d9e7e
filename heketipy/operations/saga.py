"""Steps with undo, and the three ways through them: forward, back, and forward again from the point of no return.

A step is idempotent, and so is its undo, which must only remove what it can prove to be ours. Undo includes the step
that failed, for it may have half happened. A pivot is a step after which there is no way back: before it begins, that
is written down; afterwards only the nodes can tell whether it happened.
"""

import asyncio
from collections.abc import Awaitable, Callable, Coroutine, Iterable, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

Action = Callable[[], Awaitable[None]]
T = TypeVar("T")


async def nothing() -> None:
    """Undo of a step that leaves nothing."""


class NoWayBack(Exception):
    """Raised by an undo that is refused for as long as a node is away: what was made is to be finished instead, so that
    nothing waits for a node that may never be back. `step` is the one that could not be taken back."""

    step: "Step | None" = None


@dataclass(frozen=True, slots=True)
class Step:
    """One idempotent action, and the idempotent action that takes it back.

    `pivot` asks the nodes whether this step happened; a step that has one is a point of no return.
    """

    name: str
    do: Action
    undo: Action = nothing
    pivot: Callable[[], Awaitable[bool]] | None = None


async def forward(steps: Sequence[Step], *, begun: list[Step], passing_pivot: Action) -> None:
    """Do each step, after adding it to `begun`. `passing_pivot` is awaited before a pivot begins."""
    for step in steps:
        if step.pivot is not None:
            await passing_pivot()
        begun.append(step)
        await step.do()


def may_have_begun(steps: Sequence[Step]) -> Sequence[Step]:
    """Return the steps that are to be taken back where nobody knows how far it went: all up to the pivot."""
    return steps[: _pivot_index(steps) + 1]


async def unwind(begun: Sequence[Step]) -> None:
    """Take back steps, newest first, the one that failed included: it may have half happened. Raises NoWayBack, with
    everything before that step untouched."""
    for step in reversed(begun):
        try:
            await step.undo()
        except NoWayBack as refusal:
            refusal.step = step
            raise


async def finish(steps: Sequence[Step], refusal: NoWayBack) -> None:
    """Go forward again, from a step on that could not be taken back."""
    start = next(index for index, step in enumerate(steps) if step == refusal.step)
    for step in steps[start:]:
        await step.do()


async def passed_pivot(steps: Sequence[Step]) -> bool:
    """Ask the nodes whether the pivot, which may have begun, happened."""
    pivot = steps[_pivot_index(steps)].pivot
    return pivot is not None and await pivot()


async def resume(steps: Sequence[Step]) -> None:
    """Go forward again, from the pivot on."""
    for step in steps[_pivot_index(steps) :]:
        await step.do()


def _pivot_index(steps: Sequence[Step]) -> int:
    for index, step in enumerate(steps):
        if step.pivot is not None:
            return index
    return len(steps) - 1


async def all_of(work: Iterable[Coroutine[Any, Any, T]]) -> list[T | Exception]:
    """Do everything side by side and wait for all of it, whatever fails: what runs on a node cannot be called back by
    cancelling its siblings."""
    results = await asyncio.gather(*work, return_exceptions=True)
    for result in results:
        if isinstance(result, BaseException) and not isinstance(result, Exception):
            raise result
    return [result for result in results if not isinstance(result, BaseException) or isinstance(result, Exception)]

"""What the server does again and again beside its requests: one task each, which no failure ends."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass

import structlog

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Loop:
    """Something to do `first` seconds after the start, and then with pauses of `period` seconds."""

    name: str
    action: Callable[[], Awaitable[object]]
    first: float
    period: float

    async def run(self) -> None:
        """Do it until cancelled."""
        await asyncio.sleep(self.first)
        while True:
            try:
                await self.action()
            except Exception:
                log.exception("background work failed; it is done again later", work=self.name)
            await asyncio.sleep(self.period)


async def run_all(loops: Sequence[Loop]) -> None:
    """Run loops side by side until cancelled."""
    async with asyncio.TaskGroup() as group:
        for loop in loops:
            group.create_task(loop.run(), name=loop.name)

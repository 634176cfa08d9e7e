"""Load: so many clients at a time, each beginning its next request when the last one has ended; and what it took."""

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import TypeVar

from bench.process import Server

T = TypeVar("T")


@dataclass(slots=True)
class Measurement:
    """What a load was answered, in seconds, and what the server used meanwhile."""

    seconds: float = 0.0
    times: list[float] = field(default_factory=list)
    cpu_seconds: float = 0.0
    peak_mib: float = 0.0

    @property
    def count(self) -> int:
        """How many requests were answered."""
        return len(self.times)

    @property
    def rate(self) -> float:
        """How many a second."""
        return self.count / self.seconds if self.seconds else 0.0

    def quantile(self, share: float) -> float:
        """Return the time within which this share was answered."""
        ordered = sorted(self.times)
        return ordered[min(len(ordered) - 1, int(share * len(ordered)))] if ordered else 0.0

    def details(self) -> dict[str, float]:
        """Return what is told beside the result: times in milliseconds; of the server only what was measured."""
        told = {
            "count": self.count,
            "p50_ms": round(self.quantile(0.5) * 1000, 2),
            "p99_ms": round(self.quantile(0.99) * 1000, 2),
        }
        if not self.cpu_seconds:
            return told
        each = self.cpu_seconds / self.count if self.count else 0.0
        return {
            **told,
            "rate": round(self.rate, 2),
            "server_cpu_s": round(self.cpu_seconds, 2),
            "server_cpu_ms_each": round(each * 1000, 3),
            "peak_mib": round(self.peak_mib, 1),
        }


@asynccontextmanager
async def measured(server: Server) -> AsyncIterator[Measurement]:
    """Measure what a server uses, and how long it takes, while something is done."""
    result = Measurement()
    before = server.usage().cpu_seconds
    begin = time.monotonic()
    try:
        yield result
    finally:
        result.seconds = time.monotonic() - begin
        usage = server.usage()
        result.cpu_seconds, result.peak_mib = usage.cpu_seconds - before, usage.peak_mib


async def timed(into: Measurement, work: Awaitable[T]) -> T:
    """Await something and note how long it took."""
    begin = time.monotonic()
    result = await work
    into.times.append(time.monotonic() - begin)
    return result


async def each(clients: int, items: Iterable[T], work: Callable[[int, T], Awaitable[None]]) -> None:
    """Do something with each item, `clients` at a time; `work` gets the number of the client."""
    rest = iter(items)

    async def client(number: int) -> None:
        for item in rest:
            await work(number, item)

    async with asyncio.TaskGroup() as group:
        for number in range(clients):
            group.create_task(client(number))


def until(seconds: float, *, at_most: int = 10**9) -> Iterable[int]:
    """Count, for so many seconds."""
    end = time.monotonic() + seconds
    for number in range(at_most):
        if time.monotonic() >= end:
            return
        yield number

"""Locks of operations and places for commands on simulated nodes.

They belong to the nodes, not to a transport: a restarted server finds the lock of its predecessor's batch held. A gate
that nobody uses is forgotten, so that none outlives the event loop it was made in.
"""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field


@dataclass(slots=True)
class Gate:
    """A semaphore and the number of those who hold it or wait for it."""

    semaphore: asyncio.Semaphore
    users: int = 0


@dataclass(slots=True)
class Gates:
    """Gates by key."""

    by_key: dict[tuple[str, str], Gate] = field(default_factory=dict)

    async def enter(self, key: tuple[str, str], places: int = 1) -> Callable[[], None]:
        """Wait for a place; return what gives it back."""
        gate = self.by_key.get(key)
        if gate is None:
            gate = self.by_key[key] = Gate(asyncio.Semaphore(places))
        gate.users += 1
        try:
            await gate.semaphore.acquire()
        except BaseException:
            self._leave(key, gate)
            raise

        def give_back() -> None:
            gate.semaphore.release()
            self._leave(key, gate)

        return give_back

    @asynccontextmanager
    async def place(self, key: tuple[str, str], places: int) -> AsyncIterator[None]:
        """Hold a place inside a `with`."""
        give_back = await self.enter(key, places)
        try:
            yield
        finally:
            give_back()

    def _leave(self, key: tuple[str, str], gate: Gate) -> None:
        gate.users -= 1
        if gate.users == 0:
            self.by_key.pop(key, None)

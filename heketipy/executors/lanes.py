"""Who may work on a node at the same time (see `Lane`). Whoever waits is served in the order of arrival.

Bricks: one batch at a time on a node. Volumes: one batch at a time for a volume, on whatever node; different volumes
side by side, a few on one node. Peers: while a host is taken into the pool or let go no other gluster command changes
anything, in no cluster, since a batch about a volume does not say which cluster it belongs to. Reads: no limit.
"""

import asyncio
import time
from collections import deque
from collections.abc import AsyncIterator, Callable, Hashable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field

from heketipy.domain.model import NodeAddress
from heketipy.executors.transport import Batch, Lane, Result, Transport

VOLUMES_AT_ONCE = 4
"""How many volumes are worked on through one node."""


@dataclass(slots=True)
class _Turnstile:
    """Lets so many through at a time, first come, first served, and forgets keys that nobody uses."""

    width: int
    _queues: dict[Hashable, tuple[asyncio.Semaphore, list[int]]] = field(default_factory=dict)

    @asynccontextmanager
    async def passing(self, key: Hashable) -> AsyncIterator[None]:
        semaphore, users = self._queues.setdefault(key, (asyncio.Semaphore(self.width), [0]))
        users[0] += 1
        try:
            async with semaphore:
                yield
        finally:
            users[0] -= 1
            if not users[0]:
                del self._queues[key]


@dataclass(slots=True)
class _Gate:
    """Many may share it, or one may have it alone; in the order of arrival, so that nobody starves."""

    _sharing: int = 0
    _alone: bool = False
    _waiting: deque[tuple[bool, "asyncio.Future[None]"]] = field(default_factory=deque)

    @asynccontextmanager
    async def passing(self, *, alone: bool) -> AsyncIterator[None]:
        await self._enter(alone)
        try:
            yield
        finally:
            self._leave(alone)

    def _fits(self, alone: bool) -> bool:
        return not self._alone and not (alone and self._sharing)

    def _take(self, alone: bool) -> None:
        if alone:
            self._alone = True
        else:
            self._sharing += 1

    async def _enter(self, alone: bool) -> None:
        if not self._waiting and self._fits(alone):
            self._take(alone)
            return
        turn: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.append((alone, turn))
        try:
            await turn
        except asyncio.CancelledError:
            if turn.done() and not turn.cancelled():
                self._leave(alone)
            else:
                self._waiting.remove((alone, turn))
                self._admit()
            raise

    def _leave(self, alone: bool) -> None:
        if alone:
            self._alone = False
        else:
            self._sharing -= 1
        self._admit()

    def _admit(self) -> None:
        while self._waiting and self._fits(self._waiting[0][0]):
            alone, turn = self._waiting.popleft()
            self._take(alone)
            turn.set_result(None)


class Lanes:
    """Lets batches wait for their lanes. Implements Transport.

    `waited` is told the lane and the seconds that each batch waited.
    """

    def __init__(
        self,
        transport: Transport,
        *,
        volumes_at_once: int = VOLUMES_AT_ONCE,
        waited: Callable[[Lane, float], None] | None = None,
    ) -> None:
        self._transport = transport
        self._waited = waited
        self._bricks = _Turnstile(1)
        self._volume = _Turnstile(1)
        self._volumes = _Turnstile(volumes_at_once)
        self._peers = _Gate()

    async def run(self, node: NodeAddress, batch: Batch) -> Sequence[Result]:
        """Run a batch when its turn has come. As `Transport.run`."""
        start = time.monotonic()
        async with AsyncExitStack() as stack:
            match batch.lane:
                case Lane.READ:
                    pass
                case Lane.BRICKS:
                    await stack.enter_async_context(self._bricks.passing(node.id))
                case Lane.VOLUME:
                    await stack.enter_async_context(self._volume.passing(batch.subject))
                    await stack.enter_async_context(self._volumes.passing(node.id))
                    await stack.enter_async_context(self._peers.passing(alone=False))
                case Lane.PEERS:
                    await stack.enter_async_context(self._peers.passing(alone=True))
            if self._waited is not None:
                self._waited(batch.lane, time.monotonic() - start)
            return await self._transport.run(node, batch)

    async def close(self) -> None:
        """Close the transport below."""
        await self._transport.close()

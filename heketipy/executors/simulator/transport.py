"""Batches on simulated nodes: the order, the locks, the epochs, the limits and the faults of the real way there."""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from heketipy.domain.errors import NodeUnreachable
from heketipy.domain.model import NodeAddress
from heketipy.executors.simulator.faults import Effect, Fault, Killed
from heketipy.executors.simulator.simulator import Simulator
from heketipy.executors.simulator.state import Node
from heketipy.executors.transport import Batch, Command, Lane, Result, Superseded

LOST = "wait: remote command exited without exit status or exit signal"
NO_ANSWER = "SSH command timeout"
"""What is said of a node that hangs, when our patience is over; the waiting itself is not simulated."""
TIMED_OUT = 124
DYING = frozenset({Effect.DIE, Effect.DIE_AFTER, Effect.DIE_OUTLIVED})
LOSING = frozenset({Effect.LOSE, Effect.LOSE_AFTER, Effect.OUTLIVE})
OUTLIVING = frozenset({Effect.OUTLIVE, Effect.DIE_OUTLIVED})
AFTER = frozenset({Effect.FAIL_AFTER, Effect.LOSE_AFTER, Effect.GARBAGE, Effect.DIE_AFTER})
EPOCHS_KEPT = 10_000


@dataclass(slots=True)
class Running:
    """A batch on its way: how far it is, what its commands answered, and whether it goes on without its connection."""

    node: Node
    batch: Batch
    results: list[Result]
    unlocks: list[Callable[[], None]]
    begun: bool = False
    outlives: bool = False

    @property
    def over(self) -> bool:
        """Whether nothing of it is left to run."""
        done = len(self.results)
        if done == 0 or done == len(self.batch.commands):
            return done == len(self.batch.commands)
        return not (self.results[-1].ok or self.batch.commands[done - 1].tolerated)

    @property
    def next(self) -> Command:
        """The command that is to run next."""
        return self.batch.commands[len(self.results)]

    def unlock(self) -> None:
        """Give the node's locks back."""
        while self.unlocks:
            self.unlocks.pop()()


class SimulatorTransport:
    """Runs batches on the nodes of a simulator.

    `latency` is what every command costs, seconds; `places` how many commands a node runs at once (0: any number);
    `lock_wait` how long a batch waits for a lock. One transport is one server: when a fault has killed it, every call
    raises Killed, and its batches on the nodes stop, except those that outlive it.
    """

    def __init__(
        self,
        simulator: Simulator,
        *,
        latency: float = 0.0,
        places: int = 0,
        port: str = "22",
        lock_wait: float = 3600.0,
    ) -> None:
        self.simulator = simulator
        self.latency = latency
        self.places = places
        self.port = port
        self.lock_wait = lock_wait
        self.killed = False

    async def run(self, node: NodeAddress, batch: Batch) -> Sequence[Result]:
        """Run a batch; see Transport. Raises Killed if a fault says that the server died."""
        self._live()
        machine = self.simulator.reach(node, port=self.port)
        running = Running(machine, batch, [], [])
        try:
            await self._lock(node, running)
            self._fence(node, running)
            running.begun = True
            while not running.over:
                running.results.append(await self._step(node, running))
            return running.results
        except asyncio.CancelledError:
            self._abandon(running)
            raise
        finally:
            if not running.outlives:
                running.unlock()

    async def close(self) -> None:
        """Do nothing: what still runs on the nodes goes on."""

    async def settle(self) -> None:
        """Wait until nothing runs on the nodes any more that has lost its connection."""
        await self.simulator.settle()

    def _live(self) -> None:
        if self.killed:
            raise Killed

    async def _lock(self, address: NodeAddress, running: Running) -> None:
        """Take the operation's lock, and the node's lock for bricks if the batch belongs there."""
        batch, host = running.batch, running.node.manage
        keys = [f"operation {batch.fence.operation}"] if batch.fence else []
        if batch.lane is Lane.BRICKS:
            keys.append("bricks")
        for key in keys:
            try:
                async with asyncio.timeout(self.lock_wait):
                    running.unlocks.append(await self.simulator.gates.enter((host, key)))
            except TimeoutError as error:
                text = f"the lock of {key} is still held on {host}"
                raise NodeUnreachable(text, node=address.id, sent=False) from error

    def _fence(self, address: NodeAddress, running: Running) -> None:
        fence = running.batch.fence
        if fence is None:
            return
        epochs = running.node.epochs
        seen = epochs.pop(fence.operation, 0)
        epochs[fence.operation] = max(seen, fence.epoch)
        if len(epochs) > EPOCHS_KEPT:
            del epochs[next(iter(epochs))]
        if fence.epoch < seen:
            text = f"{running.node.manage} has seen epoch {seen} of operation {fence.operation}"
            raise Superseded(f"{text}, this is epoch {fence.epoch}", node=address.id)

    async def _step(self, address: NodeAddress, running: Running) -> Result:
        """Run the next command of a batch, with what may go wrong."""
        self._live()
        if not running.node.up:
            raise NodeUnreachable(LOST, node=address.id)
        if running.node.hung:
            raise NodeUnreachable(NO_ANSWER, node=address.id)
        if not self.places:
            return await self._run(address, running)
        async with self.simulator.gates.place((running.node.manage, "places"), self.places):
            return await self._run(address, running)

    async def _run(self, address: NodeAddress, running: Running) -> Result:
        command = running.next
        await asyncio.sleep(min(self.latency, command.timeout))
        self._live()
        if self.latency > command.timeout:
            return Result(TIMED_OUT)
        fault = self.simulator.faults.at(running.node.manage, command.argv)
        if fault is None:
            return self._execute(running)
        if fault.effect in {Effect.HANG, Effect.DELAY}:
            return await self._slow(running, fault)
        return self._faulty(address, running, fault)

    def _execute(self, running: Running) -> Result:
        return self.simulator.run_on(running.node, running.next.argv, running.next.stdin)

    async def _slow(self, running: Running, fault: Fault) -> Result:
        limit = running.next.timeout
        seconds = limit if fault.effect is Effect.HANG else fault.seconds
        await asyncio.sleep(min(seconds, limit))
        self._live()
        return Result(TIMED_OUT) if seconds >= limit else self._execute(running)

    def _faulty(self, address: NodeAddress, running: Running, fault: Fault) -> Result:
        effect = fault.effect
        result = Result(fault.status, fault.stdout, fault.stderr)
        if effect in OUTLIVING:
            self._outlive(running, fault.seconds, rest=fault.rest)
        if effect in AFTER:
            real = self._execute(running)
            if effect is Effect.GARBAGE:
                result = Result(real.status, fault.stdout, "")
        if effect in DYING:
            self.killed = True
            if fault.kill is not None:
                fault.kill()
            raise Killed
        if effect in LOSING:
            raise NodeUnreachable(LOST, node=address.id)
        return result

    def _abandon(self, running: Running) -> None:
        """Let the node end the command that it is at when we hang up; the next one finds nobody to report to."""
        if running.begun and not running.over:
            self._outlive(running, self.latency, rest=False)

    def _outlive(self, running: Running, seconds: float, *, rest: bool) -> None:
        """Let the node go on with a batch whose connection is gone, its locks held."""
        running.outlives = True

        async def go_on() -> None:
            try:
                await asyncio.sleep(seconds)
                while not running.over and running.node.up:
                    running.results.append(self._execute(running))
                    if not rest:
                        break
            finally:
                running.unlock()

        task = asyncio.get_running_loop().create_task(go_on())
        self.simulator.survivors.add(task)
        task.add_done_callback(self.simulator.survivors.discard)

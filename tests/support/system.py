"""A heketipy without HTTP: books, use cases and simulated nodes, which can be crashed, started again and compared."""

import asyncio
import itertools
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

from heketipy.db.database import Database
from heketipy.domain.details import ClusterDetails
from heketipy.domain.durability import Durability
from heketipy.domain.model import BlockVolumeSpec, DeviceSpec, NodeAddress, NodeSpec, VolumeSpec
from heketipy.domain.operation import Job
from heketipy.executors.nodes import StorageNodes
from heketipy.executors.options import NodeOptions
from heketipy.executors.simulator import Simulator, SimulatorTransport
from heketipy.executors.transport import Batch, Result, Transport
from heketipy.operations.reservation import VolumePolicy
from heketipy.services.build import Policy, Services, build
from tests.support.books_and_nodes import discrepancies

HOSTS = ("192.168.10.1", "192.168.10.2", "192.168.10.3", "192.168.10.4", "192.168.10.5", "192.168.10.6")


def ids() -> Callable[[], str]:
    """Return a stream of ids that is the same in every run, and scattered as real ones are."""
    numbers = itertools.count(1)
    return lambda: f"{next(numbers) * 0x9E3779B97F4A7C15 % 2**128:032x}"


class Clock:
    """Seconds, which pass when a test says so."""

    def __init__(self) -> None:
        self.now = 1_800_000_000.0

    def __call__(self) -> float:
        return self.now


@dataclass(slots=True)
class Gate:
    """Where batches are held back."""

    reached: asyncio.Event = field(default_factory=asyncio.Event)
    opened: asyncio.Event = field(default_factory=asyncio.Event)


@dataclass(slots=True)
class Gated:
    """A transport with gates before it, by the words that they look for."""

    inner: Transport
    gates: dict[str, Gate]

    async def run(self, node: NodeAddress, batch: Batch) -> Sequence[Result]:
        for word, gate in list(self.gates.items()):
            if any(word in command.argv for command in batch.commands):
                gate.reached.set()
                await gate.opened.wait()
        return await self.inner.run(node, batch)

    async def close(self) -> None:
        await self.inner.close()


class System:
    """One server at a time on one set of simulated nodes and one database."""

    def __init__(
        self,
        database: Path | str,
        simulator: Simulator,
        *,
        policy: Policy | None = None,
        hosts: Sequence[str] = HOSTS,
    ) -> None:
        self.database = str(database)
        self.simulator = simulator
        self.hosts = hosts
        self.policy = policy or Policy(volumes=VolumePolicy(make_hosting_volumes=True, hosting_volume_gib=50))
        self.clock = Clock()
        self.gates: dict[str, Gate] = {}
        self.new_id = ids()
        self.db: Database
        self.transport: SimulatorTransport
        self.services: Services

    async def start(self) -> "System":
        """Start a server, which takes over what a former one left."""
        self.db = Database.open(self.database)
        nodes = StorageNodes(self.reach(), self.options, patience=())
        self.services = await build(self.db, nodes, self.policy, ids=self.new_id, clock=self.clock)
        await self.services.cleaner.take_over()
        return self

    @property
    def options(self) -> NodeOptions:
        """How the nodes are set up."""
        return NodeOptions()

    def reach(self) -> Transport:
        """Return the way of a new server to the nodes."""
        self.transport = SimulatorTransport(self.simulator)
        return Gated(self.transport, self.gates)

    @asynccontextmanager
    async def held(self, word: str) -> AsyncIterator[Callable[[], Awaitable[object]]]:
        """Hold back, inside the `with`, every batch with a command that has a word in it. What one gets waits until
        there is such a batch, and raises AssertionError if all work ends before."""
        gate = self.gates[word] = Gate()

        async def reached() -> None:
            arrival, end = asyncio.create_task(gate.reached.wait()), asyncio.create_task(self.services.runner.drain())
            try:
                await asyncio.wait((arrival, end), return_when=asyncio.FIRST_COMPLETED)
                assert arrival.done(), f"nobody came to {word!r}, and all work has ended"
            finally:
                arrival.cancel()
                end.cancel()

        try:
            yield reached
        finally:
            del self.gates[word]
            gate.opened.set()

    async def crash(self) -> None:
        """End the server as SIGKILL does: nothing is settled any more. What outlived it on the nodes ends too."""
        self.transport.killed = True
        await self.services.runner.close()
        self.db.close()
        await self.transport.settle()

    async def stop(self) -> None:
        """End the server in peace."""
        await self.services.runner.drain()
        await self.transport.close()
        await self.services.runner.close()
        self.db.close()

    async def restart(self) -> None:
        """Crash, start again, and wait until what was left is taken back or finished."""
        await self.crash()
        await self.start()
        await self.services.runner.drain()

    async def result(self, job_id: str) -> Job:
        """Wait for a job's end and return it."""
        await self.services.runner.drain()
        return await self.services.jobs.wait(job_id, 0)

    async def done(self, job_id: str) -> str:
        """Wait for a job's end; return the id in its result, if it has one. Raises AssertionError if it failed."""
        job = await self.result(job_id)
        assert job.ended is not None, job
        assert not job.error, job.error
        return job.result.rpartition("/")[2]

    async def cluster(self, *, nodes: int = 3, devices: int = 2) -> ClusterDetails:
        """Make a cluster of so many nodes with so many devices each."""
        made = await self.services.clusters.create(file=True, block=True)
        for number in range(nodes):
            node = await self.add_node(made.cluster.id, number)
            await self.add_devices(node, devices)
        return await self.services.clusters.info(made.cluster.id)

    async def add_node(self, cluster: str, number: int) -> str:
        """Add the node with a number from 0 on, each in a zone of its own."""
        host = self.hosts[number]
        spec = NodeSpec(cluster=cluster, zone=number + 1, manage=(host,), storage=(host,))
        return await self.done(await self.services.nodes.add(spec))

    async def add_devices(self, node: str, count: int) -> None:
        """Add so many more devices to a node."""
        there = len((await self.services.nodes.info(node)).devices)
        for letter in "bcdefgh"[there : there + count]:
            await self.done(await self.services.devices.add(DeviceSpec(node=node, name=f"/dev/sd{letter}")))

    async def volume(self, gib: int = 10, durability: Durability | None = None, **spec: object) -> str:
        """Make a volume and return its id."""
        wanted = VolumeSpec(size_gib=gib, durability=durability or Durability(), **spec)  # type: ignore[arg-type]
        return await self.done(await self.services.volumes.create(wanted))

    async def block_volume(self, gib: int = 1, **spec: object) -> str:
        """Make a block volume and return its id."""
        wanted = BlockVolumeSpec(size_gib=gib, **spec)  # type: ignore[arg-type]
        return await self.done(await self.services.block_volumes.create(wanted))

    async def discrepancies(self) -> list[str]:
        """Name everything in which books and nodes differ, and everything that is unsettled."""
        return await self.db.read(discrepancies, self.simulator.state)

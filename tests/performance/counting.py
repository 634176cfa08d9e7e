"""A system that counts what its operations cost: round trips to nodes, commands there, and transactions."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from heketipy.domain.model import NodeAddress
from heketipy.executors.options import NodeOptions
from heketipy.executors.simulator import Simulator
from heketipy.executors.transport import Batch, Result, Transport
from tests.support.sshnode import SshNodes
from tests.support.system import System


@dataclass(slots=True)
class Cost:
    """What was done: batches sent to nodes, commands that ran there, transactions that were committed."""

    batches: int = 0
    commands: int = 0
    commits: int = 0


class Counting:
    """A transport that counts."""

    def __init__(self, inner: Transport) -> None:
        self._inner = inner
        self.batches = 0
        self.commands = 0

    async def run(self, node: NodeAddress, batch: Batch) -> Sequence[Result]:
        self.batches += 1
        results = await self._inner.run(node, batch)
        self.commands += len(results)
        return results

    async def close(self) -> None:
        await self._inner.close()


class CountingSystem(System):
    """A system whose way to the nodes counts."""

    counting: Counting

    def reach(self) -> Transport:
        self.counting = Counting(super().reach())
        return self.counting

    @asynccontextmanager
    async def cost(self) -> AsyncIterator[Cost]:
        """Count what is done inside the `with`, which must not end before that."""
        before = self.counting.batches, self.counting.commands, self.db.commits
        counted = Cost()
        yield counted
        counted.batches = self.counting.batches - before[0]
        counted.commands = self.counting.commands - before[1]
        counted.commits = self.db.commits - before[2]


class CountingSystemOverSsh(CountingSystem):
    """The same by ssh, where the nodes count logins and executions."""

    def __init__(self, database: Path, simulator: Simulator, *, nodes: SshNodes, hosts: Sequence[str]) -> None:
        super().__init__(database, simulator, hosts=hosts)
        self.nodes = nodes

    @property
    def options(self) -> NodeOptions:
        return self.nodes.options

    def reach(self) -> Transport:
        self.counting = Counting(self.nodes.transport())
        return self.counting

    async def stop(self) -> None:
        await self.services.runner.drain()
        await self.counting.close()
        await self.services.runner.close()
        self.db.close()

"""The client of a simulator that runs in a process of its own: its nodes outlive the server that uses them."""

import asyncio
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from heketipy.domain.errors import NodeUnreachable
from heketipy.domain.model import NodeAddress
from heketipy.executors.simulator import wire
from heketipy.executors.transport import Batch, Result


class RemoteSimulatorTransport:
    """Runs batches on the nodes of a simulator behind a unix socket, one connection a batch.

    Whoever hangs up (a killed server, a cancelled call) leaves the command that is at work to end by itself.
    """

    def __init__(self, path: Path) -> None:
        self.path = path

    async def run(self, node: NodeAddress, batch: Batch) -> Sequence[Result]:
        """Run a batch; see Transport."""
        results: list[Result] = await self._ask(wire.batch_message(node, batch), node.id)
        return results

    async def close(self) -> None:
        """Do nothing: no connection is kept."""

    async def call(self, method: str, *args: Any, **options: Any) -> Any:
        """Call a method of the simulator: add_node, add_disk, node_down, reboot, leftovers, …"""
        return await self._ask({"call": method, "args": args, "options": options}, "")

    async def execute(self, host: str, argv: Sequence[str], stdin: str = "") -> Result:
        """Run one command on a node to its end, past all faults."""
        results: list[Result] = await self._ask({"execute": [host, list(argv), stdin]}, host)
        return results[0]

    async def _ask(self, message: wire.Message, node: str) -> Any:
        try:
            reader, writer = await asyncio.open_unix_connection(self.path, limit=wire.LIMIT)
        except OSError as error:
            text = f"the simulator at {self.path} does not answer"
            raise NodeUnreachable(text, node=node, sent=False) from error
        try:
            writer.write(wire.line_of(message))
            await writer.drain()
            line = await reader.readline()
        except OSError as error:
            raise NodeUnreachable("the simulator hung up", node=node) from error
        finally:
            writer.close()
        return wire.read_answer(line, node)

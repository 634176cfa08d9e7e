"""Writing down what is run on nodes: a transcript for tests, for golden cases, and for people who look for an error.

One JSON object a line and a batch: `node`, `host`, `lane`, `subject`, `operation` and `epoch` of the fence, `seconds`,
`commands` with `argv`, `status`, `stdout`, `stderr` (null where it did not run), `error` where the node failed. Of
secret commands only the tool is told.
"""

import json
import time
from collections.abc import Sequence
from typing import Any, TextIO

from heketipy.domain.errors import NodeFailure
from heketipy.domain.model import NodeAddress
from heketipy.executors.transport import Batch, Command, Result, Transport

MASKED = "***"


class Recorder:
    """Records every batch. Implements Transport."""

    def __init__(self, transport: Transport, transcript: TextIO) -> None:
        """`transcript` gets lines as batches end; it stays open."""
        self._transport = transport
        self._transcript = transcript

    async def run(self, node: NodeAddress, batch: Batch) -> Sequence[Result]:
        """Run a batch. As `Transport.run`."""
        start = time.monotonic()
        try:
            results = await self._transport.run(node, batch)
        except NodeFailure as error:
            self._record(node, batch, (), time.monotonic() - start, error)
            raise
        self._record(node, batch, results, time.monotonic() - start, None)
        return results

    async def close(self) -> None:
        """Close the transport below, and see that the transcript is written."""
        self._transcript.flush()
        await self._transport.close()

    def _record(
        self,
        node: NodeAddress,
        batch: Batch,
        results: Sequence[Result],
        seconds: float,
        error: NodeFailure | None,
    ) -> None:
        ran = [*results, *[None] * (len(batch.commands) - len(results))]
        entry = {
            "node": node.id,
            "host": node.manage,
            "lane": batch.lane.value,
            "subject": batch.subject,
            "operation": batch.fence.operation if batch.fence else None,
            "epoch": batch.fence.epoch if batch.fence else None,
            "seconds": round(seconds, 3),
            "commands": [_entry(command, result) for command, result in zip(batch.commands, ran, strict=True)],
            "error": None if error is None else {"code": error.code, "text": str(error)},
        }
        self._transcript.write(json.dumps(entry, ensure_ascii=False) + "\n")


def _entry(command: Command, result: Result | None) -> dict[str, Any]:
    if command.secret:
        argv, stdin = [command.argv[0], MASKED], MASKED
        stdout = stderr = MASKED if result else None
    else:
        argv, stdin = list(command.argv), command.stdin
        stdout, stderr = (result.stdout, result.stderr) if result else (None, None)
    return {
        "argv": argv,
        "stdin": stdin,
        "status": result.status if result else None,
        "stdout": stdout,
        "stderr": stderr,
    }

"""What a simulator in a process of its own and its clients say to each other: JSON, one message a line.

A request is `{"run": …}` (a batch), `{"execute": …}` (one command past all faults) or `{"call": method, …}` (a method
of the simulator). The answer is `{"results": …}`, `{"value": …}` or `{"error": kind, "text": …}`.
"""

import json
from collections.abc import Mapping
from typing import Any

from heketipy.domain.errors import NodeUnreachable
from heketipy.domain.model import NodeAddress
from heketipy.executors.transport import Batch, Command, Fence, Lane, Result, Superseded

LIMIT = 64 * 1024 * 1024
"""The longest message, bytes."""

Message = Mapping[str, Any]


def line_of(message: Message) -> bytes:
    """Return a message as it travels."""
    return json.dumps(message, separators=(",", ":")).encode() + b"\n"


def batch_message(node: NodeAddress, batch: Batch) -> Message:
    """Return the request to run a batch."""
    return {
        "run": {
            "node": [node.id, node.manage, node.storage],
            "commands": [[list(c.argv), c.timeout, c.stdin, c.tolerated, c.secret] for c in batch.commands],
            "lane": batch.lane,
            "subject": batch.subject,
            "fence": [batch.fence.operation, batch.fence.epoch] if batch.fence else None,
        }
    }


def read_batch(message: Message) -> tuple[NodeAddress, Batch]:
    """Return what a request asks to run."""
    commands = tuple(
        Command(tuple(argv), timeout, stdin, tolerated, secret)
        for argv, timeout, stdin, tolerated, secret in message["commands"]
    )
    fence = Fence(*message["fence"]) if message["fence"] else None
    return NodeAddress(*message["node"]), Batch(commands, Lane(message["lane"]), message["subject"], fence)


def results_message(results: list[Result]) -> Message:
    """Return the answer to a batch that ran."""
    return {"results": [[result.status, result.stdout, result.stderr] for result in results]}


def error_message(error: BaseException) -> Message:
    """Return the answer to a request that failed."""
    match error:
        case Superseded():
            return {"error": "superseded", "text": str(error), "node": error.node}
        case NodeUnreachable():
            return {
                "error": "unreachable",
                "text": str(error),
                "node": error.node,
                "sent": error.sent,
                "refused": error.refused,
            }
    return {"error": "refused", "text": f"{type(error).__name__}: {error}"}


class SimulatorRefused(Exception):
    """The simulator could not make sense of a request."""


def read_answer(line: bytes, node: str) -> Any:
    """Return the results or the value in an answer.

    Raises what the simulator's transport raised, NodeUnreachable for `node` if there was no answer, SimulatorRefused.
    """
    if not line.endswith(b"\n"):
        raise NodeUnreachable("the simulator does not answer", node=node)
    message = json.loads(line)
    match message.get("error"):
        case None:
            if "results" in message:
                return [Result(*result) for result in message["results"]]
            return message["value"]
        case "superseded":
            raise Superseded(message["text"], node=message["node"])
        case "unreachable":
            raise NodeUnreachable(
                message["text"], node=message["node"], sent=message["sent"], refused=message["refused"]
            )
    raise SimulatorRefused(message["text"])

"""Whether nodes are there: asked before work begins that would wait for them, or could not be taken back without them.

gluster finds out late that a machine is gone: until then it counts as connected, every command for the whole pool waits
for it, ten minutes at most, and holds the locks that all others need.
"""

import asyncio
from collections.abc import AsyncIterator, Coroutine, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any, TypeVar

from heketipy.domain.errors import NodeFailure, NodeUnreachable
from heketipy.domain.model import NodeAddress
from heketipy.executors.nodes import StorageNodes
from heketipy.operations.saga import all_of

T = TypeVar("T")

LIMIT = 10.0
"""Seconds that the question may take on a node. One that is away is found out by the transport: within its limit for
connecting, or when a connection has been silent for too long."""


@dataclass(frozen=True, slots=True)
class Silence:
    """A node that did not answer, and how."""

    node: NodeAddress
    error: NodeUnreachable

    def __str__(self) -> str:
        return f"Node {self.node.id} ({self.node.manage}) does not answer: {self.error}"


async def silent(nodes: StorageNodes, asked: Sequence[NodeAddress]) -> list[Silence]:
    """Ask nodes side by side whether they are there; return those that are not. Any answer will do."""
    answers = await all_of(_ask(nodes, node) for node in asked)
    found = []
    for answer in answers:
        if isinstance(answer, Exception):
            raise answer
        if answer is not None:
            found.append(answer)
    return found


@asynccontextmanager
async def meanwhile(asking: Coroutine[Any, Any, T]) -> AsyncIterator[asyncio.Task[T]]:
    """Ask something while something else is done; whoever leaves without the answer does not wait for it."""
    task = asyncio.create_task(asking)
    try:
        yield task
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def _ask(nodes: StorageNodes, node: NodeAddress) -> Silence | None:
    try:
        await nodes.check(node, limit=LIMIT)
    except NodeUnreachable as error:
        return Silence(node, error)
    except NodeFailure:
        pass
    return None

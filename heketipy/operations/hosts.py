"""Which node runs a gluster command that any node of the cluster could run (commands §4.3)."""

from collections.abc import Awaitable, Callable, Sequence
from typing import TypeVar

from heketipy.domain.errors import CommandFailed, NodeFailure, NodeUnreachable
from heketipy.domain.model import NodeAddress

T = TypeVar("T")


async def first_answer(nodes: Sequence[NodeAddress], ask: Callable[[NodeAddress], Awaitable[T]], *, total: int) -> T:
    """Ask one node after the other until one answers; a refusal is an answer and is raised at once.
    `total` is how many nodes there are, with those that are not even tried.

    Raises NodeUnreachable, naming every node, when none answers.
    """
    silent: list[tuple[NodeAddress, NodeFailure]] = []
    for node in nodes:
        try:
            return await ask(node)
        except NodeUnreachable as error:
            silent.append((node, error))
    raise NodeUnreachable(_all_failed(silent, total), node=nodes[0].id if nodes else "")


async def first_success(nodes: Sequence[NodeAddress], act: Callable[[NodeAddress], Awaitable[T]], *, total: int) -> T:
    """Try one node after the other until it works on one. Raises the last kind of failure with the text of all."""
    failures: list[tuple[NodeAddress, NodeFailure]] = []
    for node in nodes:
        try:
            return await act(node)
        except NodeFailure as error:
            failures.append((node, error))
    text = _all_failed(failures, total)
    for node, failure in failures:
        if isinstance(failure, CommandFailed):
            raise CommandFailed(text, node=node.id, status=failure.status) from failure
    raise NodeUnreachable(text, node=nodes[0].id if nodes else "")


def _all_failed(failures: Sequence[tuple[NodeAddress, NodeFailure]], total: int) -> str:
    texts = [str(error) for _, error in failures]
    match len(set(texts)):
        case 0:
            return f"no hosts available ({total} total)"
        case 1 if len(texts) == 1:
            return texts[0]
        case 1:
            return f"All {len(texts)} hosts: {texts[0]}"
        case _:
            return "\n".join(f"Host {node.manage}: {error}" for node, error in failures)

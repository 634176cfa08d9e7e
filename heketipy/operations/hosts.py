"""Which node runs a gluster command that any node of the cluster could run (commands §4.3)."""

from collections.abc import Awaitable, Callable, Sequence
from typing import TypeVar

from heketipy.domain.errors import NodeUnreachable
from heketipy.domain.model import NodeAddress

T = TypeVar("T")


async def first_answer(nodes: Sequence[NodeAddress], ask: Callable[[NodeAddress], Awaitable[T]], *, total: int) -> T:
    """Ask one node after the other until one answers; a refusal is an answer and is raised at once.

    `total` is how many nodes there are, with those that are not even tried. Raises NodeUnreachable, naming every node,
    when none answers.
    """
    silent: list[tuple[NodeAddress, str]] = []
    sent = False
    for node in nodes:
        try:
            return await ask(node)
        except NodeUnreachable as error:
            silent.append((node, str(error)))
            sent = sent or error.sent
    raise NodeUnreachable(_nobody(silent, total), node=nodes[0].id if nodes else "", sent=sent)


def _nobody(silent: Sequence[tuple[NodeAddress, str]], total: int) -> str:
    texts = [text for _, text in silent]
    match len(set(texts)):
        case 0:
            return f"no hosts available ({total} total)"
        case 1 if len(texts) == 1:
            return texts[0]
        case 1:
            return f"All {len(texts)} hosts: {texts[0]}"
        case _:
            return "\n".join(f"Host {node.manage}: {text}" for node, text in silent)

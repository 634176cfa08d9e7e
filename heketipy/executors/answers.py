"""From results of commands to errors: every refusal of a node becomes a CommandFailed here."""

from collections.abc import Sequence

from heketipy.domain.errors import CommandFailed
from heketipy.domain.model import NodeAddress
from heketipy.executors.transport import Result


def refusal(node: NodeAddress, result: Result, text: str = "") -> CommandFailed:
    """Return the error that a failed command stands for; `text` in place of what the tool printed."""
    return CommandFailed(text or result.text, node=node.id, status=result.status)


def demand(node: NodeAddress, results: Sequence[Result]) -> None:
    """Raise CommandFailed if the last command failed: a batch ends with its first failure that is not tolerated."""
    if results and not results[-1].ok:
        raise refusal(node, results[-1])

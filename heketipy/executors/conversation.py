"""Talking to gluster: what every verb about peers and volumes needs.

Two answers are no answers to the question: that another command holds gluster's locks (nothing was done; it is asked
again, a few times), and that no gluster daemon runs (nothing was done; the node counts as one that does not answer, so
that another one is asked).
"""

import asyncio
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from heketipy.domain.errors import CommandFailed, DaemonAway
from heketipy.domain.model import NodeAddress
from heketipy.executors import gluster
from heketipy.executors.gluster import Reply
from heketipy.executors.options import NodeOptions
from heketipy.executors.transport import Batch, Command, Fence, Lane, Result, Transport

PATIENCE = (0.25, 0.5, 1.0, 2.0, 4.0, 8.0, 8.0, 8.0)
"""Seconds to wait before gluster is asked again."""

_REFUSED = "<opRet>-1</opRet>"


@dataclass(frozen=True, slots=True)
class Conversation:
    """Runs gluster commands on a node."""

    transport: Transport
    options: NodeOptions
    patience: tuple[float, ...] = PATIENCE

    def commands(self, argvs: Iterable[tuple[str, ...]], *, tolerated: bool = False) -> list[Command]:
        """Return commands with gluster's limit."""
        limit = self.options.gluster_exec_timeout
        return [Command(argv, timeout=limit, tolerated=tolerated) for argv in argvs]

    async def run(
        self,
        node: NodeAddress,
        commands: Sequence[Command],
        *,
        lane: Lane = Lane.READ,
        subject: str = "",
        fence: Fence | None = None,
    ) -> list[Result]:
        """Run commands as one batch; from the first one that found gluster's locks taken on, they are run again.

        Raises DaemonAway if no daemon runs on the node, and what the transport raises.
        """
        results: list[Result] = []
        waits = iter(self.patience)
        while len(results) < len(commands):
            batch = Batch(tuple(commands[len(results) :]), lane, subject, fence)
            answers = list(await self.transport.run(node, batch))
            if any(gluster.is_daemon_away(answer) for answer in answers):
                raise DaemonAway(gluster.DAEMON_AWAY, node=node.id)
            busy = next((at for at, answer in enumerate(answers) if _is_busy(answer)), None)
            wait = next(waits, None) if busy is not None else None
            if wait is None:
                return results + answers
            results += answers[:busy]
            await asyncio.sleep(wait)
        return results

    async def ask(self, node: NodeAddress, argv: tuple[str, ...]) -> Reply:
        """Ask for an XML answer. Raises CommandFailed if the command failed or its answer is none."""
        (result,) = await self.run(node, self.commands([argv]))
        if not result.ok:
            raise CommandFailed(result.text, node=node.id, status=result.status)
        try:
            return gluster.read_reply(result.stdout)
        except ValueError as error:
            raise CommandFailed(str(error), node=node.id) from error


def _is_busy(result: Result) -> bool:
    """With --xml gluster exits 0 and says so in the document."""
    refused = not result.ok or _REFUSED in result.stdout
    return refused and gluster.is_busy(result.stderr + result.stdout)

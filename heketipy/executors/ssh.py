"""ssh: one connection a node, kept alive; one exec a batch (see `script`).

Only what certainly was not sent is repeated: connecting, and opening a channel on a connection that turned out to be
dead. Once the script is on its way, a lost connection leaves open what ran, and NodeUnreachable says so.
"""

import asyncio
import secrets
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import cast

import asyncssh
import structlog

from heketipy.domain.errors import NodeUnreachable
from heketipy.domain.model import NodeAddress
from heketipy.executors.dialing import Dialer, read_key, read_known_hosts
from heketipy.executors.hostkeys import HostKeys, RememberedKeys
from heketipy.executors.options import SshOptions
from heketipy.executors.script import KILL_AFTER, SHELL, Refusal, Report, script
from heketipy.executors.transport import Batch, Lane, Result, Superseded

log = structlog.get_logger(__name__)

GRACE = 30.0
"""Seconds beyond what the node allows itself after which a silent connection is given up."""
_CHANNEL_PATIENCE = 300.0
_FIRST_PAUSE = 0.05
_LONGEST_PAUSE = 2.0
_MAX_STDERR = 64 * 1024
_LOST = "wait: remote command exited without exit status or exit signal"
_TIMED_OUT = "SSH command timeout"


@dataclass(slots=True)
class _Link:
    """The connection to one node, and its channels."""

    slots: asyncio.Semaphore
    connection: asyncssh.SSHClientConnection | None = None
    dialing: "asyncio.Task[asyncssh.SSHClientConnection] | None" = None


@dataclass(slots=True)
class _Session(asyncssh.SSHClientSession[bytes]):
    """What one exec sends us."""

    report: Report
    moved: asyncio.Event = field(default_factory=asyncio.Event)
    stderr: bytearray = field(default_factory=bytearray)
    error: ValueError | None = None
    status: int | None = None
    ended: bool = False

    def data_received(self, data: bytes, datatype: int | None) -> None:
        if datatype is not None:
            self.stderr += data[: _MAX_STDERR - len(self.stderr)]
            return
        try:
            self.report.feed(data)
        except ValueError as error:
            self.error = error
        self.moved.set()

    def exit_status_received(self, status: int) -> None:
        self.status = status

    def connection_lost(self, exc: Exception | None) -> None:
        self.ended = True
        self.moved.set()


class SshTransport:
    """Runs batches on nodes over ssh. Implements Transport."""

    def __init__(
        self,
        options: SshOptions,
        *,
        lock_wait: float,
        host_keys: HostKeys | None = None,
        grace: float = GRACE,
        directory: str = "",
    ) -> None:
        """`lock_wait` is how many seconds a batch waits on the node for a lock: longer than any command takes. `grace`
        is how many seconds a node may be late. `directory` is where nodes keep the locks, see `script`.

        Raises HeketipyError with heketi's start-up texts if the key or the known hosts cannot be read.
        """
        known_hosts = read_known_hosts(options.known_hosts)
        if known_hosts is None:
            log.info("no SSH_KNOWN_HOSTS specified, host keys are trusted at first use")
        self._dialer = Dialer(options, read_key(options.keyfile), host_keys or RememberedKeys(), known_hosts)
        self._options = options
        self._lock_wait = lock_wait
        self._grace = grace
        self._directory = directory
        self._links: dict[str, _Link] = {}

    async def run(self, node: NodeAddress, batch: Batch) -> Sequence[Result]:
        """Run a batch by one exec. As `Transport.run`."""
        mark = f"heketipy-{secrets.token_hex(12)}"
        text = script(
            batch,
            mark=mark,
            lock_wait=self._lock_wait,
            node=node.id,
            sudo=self._options.sudo,
            directory=self._directory,
        )
        link = self._links.setdefault(node.manage, _Link(asyncio.Semaphore(self._options.channels)))
        async with link.slots:
            channel, session = await self._open(node, link, mark)
            try:
                await self._follow(node, batch, channel, session, text)
            finally:
                channel.close()
        return _judge(node, session)

    async def close(self) -> None:
        """Close all connections."""
        links, self._links = self._links, {}
        for link in links.values():
            if link.dialing is not None:
                link.dialing.cancel()
                await asyncio.wait([link.dialing])
            if link.connection is not None:
                link.connection.close()
                await link.connection.wait_closed()

    async def _open(
        self, node: NodeAddress, link: _Link, mark: str
    ) -> tuple[asyncssh.SSHClientChannel[bytes], _Session]:
        loop = asyncio.get_running_loop()
        deadline = loop.time() + _CHANNEL_PATIENCE
        pause = _FIRST_PAUSE
        losses = 0
        while True:
            connection = await self._connected(node, link)
            try:
                async with asyncio.timeout(self._grace):
                    channel, session = await connection.create_session(
                        lambda: _Session(Report(mark)), SHELL, encoding=None
                    )
            except (asyncssh.Error, OSError) as error:
                if isinstance(error, asyncssh.ChannelOpenError) and not connection.is_closed():
                    if error.code == asyncssh.OPEN_REQUEST_SESSION_FAILED or loop.time() > deadline:
                        raise NodeUnreachable(f"ssh: command {SHELL} failed", node=node.id, sent=False) from error
                    await asyncio.sleep(pause)
                    pause = min(2 * pause, _LONGEST_PAUSE)
                    continue
                _drop(link, connection)
                losses += 1
                if losses > 1:
                    raise NodeUnreachable(f"Unable to create SSH session: {error}", node=node.id, sent=False) from error
            else:
                return channel, cast("_Session", session)

    async def _connected(self, node: NodeAddress, link: _Link) -> asyncssh.SSHClientConnection:
        """Return the connection; whoever needs it while it is being made waits for the same attempt."""
        if link.connection is not None and not link.connection.is_closed():
            return link.connection
        if link.dialing is None:
            link.dialing = asyncio.create_task(self._dial(node, link))
            link.dialing.add_done_callback(_retrieved)
        return await asyncio.shield(link.dialing)

    async def _dial(self, node: NodeAddress, link: _Link) -> asyncssh.SSHClientConnection:
        try:
            link.connection = await self._dialer.dial(node)
        finally:
            link.dialing = None
        return link.connection

    async def _follow(
        self,
        node: NodeAddress,
        batch: Batch,
        channel: asyncssh.SSHClientChannel[bytes],
        session: _Session,
        text: str,
    ) -> None:
        """Send the script, and wait for its end so long as each of its stages may take."""
        loop = asyncio.get_running_loop()
        try:
            channel.write(text.encode())
            channel.write_eof()
        except (OSError, asyncssh.Error):
            session.ended = True
        report = session.report
        stage: tuple[bool, int, bool] | None = None
        deadline = 0.0
        while not session.ended and session.error is None:
            now = (report.began, len(report.results), report.done)
            if stage != now:
                stage = now
                deadline = loop.time() + self._allowance(batch, report)
            session.moved.clear()
            try:
                async with asyncio.timeout_at(deadline):
                    await session.moved.wait()
            except TimeoutError:
                if report.done:
                    return
                raise NodeUnreachable(_TIMED_OUT, node=node.id) from None

    def _allowance(self, batch: Batch, report: Report) -> float:
        """Return how many seconds the present stage may take: getting the locks, or one command, or the end."""
        if not report.began:
            locks = (batch.fence is not None) + (batch.lane is Lane.BRICKS)
            return locks * self._lock_wait + self._grace
        done = len(report.results)
        if report.done or done == len(batch.commands):
            return self._grace
        return batch.commands[done].timeout + KILL_AFTER + self._grace


def _judge(node: NodeAddress, session: _Session) -> Sequence[Result]:
    report = session.report
    if session.error is not None:
        raise NodeUnreachable(f"unintelligible answer: {session.error}", node=node.id) from session.error
    if report.done:
        return report.results
    match report.refusal:
        case Refusal.BUSY:
            raise NodeUnreachable(f"an earlier command is still at work on {node.manage}", node=node.id, sent=False)
        case Refusal.SUPERSEDED:
            raise Superseded(
                f"{node.manage} serves this operation for another server (epoch {report.reason})", node=node.id
            )
        case Refusal.BROKEN:
            raise NodeUnreachable(f"{node.manage}: {report.reason}", node=node.id, sent=False)
        case None:
            pass
    if not report.began and session.status is not None:
        words = session.stderr.decode(errors="replace").strip()
        text = words or f"Process exited with status {session.status}"
        raise NodeUnreachable(f"no shell on {node.manage}: {text}", node=node.id, sent=False)
    raise NodeUnreachable(_LOST, node=node.id)


def _drop(link: _Link, connection: asyncssh.SSHClientConnection) -> None:
    connection.abort()
    if link.connection is connection:
        link.connection = None


def _retrieved(task: "asyncio.Task[asyncssh.SSHClientConnection]") -> None:
    """Look at the outcome, which nobody may be waiting for any more."""
    if not task.cancelled():
        task.exception()

"""From settings to storage nodes: over ssh, or simulated."""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, TextIO

import structlog

from heketipy.config import (
    ConfigurationError,
    ExecutorName,
    GlusterSettings,
    InjectionSettings,
    ReactionSettings,
)
from heketipy.db.database import Database
from heketipy.domain.errors import HeketipyError
from heketipy.executors.build import ssh_transport, storage_nodes
from heketipy.executors.injection import Hook, Injected, Reaction
from heketipy.executors.metered import Outcome
from heketipy.executors.nodes import StorageNodes
from heketipy.executors.options import NodeOptions, SshOptions
from heketipy.executors.recorder import Recorder
from heketipy.executors.transport import Lane, Transport
from heketipy.telemetry import metrics

if TYPE_CHECKING:
    from heketipy.server.simulated import Simulated

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Reached:
    """The storage nodes, and what is behind them if they are simulated."""

    storage: StorageNodes
    simulated: "Simulated | None" = None
    transcript: TextIO | None = None

    async def close(self) -> None:
        """Drop all connections; keep what a file keeps."""
        await self.storage.close()
        if self.simulated is not None:
            self.simulated.save()
        if self.transcript is not None:
            self.transcript.close()


class PinnedKeys:
    """Host keys that were trusted at first use, kept in the books."""

    def __init__(self, db: Database) -> None:
        self._db = db

    async def get(self, host: str) -> str | None:
        """Return the key of a host, None for a host that was never reached."""
        return await self._db.read(lambda tx: tx.meta.host_key(host))

    async def pin(self, host: str, key: str) -> None:
        """Remember the key of a host that was reached for the first time."""
        if not self._db.read_only:
            await self._db.write(lambda tx: tx.meta.pin_host_key(host, key))


class AnyKeys:
    """No host key is ever remembered: each is as good as another."""

    async def get(self, host: str) -> str | None:
        """Know nothing."""
        return None

    async def pin(self, host: str, key: str) -> None:
        """Forget at once."""


class CountingMeter:
    """Puts what happens on nodes into our metrics."""

    def waited(self, lane: Lane, seconds: float) -> None:
        """Note how long a batch waited for its lane."""
        metrics.lane_waited(lane, seconds=seconds)

    def ran(self, node: str, lane: Lane, outcome: Outcome, seconds: float) -> None:
        """Note how a batch ended."""
        metrics.batch_ended(lane, outcome=outcome, seconds=seconds)

    def command(self, tool: str, status: int) -> None:
        """Note the exit status of a command."""
        metrics.command_ran(tool, ok=status == 0)


async def reach_nodes(gluster: GlusterSettings, executor: ExecutorName, db: Database) -> Reached:
    """Return the storage nodes that the settings speak of. Raises ConfigurationError."""
    options = _node_options(gluster)
    simulated: Simulated | None = None
    transport: Transport
    match executor:
        case ExecutorName.SIMULATOR:
            # A server whose nodes are real starts faster, and is smaller, without this.
            from heketipy.server.simulated import simulate

            simulated = await simulate(gluster.simulator, db)
            transport = simulated.transport
        case ExecutorName.SSH:
            transport = _ssh(gluster, options, db)
        case ExecutorName.KUBERNETES:
            raise ConfigurationError("Unable to start application: executor kubernetes is not supported yet")
    transcript = _transcript(gluster.record_file) if gluster.record_file else None
    if transcript is not None:
        transport = Recorder(transport, transcript)
    if gluster.injects:
        transport = _injected(transport, gluster.injectexec)
    return Reached(storage_nodes(transport, options, meter=CountingMeter()), simulated, transcript)


def _injected(transport: Transport, settings: InjectionSettings) -> Transport:
    """Let commands fail as it is configured. What is recorded below is what the nodes really got."""
    given = settings.command_injection
    log.warning("faults are injected", before_commands=len(given.commands), behind_them=len(given.results))
    return Injected(
        transport,
        commands=[Hook(hook.cmd, _reaction(hook.reaction), condition=hook.condfile) for hook in given.commands],
        results=[
            Hook(hook.cmd, _reaction(hook.reaction), result=hook.result, condition=hook.condfile)
            for hook in given.results
        ],
    )


def _reaction(given: ReactionSettings) -> Reaction:
    return Reaction(
        result=given.result,
        err=given.err,
        pause=given.pause,
        panic=given.panic,
        exit_status=given.exitstatus,
        err_output=given.erroutput,
        force_err=given.forceerr,
        force_err_output=given.forceerroutput,
    )


def _transcript(path: str) -> TextIO:
    """Open a transcript. Each line is written at once: it is of use when the server was killed, too."""
    try:
        return Path(path).open("a", buffering=1, encoding="utf-8")
    except OSError as error:
        raise ConfigurationError(f"Unable to start application: glusterfs.record_file: {error}") from error


def _ssh(gluster: GlusterSettings, options: NodeOptions, db: Database) -> Transport:
    ssh = gluster.sshexec
    try:
        port = int(ssh.port)
    except ValueError:
        raise ConfigurationError(
            f"Unable to parse configuration: glusterfs.sshexec.port: {ssh.port!r} is no number"
        ) from None
    try:
        return ssh_transport(
            SshOptions(
                keyfile=ssh.keyfile,
                user=ssh.user,
                port=port,
                sudo=ssh.sudo,
                known_hosts=ssh.known_hosts,
                connect_timeout=ssh.connect_timeout,
                keepalive_interval=ssh.keepalive_interval,
                channels=ssh.sessions_per_node,
            ),
            options,
            host_keys=AnyKeys() if ssh.host_key_policy == "ignore" else PinnedKeys(db),
        )
    except HeketipyError as error:
        raise ConfigurationError(f"Unable to start application: {error}") from error


def _node_options(gluster: GlusterSettings) -> NodeOptions:
    ours = gluster.sshexec
    return NodeOptions(
        fstab=ours.fstab,
        mountopts=ours.mountopts,
        snapshot_limit=ours.snapshot_limit,
        rebalance=ours.rebalance_on_expansion,
        backup_lvm_metadata=ours.backup_lvm_metadata,
        gluster_cli_timeout=ours.gluster_cli_timeout,
        pv_data_alignment=ours.pv_data_alignment,
        vg_physicalextentsize=ours.vg_physicalextentsize,
        lv_chunksize=ours.lv_chunksize,
        xfs_sw=ours.xfs_sw,
        xfs_su=ours.xfs_su,
        debug_umount_failures=ours.debug_umount_failures,
        lvm_wrapper=ours.lvm_wrapper,
        block_prealloc=ours.block_prealloc,
    )

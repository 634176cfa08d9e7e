"""From settings to storage nodes: over ssh, or simulated."""

import asyncio
from dataclasses import dataclass
from pathlib import Path
from typing import TextIO

import structlog

from heketipy.config import (
    ConfigurationError,
    ExecutorName,
    GlusterSettings,
    InjectionSettings,
    ReactionSettings,
    SimulatorSettings,
)
from heketipy.db.database import Database, Tx
from heketipy.domain.errors import HeketipyError
from heketipy.executors.build import ssh_transport, storage_nodes
from heketipy.executors.injection import Hook, Injected, Reaction
from heketipy.executors.metered import Outcome
from heketipy.executors.nodes import StorageNodes
from heketipy.executors.options import NodeOptions, SshOptions
from heketipy.executors.recorder import Recorder
from heketipy.executors.simulator import Simulator, SimulatorTransport
from heketipy.executors.simulator.rebuild import rebuild
from heketipy.executors.simulator.remote import RemoteSimulatorTransport
from heketipy.executors.simulator.state import State
from heketipy.executors.simulator.store import StateFile
from heketipy.executors.transport import Lane, Transport
from heketipy.telemetry import metrics

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Reached:
    """The storage nodes, and the simulator behind them if they are simulated."""

    storage: StorageNodes
    simulator: Simulator | None = None
    keeper: "_Keeper | None" = None
    transcript: TextIO | None = None

    async def close(self) -> None:
        """Drop all connections; keep what a file keeps."""
        await self.storage.close()
        if self.keeper is not None:
            self.keeper.save()
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
    simulator: Simulator | None = None
    keeper: _Keeper | None = None
    transport: Transport
    match executor:
        case ExecutorName.SIMULATOR if gluster.simulator.socket:
            transport = RemoteSimulatorTransport(Path(gluster.simulator.socket))
        case ExecutorName.SIMULATOR:
            simulator, keeper = await _simulated(gluster.simulator, db)
            transport = SimulatorTransport(simulator, latency=gluster.simulator.latency_ms / 1000)
        case ExecutorName.SSH:
            transport = _ssh(gluster, options, db)
        case ExecutorName.KUBERNETES:
            raise ConfigurationError("Unable to start application: executor kubernetes is not supported yet")
    transcript = _transcript(gluster.record_file) if gluster.record_file else None
    if transcript is not None:
        transport = Recorder(transport, transcript)
    if gluster.injects:
        transport = _injected(transport, gluster.injectexec)
    return Reached(storage_nodes(transport, options, meter=CountingMeter()), simulator, keeper, transcript)


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


async def _simulated(settings: SimulatorSettings, db: Database) -> "tuple[Simulator, _Keeper | None]":
    """Return simulated nodes: as a file has kept them, or else as the books know them."""
    file = StateFile(Path(settings.state_file)) if settings.state_file else None
    state = await asyncio.to_thread(_restored, file) if file else None
    simulator = Simulator(state, accept_anything=True, device_size_gib=settings.device_size_gb)
    if state is None:
        await db.read(_rebuild, simulator)
    return simulator, _Keeper(simulator, file) if file else None


def _restored(file: StateFile) -> State | None:
    try:
        return file.load()
    except (OSError, ValueError, TypeError, KeyError) as error:
        raise ConfigurationError(
            f"Unable to start application: {file.path} keeps no simulated nodes that can be read: {error}"
        ) from error


def _rebuild(tx: Tx, simulator: Simulator) -> None:
    rebuild(
        simulator,
        nodes=tx.nodes.all(),
        devices=tx.devices.all(),
        bricks=tx.bricks.one_by_one(),
        volumes=tx.volumes.all(),
        block_volumes=tx.block_volumes.all(),
    )


class _Keeper:
    """Writes the simulated nodes into their file, a moment after each change."""

    DELAY = 0.2

    def __init__(self, simulator: Simulator, file: StateFile) -> None:
        self._simulator = simulator
        self._file = file
        self._timer: asyncio.TimerHandle | None = None
        simulator.on_change = self._changed

    def save(self) -> None:
        """Write it now."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        self._file.save(self._simulator.state)

    def _changed(self) -> None:
        if self._timer is None:
            self._timer = asyncio.get_running_loop().call_later(self.DELAY, self.save)


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

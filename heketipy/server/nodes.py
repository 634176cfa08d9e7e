"""From settings to storage nodes: over ssh, or simulated."""

from dataclasses import dataclass

from heketipy.config import ConfigurationError, ExecutorName, GlusterSettings
from heketipy.db.database import Database
from heketipy.domain.errors import HeketipyError
from heketipy.executors.build import ssh_transport, storage_nodes
from heketipy.executors.metered import Outcome
from heketipy.executors.nodes import StorageNodes
from heketipy.executors.options import NodeOptions, SshOptions
from heketipy.executors.simulator import Simulator, SimulatorTransport
from heketipy.executors.transport import Lane, Transport
from heketipy.telemetry import metrics


@dataclass(frozen=True, slots=True)
class Reached:
    """The storage nodes, and the simulator behind them if they are simulated."""

    storage: StorageNodes
    simulator: Simulator | None = None

    async def close(self) -> None:
        """Drop all connections."""
        await self.storage.close()


class PinnedKeys:
    """Host keys that were trusted at first use, kept in the books."""

    def __init__(self, db: Database) -> None:
        self._db = db

    async def get(self, host: str) -> str | None:
        """Return the key of a host, None for a host that was never reached."""
        return await self._db.read(lambda tx: tx.meta.host_key(host))

    async def pin(self, host: str, key: str) -> None:
        """Remember the key of a host that was reached for the first time."""
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
    match executor:
        case ExecutorName.SIMULATOR:
            simulator = await _simulator(gluster, db)
            transport: Transport = SimulatorTransport(simulator, latency=gluster.simulator.latency_ms / 1000)
            return Reached(storage_nodes(transport, options, meter=CountingMeter()), simulator)
        case ExecutorName.SSH:
            return Reached(storage_nodes(_ssh(gluster, options, db), options, meter=CountingMeter()))
        case ExecutorName.KUBERNETES:
            raise ConfigurationError("Unable to start application: executor kubernetes is not supported yet")


async def _simulator(gluster: GlusterSettings, db: Database) -> Simulator:
    return Simulator(accept_anything=True, device_size_gib=gluster.simulator.device_size_gb)


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
    )

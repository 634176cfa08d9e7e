"""From settings to simulated storage nodes. Imported by servers that have them, and by no others."""

import asyncio
from dataclasses import dataclass
from pathlib import Path

from heketipy.config import ConfigurationError, SimulatorSettings
from heketipy.db.database import Database, Tx
from heketipy.executors.simulator import Simulator, SimulatorTransport
from heketipy.executors.simulator.rebuild import rebuild
from heketipy.executors.simulator.remote import RemoteSimulatorTransport
from heketipy.executors.simulator.state import State
from heketipy.executors.simulator.store import StateFile
from heketipy.executors.transport import Transport


@dataclass(frozen=True, slots=True)
class Simulated:
    """Simulated nodes: the way to them, and the simulator and what keeps it if they are in this process."""

    transport: Transport
    simulator: Simulator | None = None
    keeper: "_Keeper | None" = None

    def save(self) -> None:
        """Keep what a file keeps."""
        if self.keeper is not None:
            self.keeper.save()


async def simulate(settings: SimulatorSettings, db: Database) -> Simulated:
    """Return simulated nodes: in another process, as a file has kept them, or else as the books know them.

    Raises ConfigurationError.
    """
    if settings.socket:
        return Simulated(RemoteSimulatorTransport(Path(settings.socket)))
    file = StateFile(Path(settings.state_file)) if settings.state_file else None
    state = await asyncio.to_thread(_restored, file) if file else None
    simulator = Simulator(state, accept_anything=True, device_size_gib=settings.device_size_gb)
    if state is None:
        await db.read(_rebuild, simulator)
    transport = SimulatorTransport(simulator, latency=settings.latency_ms / 1000)
    return Simulated(transport, simulator, _Keeper(simulator, file) if file else None)


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
        volumes=tx.everything.volumes(),
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

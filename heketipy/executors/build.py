"""Putting the executors together: options to transports to storage nodes."""

from typing import TYPE_CHECKING

from heketipy.executors.hostkeys import HostKeys
from heketipy.executors.lanes import Lanes
from heketipy.executors.metered import Meter, Metered
from heketipy.executors.nodes import StorageNodes
from heketipy.executors.options import NodeOptions, SshOptions
from heketipy.executors.transport import Transport

if TYPE_CHECKING:
    from heketipy.executors.ssh import SshTransport

_MARGIN = 60.0


def lock_wait(options: NodeOptions) -> float:
    """Return how many seconds a batch waits for a survivor's lock: longer than the longest command may take."""
    return options.longest_command + _MARGIN


def ssh_transport(options: SshOptions, nodes: NodeOptions, *, host_keys: HostKeys | None = None) -> "SshTransport":
    """Return the transport over ssh. Raises HeketipyError if the key or the known hosts cannot be read."""
    # A server without ssh starts faster, and is smaller, without this.
    from heketipy.executors.ssh import SshTransport

    return SshTransport(options, lock_wait=lock_wait(nodes), host_keys=host_keys)


def storage_nodes(
    transport: Transport, options: NodeOptions | None = None, *, meter: Meter | None = None
) -> StorageNodes:
    """Return the storage nodes behind a transport, with lanes, and metered where there is a meter.

    A recorder or injected faults belong into `transport`.
    """
    if meter is None:
        return StorageNodes(Lanes(transport), options or NodeOptions())
    lanes = Lanes(Metered(transport, meter), waited=meter.waited)
    return StorageNodes(lanes, options or NodeOptions())

"""Loading a topology file at the start, as `heketi-cli topology load` does it, through the server's own API.

What is there already stays as it is, what is new is added. What cannot be added (a node that is down, a disk that
carries data) is told, and does not keep the rest from being added.
"""

from dataclasses import dataclass, field
from pathlib import Path

import structlog

from heketipy.client.client import Client
from heketipy.client.topology import (
    ClusterCreated,
    DeviceAdded,
    DeviceFound,
    DeviceRefused,
    Event,
    NodeAdded,
    NodeFound,
    NodeRefused,
)
from heketipy.client.topology import load as events_of
from heketipy.config import ConfigurationError
from heketipy.wire.topology import Topology, TopologyError, load_topology

log = structlog.get_logger(__name__)


@dataclass(slots=True)
class Outcome:
    """What a load has done: how many clusters, nodes and devices were added or there already, and what was not."""

    added: int = 0
    found: int = 0
    failures: list[str] = field(default_factory=list)

    def note(self, event: Event, before: str) -> None:
        """Count an event; `before` is what the event before it had announced."""
        match event:
            case ClusterCreated() | NodeAdded() | DeviceAdded():
                self.added += 1
            case NodeFound() | DeviceFound():
                self.found += 1
            case NodeRefused(reason) | DeviceRefused(reason):
                self.failures.append(f"{before}: {reason}")
                log.error("topology: not added", what=before, reason=reason)


def read_topology(path: str) -> Topology:
    """Read a file and demand that it makes sense. Raises ConfigurationError."""
    try:
        content = Path(path).read_bytes()
    except OSError as error:
        cause = (error.strerror or str(error)).lower()
        raise ConfigurationError(f"Unable to open topology file {path}: {cause}") from None
    try:
        return load_topology(content)
    except TopologyError as error:
        raise ConfigurationError(f"Unable to load topology file {path}:\n{error}") from None


async def load(client: Client, topology: Topology) -> Outcome:
    """Add what is not there yet, and log it. Raises ClientError if the API does not answer as it should."""
    outcome = Outcome()
    before = ""
    async for event in events_of(client, topology):
        outcome.note(event, before)
        before = str(event).strip().removesuffix(" ...")
        log.debug("topology", step=before)
    log.info("topology loaded", added=outcome.added, already_there=outcome.found, failed=len(outcome.failures))
    return outcome

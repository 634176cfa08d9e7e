"""Loading a topology file at the start: what is there already stays as it is, what is new is added.

A node is recognised by its first manage name, a device by its path on the node. What cannot be added (a node that is
down, a disk that carries data) is told, and does not keep the rest from being added.
"""

import asyncio
from dataclasses import dataclass, field
from pathlib import Path

import structlog

from heketipy.config import ConfigurationError
from heketipy.domain.details import NodeDetails
from heketipy.domain.errors import HeketipyError
from heketipy.domain.model import DeviceSpec
from heketipy.services.build import Services
from heketipy.wire.topology import Topology, TopologyCluster, TopologyError, TopologyNode, load_topology

_LOOK_AGAIN = 30.0

log = structlog.get_logger(__name__)


@dataclass(slots=True)
class Outcome:
    """What a load has done."""

    added: int = 0
    found: int = 0
    failures: list[str] = field(default_factory=list)


class _RefusedError(Exception):
    """A job ended with an error, whose text this is."""


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


async def load(services: Services, topology: Topology) -> Outcome:
    """Add what is not there yet, and log every step. Loading again changes nothing."""
    outcome = Outcome()
    known = await _known_nodes(services)
    for cluster in topology.clusters:
        await _load_cluster(services, cluster, known, outcome)
    log.info("topology loaded", added=outcome.added, already_there=outcome.found, failed=len(outcome.failures))
    return outcome


async def _known_nodes(services: Services) -> dict[str, NodeDetails]:
    found = {}
    for cluster_id in await services.clusters.ids():
        for node_id in (await services.clusters.info(cluster_id)).nodes:
            details = await services.nodes.info(node_id)
            found[details.node.manage[0]] = details
    return found


async def _load_cluster(
    services: Services, cluster: TopologyCluster, known: dict[str, NodeDetails], outcome: Outcome
) -> None:
    """Nodes join one after the other, as peers must; then the nodes' devices are set up side by side."""
    if not cluster.nodes:
        return
    ours = next((known[node.manage].node.cluster for node in cluster.nodes if node.manage in known), "")
    if not ours:
        details = await services.clusters.create(file=cluster.file, block=cluster.block)
        ours = details.cluster.id
        outcome.added += 1
        log.info("topology: cluster added", cluster=ours)
    devices = []
    for node in cluster.nodes:
        details_of_node = known.get(node.manage) or await _add_node(services, node, ours, outcome)
        if details_of_node is not None:
            devices.append(_add_devices(services, node, details_of_node, outcome))
            outcome.found += node.manage in known
    await asyncio.gather(*devices)


async def _add_node(services: Services, node: TopologyNode, cluster: str, outcome: Outcome) -> NodeDetails | None:
    try:
        path = await _result(services, await services.nodes.add(node.spec(cluster)))
    except (HeketipyError, _RefusedError) as error:
        _failed(outcome, f"node {node.manage}", error)
        return None
    outcome.added += 1
    details = await services.nodes.info(path.rpartition("/")[2])
    log.info("topology: node added", host=node.manage, node=details.node.id)
    return details


async def _add_devices(services: Services, node: TopologyNode, details: NodeDetails, outcome: Outcome) -> None:
    there = {device.device.name for device in details.devices}
    for spec in node.device_specs(details.node.id):
        if spec.name in there:
            outcome.found += 1
        else:
            await _add_device(services, spec, node.manage, outcome)


async def _add_device(services: Services, spec: DeviceSpec, host: str, outcome: Outcome) -> None:
    try:
        await _result(services, await services.devices.add(spec))
    except (HeketipyError, _RefusedError) as error:
        _failed(outcome, f"device {spec.name} of {host}", error)
    else:
        outcome.added += 1
        log.info("topology: device added", host=host, device=spec.name)


async def _result(services: Services, job_id: str) -> str:
    """Wait for a job and return the path of its result. Raises _RefusedError."""
    while (job := await services.jobs.wait(job_id, _LOOK_AGAIN)).ended is None:
        pass
    if job.error:
        raise _RefusedError(job.error)
    return job.result


def _failed(outcome: Outcome, what: str, error: Exception) -> None:
    outcome.failures.append(f"{what}: {error}")
    log.error("topology: not added", what=what, reason=str(error))

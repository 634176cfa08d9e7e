"""Loading a topology through the API: what is there stays as it is, what is new is added.

A node is recognised by its first manage name, a device by its path on the node. What cannot be added is told,
and does not keep the rest from being added. The texts of the events are those of `heketi-cli topology load`.
"""

from collections.abc import AsyncIterator
from dataclasses import dataclass, field

from heketipy.client.client import Client
from heketipy.client.connection import Json
from heketipy.client.errors import ClientError
from heketipy.wire.topology import Topology, TopologyCluster, TopologyDevice, TopologyNode


@dataclass(frozen=True, slots=True)
class Creating:
    """A cluster is about to be made. The line ends with the next event."""

    def __str__(self) -> str:
        return "Creating cluster ... "


@dataclass(frozen=True, slots=True)
class ClusterCreated:
    """A cluster was made."""

    id: str
    file: bool
    block: bool

    def __str__(self) -> str:
        file = "\tAllowing file volumes on cluster.\n" if self.file else ""
        block = "\tAllowing block volumes on cluster.\n" if self.block else ""
        return f"ID: {self.id}\n{file}{block}"


@dataclass(frozen=True, slots=True)
class NodeFound:
    """A node is there already, in some cluster."""

    manage: str
    cluster: str

    def __str__(self) -> str:
        return f"\tFound node {self.manage} on cluster {self.cluster}\n"


@dataclass(frozen=True, slots=True)
class AddingNode:
    """A node is about to be added. The line ends with the next event."""

    manage: str

    def __str__(self) -> str:
        return f"\tCreating node {self.manage} ... "


@dataclass(frozen=True, slots=True)
class NodeAdded:
    """The node was added."""

    id: str

    def __str__(self) -> str:
        return f"ID: {self.id}\n"


@dataclass(frozen=True, slots=True)
class NodeRefused:
    """The node was not added, and its devices are skipped."""

    reason: str

    def __str__(self) -> str:
        return f"Unable to create node: {self.reason}\n"


@dataclass(frozen=True, slots=True)
class DeviceFound:
    """A device is there already."""

    name: str

    def __str__(self) -> str:
        return f"\t\tFound device {self.name}\n"


@dataclass(frozen=True, slots=True)
class AddingDevice:
    """A device is about to be added. The line ends with the next event."""

    name: str

    def __str__(self) -> str:
        return f"\t\tAdding device {self.name} ... "


@dataclass(frozen=True, slots=True)
class DeviceAdded:
    """The device was added."""

    def __str__(self) -> str:
        return "OK\n"


@dataclass(frozen=True, slots=True)
class DeviceRefused:
    """The device was not added."""

    reason: str

    def __str__(self) -> str:
        return f"Unable to add device: {self.reason}\n"


Event = (
    Creating
    | ClusterCreated
    | NodeFound
    | AddingNode
    | NodeAdded
    | NodeRefused
    | DeviceFound
    | AddingDevice
    | DeviceAdded
    | DeviceRefused
)
"""A step of a load. `str()` is what heketi-cli prints for it, line ends included."""


@dataclass(slots=True)
class _KnownNode:
    id: str
    cluster: str
    devices: set[str] = field(default_factory=set)


async def load(client: Client, topology: Topology) -> AsyncIterator[Event]:
    """Add what is not there yet. Loading again adds nothing.

    Raises ClientError where the site cannot be read or a cluster not be made; what came before is done.
    """
    try:
        known = await _known_nodes(client)
    except ClientError as error:
        raise ClientError(f"Unable to get topology information: {error}") from error
    made = []
    for cluster in topology.clusters:
        async for event in _load_cluster(client, cluster, known):
            if isinstance(event, ClusterCreated):
                made.append(event.id)
            yield event
    for cluster_id in made:
        await _delete_if_empty(client, cluster_id)


async def _known_nodes(client: Client) -> dict[str, _KnownNode]:
    known: dict[str, _KnownNode] = {}
    for cluster_id in await client.clusters.ids():
        for node_id in (await client.clusters.info(cluster_id))["nodes"]:
            node = await client.nodes.info(node_id)
            devices = {device["name"] for device in node["devices"]}
            known.setdefault(node["hostnames"]["manage"][0], _KnownNode(node["id"], node["cluster"], devices))
    return known


async def _load_cluster(client: Client, cluster: TopologyCluster, known: dict[str, _KnownNode]) -> AsyncIterator[Event]:
    """New nodes join the cluster of the last node that was found before them, else of the first one after them."""
    current = next((known[node.manage].cluster for node in cluster.nodes if node.manage in known), "")
    for node in cluster.nodes:
        there = known.get(node.manage)
        if there is not None:
            current = there.cluster
            yield NodeFound(node.manage, current)
        else:
            if not current:
                yield Creating()
                current = (await client.clusters.create(file=cluster.file, block=cluster.block))["id"]
                yield ClusterCreated(current, cluster.file, cluster.block)
            yield AddingNode(node.manage)
            try:
                there = _known(await _add_node(client, node, current))
            except ClientError as error:
                yield NodeRefused(str(error))
                continue
            yield NodeAdded(there.id)
        for device in node.disks():
            async for event in _load_device(client, device, there):
                yield event


async def _load_device(client: Client, device: TopologyDevice, node: _KnownNode) -> AsyncIterator[Event]:
    if device.name in node.devices:
        yield DeviceFound(device.name)
        return
    yield AddingDevice(device.name)
    try:
        await client.devices.add(node.id, device.name, tags=device.tags, destroy_data=device.destroydata)
    except ClientError as error:
        yield DeviceRefused(str(error))
    else:
        node.devices.add(device.name)
        yield DeviceAdded()


def _known(node: Json) -> _KnownNode:
    return _KnownNode(node["id"], node["cluster"])


async def _add_node(client: Client, node: TopologyNode, cluster: str) -> Json:
    names = node.node.hostnames
    return await client.nodes.add(
        cluster, zone=node.node.zone, manage=names.manage, storage=names.storage, tags=node.node.tags
    )


async def _delete_if_empty(client: Client, cluster: str) -> None:
    """Take back a cluster into which no node came. That it could not be is no failure of the load."""
    try:
        details = await client.clusters.info(cluster)
        if not (details["nodes"] or details["volumes"] or details["blockvolumes"]):
            await client.clusters.delete(cluster)
    except ClientError:
        return

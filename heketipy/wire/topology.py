"""The topology file: clusters, their nodes, their devices (heketi's grammar, spec of `topology load`).

Reading is as lenient as heketi's: names in any case, unknown ones skipped, text after the first value
ignored. `Topology.problems()` then finds, before anything is changed, what heketi would only run into
half-way.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from pydantic import BaseModel, Field

from heketipy.domain.model import DeviceSpec, NodeSpec
from heketipy.wire import checks
from heketipy.wire.decode import WrongTypeError, read
from heketipy.wire.json_text import NotJsonError, parse
from heketipy.wire.nodes import HostNames

Found = Iterator["Problem"]


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing wrong in a topology file: where it is, what is wrong, and what would be right."""

    where: str
    wrong: str
    right: str

    def __str__(self) -> str:
        return f"{self.where}: {self.wrong}; {self.right}"


class TopologyError(ValueError):
    """A topology file that cannot be loaded. `str()` lists every problem, one a line."""

    def __init__(self, problems: list[Problem]) -> None:
        super().__init__("\n".join(map(str, problems)))
        self.problems = problems


class TopologyDevice(BaseModel):
    """A device with more than a name."""

    name: str = Field(default="", description="Path on the node, as `/dev/sdb`.")
    tags: dict[str, str] = Field(default_factory=dict)
    destroydata: bool = Field(default=False, description="Wipe what is on it.")


class TopologyNodeInfo(BaseModel):
    """How a node is reached, and where it stands."""

    hostnames: HostNames = Field(default_factory=HostNames)
    zone: int = Field(default=0, ge=1)
    tags: dict[str, str] = Field(default_factory=dict)


class TopologyNode(BaseModel):
    """A node and its devices. A device is a path, or an object with one."""

    node: TopologyNodeInfo = Field(default_factory=TopologyNodeInfo)
    devices: list[str | TopologyDevice] = Field(default_factory=list)

    @property
    def manage(self) -> str:
        """The name by which the node is recognised, or an empty text."""
        return next(iter(self.node.hostnames.manage), "")

    def spec(self, cluster: str) -> NodeSpec:
        """Return the node as something to add to a cluster."""
        return NodeSpec(
            cluster=cluster,
            zone=self.node.zone,
            manage=tuple(self.node.hostnames.manage),
            storage=tuple(self.node.hostnames.storage),
            tags=self.node.tags,
        )

    def device_specs(self, node: str) -> list[DeviceSpec]:
        """Return the devices as something to add to a node, given its id."""
        return [
            DeviceSpec(node=node, name=device.name, tags=device.tags, destroy_data=device.destroydata)
            for device in self.disks()
        ]

    def disks(self) -> list[TopologyDevice]:
        """Return the devices, all in the long form."""
        return [TopologyDevice(name=device) if isinstance(device, str) else device for device in self.devices]


class TopologyCluster(BaseModel):
    """A cluster. The flags are used only when the cluster is made."""

    file: bool = True
    block: bool = True
    nodes: list[TopologyNode] = Field(default_factory=list)


class Topology(BaseModel):
    """The whole file."""

    clusters: list[TopologyCluster] = Field(default_factory=list)

    def problems(self) -> list[Problem]:
        """Find what cannot be right, all of it, in the order of the file."""
        return list(_problems(self))


def read_topology(text: bytes) -> Topology:
    """Read a file's form; its sense is judged by `problems()`. Raises TopologyError."""
    try:
        return read(Topology, parse(text, allow_more=True))
    except NotJsonError as error:
        raise TopologyError([_not_json(text, error)]) from error
    except WrongTypeError as error:
        problem = Problem(error.where or "the whole file", str(error).partition(": ")[2], f"write {error.needed} there")
        raise TopologyError([problem]) from error


def load_topology(text: bytes) -> Topology:
    """Read a file and demand that it makes sense. Raises TopologyError."""
    topology = read_topology(text)
    if problems := topology.problems():
        raise TopologyError(problems)
    return topology


def _not_json(text: bytes, error: NotJsonError) -> Problem:
    before = text.decode("utf-8", "replace")[: error.offset]
    line = before.count("\n") + 1
    column = error.offset - (before.rfind("\n") + 1) + 1
    wrong = str(error).rpartition(" at character ")[0]
    return Problem(f"line {line}, column {column}", wrong, "the file must be one JSON object")


def _problems(topology: Topology) -> Found:
    seen: dict[tuple[str, str], str] = {}
    for cluster_index, cluster in enumerate(topology.clusters):
        for node_index, node in enumerate(cluster.nodes):
            where = f"clusters[{cluster_index}].nodes[{node_index}]"
            yield from _wrong_hosts(node.node.hostnames, where)
            yield from _repeated_hosts(node.node.hostnames, where, seen)
            yield from _wrong_zone(node.node.zone, where)
            if failure := checks.tags(node.node.tags):
                yield Problem(f"{where}.node.tags", failure, "shorten or rename it")
            yield from _wrong_devices(node.disks(), where)


def _wrong_hosts(names: HostNames, where: str) -> Found:
    for kind, given, example in (
        ("manage", names.manage, "the name or address by which commands reach the node"),
        ("storage", names.storage, "the address by which gluster and its clients reach the node"),
    ):
        place = f"{where}.node.hostnames.{kind}"
        if not given:
            yield Problem(place, "is missing or empty", f'write ["…"] with {example}')
        elif checks.hosts(given, kind=kind):
            bad = next(name for name in given if not checks.is_host(name))
            yield Problem(place, f"{bad!r} is no host name and no IP address", "write one without port or path")


def _repeated_hosts(names: HostNames, where: str, seen: dict[tuple[str, str], str]) -> Found:
    for kind, given in (("manage", names.manage), ("storage", names.storage)):
        for name in given:
            first = seen.setdefault((kind, name), where)
            if first != where:
                yield Problem(
                    f"{where}.node.hostnames.{kind}",
                    f"{name!r} already names the node at {first}",
                    "a node may stand in the file once; remove one of them, or correct the name",
                )


def _wrong_zone(zone: int, where: str) -> Found:
    if zone < 1:
        wrong = "is missing or 0" if zone == 0 else f"is {zone}"
        yield Problem(f"{where}.node.zone", wrong, "write a whole number from 1: nodes that fail together share one")


def _wrong_devices(devices: list[TopologyDevice], where: str) -> Found:
    names: set[str] = set()
    for index, device in enumerate(devices):
        place = f"{where}.devices[{index}]"
        if checks.device_name(device.name):
            yield Problem(
                place,
                f"{device.name!r} is no device",
                "write an absolute path such as /dev/sdb, of plain characters",
            )
        elif device.name in names:
            yield Problem(place, f"{device.name} stands twice on this node", "remove one of them")
        names.add(device.name)
        if failure := checks.tags(device.tags):
            yield Problem(f"{place}.tags", failure, "shorten or rename it")

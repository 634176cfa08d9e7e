"""What a GET shows of an object: the object and what belongs to it, gathered in one consistent look at the books."""

from collections.abc import Iterable
from dataclasses import dataclass

from heketipy.domain.model import Brick, Cluster, Device, Node, Volume


@dataclass(frozen=True, slots=True)
class ClusterDetails:
    """A cluster and the ids of its nodes and of its visible volumes, each ascending."""

    cluster: Cluster
    nodes: tuple[str, ...] = ()
    volumes: tuple[str, ...] = ()
    block_volumes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class DeviceDetails:
    """A device and its bricks, ascending by id; pending ones are among them. `drift` says in what LVM differed from the
    books at the last resync."""

    device: Device
    bricks: tuple[Brick, ...] = ()
    drift: str = ""


@dataclass(frozen=True, slots=True)
class NodeDetails:
    """A node and its devices, ascending by id."""

    node: Node
    devices: tuple[DeviceDetails, ...] = ()


@dataclass(frozen=True, slots=True)
class VolumeDetails:
    """A volume and its bricks, ascending by id (gluster's order is their `position`).

    `hosts` are the first storage names of all nodes of the cluster, ascending by the nodes' ids: what a client may
    mount from.
    """

    volume: Volume
    bricks: tuple[Brick, ...] = ()
    hosts: tuple[str, ...] = ()
    block_volumes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class ClusterContents:
    """A cluster with its visible volumes and its nodes, each ascending by id. To be gone through once."""

    cluster: Cluster
    volumes: Iterable[VolumeDetails]
    nodes: Iterable[NodeDetails]

"""Plans: everything that an operation will do, decided at reservation and stored whole (design: an operation is data).

A plan holds ids, names, paths and addresses, so that carrying it out, taking it back and finishing it after a crash
need nothing else from the books. Each class belongs to one kind of operation.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from heketipy.domain.model import Brick, Device, Node, NodeAddress, Tags, Volume, VolumeSpec


@dataclass(frozen=True, slots=True)
class CreateVolume:
    """A new volume with its bricks in gluster's order. `nodes` are all nodes of the cluster, ascending by id."""

    volume: Volume
    bricks: tuple[Brick, ...]
    nodes: tuple[NodeAddress, ...]
    spec: VolumeSpec
    excluded: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class ExpandVolume:
    """`added_gib` more for a volume, by whole new sets of bricks."""

    volume: Volume
    bricks: tuple[Brick, ...]
    nodes: tuple[NodeAddress, ...]
    added_gib: int


@dataclass(frozen=True, slots=True)
class DeleteVolume:
    """The end of a volume and of all its bricks."""

    volume: Volume
    bricks: tuple[Brick, ...]
    nodes: tuple[NodeAddress, ...]


@dataclass(frozen=True, slots=True)
class AddNode:
    """A new node. `via` is a peer that probes it; None for the first node of a cluster, which nobody has to probe."""

    node: Node
    via: NodeAddress | None


@dataclass(frozen=True, slots=True)
class RemoveNode:
    """The end of a node. `via` is the peer that detaches it; None for the last node of a cluster."""

    node: Node
    via: NodeAddress | None


@dataclass(frozen=True, slots=True)
class AddDevice:
    """A disk that becomes a device. `destroy_data` allows to wipe what it carries, if that is nobody's."""

    id: str
    node: NodeAddress
    name: str
    tags: Tags
    destroy_data: bool


@dataclass(frozen=True, slots=True)
class RemoveDevice:
    """The end of a device. `forget` drops it from the books even where its node does not play along."""

    device: Device
    node: NodeAddress
    forget: bool


@dataclass(frozen=True, slots=True)
class ResyncDevice:
    """A look at what LVM says of a device, to be taken over into the books."""

    device: Device
    node: NodeAddress


def by_node(bricks: Sequence[Brick]) -> dict[str, list[Brick]]:
    """Group bricks by the id of their node, keeping their order."""
    groups: dict[str, list[Brick]] = {}
    for brick in bricks:
        groups.setdefault(brick.node, []).append(brick)
    return groups

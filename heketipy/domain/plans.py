"""Plans: everything that an operation will do, decided at reservation and stored whole (design: an operation is data).

A plan holds ids, names, paths and addresses, so that carrying it out, taking it back and finishing it after a crash
need nothing else from the books. Each class belongs to one kind of operation.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from heketipy.domain.comparison import Leftover
from heketipy.domain.model import BlockVolume, Brick, Device, Node, NodeAddress, Tags, Volume, VolumeSpec
from heketipy.domain.states import HealCheck


@dataclass(frozen=True, slots=True)
class CreateVolume:
    """A new volume with its bricks in gluster's order. `nodes` are theirs and some others, ascending by id."""

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
class CreateBlockVolume:
    """A new block volume on a hosting volume, and that hosting volume's own plan where it is made for it.

    `nodes` are all nodes of the cluster, ascending by id; `online` are the ids of those that may run the command.
    `ha_nodes` are all nodes in the order in which they are asked to export it, `ha_count` says how many have to: 0
    means all of them, unasked.
    """

    block_volume: BlockVolume
    hosting_name: str
    made: CreateVolume | None
    nodes: tuple[NodeAddress, ...]
    online: tuple[str, ...]
    ha_nodes: tuple[NodeAddress, ...]
    ha_count: int


@dataclass(frozen=True, slots=True)
class DeleteBlockVolume:
    """The end of a block volume. `iqn` proves what gluster-block has under its name to be ours."""

    id: str
    name: str
    iqn: str
    hosting_volume: str
    hosting_name: str
    nodes: tuple[NodeAddress, ...]


@dataclass(frozen=True, slots=True)
class ExpandBlockVolume:
    """A block volume that becomes `new_gib` large. `booked_gib` more are taken of its hosting volume until it has."""

    id: str
    name: str
    iqn: str
    hosting_volume: str
    hosting_name: str
    nodes: tuple[NodeAddress, ...]
    new_gib: int
    booked_gib: int


@dataclass(frozen=True, slots=True)
class EvictBrick:
    """A brick that moves to another device, which is chosen when gluster has told the brick's set.

    `nodes` are all nodes of the cluster, ascending by id. `parent` is the id of the operation of which it is a part, or
    "". `excluded` are ids of nodes where it was tried in vain.
    """

    volume: Volume
    brick: Brick
    nodes: tuple[NodeAddress, ...]
    heal_check: HealCheck
    parent: str = ""
    excluded: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Evacuate:
    """Devices that are to be emptied, one brick after another, and are out of use then. `node` is the id of the node
    that is out of use in the end, or ""."""

    devices: tuple[str, ...]
    node: str
    heal_check: HealCheck


@dataclass(frozen=True, slots=True)
class CloneVolume:
    """A copy of a volume on the same thin pools. `bricks` are the copy's: which path and logical volume each has, only
    gluster knows, later. `origins` are the copied ones, in the same order, `snapshot` is what lies between them."""

    source: Volume
    origins: tuple[Brick, ...]
    clone: Volume
    bricks: tuple[Brick, ...]
    nodes: tuple[NodeAddress, ...]
    snapshot: str


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


class Tidying(StrEnum):
    """What is done with what is left of bricks."""

    QUARANTINE = "quarantine"
    RELEASE = "release"
    REMOVE = "remove"


@dataclass(frozen=True, slots=True)
class TidyNodes:
    """What nobody knows goes into quarantine, comes out again, or goes for good. `since` is when it was asked for and
    `until` when the quarantine is over, in seconds since 1970. `nodes` are those of the leftovers."""

    tidying: Tidying
    leftovers: tuple[Leftover, ...]
    nodes: tuple[NodeAddress, ...]
    since: int
    until: int


def by_node(bricks: Sequence[Brick]) -> dict[str, list[Brick]]:
    """Group bricks by the id of their node, keeping their order."""
    groups: dict[str, list[Brick]] = {}
    for brick in bricks:
        groups.setdefault(brick.node, []).append(brick)
    return groups

"""What a volume create would lead to, found out without doing it."""

from dataclasses import dataclass

from heketipy.domain.errors import CannotAllocate
from heketipy.domain.model import Device, Node, VolumeSpec
from heketipy.domain.placement.request import PlannedBrick


@dataclass(frozen=True, slots=True)
class BrickPlace:
    """A brick that would be made, and where."""

    brick: PlannedBrick
    node: Node
    device: Device


@dataclass(frozen=True, slots=True)
class VolumeOutlook:
    """The volume that would be made of a request. `bricks` are in gluster's order, `options` are those that would be
    set; `largest_gib` is the largest size that now fits with the same demands, in any cluster that may host it.
    """

    spec: VolumeSpec
    options: tuple[str, ...]
    cluster: str
    bricks: tuple[BrickPlace, ...]
    largest_gib: int


@dataclass(frozen=True, slots=True)
class NoOutlook:
    """There is no room as things are; `largest_gib` is what there is room for, 0 for nothing."""

    refusal: CannotAllocate
    largest_gib: int

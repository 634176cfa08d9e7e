"""What placement is asked and what it answers. Values, decided before anything is done."""

from dataclasses import dataclass

from heketipy.domain import names
from heketipy.domain.capacity import Charge
from heketipy.domain.durability import Durability
from heketipy.domain.model import Brick, BrickType
from heketipy.domain.units import KIB_PER_GIB, KIB_PER_MIB

BRICK_FLOOR_KIB = 300 * KIB_PER_MIB
"""mkfs.xfs of today (xfsprogs from 5.19 on) makes no smaller file system."""

HEKETI_BRICK_FLOOR_KIB = 16 * KIB_PER_MIB
"""heketi's floor for arbiter bricks, which the mkfs.xfs of its days could make."""


@dataclass(frozen=True, slots=True)
class Limits:
    """The server's settings that placement obeys, KiB.

    `brick_floor_kib` is the smallest file system that nodes can make: computed sizes of arbiter bricks are
    raised to it. `zone_checking` is "strict" or anything else, for volumes that do not say.
    """

    brick_min_kib: int = KIB_PER_GIB
    brick_max_kib: int = 4096 * KIB_PER_GIB
    max_bricks: int = 32
    average_file_size_kib: int = 64
    zone_checking: str = "none"
    brick_floor_kib: int = BRICK_FLOOR_KIB


@dataclass(frozen=True, slots=True)
class PlacementRequest:
    """Room for a new volume, or for the sets that an expansion adds.

    `size_gib` is what is to become usable. `options` is the effective list of the volume. `existing_bricks`
    is how many bricks the volume has already; new positions go on from there. `avoid` are ids of nodes that
    get no brick, for instance because they just failed.
    """

    size_gib: int
    durability: Durability
    snapshot_factor: float = 1.0
    options: tuple[str, ...] = ()
    existing_bricks: int = 0
    volume_id: str = ""
    avoid: frozenset[str] = frozenset()

    @property
    def size_kib(self) -> int:
        """What is to become usable, KiB."""
        return self.size_gib * KIB_PER_GIB


@dataclass(frozen=True, slots=True)
class PlannedBrick:
    """A brick that is to be: where, how large, and all its names. Sizes in KiB as those of `Brick`."""

    id: str
    device: str
    node: str
    position: int
    path: str
    size_kib: int
    tp_size_kib: int
    pool_metadata_kib: int
    type: BrickType
    thin_pool: str
    lv: str

    @classmethod
    def on(
        cls, device: str, *, node: str, id: str, position: int, size_kib: int, charge: Charge, type: BrickType
    ) -> "PlannedBrick":
        """Plan a brick on a device; its names follow from the ids."""
        return cls(
            id=id,
            device=device,
            node=node,
            position=position,
            path=names.brick_path(device, id),
            size_kib=size_kib,
            tp_size_kib=charge.tp_size_kib,
            pool_metadata_kib=charge.pool_metadata_kib,
            type=type,
            thin_pool=names.thin_pool(id),
            lv=names.lv(id),
        )

    @property
    def charged_kib(self) -> int:
        """The space it takes on its device."""
        return self.tp_size_kib + self.pool_metadata_kib

    def brick(self, *, volume: str, pending: str = "") -> Brick:
        """Return it as the books will know it."""
        return Brick(
            id=self.id,
            volume=volume,
            device=self.device,
            node=self.node,
            position=self.position,
            path=self.path,
            size_kib=self.size_kib,
            tp_size_kib=self.tp_size_kib,
            pool_metadata_kib=self.pool_metadata_kib,
            type=self.type,
            thin_pool=self.thin_pool,
            lv=self.lv,
            pending=pending,
        )


@dataclass(frozen=True, slots=True)
class Plan:
    """Whole sets of bricks. `brick_size_kib` is the size of each but the arbiter bricks."""

    sets: tuple[tuple[PlannedBrick, ...], ...]
    brick_size_kib: int

    @property
    def bricks(self) -> tuple[PlannedBrick, ...]:
        """All bricks in gluster's order."""
        return tuple(brick for members in self.sets for brick in members)

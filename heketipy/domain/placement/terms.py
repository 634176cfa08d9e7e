"""What a volume demands of the devices of its bricks: read once, obeyed by creating, expanding and replacing
alike.
"""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field

from heketipy.domain.capacity import Charge, charge, fits
from heketipy.domain.durability import Durability
from heketipy.domain.model import BrickType
from heketipy.domain.options import has_arbiter, parsed
from heketipy.domain.placement.refusals import InvalidTagRule
from heketipy.domain.placement.request import Limits
from heketipy.domain.placement.ring import Candidate
from heketipy.domain.placement.sizing import arbiter_size
from heketipy.domain.placement.track import Domain, Track
from heketipy.domain.placement.view import ClusterView, Pool
from heketipy.domain.tags import TagRule, TagRuleError
from heketipy.domain.zones import zones_must_differ

ARBITER_POSITION = 2
"""Which brick of a set is the arbiter, in gluster's order."""

FOR_ANY = (Pool.ALL,)
FOR_ARBITER = (Pool.ARBITER, Pool.SHARED)
FOR_DATA = (Pool.DATA, Pool.SHARED)


@dataclass(frozen=True, slots=True)
class Terms:
    """What a volume's durability and options, and the server's settings for what they leave open, demand."""

    durability: Durability
    snapshot_factor: float
    arbiter: bool
    average_file_size_kib: int
    brick_floor_kib: int
    strict: bool
    rule: TagRule | None

    @classmethod
    def of(cls, durability: Durability, *, snapshot_factor: float, options: Iterable[str], limits: Limits) -> "Terms":
        """Read them. Raises InvalidTagRule."""
        options = tuple(options)
        own = parsed(options)
        try:
            rule = TagRule.parse(own.tag_rule) if own.tag_rule else None
        except TagRuleError as error:
            raise InvalidTagRule(str(error)) from error
        return cls(
            durability=durability,
            snapshot_factor=snapshot_factor,
            arbiter=has_arbiter(durability, options),
            average_file_size_kib=own.average_file_size_kib or limits.average_file_size_kib,
            brick_floor_kib=limits.brick_floor_kib,
            strict=zones_must_differ(own.zone_checking, limits.zone_checking),
            rule=rule,
        )

    def domain(self, node: str, zone: int) -> Domain:
        """Return what a brick on a node occupies for its set: the zone when checking is strict, else the
        node.
        """
        return zone if self.strict else node

    def pools(self, position: int) -> tuple[Pool, ...]:
        """Return the pools that the brick at a position is taken from, in order of preference."""
        if not self.arbiter:
            return FOR_ANY
        return FOR_ARBITER if position == ARBITER_POSITION else FOR_DATA

    def legs(self, view: ClusterView, brick_kib: int) -> tuple["Leg", ...]:
        """Say how one set of bricks of a size is found. Raises FilesLargerThanBricks."""
        if not self.arbiter:
            return (self.leg(view, range(self.durability.set_size), brick_kib, BrickType.NORMAL),)
        arbiter_kib = arbiter_size(
            brick_kib, average_file_size_kib=self.average_file_size_kib, floor_kib=self.brick_floor_kib
        )
        return (
            self.leg(view, (ARBITER_POSITION,), arbiter_kib, BrickType.ARBITER),
            self.leg(view, range(ARBITER_POSITION - 1, -1, -1), brick_kib, BrickType.NORMAL),
        )

    def leg(self, view: ClusterView, positions: Iterable[int], size_kib: int, type: BrickType) -> "Leg":
        """Say how bricks of one size, for positions that take from the same pools, are found."""
        positions = tuple(positions)
        charges = {extent: charge(size_kib, self.snapshot_factor, extent) for extent in view.extents_kib}
        return Leg(
            positions=positions,
            size_kib=size_kib,
            type=type,
            tracks=tuple(view.track(pool, rule=self.rule, strict=self.strict) for pool in self.pools(positions[0])),
            charges=charges,
            least_kib=min(asked.total_kib for asked in charges.values()),
        )


@dataclass(slots=True)
class Reservations:
    """What an attempt has taken so far, beside the view, and what it must not touch: ids of nodes and of
    devices.
    """

    avoid_nodes: Collection[str] = ()
    avoid_devices: Collection[str] = ()
    taken_kib: dict[str, int] = field(default_factory=dict)

    def take(self, device: str, kib: int) -> None:
        """Take space on a device."""
        self.taken_kib[device] = self.taken_kib.get(device, 0) + kib


@dataclass(frozen=True, slots=True)
class Leg:
    """A part of the way to a whole set: positions in the order in which they are filled, all by bricks of one
    size.

    `charges` goes by the extent size of the device; `least_kib` is the least of them.
    """

    positions: tuple[int, ...]
    size_kib: int
    type: BrickType
    tracks: tuple[Track, ...]
    charges: Mapping[int, Charge]
    least_kib: int

    def hopeless(self) -> bool:
        """Tell, without walking, that too few failure domains have room. What is not hopeless may fail all
        the same.
        """
        return sum(track.domains_above(self.least_kib) for track in self.tracks) < len(self.positions)

    def choose(self, set_id: str, *, used: set[Domain], reservations: Reservations) -> list[Candidate]:
        """Find a device for each position and reserve the space. Fewer devices: there are no more."""

        def accepts(device: Candidate) -> bool:
            free_kib = device.free_kib - reservations.taken_kib.get(device.id, 0)
            return (
                fits(free_kib, self.charges[device.extent_kib])
                and device.node not in reservations.avoid_nodes
                and device.id not in reservations.avoid_devices
            )

        found: list[Candidate] = []
        for track in self.tracks:
            found += track.choose(
                len(self.positions) - len(found),
                set_id=set_id,
                above_kib=self.least_kib,
                used=used,
                accepts=accepts,
            )
        for device in found:
            reservations.take(device.id, self.charges[device.extent_kib].total_kib)
        return found

"""Placement once more, as plainly as it can be written: every ring is built and walked anew for each set of bricks.

What it is checked against has indexes, bounds and shortcuts; this has none, and shares with it no more than the
arithmetic of charges.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from heketipy.domain.capacity import charge
from heketipy.domain.durability import DurabilityType
from heketipy.domain.model import Device, Node
from heketipy.domain.placement import Limits, PlacementRequest
from heketipy.domain.states import State

Chosen = list[list[tuple[str, int]]]
"""Device and brick size, by set and position."""


@dataclass(frozen=True)
class Refused:
    """Why not: the text that expand would show."""

    text: str


@dataclass(frozen=True)
class Spot:
    device: Device
    node: Node

    @property
    def tags(self) -> dict[str, str]:
        return {**self.node.tags, **self.device.tags}


def plain_place(
    request: PlacementRequest,
    nodes: Sequence[Node],
    devices: Sequence[Device],
    ids: Callable[[], str],
    limits: Limits,
    *,
    arbiter: bool = False,
    strict: bool = False,
    tag: tuple[str, str, str] | None = None,
) -> Chosen | Refused:
    """Place a volume. What the request's options say comes in plain words, as the last three arguments."""
    durability = request.durability
    arbiter = arbiter and durability.type is DurabilityType.REPLICATE and durability.replica == 3
    by_id = {node.id: node for node in nodes}
    spots = [
        Spot(device, by_id[device.node])
        for device in sorted(devices, key=lambda device: (device.node, device.id))
        if device.state is State.ONLINE and by_id[device.node].state is State.ONLINE
    ]
    sets = 1
    while True:
        size_kib = request.size_gib * 2**20 // sets // durability.data_count
        if size_kib < limits.brick_min_kib:
            return Refused("Minimum brick size limit reached.  Out of space.")
        if size_kib <= limits.brick_max_kib:
            if sets * durability.set_size + request.existing_bricks > limits.max_bricks:
                return Refused("Maximum number of bricks reached.")
            if not nodes:
                return Refused("No nodes in cluster")
            if not spots:
                return Refused("No online storage devices in cluster")
            if arbiter and size_kib < limits.average_file_size_kib:
                return Refused(
                    f"Average file size ({limits.average_file_size_kib}) is greater than Brick size ({size_kib})"
                )
            attempt = _Attempt(request, spots, limits, arbiter=arbiter, strict=strict, tag=tag)
            if (chosen := attempt.place(sets, size_kib, ids)) is not None:
                return chosen
        sets *= 2


class _Attempt:
    def __init__(
        self,
        request: PlacementRequest,
        spots: Sequence[Spot],
        limits: Limits,
        *,
        arbiter: bool,
        strict: bool,
        tag: tuple[str, str, str] | None,
    ) -> None:
        self.request, self.spots, self.limits = request, spots, limits
        self.arbiter, self.strict, self.tag = arbiter, strict, tag
        self.free = {spot.device.id: spot.device.free_kib for spot in spots}

    def place(self, sets: int, size_kib: int, ids: Callable[[], str]) -> Chosen | None:
        chosen = []
        for _ in range(sets):
            set_id = ids()
            members = self._arbiter_set(size_kib, set_id) if self.arbiter else self._equal_set(size_kib, set_id)
            if members is None:
                return None
            for _ in range(len(members) - (0 if self.arbiter else 1)):
                ids()
            chosen.append(members)
        return chosen

    def _equal_set(self, size_kib: int, set_id: str) -> list[tuple[str, int]] | None:
        members: list[Spot] = []
        for _ in range(self.request.durability.set_size):
            if (spot := self._first(_rotated(self.spots, set_id), members, size_kib)) is None:
                return None
            members.append(spot)
        return [(spot.device.id, size_kib) for spot in members]

    def _arbiter_set(self, size_kib: int, set_id: str) -> list[tuple[str, int]] | None:
        pool: dict[str, list[Spot]] = {"required": [], "supported": [], "disabled": []}
        for spot in self.spots:
            pool.get(spot.tags.get("arbiter", ""), pool["supported"]).append(spot)
        shared = _rotated(pool["supported"], set_id)
        small_kib = max(size_kib // self.limits.average_file_size_kib, self.limits.brick_floor_kib)
        third = self._first([*_rotated(pool["required"], set_id), *shared], [], small_kib)
        if third is None:
            return None
        data = [*_rotated(pool["disabled"], set_id), *shared]
        if (second := self._first(data, [third], size_kib)) is None:
            return None
        if (first := self._first(data, [third, second], size_kib)) is None:
            return None
        return [(first.device.id, size_kib), (second.device.id, size_kib), (third.device.id, small_kib)]

    def _first(self, spots: Iterable[Spot], members: Sequence[Spot], size_kib: int) -> Spot | None:
        for spot in spots:
            if any(spot.node.id == member.node.id for member in members):
                continue
            if self.strict and any(spot.node.zone == member.node.zone for member in members):
                continue
            if self.tag is not None and not self._tagged(spot):
                continue
            if spot.node.id in self.request.avoid:
                continue
            needed = charge(size_kib, self.request.snapshot_factor, spot.device.extent_kib).total_kib
            if self.free[spot.device.id] > needed:
                self.free[spot.device.id] -= needed
                return spot
        return None

    def _tagged(self, spot: Spot) -> bool:
        assert self.tag is not None
        key, op, value = self.tag
        same = spot.tags.get(key, "") == value
        return same if op == "=" else not same


def _rotated(spots: Sequence[Spot], set_id: str) -> list[Spot]:
    ring = _ring(spots)
    first = int(set_id[:7], 16) % len(ring) if ring else 0
    return ring[first:] + ring[:first]


def _ring(spots: Sequence[Spot]) -> list[Spot]:
    zones: list[int] = []
    for spot in spots:
        if spot.node.zone not in zones:
            zones.append(spot.node.zone)
    left = [
        [
            [spot for spot in spots if spot.node.id == node]
            for node in sorted({spot.node.id for spot in spots if spot.node.zone == zone})
        ]
        for zone in zones
    ]
    order: list[Spot] = []
    i = 0
    while left:
        zone = left[i % len(left)]
        node = zone[i % len(zone)]
        order.append(node.pop())
        if node == []:
            zone.remove(node)
        if zone == []:
            left.remove(zone)
        i += 1
    return order

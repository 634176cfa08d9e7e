"""Choosing devices for the bricks of a volume (placement §3.3, §4.4–4.5). The view is left as it was."""

from collections.abc import Sequence

from heketipy.domain.ids import IdSource
from heketipy.domain.placement.request import Limits, PlacementRequest, Plan, PlannedBrick
from heketipy.domain.placement.ring import Candidate
from heketipy.domain.placement.sizing import tried_sizes
from heketipy.domain.placement.terms import Leg, Reservations, Terms
from heketipy.domain.placement.track import Domain
from heketipy.domain.placement.view import ClusterView

Found = dict[int, tuple[Candidate, Leg]]
"""The devices of one set, by position."""


def place(request: PlacementRequest, view: ClusterView, ids: IdSource, limits: Limits) -> Plan:
    """Choose devices for whole sets of bricks; the largest bricks that have room win.

    Each set takes one id to begin with, which also says where its walk starts, and when it is complete the
    further ids that its bricks need. The same view, limits and stream of ids give the same plan. Raises
    NoRoom, NoCandidates, InvalidTagRule or FilesLargerThanBricks.
    """
    terms: Terms | None = None
    for sets, brick_kib in tried_sizes(request, limits):
        if terms is None:  # not before a size may be tried: a volume of too many bricks is refused for that
            terms = Terms.of(
                request.durability,
                snapshot_factor=request.snapshot_factor,
                options=request.options,
                limits=limits,
            )
            view.check_candidates()
        legs = terms.legs(view, brick_kib)
        planned = sets_of(sets, legs, request=request, ids=ids, own_ids=terms.arbiter)
        if planned is not None:
            return Plan(sets=planned, brick_size_kib=brick_kib)
    raise AssertionError("trying sizes ends with its own reason")


def sets_of(
    sets: int, legs: Sequence[Leg], *, request: PlacementRequest, ids: IdSource, own_ids: bool
) -> tuple[tuple[PlannedBrick, ...], ...] | None:
    """Place so many sets, or return None if one of them finds no room."""
    reservations = Reservations(avoid_nodes=request.avoid)
    planned: list[tuple[PlannedBrick, ...]] = []
    position = request.existing_bricks
    for _ in range(sets):
        set_id = ids()
        if not planned and any(leg.hopeless() for leg in legs):
            return None
        if (found := _one_set(legs, set_id, reservations)) is None:
            return None
        planned.append(_named(found, set_id, ids=ids, own_ids=own_ids, first_position=position))
        position += len(found)
    return tuple(planned)


def _one_set(legs: Sequence[Leg], set_id: str, reservations: Reservations) -> Found | None:
    """Walk for one set. Greedy, as heketi is: what is taken for one brick is not given up for the sake of
    another.
    """
    used: set[Domain] = set()
    found: Found = {}
    for leg in legs:
        devices = leg.choose(set_id, used=used, reservations=reservations)
        if len(devices) < len(leg.positions):
            return None
        found.update((at, (device, leg)) for at, device in zip(leg.positions, devices, strict=True))
    return found


def _named(found: Found, set_id: str, *, ids: IdSource, own_ids: bool, first_position: int) -> tuple[PlannedBrick, ...]:
    """Give the bricks of a set their ids. The set's id becomes that of its first brick, unless all have their
    own.
    """
    bricks = []
    for at in range(len(found)):
        device, leg = found[at]
        bricks.append(
            PlannedBrick.on(
                device.id,
                node=device.node,
                id=set_id if at == 0 and not own_ids else ids(),
                position=first_position + at,
                size_kib=leg.size_kib,
                charge=leg.charges[device.extent_kib],
                type=leg.type,
            )
        )
    return tuple(bricks)

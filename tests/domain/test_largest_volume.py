"""The largest volume that is promised can be made, and no larger one can."""

import random
import sys

import pytest

from heketipy.domain.durability import Durability, DurabilityType
from heketipy.domain.errors import CannotAllocate
from heketipy.domain.placement import ClusterView, Limits, PlacementRequest, largest_that_fits, place
from heketipy.domain.units import KIB_PER_GIB
from tests.domain.small_sites import numbered_ids, site

NONE = Durability()
REPLICA_3 = Durability(DurabilityType.REPLICATE, replica=3)
DISPERSE = Durability(DurabilityType.DISPERSE, data=4, redundancy=2)
ARBITER = ("user.heketi.arbiter true",)
STRICT = ("user.heketi.zone-checking strict",)
LIMITS = Limits()


def largest(view: ClusterView, durability: Durability, options: tuple[str, ...] = (), limits: Limits = LIMITS) -> int:
    return largest_that_fits(PlacementRequest(1, durability, options=options), view, numbered_ids(), limits)


def fits(view: ClusterView, request: PlacementRequest, limits: Limits = LIMITS) -> bool:
    try:
        place(request, view, numbered_ids(), limits)
    except CannotAllocate:
        return False
    return True


def by_trying(view: ClusterView, durability: Durability, options: tuple[str, ...], limits: Limits, *, to: int) -> int:
    sizes = range(1, to + 1)
    requests = [PlacementRequest(size, durability, options=options) for size in sizes]
    return max((request.size_gib for request in requests if fits(view, request, limits)), default=0)


def random_site(seed: int) -> ClusterView:
    dice = random.Random(seed)
    free = {(node, device): dice.choice((0, 1, 2, 5, 11, 30)) for node in range(7) for device in range(3)}
    return site(
        dice.randint(1, 7),
        dice.randint(0, 3),
        gib_free=lambda node, device: free[node, device],
        zone=lambda node: 1 + node % 4,
        tags=lambda node: {"arbiter": "required"} if node == 5 else {},
    )


CASES = {
    "none": (NONE, ()),
    "replica 3": (REPLICA_3, ()),
    "arbiter": (REPLICA_3, ARBITER),
    "strict zones": (REPLICA_3, STRICT),
    "disperse": (DISPERSE, ()),
    "large files": (REPLICA_3, (*ARBITER, f"user.heketi.average-file-size {3 * KIB_PER_GIB}")),
}


@pytest.mark.parametrize(("durability", "options"), CASES.values(), ids=CASES.keys())
@pytest.mark.parametrize("seed", range(12))
def test_it_is_what_trying_every_size_finds(seed: int, durability: Durability, options: tuple[str, ...]) -> None:
    view = random_site(seed)
    found = largest(view, durability, options)
    assert found <= by_trying(view, durability, options, LIMITS, to=400)
    assert not found or fits(view, PlacementRequest(found, durability, options=options))
    if found and options[:1] != ARBITER:
        # One set of equal bricks does not depend on chance.
        one_set = Limits(max_bricks=durability.set_size)
        alone = largest(view, durability, options, one_set)
        assert alone == by_trying(view, durability, options, one_set, to=400)
        assert found >= alone


def test_small_bricks_on_many_devices_may_hold_more_than_large_ones_on_few() -> None:
    view = site(4, 4, gib_free=lambda node, device: 2)
    limits = Limits(brick_min_kib=KIB_PER_GIB * 3 // 2)
    assert largest(view, NONE, limits=limits) == 31
    assert fits(view, PlacementRequest(31, NONE), limits)
    assert not fits(view, PlacementRequest(23, NONE), limits)


def test_nothing_fits_where_there_is_nothing_or_nothing_free() -> None:
    assert largest(site(0), NONE) == 0
    assert largest(site(3, 0), NONE) == 0
    assert largest(site(3, gib_free=lambda node, device: 1), REPLICA_3) == 0
    assert largest(site(2), REPLICA_3) == 0
    assert largest(site(3), REPLICA_3, ("user.heketi.device-tag-match bad",)) == 0


def test_the_view_is_left_as_it_was() -> None:
    view = site(3)
    largest(view, REPLICA_3)
    assert {device.free_kib for device in view.candidates} == {100 * KIB_PER_GIB}


def test_it_costs_about_the_same_on_a_large_site() -> None:
    def lines(nodes: int) -> int:
        view = site(nodes, 12)
        largest(view, REPLICA_3)  # makes the tracks
        counted = 0

        def count(*_: object) -> object:
            nonlocal counted
            counted += 1
            return count

        before = sys.gettrace()
        sys.settrace(count)
        try:
            largest(view, REPLICA_3)
        finally:
            sys.settrace(before)
        return counted

    assert lines(200) < 3 * lines(10)

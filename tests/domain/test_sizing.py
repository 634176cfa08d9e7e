"""From a size to sets of bricks."""

import pytest

from heketipy.domain.capacity import charge
from heketipy.domain.placement import (
    BRICK_FLOOR_KIB,
    FilesLargerThanBricks,
    NoRoom,
    PlacementRequest,
    minimum_volume_kib,
    peers_required,
)
from heketipy.domain.placement.refusals import MINIMUM_BRICK_SIZE
from heketipy.domain.placement.sizing import arbiter_size, offered_sizes, tried_sizes
from heketipy.domain.units import gib
from tests.domain.heketi_vectors import Vector, all_tried, durability, limits, vectors


@vectors("sizing")
def test_sizes_are_offered_and_tried_as_heketi_does(vector: Vector) -> None:
    spread, bounds = durability(vector["durability"]), limits(vector["settings"])
    request = PlacementRequest(vector["size_gib"], spread, existing_bricks=vector["existing_bricks"])

    assert [list(size) for size in offered_sizes(request.size_kib, spread, bounds)] == vector["offered"]
    assert vector["offered_end_error"] == MINIMUM_BRICK_SIZE

    tried, end = all_tried(request, bounds)
    assert tried == vector["tried_when_nothing_fits"]
    assert str(end) == "No space"
    assert end.reason == vector["error_when_nothing_fits"]

    assert spread.set_size == vector["bricks_per_set"]
    assert minimum_volume_kib(spread, bounds) == vector["min_volume_kib"]
    assert (request.size_kib >= minimum_volume_kib(spread, bounds)) == vector["size_allowed"]
    assert peers_required(spread) == vector["peers_required"]


@vectors("arbiter_size")
def test_an_arbiter_brick_is_as_large_as_heketi_makes_it(vector: Vector) -> None:
    data_kib, average_kib = vector["data_kib"], vector["average_file_size_kib"]
    if "error" in vector:
        with pytest.raises(FilesLargerThanBricks) as error:
            arbiter_size(data_kib, average_file_size_kib=average_kib, floor_kib=16384)
        assert str(error.value) == vector["error"]
    else:
        assert arbiter_size(data_kib, average_file_size_kib=average_kib, floor_kib=16384) == vector["arbiter_kib"]


@pytest.mark.parametrize(("data_gib", "arbiter_kib"), [(1, BRICK_FLOOR_KIB), (18, BRICK_FLOOR_KIB), (100, 1638400)])
def test_an_arbiter_brick_is_never_too_small_for_mkfs(data_gib: int, arbiter_kib: int) -> None:
    assert arbiter_size(gib(data_gib), average_file_size_kib=64, floor_kib=BRICK_FLOOR_KIB) == arbiter_kib


@pytest.mark.parametrize("size_gib", [2**31, 2**63, 10**30])
def test_an_absurd_size_is_refused_at_once(size_gib: int) -> None:
    request = PlacementRequest(size_gib, durability({"type": "replicate", "replica": 3, "data": 0, "redundancy": 0}))
    with pytest.raises(NoRoom):
        next(tried_sizes(request, limits(SETTINGS)))


def test_a_charge_of_an_absurd_size_is_a_number() -> None:
    assert charge(gib(2**63), 100, 4096).total_kib > gib(2**63)


SETTINGS = {
    "brick_min_size_gib": 1,
    "brick_max_size_gib": 4096,
    "max_bricks_per_volume": 32,
    "average_file_size_kib": 64,
    "zone_checking": "none",
}

"""What placing costs hardly grows with the number of devices. Counted in lines that run, so that no clock decides."""

import sys
from collections.abc import Callable
from types import FrameType
from typing import Any

import pytest

from heketipy.domain.durability import Durability, DurabilityType
from heketipy.domain.errors import NoSpace
from heketipy.domain.placement import ClusterView, Limits, PlacementRequest, place
from tests.domain.small_sites import numbered_ids, site

REPLICA_3 = Durability(DurabilityType.REPLICATE, replica=3)
STRICT = ("user.heketi.zone-checking strict",)
ARBITER = ("user.heketi.arbiter true",)
TAG = ("user.heketi.device-tag-match tier!=gold",)

ROUNDS = 20

FREE: dict[str, Callable[[int, int], int]] = {
    "empty": lambda node, device: 100,
    "full": lambda node, device: 1,
    "full but for three devices": lambda node, device: 100 if node < 3 and device == 0 else 1,
    "full but for two nodes": lambda node, device: 100 if node < 2 else 1,
    "one zone full but for one device": lambda node, device: 100 if node % 3 or (node, device) == (0, 0) else 1,
    "one zone full": lambda node, device: 100 if node % 3 else 1,
}

CASES = [
    ("empty", PlacementRequest(10, REPLICA_3)),
    ("empty", PlacementRequest(10, REPLICA_3, options=STRICT)),
    ("empty", PlacementRequest(10, REPLICA_3, options=ARBITER)),
    ("empty", PlacementRequest(10, REPLICA_3, options=TAG)),
    ("empty", PlacementRequest(320, Durability())),
    ("full", PlacementRequest(10, REPLICA_3)),
    ("full", PlacementRequest(10, REPLICA_3, options=ARBITER)),
    ("full", PlacementRequest(10_000, REPLICA_3)),
    ("full but for three devices", PlacementRequest(10, REPLICA_3)),
    ("full but for two nodes", PlacementRequest(10, REPLICA_3)),
    ("one zone full but for one device", PlacementRequest(10, REPLICA_3, options=STRICT)),
    ("one zone full", PlacementRequest(10, REPLICA_3, options=STRICT)),
]


@pytest.mark.parametrize(("filling", "request_"), CASES)
def test_a_site_of_three_hundred_times_the_devices_costs_little_more(filling: str, request_: PlacementRequest) -> None:
    small, large = (
        site(nodes, devices, gib_free=FREE[filling], zone=lambda node: 1 + node % 3)
        for nodes, devices in [(3, 8), (200, 36)]
    )
    assert _lines(large, request_) < 2.5 * _lines(small, request_)


def _lines(view: ClusterView, request: PlacementRequest) -> int:
    """Count the lines that run when a volume is placed and given up again, once the rings are made."""
    ids = numbered_ids()
    _create_and_delete(view, request, ids)
    counted = 0

    def trace(frame: FrameType, event: str, argument: object) -> Any:
        nonlocal counted
        counted += event == "line"
        return trace

    before = sys.gettrace()
    sys.settrace(trace)
    try:
        for _ in range(ROUNDS):
            _create_and_delete(view, request, ids)
    finally:
        sys.settrace(before)
    return counted // ROUNDS


def _create_and_delete(view: ClusterView, request: PlacementRequest, ids: Callable[[], str]) -> None:
    try:
        plan = place(request, view, ids, Limits())
    except NoSpace:
        return
    for brick in plan.bricks:
        view.take(brick.device, brick.charged_kib)
    for brick in plan.bricks:
        view.give(brick.device, brick.charged_kib)

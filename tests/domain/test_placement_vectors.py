"""Placement is heketi's: the same devices and ids give the same bricks on the same devices, and the same refusals."""

from typing import Any

import pytest

from heketipy.domain.errors import CannotAllocate, HeketipyError
from heketipy.domain.model import Brick, BrickType
from heketipy.domain.options import has_arbiter
from heketipy.domain.placement import (
    ClusterFacts,
    ClusterView,
    Limits,
    NoRoom,
    PlacementRequest,
    Plan,
    ReplacementRequest,
    eligible,
    first_that_fits,
    place,
    place_replacement,
)
from heketipy.domain.placement.sizing import arbiter_size
from heketipy.domain.units import gib
from tests.domain.heketi_vectors import Vector, all_tried, durability, ids_with, limits, vectors, view

ARBITER_FOR_ALL = "heketi shrinks the third brick of other durabilities than replica 3 too, which loses data; here the \
option means nothing for them"
OLD_ZONE_BLOCKED = "heketi's arbiter placer takes the zone of the very brick that is to be replaced for occupied; here \
that zone is free again"

DIFFERENT = {
    "arb-27": ARBITER_FOR_ALL,  # replica 2: other devices, since the arbiter's order of positions is not used
    "arb-29": ARBITER_FOR_ALL,  # disperse 2+1
    "arb-30": ARBITER_FOR_ALL,  # disperse 4+2
    "replace-10": OLD_ZONE_BLOCKED,
    "replace-11": OLD_ZONE_BLOCKED,
}
"""Vectors that we knowingly do not reproduce, and why."""


@vectors("placement_standard", "placement_arbiter", "zone_check", "tag_match", "cluster_selection")
def test_bricks_are_placed_where_heketi_places_them(vector: Vector) -> None:
    if vector["id"] in DIFFERENT:
        without = [option for option in vector["request"]["options"] if "arbiter" not in option]
        assert _outcome(vector) == _outcome(vector | {"request": vector["request"] | {"options": without}})
        assert _outcome(vector) != _expected(vector), "an entry of DIFFERENT that is none"
        return
    assert _outcome(vector) == _expected(vector)


@vectors("replacement")
def test_a_replacement_is_placed_where_heketi_places_it(vector: Vector) -> None:
    request, bounds = vector["request"], limits(vector["settings"])
    cluster = view(vector["cluster"])
    ids = ids_with([vector["set_id_prefix"]], per_set=1)
    asked = ReplacementRequest(
        brick_set=_brick_set(vector, cluster, bounds),
        index=vector["replace_index"],
        durability=durability(request["durability"]),
        snapshot_factor=request["snapshot_factor"],
        options=tuple(request["options"]),
    )
    outcome: dict[str, Any]
    try:
        brick = place_replacement(asked, cluster, ids, bounds)
        cluster.take(brick.device, brick.charged_kib)
        outcome = {
            "device": brick.device,
            "size_kib": brick.size_kib,
            "tp_size_kib": brick.tp_size_kib,
            "metadata_kib": brick.pool_metadata_kib,
            "subtype": brick.type.name.lower(),
            "free_kib_after": cluster.free_kib(brick.device),
        }
        assert brick.position == vector["replace_index"]
    except CannotAllocate as error:
        outcome = {"error": str(error)}
    if vector["id"] in DIFFERENT:
        old = asked.brick_set[asked.index]
        zones = {cluster.nodes[brick.node].zone for brick in asked.brick_set if brick is not old}
        assert "error" in vector["expect"]
        assert cluster.nodes[brick.node].zone not in zones
        return
    assert outcome == vector["expect"]


@pytest.mark.parametrize("index", [-1, 3])
def test_a_replacement_outside_the_set_is_refused(index: int) -> None:
    cluster = ClusterView.build([], [])
    asked = ReplacementRequest(brick_set=[None] * 3, index=index, durability=durability(REPLICA_3))  # type: ignore[list-item]
    with pytest.raises(IndexError, match=rf"^brick replace index out of bounds \(got {index}, set size 3\)$"):
        place_replacement(asked, cluster, str, Limits())


REPLICA_3 = {"type": "replicate", "replica": 3, "data": 0, "redundancy": 0}


def _outcome(vector: Vector) -> dict[str, Any]:
    """Do what creating or expanding a volume does about placement."""
    request = vector["request"]
    views = {cluster["id"]: view(cluster) for cluster in vector["clusters"]}
    try:
        cluster, plan = _expanded(vector, views) if request["existing_bricks"] else _created(vector, views)
    except NoRoom as error:
        return {"error": error.reason if request["existing_bricks"] else str(error)}
    except HeketipyError as error:
        return {"error": str(error)}
    for brick in plan.bricks:
        views[cluster].take(brick.device, brick.charged_kib)
    first = request["existing_bricks"]
    assert [brick.position for brick in plan.bricks] == list(range(first, first + len(plan.bricks)))
    assert [len(plan.sets), plan.brick_size_kib] == vector["tried"][-1]
    return {
        "cluster": cluster,
        "brick_sets": [
            [
                {
                    "device": brick.device,
                    "node": brick.node,
                    "size_kib": brick.size_kib,
                    "tp_size_kib": brick.tp_size_kib,
                    "metadata_kib": brick.pool_metadata_kib,
                    "subtype": brick.type.name.lower(),
                }
                for brick in members
            ]
            for members in plan.sets
        ],
        "free_kib_after": {brick.device: views[cluster].free_kib(brick.device) for brick in plan.bricks},
    }


def _created(vector: Vector, views: dict[str, ClusterView]) -> tuple[str, Plan]:
    request = vector["request"]
    known = {cluster["id"]: cluster for cluster in vector["clusters"]}
    facts = [
        ClusterFacts(
            id=id,
            file=known[id]["file"],
            block=known[id]["block"],
            volumes=len(known[id]["volume_names"]),
            name_taken=request["name"] in known[id]["volume_names"],
        )
        for id in request["clusters"] or sorted(known)
    ]
    fit = eligible(
        facts,
        name=request["name"],
        block=request["block"],
        limit=vector["settings"]["max_volumes_per_cluster"],
    )
    return first_that_fits(fit, lambda id: _placed(vector, views[id]))


def _expanded(vector: Vector, views: dict[str, ClusterView]) -> tuple[str, Plan]:
    cluster = vector["clusters"][0]["id"]
    return cluster, _placed(vector, views[cluster])


def _placed(vector: Vector, cluster: ClusterView) -> Plan:
    request, bounds = vector["request"], limits(vector["settings"])
    spread = durability(request["durability"])
    asked = PlacementRequest(
        size_gib=request["size_gib"],
        durability=spread,
        snapshot_factor=request["snapshot_factor"],
        options=tuple(request["options"]),
        existing_bricks=request["existing_bricks"],
    )
    per_set = spread.set_size + has_arbiter(spread, asked.options)
    try:
        return place(asked, cluster, ids_with(vector["set_id_prefixes"], per_set=per_set), bounds)
    except NoRoom:
        if len(vector["clusters"]) == 1:
            assert all_tried(asked, bounds)[0] == vector["tried"]
        raise


def _expected(vector: Vector) -> dict[str, Any]:
    expected: dict[str, Any] = vector["expect"]
    return expected


def _brick_set(vector: Vector, cluster: ClusterView, bounds: Limits) -> list[Brick]:
    """Make the bricks of a vector's set: of the whole size that is named, but for arbiter bricks."""
    request = vector["request"]
    spread = durability(request["durability"])
    size_kib = gib(request["size_gib"])
    bricks = []
    for position, device in enumerate(vector["brick_set_devices"]):
        arbiter = position == 2 and has_arbiter(spread, request["options"])
        bricks.append(
            Brick(
                id=f"brick{position}",
                volume="v",
                device=device,
                node=cluster.devices[device].node,
                position=position,
                path="",
                size_kib=arbiter_size(
                    size_kib,
                    average_file_size_kib=bounds.average_file_size_kib,
                    floor_kib=bounds.brick_floor_kib,
                )
                if arbiter
                else size_kib,
                tp_size_kib=0,
                pool_metadata_kib=0,
                type=BrickType.ARBITER if arbiter else BrickType.NORMAL,
            )
        )
    return bricks

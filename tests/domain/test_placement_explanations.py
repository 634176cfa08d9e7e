"""A refusal names the condition that binds."""

import pytest

from heketipy.domain.durability import Durability, DurabilityType
from heketipy.domain.errors import CannotAllocate
from heketipy.domain.placement import ClusterView, Limits, PlacementRequest, explain_refusal, place
from heketipy.domain.states import State
from tests.domain.small_sites import numbered_ids, site

REPLICA_2 = Durability(DurabilityType.REPLICATE, replica=2)
REPLICA_3 = Durability(DurabilityType.REPLICATE, replica=3)
DISPERSE = Durability(DurabilityType.DISPERSE, data=4, redundancy=2)

ARBITER = "user.heketi.arbiter true"
STRICT = "user.heketi.zone-checking strict"
GOLD = "user.heketi.device-tag-match tier=gold"

REFUSALS = {
    "too few nodes": (
        site(3, 4),
        PlacementRequest(10, DISPERSE),
        "disperse 4+2 needs 6 nodes with room; this cluster has 3",
    ),
    "too few nodes that work": (
        site(5, 1, states={"n001": State.OFFLINE, "n002": State.FAILED}, down=frozenset({"n003"})),
        PlacementRequest(10, REPLICA_3),
        (
            "replica 3 needs 3 nodes with room; this cluster has 5, of which 2 can take bricks (1 node does not "
            "answer, 1 node is failed, 1 node is offline)"
        ),
    ),
    "too few devices that work": (
        site(3, 1, states={"n001d00": State.OFFLINE}),
        PlacementRequest(10, REPLICA_3),
        "replica 3 needs 3 nodes with room; this cluster has 3, of which 2 can take bricks (1 device is offline)",
    ),
    "a node that just failed": (
        site(3),
        PlacementRequest(10, REPLICA_3, avoid=frozenset({"n000"})),
        "replica 3 needs 3 nodes with room; this cluster has 3, of which 2 can take bricks (1 node just failed)",
    ),
    "nothing works": (
        site(2, 1, down=frozenset({"n000", "n001"})),
        PlacementRequest(10, REPLICA_2),
        "2 nodes do not answer",
    ),
    "no devices": (site(2, 0), PlacementRequest(10, REPLICA_2), "2 nodes have no device"),
    "too few zones": (
        site(4, 1, zone=lambda node: 1 + node % 2),
        PlacementRequest(10, REPLICA_3, options=(STRICT,)),
        "replica 3 with strict zone checking needs 3 zones; all devices are in zones 1 and 2",
    ),
    "too few tagged": (
        site(4, 2, tags=lambda node: {"tier": "gold"} if node < 2 else {}),
        PlacementRequest(10, REPLICA_3, options=(GOLD,)),
        "4 of 8 devices match the tag rule tier=gold, all on 2 nodes in zones 1 and 2; replica 3 needs 3 nodes",
    ),
    "none tagged": (
        site(3),
        PlacementRequest(10, REPLICA_3, options=(GOLD,)),
        "0 of 3 devices match the tag rule tier=gold; replica 3 needs 3 nodes",
    ),
    "no place for an arbiter": (
        site(3, 1, tags=lambda node: {"arbiter": "disabled"}),
        PlacementRequest(10, REPLICA_3, options=(ARBITER,)),
        "0 of 3 devices may hold an arbiter brick by the tag arbiter; 1 node needed",
    ),
    "no place beside an arbiter": (
        site(3, 1, tags=lambda node: {"arbiter": "required"} if node else {}),
        PlacementRequest(10, REPLICA_3, options=(ARBITER,)),
        "1 of 3 devices may hold data bricks beside an arbiter by the tag arbiter, on 1 node in zone 1; 2 nodes needed",
    ),
    "room in one zone alone": (
        site(12, 1, zone=lambda node: 1 + node // 4, gib_free=lambda node, device: 100 if node < 3 else 1),
        PlacementRequest(10, REPLICA_3, options=(STRICT,)),
        (
            "3 of 12 devices have room for 1.26 GiB, all on 3 nodes in zone 1; 3 zones needed, and no smaller bricks "
            "may be tried (bricks are at least 1 GiB)"
        ),
    ),
    "no room at all": (
        site(3, 4),
        PlacementRequest(10_000, REPLICA_3),
        (
            "0 of 12 devices have room for 1256.25 GiB; 3 nodes needed, and no smaller bricks may be tried "
            "(a volume may have 32 bricks)"
        ),
    ),
    "no room for data beside an arbiter": (
        site(3, 1, gib_free=lambda node, device: 1 if node else 50),
        PlacementRequest(10, REPLICA_3, options=(ARBITER,)),
        (
            "1 of 3 devices have room for 1.26 GiB, on 1 node in zone 1; 2 nodes needed, and no smaller bricks "
            "may be tried (bricks are at least 1 GiB)"
        ),
    ),
    "one more set than fits": (
        site(3, 1, gib_free=lambda node, device: 11),
        PlacementRequest(16, REPLICA_3),
        (
            "8 sets of replica 3 need room for 24 bricks of 2.01 GiB each, those of a set on different nodes; 3 of 3 "
            "devices have room for 15 bricks, and no smaller bricks may be tried (a volume may have 32 bricks)"
        ),
    ),
    "too many bricks from the start": (
        site(3),
        PlacementRequest(200_000, REPLICA_3),
        "200000 GiB of replica 3 need 192 bricks of 3125 GiB; a volume may have 32",
    ),
    "an expansion by too many bricks": (
        site(3),
        PlacementRequest(1, REPLICA_3, existing_bricks=30),
        "1 GiB of replica 3 need 3 bricks of 1 GiB; a volume may have 32, of which it has 30",
    ),
    "too small": (
        site(6),
        PlacementRequest(3, DISPERSE),
        "3 GiB of disperse 4+2 have no brick size from 1 GiB to 4096 GiB",
    ),
    "a rule that cannot be read": (
        site(3),
        PlacementRequest(3, REPLICA_3, options=("user.heketi.device-tag-match bad",)),
        "",
    ),
    "files larger than bricks": (
        site(3),
        PlacementRequest(3, REPLICA_3, options=(ARBITER, "user.heketi.average-file-size 99999999")),
        "",
    ),
}


@pytest.mark.parametrize(("view", "request_", "text"), REFUSALS.values(), ids=REFUSALS.keys())
def test_the_binding_condition_is_named(view: ClusterView, request_: PlacementRequest, text: str) -> None:
    with pytest.raises(CannotAllocate):
        place(request_, view, numbered_ids(), Limits())
    assert explain_refusal(request_, view, Limits()) == text

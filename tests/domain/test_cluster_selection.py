"""Which cluster a volume ends up in, and what is said if there is none."""

import pytest

from heketipy.domain.errors import CannotAllocate, InvalidRequest, NoSpace
from heketipy.domain.placement import (
    ClusterFacts,
    NoCandidates,
    NoClusterEligible,
    NoClusterFits,
    eligible,
    first_that_fits,
)

GOOD = ClusterFacts(id="good", file=True, block=True, volumes=0, name_taken=False)
TAKEN = ClusterFacts(id="taken", file=True, block=True, volumes=1, name_taken=True)
FULL = ClusterFacts(id="full", file=True, block=False, volumes=5, name_taken=False)
OFF = ClusterFacts(id="off", file=False, block=False, volumes=0, name_taken=False)


def test_clusters_that_will_not_do_are_dropped_and_the_order_stays() -> None:
    assert eligible([FULL, GOOD, TAKEN, OFF], name="v", block=False, limit=6) == ["full", "good"]
    assert eligible([FULL, GOOD], name="v", block=True, limit=6) == ["good"]


def test_where_none_will_do_each_says_why() -> None:
    with pytest.raises(NoClusterEligible) as refusal:
        eligible([FULL, TAKEN, OFF], name="v", block=False, limit=5)
    assert str(refusal.value).splitlines() == [
        "No eligible cluster for volume",
        "Cluster full: Cluster has 5 volumes and limit is 5",
        "Cluster taken: Volume name 'v' already in use",
        "Cluster off: Cluster has disabled all volume types",
    ]
    assert not isinstance(refusal.value, NoSpace)


def test_no_cluster_at_all_is_a_wrong_request() -> None:
    with pytest.raises(InvalidRequest, match=r"^No clusters configured$"):
        eligible([], name="v", block=False, limit=5)


def test_clusters_without_room_or_devices_are_passed_over() -> None:
    def attempt(cluster: str) -> str:
        if cluster == "a":
            raise NoSpace
        if cluster == "b":
            raise NoCandidates("No nodes in cluster")
        return f"plan for {cluster}"

    assert first_that_fits(["a", "b", "c"], attempt) == ("c", "plan for c")
    with pytest.raises(NoClusterFits) as refusal:
        first_that_fits(["a", "b"], attempt)
    assert str(refusal.value).splitlines() == [
        "Unable to create volume on any cluster:",
        "Cluster a: No space",
        "Cluster b: No nodes in cluster",
    ]
    assert [cluster for cluster, _ in refusal.value.refusals] == ["a", "b"]
    with pytest.raises(NoCandidates, match=r"^No nodes in cluster$"):
        first_that_fits(["b"], attempt)


def test_any_other_refusal_ends_the_search() -> None:
    asked = []

    def attempt(cluster: str) -> str:
        asked.append(cluster)
        raise CannotAllocate("Invalid tag matching rule: Invalid tag match rule: bad")

    with pytest.raises(CannotAllocate, match="bad"):
        first_that_fits(["a", "b"], attempt)
    assert asked == ["a"]

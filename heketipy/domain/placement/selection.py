"""Which clusters may host a new volume, and in which of them it ends up (placement §5.6)."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import TypeVar

from heketipy.domain.errors import CannotAllocate, InvalidRequest, NoSpace
from heketipy.domain.placement.refusals import NoCandidates, NoClusterEligible, NoClusterFits, NotEligible

Placed = TypeVar("Placed")


@dataclass(frozen=True, slots=True)
class ClusterFacts:
    """What decides whether a cluster may host a volume. `volumes` counts all of them, unfinished ones
    included; `name_taken` says whether one of them has the new volume's name.
    """

    id: str
    file: bool
    block: bool
    volumes: int
    name_taken: bool


def eligible(clusters: Iterable[ClusterFacts], *, name: str, block: bool, limit: int) -> list[str]:
    """Return the ids of the clusters that may host a volume, in the given order.

    `limit` is how many volumes a cluster may have. Raises InvalidRequest where there is no cluster at all,
    else, if none may, why.
    """
    facts = list(clusters)
    if not facts:
        raise InvalidRequest("No clusters configured")
    refusals: list[tuple[str, CannotAllocate]] = []
    fit: list[str] = []
    for cluster in facts:
        obstacle = _obstacle(cluster, name=name, block=block, limit=limit)
        if obstacle:
            refusals.append((cluster.id, NotEligible(obstacle)))
        else:
            fit.append(cluster.id)
    if not fit:
        raise refusals[0][1] if len(refusals) == 1 else NoClusterEligible(refusals)
    return fit


def first_that_fits(clusters: Iterable[str], attempt: Callable[[str], Placed]) -> tuple[str, Placed]:
    """Try clusters one after the other and return the first in which the attempt succeeds, with its result.

    Clusters without room or without usable devices are passed over; any other refusal ends the search. There
    is no balancing.
    """
    refusals: list[tuple[str, CannotAllocate]] = []
    for cluster in clusters:
        try:
            return cluster, attempt(cluster)
        except (NoSpace, NoCandidates) as error:
            refusals.append((cluster, error))
    raise refusals[0][1] if len(refusals) == 1 else NoClusterFits(refusals)


def _obstacle(cluster: ClusterFacts, *, name: str, block: bool, limit: int) -> str:
    """Return why a cluster may not host a volume; empty if it may."""
    if not (cluster.block if block else cluster.file):
        if cluster.block or cluster.file:
            return "Cluster does not support requested volume type"
        return "Cluster has disabled all volume types"
    if cluster.name_taken:
        return f"Volume name '{name}' already in use"
    if cluster.volumes >= limit:
        return f"Cluster has {cluster.volumes} volumes and limit is {limit}"
    return ""

"""Placement: which devices hold the bricks of a volume. Pure functions of a view, a stream of ids and limits.

The rules, and all the arithmetic, are heketi's: given the same devices and the same ids, the same space is
charged on the same devices. What differs is the cost, which hardly grows with the number of devices, and that
a refusal can be explained.
"""

from heketipy.domain.placement.explain import explain_refusal
from heketipy.domain.placement.explain_replacement import explain_no_replacement
from heketipy.domain.placement.largest import largest_that_fits
from heketipy.domain.placement.place import place
from heketipy.domain.placement.refusals import (
    NO_REPLACEMENT,
    FilesLargerThanBricks,
    InvalidTagRule,
    NoCandidates,
    NoClusterEligible,
    NoClusterFits,
    NoReplacement,
    NoRoom,
    NotEligible,
)
from heketipy.domain.placement.replace import ReplacementRequest, place_replacement
from heketipy.domain.placement.request import (
    BRICK_FLOOR_KIB,
    HEKETI_BRICK_FLOOR_KIB,
    Limits,
    PlacementRequest,
    Plan,
    PlannedBrick,
)
from heketipy.domain.placement.selection import ClusterFacts, eligible, first_that_fits
from heketipy.domain.placement.sizing import minimum_volume_kib, peers_required
from heketipy.domain.placement.view import ClusterView

__all__ = [
    "BRICK_FLOOR_KIB",
    "HEKETI_BRICK_FLOOR_KIB",
    "NO_REPLACEMENT",
    "ClusterFacts",
    "ClusterView",
    "FilesLargerThanBricks",
    "InvalidTagRule",
    "Limits",
    "NoCandidates",
    "NoClusterEligible",
    "NoClusterFits",
    "NoReplacement",
    "NoRoom",
    "NotEligible",
    "PlacementRequest",
    "Plan",
    "PlannedBrick",
    "ReplacementRequest",
    "eligible",
    "explain_no_replacement",
    "explain_refusal",
    "first_that_fits",
    "largest_that_fits",
    "minimum_volume_kib",
    "peers_required",
    "place",
    "place_replacement",
]

"""The largest volume that there is room for: what to ask for instead, where placement refuses."""

from collections.abc import Iterator

from heketipy.domain.errors import CannotAllocate
from heketipy.domain.ids import IdSource
from heketipy.domain.placement.place import sets_of
from heketipy.domain.placement.request import Limits, PlacementRequest
from heketipy.domain.placement.terms import Terms
from heketipy.domain.placement.view import ClusterView
from heketipy.domain.units import KIB_PER_GIB

TRIALS = 8
"""Where bricks compete for devices, those of several sets or of data and arbiters, ids decide who chooses first, and so
whether the last one finds room. What is promised must have been placed so often, one after the other."""


def largest_that_fits(request: PlacementRequest, view: ClusterView, ids: IdSource, limits: Limits) -> int:
    """Return the largest size, GiB, with which the request would be placed; 0 if there is none.

    The size that the request has does not matter. The view is left as it was. A smaller size may still be refused:
    it is divided into fewer and larger bricks where more would be too small.
    """
    try:
        terms = Terms.of(
            request.durability, snapshot_factor=request.snapshot_factor, options=request.options, limits=limits
        )
        view.check_candidates()
    except CannotAllocate:
        return 0
    least_kib, most_kib = _bounds(terms, view, limits)
    data = request.durability.data_count

    def fits(size_gib: int, sets: int) -> bool:
        brick_kib = size_gib * KIB_PER_GIB // sets // data
        legs = terms.legs(view, brick_kib)
        trials = TRIALS if sets > 1 or len(legs) > 1 else 1
        return all(
            sets_of(sets, legs, request=request, ids=ids, own_ids=terms.arbiter) is not None for _ in range(trials)
        )

    largest = 0
    for sets in _numbers_of_sets(request, limits):
        # Given their number, sets of small bricks fit where those of large ones do: halving finds the limit.
        size = max(largest + 1, -(-sets * data * least_kib // KIB_PER_GIB))
        beyond = sets * data * most_kib // KIB_PER_GIB + 1
        if size >= beyond or not fits(size, sets):
            continue
        while beyond - size > 1:
            middle = (size + beyond) // 2
            if fits(middle, sets):
                size = middle
            else:
                beyond = middle
        largest = size
    return largest


def _bounds(terms: Terms, view: ClusterView, limits: Limits) -> tuple[int, int]:
    """Return the smallest and the largest brick that may be tried, KiB."""
    smallest = max(limits.brick_min_kib, 1)
    if terms.arbiter:
        smallest = max(smallest, terms.average_file_size_kib)
    return smallest, min(limits.brick_max_kib, max(device.free_kib for device in view.candidates))


def _numbers_of_sets(request: PlacementRequest, limits: Limits) -> Iterator[int]:
    """Yield the numbers of sets that a volume may have."""
    sets = 1
    while sets * request.durability.set_size + request.existing_bricks <= limits.max_bricks:
        yield sets
        sets *= 2

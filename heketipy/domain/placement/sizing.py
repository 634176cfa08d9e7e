"""How a size becomes sets of bricks of one size (placement §3.2–3.3), and what that makes of arbiter bricks
(§4.9).
"""

from collections.abc import Iterator

from heketipy.domain.durability import Durability, DurabilityType
from heketipy.domain.placement.refusals import (
    MAXIMUM_BRICKS,
    MINIMUM_BRICK_SIZE,
    FilesLargerThanBricks,
    NoRoom,
)
from heketipy.domain.placement.request import Limits, PlacementRequest


def minimum_volume_kib(durability: Durability, limits: Limits) -> int:
    """Return the smallest usable size that a new volume may ask for."""
    return limits.brick_min_kib * durability.data_count


def offered_sizes(size_kib: int, durability: Durability, limits: Limits) -> Iterator[tuple[int, int]]:
    """Yield (sets, brick size in KiB), the set count doubling, as long as bricks do not become too small.

    Bricks that are too large are passed over, so a large volume starts with several sets.
    """
    sets = 1
    while (brick_kib := size_kib // sets // durability.data_count) >= max(limits.brick_min_kib, 1):
        if brick_kib <= limits.brick_max_kib:
            yield sets, brick_kib
        sets *= 2


def tried_sizes(request: PlacementRequest, limits: Limits) -> Iterator[tuple[int, int]]:
    """Yield the sizes to be tried one after the other. When there are no more, NoRoom says which limit ended
    it.
    """
    for sets, brick_kib in offered_sizes(request.size_kib, request.durability, limits):
        if sets * request.durability.set_size + request.existing_bricks > limits.max_bricks:
            raise NoRoom(MAXIMUM_BRICKS)
        yield sets, brick_kib
    raise NoRoom(MINIMUM_BRICK_SIZE)


def arbiter_size(brick_kib: int, *, average_file_size_kib: int, floor_kib: int) -> int:
    """Return the size of the arbiter brick beside data bricks of a size: room for the names of so many files.

    Raises FilesLargerThanBricks.
    """
    if brick_kib < average_file_size_kib:
        raise FilesLargerThanBricks(average_kib=average_file_size_kib, brick_kib=brick_kib)
    return max(brick_kib // average_file_size_kib, floor_kib)


def peers_required(durability: Durability) -> int:
    """Return how many other bricks of a set must be online before one of it may be replaced."""
    match durability.type:
        case DurabilityType.REPLICATE:
            return 1 if durability.copies < 3 else durability.copies // 2 + 1
        case DurabilityType.DISPERSE:
            return durability.dispersion[0]
        case DurabilityType.NONE:
            return 1

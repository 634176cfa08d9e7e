"""Rules of hosting volumes: which one takes a block volume, what it has free, and what restricts it (placement §7).

A hosting volume's books come out even: size = free + reserved + the sizes of its block volumes, those being created
included, and what is booked for their expansions. All sizes in GiB.
"""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import replace
from hashlib import sha256

from heketipy.domain.capacity import block_reserve
from heketipy.domain.errors import CannotAllocate, CannotBegin, NoSpace
from heketipy.domain.model import BlockInfo, BlockVolume, NodeAddress, Volume

UNRESTRICTED = ""
LOCKED = "locked"
LOCKED_BY_UPDATE = "locked-by-update"
"""As locked; set where a start-up found books that did not come out even."""

AUTO_CREATION_OFF = "Block Hosting Volume Creation is disabled. Create a Block hosting volume and try again."
NOT_HOSTING = "Block restrictions can only be set on block hosting volumes"


def choose(
    hosting: Iterable[Volume], *, size_gib: int, holding_the_name: Collection[str], block_volume: str
) -> Volume | None:
    """Return the volume that hosts a new block volume; None if none may.

    `hosting` are the published hosting volumes of the clusters in question, `holding_the_name` the ids of those that
    have a block volume of the same name. Each is as likely as the others: the random id decides.
    """
    fit = [
        volume
        for volume in hosting
        if obstacle(volume, size_gib=size_gib, name_taken=volume.id in holding_the_name) == ""
    ]
    return fit[int(block_volume, 16) % len(fit)] if fit else None


def obstacle(volume: Volume, *, size_gib: int, name_taken: bool) -> str:
    """Say in a word or two why a hosting volume does not take a block volume; empty if it does."""
    if volume.block_info.restriction:
        return "locked"
    if volume.block_info.free_gib < size_gib:
        return f"with less than {size_gib} GiB free"
    return "holding a block volume of that name" if name_taken else ""


def explanation(hosting: Sequence[Volume], *, size_gib: int, holding_the_name: Collection[str]) -> str:
    """Say for a person why no hosting volume takes a block volume; empty where there is no hosting volume at all."""
    counts: dict[str, int] = {}
    for volume in hosting:
        reason = obstacle(volume, size_gib=size_gib, name_taken=volume.id in holding_the_name)
        counts[reason] = counts.get(reason, 0) + 1
    if not counts:
        return ""
    reasons = ", ".join(f"{count} {reason}" for reason, count in sorted(counts.items()))
    return f"Hosting volumes that were looked at: {len(hosting)} ({reasons})"


def check_made_to_order(*, hosting_gib: int, size_gib: int) -> None:
    """Raise CannotAllocate if a hosting volume of the configured size would be too small for a block volume."""
    usable = block_reserve(hosting_gib).free_gib
    if size_gib > usable:
        raise CannotAllocate(
            f"The size configured for automatic creation of block hosting volumes ({hosting_gib}) is too small to host"
            f" the requested block volume of size {size_gib}. The available size on this block hosting volume, minus"
            f" overhead, is {usable}. Please create a sufficiently large block hosting volume manually."
        )


def booked(volume: Volume, gib: int) -> BlockInfo:
    """Return the books of a hosting volume after so much was taken of it. Raises CannotAllocate below zero."""
    free = volume.block_info.free_gib - gib
    if free < 0:
        raise CannotAllocate(f"Volume {volume.id} free size may not be set less than zero")
    return replace(volume.block_info, free_gib=free)


def given_back(volume: Volume, gib: int) -> BlockInfo:
    """Return the books of a hosting volume after so much was given back to it: never more than it has."""
    info = volume.block_info
    return replace(info, free_gib=min(info.free_gib + gib, volume.size_gib - info.reserved_gib))


def check_expansion(block_volume: BlockVolume, hosting: Volume, new_gib: int) -> int:
    """Return how much a block volume needs to become `new_gib` large: 0 to resize again what some hosts refused.

    Raises CannotAllocate, NoSpace.
    """
    size = block_volume.size_gib
    if new_gib == size and (block_volume.usable_gib or size) == size:
        raise CannotAllocate(
            f"Requested new-size {new_gib} is same as current block volume size {size}, nothing to be done."
        )
    if new_gib < size:
        raise CannotAllocate(
            f"Requested new-size {new_gib} is less than current block volume size {size}, shrinking is not allowed."
        )
    if hosting.block_info.free_gib < new_gib - size:
        raise NoSpace
    return new_gib - size


def restricted(volume: Volume, restriction: str) -> BlockInfo:
    """Return the books of a volume with another restriction. Raises CannotBegin where that is not allowed.

    A volume that an update locked gets its reserve first, if it has none.
    """
    info = volume.block_info
    if not volume.block:
        raise CannotBegin(NOT_HOSTING)
    match info.restriction:
        case current if current == restriction or current in (UNRESTRICTED, LOCKED):
            return replace(info, restriction=restriction)
        case current if current == LOCKED_BY_UPDATE:
            reserve = block_reserve(volume.size_gib).reserved_gib
            if info.reserved_gib > 0:
                return replace(info, restriction=restriction)
            if info.free_gib < reserve:
                raise CannotBegin(
                    f"Can not unlock volume. {reserve}GiB free space is required, but found {info.free_gib}GiB"
                )
            if restriction == UNRESTRICTED:
                info = replace(info, free_gib=info.free_gib - reserve, reserved_gib=reserve)
            return replace(info, restriction=restriction)
        case _:
            raise CannotBegin("Unexpected restriction state: unknown")


def repaired(volume: Volume, taken_gib: int) -> BlockInfo:
    """Return the books of a hosting volume as they should be at a start.

    `taken_gib` is what its block volumes take, with what is booked for their expansions. Books that do not come out
    even are corrected if that is possible, and the volume is locked, since somebody should have a look; a reserve that
    older versions did not keep is set aside, or the volume locked if there is no room for it.
    """
    size, info = volume.size_gib, volume.block_info
    if not volume.pending and size != taken_gib + info.free_gib + info.reserved_gib:
        free = size - info.reserved_gib - taken_gib
        if 0 <= free <= size:
            info = replace(info, free_gib=free, restriction=LOCKED_BY_UPDATE)
    even = size == taken_gib + info.free_gib + info.reserved_gib
    if info.reserved_gib > 0 or not even or info.restriction == LOCKED_BY_UPDATE:
        return info
    reserve = block_reserve(size).reserved_gib
    if info.free_gib < reserve:
        return replace(info, restriction=LOCKED_BY_UPDATE)
    return replace(info, free_gib=info.free_gib - reserve, reserved_gib=info.reserved_gib + reserve)


def shuffled(nodes: Sequence[NodeAddress], block_volume: str) -> tuple[NodeAddress, ...]:
    """Return nodes in an order that differs from block volume to block volume: so their hosts spread."""
    return tuple(sorted(nodes, key=lambda node: sha256(f"{block_volume}{node.id}".encode()).digest()))

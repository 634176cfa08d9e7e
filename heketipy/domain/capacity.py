"""What a brick charges its device, and what a block-hosting volume keeps back (placement §2.2, §7.5).
Integers in KiB or GiB.

The snapshot factor is a float32 in heketi's books and on its wire: the exact value of that float32 is what
sizes are computed with, or charges of existing databases would not come out even.
"""

import struct
from dataclasses import dataclass

from heketipy.domain.units import round_up

METADATA_RATIO = 0.005
METADATA_CAP_KIB = 16 * 1024 * 1024
"""LVM knows no larger metadata volume than 16 GiB."""

BLOCK_USABLE_PERCENT = 98


@dataclass(frozen=True, slots=True)
class Charge:
    """The sizes of a brick's thin pool and of that pool's metadata, both whole extents."""

    tp_size_kib: int
    pool_metadata_kib: int

    @property
    def total_kib(self) -> int:
        """What the device's free space shrinks by."""
        return self.tp_size_kib + self.pool_metadata_kib


@dataclass(frozen=True, slots=True)
class BlockReserve:
    """How the raw capacity of a block-hosting volume is split, GiB."""

    free_gib: int
    reserved_gib: int


def float32(factor: float) -> float:
    """Return the exact value of a number's float32, as a Python float."""
    (exact,) = struct.unpack("<f", struct.pack("<f", factor))
    return float(exact)


def charge(size_kib: int, factor: float, extent_kib: int) -> Charge:
    """Return what a brick of a size takes on a device, given the volume's snapshot factor and the device's
    extents.

    There is no lower bound but the rounding up to extents, and no other head-room.
    """
    raw_kib = int(size_kib * float32(factor))
    tp_size_kib = round_up(raw_kib, multiple=extent_kib)
    metadata_kib = min(int(tp_size_kib * METADATA_RATIO), METADATA_CAP_KIB)
    return Charge(tp_size_kib=tp_size_kib, pool_metadata_kib=round_up(metadata_kib, multiple=extent_kib))


def fits(free_kib: int, asked: Charge) -> bool:
    """Tell whether a device with so much free takes a brick. Strictly more is needed: an exact fit is
    refused.
    """
    return free_kib > asked.total_kib


def block_reserve(raw_gib: int) -> BlockReserve:
    """Split so much raw capacity (the whole volume, or what an expansion adds) into free and held back."""
    free_gib = raw_gib * BLOCK_USABLE_PERCENT // 100
    return BlockReserve(free_gib=free_gib, reserved_gib=raw_gib - free_gib)

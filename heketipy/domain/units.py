"""Units. Volumes are counted in GiB, bricks and devices in KiB; nothing else is used inside heketipy."""

BYTES_PER_KIB = 1024
KIB_PER_MIB = 1024
KIB_PER_GIB = 1024 * 1024


def gib(kib_per_unit: int) -> int:
    """Return so many GiB in KiB."""
    return kib_per_unit * KIB_PER_GIB


def round_up(kib: int, *, multiple: int) -> int:
    """Round up to a multiple, as LVM does with extents (all KiB)."""
    return -(-kib // multiple) * multiple

"""Floats of 32 bits, which heketi's are."""

import struct


def to_float32(number: float) -> float:
    """Return the nearest float of 32 bits. Raises OverflowError beyond their range."""
    nearest: float = struct.unpack("<f", struct.pack("<f", number))[0]
    return nearest


def shortest(number: float) -> int | float:
    """Return what prints as the shortest decimal of a float of 32 bits; an integer where it is whole."""
    if number.is_integer():
        return int(number)
    for digits in range(1, 9):
        candidate = float(f"{number:.{digits}g}")
        if to_float32(candidate) == number:
            return candidate
    return float(f"{number:.9g}")

"""Pieces of text that several commands print."""

from typing import Final

KIB_PER_GIB: Final = 1 << 20


def gib(kib: int) -> int:
    """Return a size in whole GiB, rounded down."""
    return kib // KIB_PER_GIB


def state(name: str) -> str:
    """Return heketi-cli's word for a state of the API."""
    return "removed" if name == "failed" else name


def options(pairs: dict[str, str]) -> str:
    """Return mount options as heketi-cli does: sorted, and with nothing between them."""
    return "".join(f"{key}={value}" for key, value in sorted(pairs.items()))


def sizes(storage: dict[str, int]) -> str:
    """Return a device's sizes, in columns."""
    total, used, free = (gib(storage[member]) for member in ("total", "used", "free"))
    return f"Size (GiB):{total:<8}Used (GiB):{used:<8}Free (GiB):{free:<8}"


def tags(pairs: dict[str, str]) -> str:
    """Return tags, one a line under a title; nothing if there are none."""
    lines = "".join(f"  {name}: {value}\n" for name, value in pairs.items())
    return f"Tags:\n{lines}" if lines else ""

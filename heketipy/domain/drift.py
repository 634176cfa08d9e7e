"""What the books say of a device's space, and what LVM says: bringing them together, and naming what differs.

The books charge a device for each thin pool, data and metadata. LVM takes a little more: a spare as large as the
largest pool metadata, which comes and goes with the pools by itself. It is no drift, and it is no charge: whoever took
it for one would find the books wrong again after the next delete.
"""

from collections.abc import Iterator, Mapping, Set
from dataclasses import dataclass

from heketipy.domain.units import KIB_PER_GIB, KIB_PER_MIB

SHOWN = 8
"""So many names of one sort are listed; more are counted."""


@dataclass(frozen=True, slots=True)
class Booked:
    """What the books charge a device for, KiB by name of the thin pool. `settled` are those that no operation is about
    to make or to remove, `before` those that were there when LVM was asked."""

    charged_kib: Mapping[str, int]
    settled: Set[str]
    before: Set[str]


@dataclass(frozen=True, slots=True)
class Surveyed:
    """What LVM said, KiB: all, used, what uses it by name, and the spare, which is among what is used."""

    total_kib: int
    used_kib: int
    taken_kib: Mapping[str, int]
    spare_kib: int


@dataclass(frozen=True, slots=True)
class Space:
    """The space of a device as it is to stand in the books, KiB: total = free + used. `drift` says in words what LVM
    has that the books had not, or the other way round; empty where they agree."""

    total_kib: int
    used_kib: int
    drift: str

    @property
    def free_kib(self) -> int:
        """What is left; never negative."""
        return self.total_kib - self.used_kib


def reconcile(booked: Booked, surveyed: Surveyed) -> Space:
    """Bring books and LVM together.

    LVM's sizes count. What the books know and LVM has not (a brick that is just being made) stays charged, and what LVM
    had and the books have not any more (a brick that was just removed) is not charged again: so work on the device may
    go on meanwhile.
    """
    taken = surveyed.taken_kib
    strangers = {
        name: kib for name, kib in taken.items() if name not in booked.charged_kib and name not in booked.before
    }
    unlisted_kib = max(surveyed.used_kib - surveyed.spare_kib - sum(taken.values()), 0)
    used_kib = (
        sum(taken.get(pool, kib) for pool, kib in booked.charged_kib.items()) + sum(strangers.values()) + unlisted_kib
    )
    over_kib = max(used_kib - surveyed.total_kib, 0)
    return Space(
        total_kib=surveyed.total_kib,
        used_kib=min(used_kib, surveyed.total_kib),
        drift="; ".join(_differences(booked, taken, strangers, unlisted_kib, over_kib)),
    )


def _differences(
    booked: Booked, taken: Mapping[str, int], strangers: Mapping[str, int], unlisted_kib: int, over_kib: int
) -> Iterator[str]:
    known = {pool: kib for pool, kib in booked.charged_kib.items() if pool in booked.settled & booked.before}
    missing = {pool: kib for pool, kib in known.items() if pool not in taken}
    resized = {pool: taken[pool] - kib for pool, kib in known.items() if pool in taken and taken[pool] != kib}
    if strangers:
        yield f"LVM has {_listed(strangers)} that no brick has"
    if missing:
        yield f"bricks have {_listed(missing)} that LVM does not have"
    if resized:
        yield f"LVM has {_listed(resized, sign=True)} against what bricks were charged"
    if unlisted_kib:
        yield f"LVM uses {_amount(unlisted_kib)} for something that it does not list"
    if over_kib:
        yield f"{_amount(over_kib)} more are promised than the device has"


def _listed(sizes: Mapping[str, int], *, sign: bool = False) -> str:
    names = sorted(sizes)
    text = ", ".join(f"{name} ({_amount(sizes[name], sign=sign)})" for name in names[:SHOWN])
    return (
        text if len(names) <= SHOWN else f"{text} and {len(names) - SHOWN} more, {_amount(sum(sizes.values()))} in all"
    )


def _amount(kib: int, *, sign: bool = False) -> str:
    number, unit = (kib / KIB_PER_GIB, "GiB") if abs(kib) >= KIB_PER_GIB else (kib / KIB_PER_MIB, "MiB")
    return f"{number:{'+' if sign else ''}.2f} {unit}"

"""Books and LVM brought together."""

from hypothesis import given
from hypothesis import strategies as st

from heketipy.domain.drift import Booked, Surveyed, reconcile

MIB = 1024
GIB = 1024 * MIB


def booked(pools: dict[str, int], *, pending: tuple[str, ...] = (), before: tuple[str, ...] | None = None) -> Booked:
    known = frozenset(pools) if before is None else frozenset(before)
    return Booked(pools, settled=frozenset(pools) - set(pending), before=known)


def surveyed(taken: dict[str, int], *, total: int = 100 * GIB, spare: int = 0, unlisted: int = 0) -> Surveyed:
    return Surveyed(total, sum(taken.values()) + spare + unlisted, taken, spare)


def test_the_spare_for_pool_metadata_is_neither_charged_nor_drift() -> None:
    pools = {"tp_a": GIB + 8 * MIB, "tp_b": 4 * GIB + 24 * MIB}
    space = reconcile(booked(pools), surveyed(pools, spare=24 * MIB))
    assert (space.used_kib, space.free_kib, space.drift) == (5 * GIB + 32 * MIB, 95 * GIB - 32 * MIB, "")


def test_volumes_of_nobody_are_charged_and_named() -> None:
    space = reconcile(booked({"tp_a": GIB}), surveyed({"tp_a": GIB, "tp_x": 2 * GIB, "home": 512 * MIB}))
    assert space.used_kib == 3 * GIB + 512 * MIB
    assert space.drift == "LVM has home (512.00 MiB), tp_x (2.00 GiB) that no brick has"


def test_pools_that_lvm_lost_stay_charged_until_their_bricks_go() -> None:
    space = reconcile(booked({"tp_a": GIB, "tp_b": GIB}), surveyed({"tp_a": GIB}))
    assert space.used_kib == 2 * GIB
    assert space.drift == "bricks have tp_b (1.00 GiB) that LVM does not have"


def test_sizes_that_somebody_changed_are_those_of_lvm() -> None:
    space = reconcile(booked({"tp_a": GIB}), surveyed({"tp_a": 3 * GIB}))
    assert space.used_kib == 3 * GIB
    assert space.drift == "LVM has tp_a (+2.00 GiB) against what bricks were charged"


def test_what_is_made_or_removed_meanwhile_is_no_drift() -> None:
    """Made since LVM was asked: tp_new. Removed since then: tp_old. Just being made: tp_now."""
    books = booked(
        {"tp_a": GIB, "tp_new": GIB, "tp_now": GIB}, pending=("tp_now",), before=("tp_a", "tp_old", "tp_now")
    )
    space = reconcile(books, surveyed({"tp_a": GIB, "tp_old": 7 * GIB}))
    assert (space.used_kib, space.drift) == (3 * GIB, "")


def test_a_device_that_shrank_has_nothing_free_rather_than_less_than_nothing() -> None:
    space = reconcile(booked({"tp_a": 3 * GIB}), surveyed({"tp_a": 3 * GIB}, total=2 * GIB))
    assert (space.free_kib, space.used_kib) == (0, 2 * GIB)
    assert space.drift == "1.00 GiB more are promised than the device has"


def test_what_lvm_does_not_list_is_used_all_the_same() -> None:
    space = reconcile(booked({}), surveyed({}, unlisted=GIB))
    assert (space.used_kib, space.drift) == (GIB, "LVM uses 1.00 GiB for something that it does not list")


def test_of_many_names_some_are_listed() -> None:
    space = reconcile(booked({}), surveyed({f"lv{n:02}": GIB for n in range(12)}))
    assert space.drift.endswith("lv07 (1.00 GiB) and 4 more, 12.00 GiB in all that no brick has")


names = st.dictionaries(st.sampled_from("abcdef"), st.integers(0, 50 * GIB))


@given(books=names, taken=names, total=st.integers(0, 200 * GIB), spare=st.integers(0, GIB))
def test_total_is_free_and_used_and_neither_is_negative(
    books: dict[str, int], taken: dict[str, int], total: int, spare: int
) -> None:
    space = reconcile(booked(books), surveyed(taken, total=total, spare=spare))
    assert space.free_kib >= 0
    assert space.used_kib >= 0
    assert space.free_kib + space.used_kib == space.total_kib == total


@given(pools=names, spare=st.integers(0, GIB))
def test_books_that_are_right_stay_as_they_are(pools: dict[str, int], spare: int) -> None:
    space = reconcile(booked(pools), surveyed(pools, total=400 * GIB, spare=spare))
    assert (space.used_kib, space.drift) == (sum(pools.values()), "")

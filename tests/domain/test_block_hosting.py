from collections import Counter
from dataclasses import replace
from typing import Any

import pytest

from heketipy.domain import blockhosting
from heketipy.domain.durability import Durability
from heketipy.domain.errors import CannotAllocate, CannotBegin, NoSpace
from heketipy.domain.model import BlockInfo, BlockTarget, BlockVolume, NodeAddress, Volume
from tests.domain.heketi_vectors import vectors
from tests.support.secrets import chap_password

HOSTING = "a" * 32


def hosting(
    size: int = 100, *, free: int = 98, reserved: int = 2, restriction: str = "", pending: str = "", id: str = HOSTING
) -> Volume:
    info = BlockInfo(free, reserved, restriction)
    return Volume(id, "bhv", "c" * 32, size, Durability(), block=True, block_info=info, pending=pending)


def block_volume(size: int, *, usable: int | None = None) -> BlockVolume:
    return BlockVolume("b" * 32, "bv", "c" * 32, HOSTING, size, size if usable is None else usable)


def of(books: dict[str, Any], **changes: Any) -> Volume:
    return hosting(
        books["size_gib"],
        free=books["free_gib"],
        reserved=books["reserved_gib"],
        restriction=books["restriction"],
        **changes,
    )


@vectors("hosting_volume_repair")
def test_a_start_repairs_and_an_unlock_restores_as_heketi_does(vector: dict[str, Any]) -> None:
    before = vector["before"]
    pending = "f" * 32 if before["pending"] else ""
    repaired = blockhosting.repaired(of(before, pending=pending), before["block_volumes_gib"])
    assert repaired == BlockInfo(**vector["after_start"])
    if "unlock" not in vector:
        return
    volume = hosting(
        before["size_gib"],
        free=repaired.free_gib,
        reserved=repaired.reserved_gib,
        restriction=repaired.restriction,
    )
    error, result = "", repaired
    try:
        result = blockhosting.restricted(volume, "")
    except CannotBegin as refusal:
        error = f"Failed to set block restriction: {refusal}"
    assert error == vector["unlock"]["error"]
    assert result == BlockInfo(**vector["after_unlock"])


@vectors("hosting_volume_repair")
def test_repairing_twice_changes_nothing_more(vector: dict[str, Any]) -> None:
    before = vector["before"]
    once = blockhosting.repaired(of(before), before["block_volumes_gib"])
    volume = of({**vector["after_start"], "size_gib": before["size_gib"]}) if not before["pending"] else None
    if volume is not None:
        assert blockhosting.repaired(volume, before["block_volumes_gib"]) == once


def test_what_is_booked_for_an_expansion_is_no_mismatch() -> None:
    # heketi gives the 20 GiB back and locks the volume, and later takes 10 more off it.
    volume = hosting(200, free=164, reserved=4)
    assert blockhosting.repaired(volume, 12 + 20) == volume.block_info
    assert blockhosting.repaired(volume, 12) == BlockInfo(184, 4, "locked-by-update")


@pytest.mark.parametrize(
    ("restriction", "free", "size", "taken", "word"),
    [
        ("", 10, 10, False, ""),
        ("", 10, 11, False, "with less than 11 GiB free"),
        ("locked", 10, 1, False, "locked"),
        ("locked-by-update", 10, 1, False, "locked"),
        ("", 10, 1, True, "holding a block volume of that name"),
    ],
)
def test_a_hosting_volume_is_passed_over_for_a_reason(
    restriction: str, free: int, size: int, taken: bool, word: str
) -> None:
    volume = hosting(free=free, restriction=restriction)
    assert blockhosting.obstacle(volume, size_gib=size, name_taken=taken) == word


def test_every_hosting_volume_that_fits_is_chosen_about_as_often_as_the_others() -> None:
    volumes = [hosting(id=f"{number:032x}", free=98 - number) for number in range(3)]
    volumes.append(hosting(id="9" * 32, free=1))
    chosen: Counter[str] = Counter()
    for number in range(3000):
        id = f"{number * 0x9E3779B97F4A7C15 % 2**128:032x}"
        fit = blockhosting.choose(volumes, size_gib=5, holding_the_name=(), block_volume=id)
        assert fit is not None
        chosen[fit.id] += 1
    assert len(chosen) == 3
    assert all(900 < count < 1100 for count in chosen.values())


def test_a_refusal_counts_the_reasons() -> None:
    volumes = [hosting(restriction="locked"), hosting(free=1), hosting(free=2)]
    assert blockhosting.choose(volumes, size_gib=5, holding_the_name=(), block_volume="0" * 32) is None
    text = blockhosting.explanation(volumes, size_gib=5, holding_the_name=())
    assert text == "Hosting volumes that were looked at: 3 (1 locked, 2 with less than 5 GiB free)"
    assert blockhosting.explanation([], size_gib=5, holding_the_name=()) == ""


@pytest.mark.parametrize(("size", "fits"), [(98, True), (99, False)])
def test_a_hosting_volume_to_order_holds_98_percent(size: int, fits: bool) -> None:
    if fits:
        blockhosting.check_made_to_order(hosting_gib=100, size_gib=size)
    else:
        with pytest.raises(CannotAllocate, match=r"\(100\) is too small .* size 99\. .* is 98\. Please"):
            blockhosting.check_made_to_order(hosting_gib=100, size_gib=size)


def test_space_is_never_booked_below_zero_nor_given_back_beyond_the_size() -> None:
    volume = hosting(100, free=3, reserved=2)
    assert blockhosting.booked(volume, 3).free_gib == 0
    with pytest.raises(CannotAllocate, match=r"Volume a+ free size may not be set less than zero"):
        blockhosting.booked(volume, 4)
    assert blockhosting.given_back(volume, 4).free_gib == 7
    assert blockhosting.given_back(volume, 400).free_gib == 98


@pytest.mark.parametrize(
    ("size", "usable", "new", "outcome"),
    [
        (5, 5, 9, 4),
        (5, 0, 9, 4),
        (5, 3, 5, 0),
        (5, 5, 5, "Requested new-size 5 is same as current block volume size 5, nothing to be done."),
        (5, 0, 5, "Requested new-size 5 is same as current block volume size 5, nothing to be done."),
        (5, 3, 4, "Requested new-size 4 is less than current block volume size 5, shrinking is not allowed."),
        (5, 5, 16, "No space"),
        (5, 5, 15, 10),
    ],
)
def test_an_expansion_needs_what_it_adds(size: int, usable: int, new: int, outcome: int | str) -> None:
    volume = hosting(free=10)
    if isinstance(outcome, int):
        assert blockhosting.check_expansion(block_volume(size, usable=usable), volume, new) == outcome
    else:
        with pytest.raises(NoSpace if outcome == "No space" else CannotAllocate) as raised:
            blockhosting.check_expansion(block_volume(size, usable=usable), volume, new)
        assert str(raised.value) == outcome


@pytest.mark.parametrize(
    ("current", "wanted", "reserved", "free", "after"),
    [
        ("", "locked", 2, 98, BlockInfo(98, 2, "locked")),
        ("locked", "", 2, 98, BlockInfo(98, 2, "")),
        ("locked-by-update", "locked", 0, 98, BlockInfo(98, 0, "locked")),
        ("locked-by-update", "", 0, 98, BlockInfo(96, 2, "")),
        ("locked-by-update", "locked", 0, 1, "Can not unlock volume. 2GiB free space is required, but found 1GiB"),
        ("weird", "", 2, 98, "Unexpected restriction state: unknown"),
        ("weird", "weird", 2, 98, BlockInfo(98, 2, "weird")),
    ],
)
def test_restrictions_change_by_heketis_rules(
    current: str, wanted: str, reserved: int, free: int, after: BlockInfo | str
) -> None:
    volume = hosting(100, free=free, reserved=reserved, restriction=current)
    if isinstance(after, BlockInfo):
        assert blockhosting.restricted(volume, wanted) == after
    else:
        with pytest.raises(CannotBegin) as raised:
            blockhosting.restricted(volume, wanted)
        assert str(raised.value) == after


def test_only_hosting_volumes_can_be_restricted() -> None:
    volume = Volume(HOSTING, "v", "c" * 32, 1, Durability())
    with pytest.raises(CannotBegin, match="Block restrictions can only be set on block hosting volumes"):
        blockhosting.restricted(volume, "locked")


def test_hosts_come_in_another_order_for_another_block_volume() -> None:
    nodes = tuple(NodeAddress(f"{number:032x}", f"m{number}", f"s{number}") for number in range(4))
    orders = {blockhosting.shuffled(nodes, f"{number:032x}") for number in range(200)}
    assert len(orders) == 24
    assert all(sorted(order, key=lambda node: node.id) == list(nodes) for order in orders)


def test_no_text_of_a_block_volume_holds_its_password() -> None:
    target = BlockTarget(("10.0.0.1",), "iqn", "user", chap_password())
    assert chap_password() not in repr(replace(block_volume(1), target=target))

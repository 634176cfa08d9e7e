"""The allocator's view of a cluster."""

import pytest

from heketipy.domain.durability import Durability
from heketipy.domain.placement import Limits, NoCandidates, NoRoom, PlacementRequest, place
from heketipy.domain.placement import view as view_module
from heketipy.domain.states import State
from heketipy.domain.units import gib
from tests.domain.small_sites import numbered_ids, site


def test_more_than_is_free_cannot_be_taken() -> None:
    view = site(1)
    view.take("n000d00", gib(100))
    assert view.free_kib("n000d00") == 0
    with pytest.raises(ValueError, match="cannot be free"):
        view.take("n000d00", 1)


def test_no_more_becomes_free_than_there_is() -> None:
    view = site(1)
    view.give("n000d00", gib(5))
    assert (view.free_kib("n000d00"), view.used_kib("n000d00")) == (gib(100), 0)


def test_new_sizes_of_a_device_count_at_once() -> None:
    view, request = site(1), PlacementRequest(150, Durability())
    limits = Limits(max_bricks=1)
    with pytest.raises(NoRoom):
        place(request, view, numbered_ids(), limits)
    view.resize("n000d00", total_kib=gib(200), free_kib=gib(180))
    assert place(request, view, numbered_ids(), limits).bricks[0].device == "n000d00"
    assert view.used_kib("n000d00") == gib(20)


def test_the_books_of_a_device_that_takes_no_bricks_are_kept_too() -> None:
    view = site(1, states={"n000d00": State.OFFLINE})
    view.take("n000d00", gib(1))
    assert view.used_kib("n000d00") == gib(1)
    with pytest.raises(NoCandidates, match=r"^No online storage devices in cluster$"):
        view.check_candidates()


def test_a_cluster_without_nodes_says_so() -> None:
    with pytest.raises(NoCandidates, match=r"^No nodes in cluster$"):
        place(PlacementRequest(1, Durability()), site(0), numbered_ids(), Limits())


def test_tag_rules_of_users_do_not_pile_up_in_memory() -> None:
    view = site(1)
    for number in range(3 * view_module.KEPT_TRACKS):
        request = PlacementRequest(1, Durability(), options=(f"user.heketi.device-tag-match a!={number}",))
        place(request, view, numbered_ids(), Limits())
    assert len(view._tracks) == view_module.KEPT_TRACKS


def test_a_forgotten_track_is_made_anew_from_what_is_free_now() -> None:
    view, request = site(1), PlacementRequest(60, Durability())
    limits = Limits(max_bricks=1)
    place(request, view, numbered_ids(), limits)
    view.take("n000d00", gib(50))
    for number in range(view_module.KEPT_TRACKS):
        with pytest.raises(NoRoom):
            place(
                PlacementRequest(60, Durability(), options=(f"user.heketi.device-tag-match a!={number}",)),
                view,
                numbered_ids(),
                limits,
            )
    with pytest.raises(NoRoom):
        place(request, view, numbered_ids(), limits)

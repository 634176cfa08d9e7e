"""Names that Kubernetes makes are made usable; names that heketi accepts stay as they are."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from heketipy.wire.volumes import MAX_NAME, VolumeCreateRequest, usable_name

HEKETI = re.compile(r"[a-zA-Z0-9_-]+")


def spec_name(name: str) -> str:
    request = VolumeCreateRequest(size=1, name=name)
    request.check()
    return request.spec().name


@given(st.from_regex(HEKETI, fullmatch=True).filter(lambda name: len(name) <= MAX_NAME))
def test_a_name_that_heketi_accepts_and_gluster_can_keep_stays(name: str) -> None:
    assert spec_name(name) == name


@given(st.from_regex(r"[a-z0-9][a-z0-9.-]{0,400}", fullmatch=True))
def test_a_name_of_kubernetes_becomes_one_that_gluster_can_keep_always_the_same(name: str) -> None:
    usable = spec_name(name)
    assert HEKETI.fullmatch(usable)
    assert len(usable) <= MAX_NAME
    assert usable == spec_name(name)


def test_dots_become_dashes_and_nothing_else_changes() -> None:
    assert spec_name("pre_ns_claim.v1.x_550e8400-e29b-41d4-a716-446655440000") == (
        "pre_ns_claim-v1-x_550e8400-e29b-41d4-a716-446655440000"
    )


def test_long_names_that_differ_only_at_their_end_stay_different() -> None:
    one, other = ("a" * 200 + end for end in ("1", "2"))
    assert usable_name(one) != usable_name(other)
    assert len(usable_name(one)) == MAX_NAME
    assert usable_name(one).startswith("a" * 100)


def test_no_name_stays_no_name() -> None:
    assert spec_name("") == ""


@pytest.mark.parametrize(
    ("clusters", "kept"),
    [
        ([], ()),
        (["a", " b "], ("a", "b")),
        (["a", ""], ("a",)),
        (["", "a"], ("a",)),
        ([""], ("",)),
        ([" ", ""], ("",)),
    ],
)
def test_clusters_are_trimmed_and_never_become_all_clusters(clusters: list[str], kept: tuple[str, ...]) -> None:
    assert VolumeCreateRequest(size=1, clusters=clusters).spec().clusters == kept


def test_options_are_trimmed_and_empty_ones_dropped() -> None:
    options = ["client.ssl on", " server.ssl on", "", "  ", "user.heketi.arbiter true "]
    assert VolumeCreateRequest(size=1, glustervolumeoptions=options).spec().options == (
        "client.ssl on",
        "server.ssl on",
        "user.heketi.arbiter true",
    )

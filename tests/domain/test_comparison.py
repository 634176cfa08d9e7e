"""The three-way comparison: what is in order is no finding, and what anybody refers to is never cleaned up."""

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from heketipy.domain.comparison import Kind, compare, leftovers, quarantined
from heketipy.domain.durability import Durability
from heketipy.domain.inventory import Books, NodeInventory, NodeMount, NodeVolume, around, ids_in
from heketipy.domain.model import Brick, BrickType, Node, Volume
from heketipy.domain.names import brick_path, lv, mount_point, thin_pool, volume_group
from heketipy.domain.quarantine import Quarantined, read_quarantined

NODE, VOLUME = "a" * 32, "f" * 32
DEVICES = ("d1" * 16, "d2" * 16)
BRICKS = tuple(f"{number:032x}" for number in range(1, 9))
HOST = "10.0.0.1"


def brick(id: str, device: str = DEVICES[0], **changes: object) -> Brick:
    path = brick_path(device, id)
    made = Brick(id, VOLUME, device, NODE, 0, path, 1, 1, 1, BrickType.NORMAL, thin_pool(id), lv(id))
    return replace(made, **changes)  # type: ignore[arg-type]


def books(*bricks: Brick, at_work: frozenset[str] = frozenset()) -> Books:
    volume = Volume(VOLUME, "wanted", "c" * 32, 1, Durability())
    return Books(
        nodes=(Node(NODE, "c" * 32, 1, ("n1",), (HOST,)),),
        devices={NODE: frozenset(DEVICES)},
        bricks={one.id: one for one in bricks},
        volumes={volume.id: volume} if bricks else {},
        at_work=at_work,
    )


def device_of(one: Brick) -> str:
    return f"/dev/mapper/{volume_group(one.device)}-{lv(one.id)}"


def inventory(*bricks: Brick) -> NodeInventory:
    """Return what a node has that has just these bricks."""
    mounts = tuple(NodeMount(device_of(one), mount_point(one.device, one.id)) for one in bricks)
    volumes = [
        volume
        for one in bricks
        for volume in (
            NodeVolume(volume_group(one.device), one.pool, is_pool=True, open=True),
            NodeVolume(volume_group(one.device), lv(one.id), pool=one.pool, open=True),
        )
    ]
    return NodeInventory(
        groups=frozenset(map(volume_group, DEVICES)),
        volumes=tuple(volumes),
        mounts=mounts,
        fstab=mounts,
        folders=frozenset(mount.point for mount in mounts),
        gluster={"wanted": tuple(f"{HOST}:{one.path}" for one in bricks)} if bricks else {},
    )


def found(known: Books, there: NodeInventory) -> list[Kind]:
    return sorted(one.kind for one in compare(known, known.settled, {NODE: there}))


ids = st.sets(st.sampled_from(BRICKS))
placed = st.builds(brick, st.sampled_from(BRICKS), st.sampled_from(DEVICES))


@given(st.lists(placed, unique_by=lambda one: one.id))
def test_a_node_that_has_what_the_books_say_gives_no_finding(bricks: list[Brick]) -> None:
    assert found(books(*bricks), inventory(*bricks)) == []


@given(st.lists(placed, unique_by=lambda one: one.id), st.lists(placed, unique_by=lambda one: one.id), ids, ids)
def test_nothing_that_anybody_refers_to_is_cleaned_up(
    booked: list[Brick], there: list[Brick], at_work: set[str], in_gluster: set[str]
) -> None:
    known = books(*booked, at_work=frozenset(at_work))
    bricks = tuple(f"{HOST}:{brick_path(DEVICES[0], id)}" for id in sorted(in_gluster))
    node = replace(inventory(*there), gluster={"wanted": bricks})
    findings = compare(known, known.settled, {NODE: node})
    assert len({one.id for one in findings}) == len(findings)
    cleaned = {one.brick for one in leftovers(findings)}
    assert cleaned == {one.id for one in there} - {one.id for one in booked} - at_work - in_gluster
    lost = {one.brick for one in findings if one.kind is Kind.LOST_LV}
    assert lost <= {one.id for one in booked} - at_work


@given(st.lists(placed, min_size=1, unique_by=lambda one: one.id))
def test_all_parts_of_a_brick_are_cleaned_up_together(there: list[Brick]) -> None:
    findings = compare(books(), frozenset(), {NODE: replace(inventory(*there), gluster={})})
    parts = {one.brick: one for one in leftovers(findings)}
    assert {(one.lv, one.mounted, one.in_fstab, one.folder) for one in parts.values()} == {
        (lv(one.id), True, True, True) for one in there
    }


def test_without_gluster_nothing_is_cleaned_up_nor_certain() -> None:
    stray = replace(inventory(brick(BRICKS[0])), gluster=None)
    findings = compare(books(), frozenset(), {NODE: stray})
    assert {(one.certain, one.hindrance) for one in findings} == {
        (False, "no gluster daemon of the cluster could be asked")
    }
    assert leftovers(findings) == []


def test_of_a_node_that_was_not_seen_nothing_is_said() -> None:
    known = books(brick(BRICKS[0]))
    assert compare(known, known.settled, {}) == []


def test_a_group_that_is_not_ours_is_told_and_what_is_in_it_is_not_touched() -> None:
    stray = inventory(brick(BRICKS[0], "e" * 32))
    there = replace(stray, groups=stray.groups | {volume_group("e" * 32), "vg_of_somebody"}, gluster={})
    findings = compare(books(), frozenset(), {NODE: there})
    assert Kind.UNKNOWN_GROUP in {one.kind for one in findings}
    assert leftovers(findings) == []
    assert not {one.kind for one in findings} & {Kind.ORPHAN_LV, Kind.ORPHAN_POOL}


def test_a_mount_of_another_device_hinders_all_of_the_brick() -> None:
    stray = inventory(brick(BRICKS[0]))
    closed = tuple(replace(volume, open=False) for volume in stray.volumes)
    there = replace(stray, volumes=closed, mounts=(NodeMount("/dev/sdz1", stray.mounts[0].point),), gluster={})
    findings = compare(books(), frozenset(), {NODE: there})
    assert {one.hindrance for one in findings} == {"another device is meant: /dev/sdz1"}


def test_pools_and_volumes_under_names_of_old_records_are_known() -> None:
    old = brick(BRICKS[0], thin_pool=thin_pool("b" * 32), lv="")
    assert found(books(old), inventory(old)) == []


def test_snapshots_in_pools_of_the_books_are_gluster_s_own() -> None:
    one = brick(BRICKS[0])
    snapshot = NodeVolume(volume_group(one.device), f"{'9' * 32}_0", pool=one.pool, origin=lv(one.id))
    there = inventory(one)
    assert found(books(one), replace(there, volumes=(*there.volumes, snapshot))) == []
    stranger = replace(snapshot, name="data", pool="", origin="")
    assert found(books(one), replace(there, volumes=(*there.volumes, stranger))) == [Kind.UNKNOWN_LV]


def test_what_came_or_went_meanwhile_is_no_drift() -> None:
    staying, coming, going = map(brick, BRICKS[:3])
    before, after = books(staying, going), books(staying, coming)
    joined, settled = around(before, after)
    for there in ([staying], [staying, coming], [staying, going], [staying, coming, going]):
        findings = compare(joined, settled, {NODE: replace(inventory(*there), gluster=None)})
        assert findings == []


@given(st.sampled_from(["brick", "tp"]), st.sampled_from(BRICKS), *[st.integers(0, 10**11)] * 2)
def test_a_name_in_quarantine_says_what_and_how_long(kind: str, id: str, since: int, until: int) -> None:
    kept = Quarantined(f"{kind}_{id}", since, until)
    assert read_quarantined(kept.name) == kept
    assert len(kept.name) <= 85
    one = NodeVolume(volume_group(DEVICES[0]), kept.name)
    there = NodeInventory(groups=frozenset(map(volume_group, DEVICES)), volumes=(one,), gluster={})
    findings = compare(books(), frozenset(), {NODE: there})
    assert [(one.kind, one.brick, one.since, one.until) for one in findings] == [(Kind.QUARANTINED, id, since, until)]
    assert leftovers(findings) == []
    assert [one.lv for one in quarantined(findings)] == [kept.name]


def test_ids_are_found_whole() -> None:
    assert ids_in([f"vg_{NODE}/brick_{BRICKS[0]}", "a" * 33, "a" * 31]) == {NODE, BRICKS[0]}

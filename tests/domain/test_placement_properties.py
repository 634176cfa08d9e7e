"""What holds for every site, every volume and every stream of ids."""

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, replace
from itertools import combinations, count
from random import Random
from unittest.mock import patch

import pytest
from hypothesis import assume, event, given, settings
from hypothesis import strategies as st

from heketipy.domain.capacity import charge
from heketipy.domain.durability import Durability, DurabilityType
from heketipy.domain.errors import CannotAllocate
from heketipy.domain.model import Device, Node
from heketipy.domain.placement import ClusterView, Limits, NoRoom, PlacementRequest, Plan, place, track
from heketipy.domain.placement.terms import Leg
from heketipy.domain.states import State
from heketipy.domain.units import KIB_PER_GIB, KIB_PER_MIB, gib
from tests.domain.plain_placement import Chosen, Refused, plain_place

MANY = settings(max_examples=250, deadline=None)
FEWER = settings(max_examples=100, deadline=None)


@dataclass(frozen=True)
class Site:
    nodes: list[Node]
    devices: list[Device]

    def view(self) -> ClusterView:
        return ClusterView.build(self.nodes, self.devices)


@dataclass(frozen=True)
class Case:
    """A site and a volume for it; the volume's options once more in plain words."""

    site: Site
    request: PlacementRequest
    limits: Limits
    seed: int
    arbiter: bool
    strict: bool
    tag: tuple[str, str, str] | None

    def ids(self) -> "Ids":
        return Ids(self.seed)


class Ids:
    """A stream of ids that is the same for the same seed, and counts what is taken from it."""

    def __init__(self, seed: int) -> None:
        self._random = Random(seed)
        self.taken = 0

    def __call__(self) -> str:
        self.taken += 1
        return f"{self._random.getrandbits(128):032x}"


states = st.sampled_from([State.ONLINE] * 18 + [State.OFFLINE, State.FAILED])
tags = st.dictionaries(
    st.sampled_from(["arbiter", "tier"]), st.sampled_from(["required", "disabled", "supported", "gold", ""]), max_size=2
)
durabilities = st.one_of(
    st.just(Durability()),
    st.builds(Durability, st.just(DurabilityType.REPLICATE), replica=st.sampled_from([3, 3, 2, 1])),
    st.sampled_from([(2, 1), (4, 2)]).map(
        lambda pair: Durability(DurabilityType.DISPERSE, data=pair[0], redundancy=pair[1])
    ),
)


@st.composite
def sites(draw: st.DrawFn) -> Site:
    nodes, devices = [], []
    tagged = draw(st.booleans())
    zones = draw(st.sampled_from([1, 2, 3, 4, 8]))
    roomy = draw(st.sampled_from([6, 20, 60]))
    for i in range(draw(st.sampled_from([8, 7, 6, 6, 4, 3, 3, 2, 0]))):
        node = Node(
            id=f"n{i}",
            cluster="c",
            zone=1 + (i if draw(st.booleans()) else draw(st.integers(0, 7))) % zones,
            manage=(f"m{i}",),
            storage=(f"s{i}",),
            state=draw(states),
            tags=draw(tags) if tagged else {},
        )
        nodes.append(node)
        for j in range(draw(st.sampled_from([3, 2, 2, 1, 4, 0]))):
            total_kib = gib(roomy)
            free_kib = draw(st.integers(0, roomy * 4)) * KIB_PER_GIB // 4
            devices.append(
                Device(
                    id=f"d{i}{j}",
                    node=node.id,
                    name="/dev/sdb",
                    total_kib=total_kib,
                    free_kib=free_kib,
                    used_kib=total_kib - free_kib,
                    extent_kib=draw(st.sampled_from([4096, 4096, 4096, 1024, 32768])),
                    state=draw(states),
                    tags=draw(tags) if tagged else {},
                )
            )
    return Site(nodes, devices)


@st.composite
def cases(draw: st.DrawFn) -> Case:
    site = draw(sites())
    arbiter, strict = draw(st.booleans()), draw(st.sampled_from([False, False, True]))
    tag = draw(
        st.one_of(st.none(), st.none(), st.tuples(st.just("tier"), st.sampled_from(["=", "!="]), st.just("gold")))
    )
    options = [""]
    if arbiter:
        options.append("user.heketi.arbiter true")
    if strict:
        options.append("user.heketi.zone-checking strict")
    if tag is not None:
        options.append("user.heketi.device-tag-match {}{}{}".format(*tag))
    return Case(
        site=site,
        request=PlacementRequest(
            size_gib=draw(st.one_of(st.integers(1, 20), st.integers(20, 120))),
            durability=draw(durabilities),
            snapshot_factor=draw(st.sampled_from([1.0, 1.0, 1.3, 2.0])),
            options=tuple(options),
            existing_bricks=draw(st.sampled_from([0, 0, 0, 6])),
            avoid=frozenset(draw(st.sampled_from([[], [], [], ["n0"], ["n1", "n2"]]))),
        ),
        limits=Limits(
            brick_min_kib=KIB_PER_GIB // draw(st.sampled_from([1, 2])),
            brick_max_kib=gib(draw(st.sampled_from([4096, 10]))),
            max_bricks=draw(st.sampled_from([32, 100, 15])),
            average_file_size_kib=draw(st.sampled_from([64, 8])),
            brick_floor_kib=draw(st.sampled_from([16, 300])) * KIB_PER_MIB,
        ),
        seed=draw(st.integers(0, 2**32)),
        arbiter=arbiter,
        strict=strict,
        tag=tag,
    )


def outcome(case: Case, view: ClusterView, ids: Callable[[], str]) -> Plan | Refused:
    try:
        return place(case.request, view, ids, case.limits)
    except NoRoom as error:
        return Refused(error.reason)
    except CannotAllocate as error:
        return Refused(str(error))


def chosen(result: Plan | Refused) -> Chosen | Refused:
    if isinstance(result, Refused):
        return result
    return [[(brick.device, brick.size_kib) for brick in members] for members in result.sets]


def free(view: ClusterView) -> dict[str, int]:
    return {device: view.free_kib(device) for device in view.devices}


@MANY
@given(case=cases(), patience=st.sampled_from([0, 1, 32]))
def test_placement_is_what_walking_the_whole_ring_gives(case: Case, patience: int) -> None:
    ids, plain_ids = case.ids(), case.ids()
    with patch.object(track, "PATIENCE", patience):
        result = chosen(outcome(case, case.site.view(), ids))
    plain = plain_place(
        case.request,
        case.site.nodes,
        case.site.devices,
        plain_ids,
        case.limits,
        arbiter=case.arbiter,
        strict=case.strict,
        tag=case.tag,
    )
    event(plain.text if isinstance(plain, Refused) else f"{len(plain)} sets")
    assert result == plain
    assert ids.taken == plain_ids.taken


@FEWER
@given(case=cases())
def test_refusing_early_refuses_what_walking_refuses(case: Case) -> None:
    early, walking = case.ids(), case.ids()
    expected = outcome(case, case.site.view(), early)
    with patch.object(Leg, "hopeless", lambda _: False):
        assert outcome(case, case.site.view(), walking) == expected
    assert early.taken == walking.taken


@FEWER
@given(case=cases(), seed=st.integers(0, 99))
def test_the_order_of_input_is_irrelevant(case: Case, seed: int) -> None:
    nodes, devices = list(case.site.nodes), list(case.site.devices)
    Random(seed).shuffle(nodes)
    Random(seed).shuffle(devices)
    shuffled = ClusterView.build(nodes, devices)
    assert outcome(case, shuffled, case.ids()) == outcome(case, case.site.view(), case.ids())


@MANY
@given(case=cases())
def test_a_plan_keeps_every_promise(case: Case) -> None:
    view = case.site.view()
    before = free(view)
    plan = outcome(case, view, case.ids())
    assert free(view) == before, "placing is pure"
    if isinstance(plan, Refused):
        return

    data_count = case.request.durability.data_count
    assert len(plan.sets) * data_count * plan.brick_size_kib == case.request.size_kib
    assert [brick.position for brick in plan.bricks] == [
        case.request.existing_bricks + i for i in range(len(plan.bricks))
    ]
    assert len({brick.id for brick in plan.bricks}) == len(plan.bricks)
    assert len(plan.bricks) + case.request.existing_bricks <= case.limits.max_bricks

    nodes = {node.id: node for node in case.site.nodes}
    for members in plan.sets:
        assert len(members) == case.request.durability.set_size
        assert len({brick.node for brick in members}) == len(members)
        if case.strict:
            assert len({nodes[brick.node].zone for brick in members}) == len(members)

    devices = {device.id: device for device in case.site.devices}
    charged = Counter[str]()
    for brick in plan.bricks:
        device = devices[brick.device]
        charged[device.id] += brick.charged_kib
        assert brick.node == device.node
        assert brick.node not in case.request.avoid
        assert (device.state, nodes[device.node].state) == (State.ONLINE, State.ONLINE)
        asked = charge(brick.size_kib, case.request.snapshot_factor, device.extent_kib)
        assert (brick.tp_size_kib, brick.pool_metadata_kib) == (asked.tp_size_kib, asked.pool_metadata_kib)
    assert all(kib < devices[id].free_kib for id, kib in charged.items()), "something stays free"


@FEWER
@given(case=cases())
def test_a_single_set_is_refused_only_where_there_is_none(case: Case) -> None:
    """The greedy walk is complete where all bricks of one set are of one size."""
    assume(not case.arbiter)
    size = case.request.durability.set_size
    bounds = replace(case.limits, max_bricks=size + case.request.existing_bricks, brick_max_kib=gib(4096))
    result = outcome(replace(case, limits=bounds), case.site.view(), case.ids())
    brick_kib = case.request.size_kib // case.request.durability.data_count
    assume(brick_kib >= bounds.brick_min_kib)
    nodes = {node.id: node for node in case.site.nodes}
    roomy = [
        (nodes[device.node], device)
        for device in case.site.devices
        if device.state is State.ONLINE
        and nodes[device.node].state is State.ONLINE
        and device.node not in case.request.avoid
        and device.free_kib > charge(brick_kib, case.request.snapshot_factor, device.extent_kib).total_kib
        and _accepted(case, {**nodes[device.node].tags, **device.tags})
    ]
    places = {node.zone if case.strict else node.id for node, _ in roomy}
    exists = next(combinations(places, size), None) is not None
    assert isinstance(result, Plan) == exists


@FEWER
@given(site=sites(), data=st.data())
def test_taking_and_giving_back_leaves_no_trace(site: Site, data: st.DataObject) -> None:
    """A view that saw plans come and go answers as one that is made anew from the same books."""
    seen = site.view()
    start = free(seen)
    books = dict(start)
    alive: list[Plan] = []
    for number in range(data.draw(st.integers(1, 6))):
        case = replace(data.draw(cases()), site=site)
        result = outcome(case, seen, Ids(number))
        fresh = Site(
            site.nodes,
            [
                replace(device, free_kib=books[device.id], used_kib=device.total_kib - books[device.id])
                for device in site.devices
            ],
        )
        assert result == outcome(case, fresh.view(), Ids(number))
        if isinstance(result, Plan):
            alive.append(result)
            for brick in result.bricks:
                seen.take(brick.device, brick.charged_kib)
                books[brick.device] -= brick.charged_kib
        if alive and data.draw(st.booleans()):
            for brick in alive.pop().bricks:
                seen.give(brick.device, brick.charged_kib)
                books[brick.device] += brick.charged_kib
        assert free(seen) == books
        for device in site.devices:
            assert seen.free_kib(device.id) + seen.used_kib(device.id) == device.total_kib
    for plan in alive:
        for brick in plan.bricks:
            seen.give(brick.device, brick.charged_kib)
    assert free(seen) == start


def _accepted(case: Case, effective: dict[str, str]) -> bool:
    if case.tag is None:
        return True
    key, op, value = case.tag
    return (effective.get(key, "") == value) == (op == "=")


def test_ids_are_used_in_heketi_s_order() -> None:
    """The set's id is that of its first brick; with an arbiter brick every brick has its own."""
    nodes = [Node(id=f"n{i}", cluster="c", zone=1, manage=("m",), storage=("s",)) for i in range(3)]
    devices = [
        Device(
            id=f"d{i}",
            node=f"n{i}",
            name="/dev/sdb",
            total_kib=gib(100),
            free_kib=gib(100),
            used_kib=0,
            extent_kib=4096,
        )
        for i in range(3)
    ]
    view = ClusterView.build(nodes, devices)
    spread = Durability(DurabilityType.REPLICATE, replica=3)
    numbers = (f"{number:032x}" for number in count())
    plain = place(PlacementRequest(10, spread), view, numbers.__next__, Limits())
    assert [int(brick.id, 16) for brick in plain.bricks] == [0, 1, 2]
    options = ("user.heketi.arbiter true",)
    mixed = place(PlacementRequest(10, spread, options=options), view, numbers.__next__, Limits())
    assert [int(brick.id, 16) for brick in mixed.bricks] == [4, 5, 6]


@pytest.mark.parametrize("down", [["n0"], ["n0", "n1", "n2"]])
def test_known_down_nodes_get_no_bricks(down: list[str]) -> None:
    nodes = [Node(id=f"n{i}", cluster="c", zone=1, manage=("m",), storage=("s",)) for i in range(3)]
    devices = [
        Device(
            id=f"d{i}",
            node=f"n{i}",
            name="/dev/sdb",
            total_kib=gib(9),
            free_kib=gib(9),
            used_kib=0,
            extent_kib=4096,
        )
        for i in range(3)
    ]
    view = ClusterView.build(nodes, devices, down=down)
    request = PlacementRequest(1, Durability(DurabilityType.REPLICATE, replica=2))
    if len(down) == 3:
        with pytest.raises(CannotAllocate, match=r"^No online storage devices in cluster$"):
            place(request, view, Ids(0), Limits())
    else:
        for seed in range(5):
            assert "n0" not in {brick.node for brick in place(request, view, Ids(seed), Limits()).bricks}

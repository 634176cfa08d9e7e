"""Saying why there is no room: which of all the conditions is the one that binds.

Made for a person who has just read `No space`, and made after the fact: it looks at every device, which
placement itself does not. The conditions are looked at from the most to the least sweeping; the first that
cannot be met is named.
"""

from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import dataclass

from heketipy.domain.capacity import fits
from heketipy.domain.durability import Durability, DurabilityType
from heketipy.domain.errors import CannotAllocate
from heketipy.domain.model import BrickType
from heketipy.domain.placement.refusals import MAXIMUM_BRICKS, NoCandidates, NoRoom
from heketipy.domain.placement.request import Limits, PlacementRequest
from heketipy.domain.placement.ring import Candidate
from heketipy.domain.placement.sizing import offered_sizes, tried_sizes
from heketipy.domain.placement.terms import Leg, Terms
from heketipy.domain.placement.view import POOL_OF_ROLE, ClusterView
from heketipy.domain.states import State
from heketipy.domain.tags import arbiter_role
from heketipy.domain.units import KIB_PER_GIB, KIB_PER_MIB

SHOWN = 8
"""So many zones are listed by number; more are counted."""

Devices = Sequence[Candidate]


def explain_refusal(request: PlacementRequest, view: ClusterView, limits: Limits) -> str:
    """Return one line that says why a request was refused, to follow heketi's text; empty where that text
    says it all.
    """
    last, end = _last_size(request, limits)
    if last is None:
        return _untried(request, limits, end)
    sets, brick_kib = last
    try:
        terms = Terms.of(
            request.durability,
            snapshot_factor=request.snapshot_factor,
            options=request.options,
            limits=limits,
        )
        view.check_candidates()
        legs = terms.legs(view, brick_kib)
    except NoCandidates:
        return _idle(view)
    except CannotAllocate:
        return ""
    case = _Case(
        request=request,
        view=view,
        terms=terms,
        legs=legs,
        sets=sets,
        smallest=f"no smaller bricks may be tried ({_limit(limits, end)})",
    )
    return (
        _too_few_nodes(case)
        or _too_few_zones(case)
        or _too_few_tagged(case)
        or _too_few_for_arbiter(case)
        or _too_little_room(case)
        or _badly_spread(case)
    )


def described(durability: Durability, *, arbiter: bool = False) -> str:
    """Name a durability as people do."""
    match durability.type:
        case DurabilityType.REPLICATE:
            return f"replica {durability.copies}{' with arbiter' if arbiter else ''}"
        case DurabilityType.DISPERSE:
            return "disperse {}+{}".format(*durability.dispersion)
        case DurabilityType.NONE:
            return "durability none"


def amount(kib: int) -> str:
    """Write a size for people: in GiB, or in MiB where that is less than one GiB."""
    number, unit = (kib / KIB_PER_GIB, "GiB") if kib >= KIB_PER_GIB else (kib / KIB_PER_MIB, "MiB")
    return f"{number:.2f}".rstrip("0").rstrip(".") + f" {unit}"


@dataclass(frozen=True, slots=True)
class _Case:
    """A refused request, and the sets of the smallest bricks that were tried for it."""

    request: PlacementRequest
    view: ClusterView
    terms: Terms
    legs: Sequence[Leg]
    sets: int
    smallest: str

    @property
    def what(self) -> str:
        return described(self.request.durability, arbiter=self.terms.arbiter)

    @property
    def kind(self) -> str:
        """What the bricks of a set may not share."""
        return "zone" if self.terms.strict else "node"

    @property
    def usable(self) -> Devices:
        return [device for device in self.view.candidates if device.node not in self.request.avoid]

    @property
    def tagged(self) -> Devices:
        """The usable devices that the tag rule lets through."""
        rule = self.terms.rule
        return [device for device in self.usable if rule is None or rule.accepts(device.tags)]

    def eligible(self, leg: Leg) -> Devices:
        """The devices that may hold the bricks of a leg, whatever their space."""
        if not self.terms.arbiter:
            return self.tagged
        pools = self.terms.pools(leg.positions[0])
        return [device for device in self.tagged if POOL_OF_ROLE[arbiter_role(device.tags)] in pools]

    def domains(self, devices: Devices) -> int:
        return len({self.terms.domain(device.node, device.zone) for device in devices})


def _too_few_nodes(case: _Case) -> str:
    nodes = {device.node for device in case.usable}
    needed = case.request.durability.set_size
    if len(nodes) >= needed:
        return ""
    text = f"{case.what} needs {_count(needed, 'node')} with room; this cluster has {len(case.view.nodes)}"
    if len(nodes) < len(case.view.nodes):
        text += f", of which {len(nodes)} can take bricks ({_idle(case.view, case.request.avoid)})"
    return text


def _too_few_zones(case: _Case) -> str:
    needed = case.request.durability.set_size
    if not case.terms.strict or case.domains(case.usable) >= needed:
        return ""
    return (
        f"{case.what} with strict zone checking needs {_count(needed, 'zone')}; "
        f"all devices are in {_zones(case.usable)}"
    )


def _too_few_tagged(case: _Case) -> str:
    needed = case.request.durability.set_size
    if case.domains(case.tagged) >= needed:
        return ""
    return (
        f"{len(case.tagged)} of {_count(len(case.usable), 'device')} match the tag rule "
        f"{case.terms.rule}{_where(case.tagged)}; {case.what} needs {_count(needed, case.kind)}"
    )


def _too_few_for_arbiter(case: _Case) -> str:
    for leg in case.legs:
        devices, needed = case.eligible(leg), len(leg.positions)
        if case.domains(devices) < needed:
            bricks = "an arbiter brick" if leg.type is BrickType.ARBITER else "data bricks beside an arbiter"
            return (
                f"{len(devices)} of {_count(len(case.tagged), 'device')} may hold {bricks} by the tag "
                f"arbiter{_where(devices)}; {_count(needed, case.kind)} needed"
            )
    return ""


def _too_little_room(case: _Case) -> str:
    for leg in case.legs:
        devices, needed = case.eligible(leg), len(leg.positions)
        roomy = [device for device in devices if fits(device.free_kib, leg.charges[device.extent_kib])]
        if case.domains(roomy) < needed:
            return (
                f"{len(roomy)} of {_count(len(devices), 'device')} have room for {amount(leg.least_kib)}"
                f"{_where(roomy)}; {_count(needed, case.kind)} needed, and {case.smallest}"
            )
    return ""


def _badly_spread(case: _Case) -> str:
    leg = case.legs[-1]
    devices = case.eligible(leg)
    places = [max(device.free_kib - 1, 0) // leg.charges[device.extent_kib].total_kib for device in devices]
    roomy = sum(1 for count in places if count)
    return (
        f"{_count(case.sets, 'set')} of {case.what} {'need' if case.sets > 1 else 'needs'} room for "
        f"{_count(case.sets * len(leg.positions), 'brick')} of {amount(leg.least_kib)} each, those of a set "
        f"on different {case.kind}s; {roomy} of {_count(len(devices), 'device')} have room for "
        f"{_count(sum(places), 'brick')}, and {case.smallest}"
    )


def _last_size(request: PlacementRequest, limits: Limits) -> tuple[tuple[int, int] | None, NoRoom]:
    """Return the last (sets, brick size) that is tried, if any is, and why there is no further one."""
    last: tuple[int, int] | None = None
    try:
        for size in tried_sizes(request, limits):
            last = size
    except NoRoom as end:
        return last, end
    raise AssertionError("trying sizes ends with its own reason")


def _untried(request: PlacementRequest, limits: Limits, end: NoRoom) -> str:
    """Say why no size may be tried at all."""
    what = described(request.durability)
    if end.reason != MAXIMUM_BRICKS:
        return (
            f"{request.size_gib} GiB of {what} have no brick size from {amount(limits.brick_min_kib)} "
            f"to {amount(limits.brick_max_kib)}"
        )
    sets, brick_kib = next(offered_sizes(request.size_kib, request.durability, limits))
    present = f", of which it has {request.existing_bricks}" if request.existing_bricks else ""
    return (
        f"{request.size_gib} GiB of {what} need {_count(sets * request.durability.set_size, 'brick')} of "
        f"{amount(brick_kib)}; a volume may have {limits.max_bricks}{present}"
    )


def _limit(limits: Limits, end: NoRoom) -> str:
    if end.reason == MAXIMUM_BRICKS:
        return f"a volume may have {_count(limits.max_bricks, 'brick')}"
    return f"bricks are at least {amount(limits.brick_min_kib)}"


def _idle(view: ClusterView, avoid: Collection[str] = ()) -> str:
    """Say what takes no new bricks, and why."""
    nodes = Counter(
        "does not answer" if node.id in view.down else "just failed" if node.id in avoid else f"is {node.state}"
        for node in view.nodes.values()
        if node.id in avoid or not view.takes_bricks(node.id)
    )
    devices = Counter(
        f"is {device.state}"
        for device in view.devices.values()
        if device.state is not State.ONLINE and view.takes_bricks(device.node)
    )
    owners = {device.node for device in view.devices.values()}
    bare = sum(1 for node in view.nodes if node not in owners)
    parts = [f"{_count(count, 'node')} {_plural(why, count)}" for why, count in sorted(nodes.items())]
    parts += [f"{_count(count, 'device')} {_plural(why, count)}" for why, count in sorted(devices.items())]
    if bare:
        parts.append(f"{_count(bare, 'node')} {_plural('has', bare)} no device")
    return ", ".join(parts)


def _where(devices: Devices) -> str:
    """Say how devices are spread, to follow a number of them."""
    if not devices:
        return ""
    nodes = len({device.node for device in devices})
    return f", {'all ' if len(devices) > 1 else ''}on {_count(nodes, 'node')} in {_zones(devices)}"


def _zones(devices: Devices) -> str:
    zones = sorted({device.zone for device in devices})
    if len(zones) == 1:
        return f"zone {zones[0]}"
    if len(zones) > SHOWN:
        return _count(len(zones), "zone")
    return f"zones {', '.join(map(str, zones[:-1]))} and {zones[-1]}"


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def _plural(verb: str, count: int) -> str:
    """Put a verb phrase into the plural if it speaks of several."""
    if count == 1:
        return verb
    for singular, plural in (("is ", "are "), ("does ", "do "), ("has", "have")):
        if verb.startswith(singular):
            return plural + verb.removeprefix(singular)
    return verb

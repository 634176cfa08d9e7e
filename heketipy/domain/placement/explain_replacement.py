"""Saying of each device why it cannot take the place of another one for a brick that is to move."""

from collections import Counter

from heketipy.domain.capacity import charge, fits
from heketipy.domain.errors import CannotAllocate
from heketipy.domain.model import Brick, BrickType, Device
from heketipy.domain.placement.explain import amount
from heketipy.domain.placement.replace import ReplacementRequest
from heketipy.domain.placement.request import Limits
from heketipy.domain.placement.terms import Terms
from heketipy.domain.placement.track import Domain
from heketipy.domain.placement.view import POOL_OF_ROLE, ClusterView
from heketipy.domain.states import State
from heketipy.domain.tags import arbiter_role, effective_tags

SHOWN = 16
"""So many devices are named; of more, only the reasons are counted."""


def explain_no_replacement(request: ReplacementRequest, view: ClusterView, limits: Limits) -> str:
    """Return a line for each device of the cluster but the brick's own, to follow heketi's text."""
    try:
        terms = Terms.of(
            request.durability, snapshot_factor=request.snapshot_factor, options=request.options, limits=limits
        )
    except CannotAllocate:
        return ""
    old = request.brick_set[request.index]
    holders = {
        terms.domain(brick.node, view.nodes[brick.node].zone): brick
        for brick in request.brick_set
        if brick is not old and brick.node in view.nodes
    }
    devices = sorted(view.devices.values(), key=lambda device: (device.node, device.id))
    reasons = [
        (device, _reason(request, view, terms, old, holders, device)) for device in devices if device.id != old.device
    ]
    if not reasons:
        return "The cluster has no other device."
    if len(reasons) > SHOWN:
        return "\n".join(f"{count} devices: {reason}" for reason, count in Counter(r for _, r in reasons).most_common())
    return "\n".join(
        f"Device {device.id} ({device.name} of {view.nodes[device.node].manage[0]}): {reason}"
        for device, reason in reasons
    )


def _reason(
    request: ReplacementRequest,
    view: ClusterView,
    terms: Terms,
    old: Brick,
    holders: dict[Domain, Brick],
    device: Device,
) -> str:
    node = view.nodes[device.node]
    tags = effective_tags(node.tags, device.tags)
    if device.node in view.down:
        return "its node does not answer"
    if node.state is not State.ONLINE:
        return f"its node is {node.state}"
    if device.state is not State.ONLINE:
        return f"is {device.state}"
    if device.node in request.avoid:
        return "its node has just failed"
    if terms.domain(node.id, node.zone) in holders:
        return f"its {'zone' if terms.strict else 'node'} holds another brick of the same set"
    if terms.rule is not None and not terms.rule.accepts(tags):
        return f"does not match the tag rule {terms.rule}"
    if terms.arbiter and POOL_OF_ROLE[arbiter_role(tags)] not in terms.pools(request.index):
        return f"takes no {'arbiter' if old.type is BrickType.ARBITER else 'data'} bricks, by its tag arbiter"
    needed = charge(old.size_kib, request.snapshot_factor, device.extent_kib)
    free_kib = view.free_kib(device.id)
    if not fits(free_kib, needed):
        return f"has {amount(free_kib)} free, and the brick needs more than {amount(needed.total_kib)}"
    return "would do now: something has changed meanwhile, please ask again"

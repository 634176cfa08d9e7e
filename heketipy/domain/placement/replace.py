"""Choosing another device for one brick of a set (placement §4.10)."""

from collections.abc import Sequence
from dataclasses import dataclass

from heketipy.domain.durability import Durability
from heketipy.domain.ids import IdSource
from heketipy.domain.model import Brick
from heketipy.domain.placement.refusals import NoReplacement
from heketipy.domain.placement.request import Limits, PlannedBrick
from heketipy.domain.placement.terms import Reservations, Terms
from heketipy.domain.placement.view import ClusterView


@dataclass(frozen=True, slots=True)
class ReplacementRequest:
    """A brick that is to move. `brick_set` is its whole set in gluster's order, `index` its place in it; the
    rest is its volume's.
    """

    brick_set: Sequence[Brick]
    index: int
    durability: Durability
    snapshot_factor: float = 1.0
    options: tuple[str, ...] = ()
    avoid: frozenset[str] = frozenset()


def place_replacement(request: ReplacementRequest, view: ClusterView, ids: IdSource, limits: Limits) -> PlannedBrick:
    """Choose a device for a brick that takes the place of an old one, with the same size and type.

    Another device of the old brick's node, or zone, will do; the nodes (zones when strict) of the set's other
    bricks will not. Raises NoReplacement, NoCandidates or InvalidTagRule, and IndexError where the set has no
    such brick.
    """
    if not 0 <= request.index < len(request.brick_set):
        raise IndexError(f"brick replace index out of bounds (got {request.index}, set size {len(request.brick_set)})")
    terms = Terms.of(
        request.durability, snapshot_factor=request.snapshot_factor, options=request.options, limits=limits
    )
    view.check_candidates()
    old = request.brick_set[request.index]
    used = {
        terms.domain(brick.node, view.nodes[brick.node].zone)
        for brick in request.brick_set
        if brick is not old and brick.node in view.nodes
    }
    set_id = ids()
    leg = terms.leg(view, (request.index,), old.size_kib, old.type)
    reservations = Reservations(avoid_nodes=request.avoid, avoid_devices=(old.device,))
    found = leg.choose(set_id, used=used, reservations=reservations)
    if not found:
        raise NoReplacement
    (device,) = found
    return PlannedBrick.on(
        device.id,
        node=device.node,
        id=ids() if terms.arbiter else set_id,
        position=old.position,
        size_kib=old.size_kib,
        charge=leg.charges[device.extent_kib],
        type=old.type,
    )

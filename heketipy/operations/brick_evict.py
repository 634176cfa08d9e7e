"""Evict a brick: it gets a replacement on another device, which gluster heals from the others of its set.

Gluster alone knows which bricks make up a set, and whether the others can do without this one: the new place is chosen
when it was asked. From replace-brick on there is no way back. The node of the old brick need not answer: others are
asked, and its brick is owed.
"""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any, TypeVar

from heketipy.db.database import Tx
from heketipy.domain.errors import CannotBegin, CommandFailed, Conflict, NodeFailure, NotFound
from heketipy.domain.model import Brick, NodeAddress
from heketipy.domain.placement import NoReplacement, peers_required
from heketipy.domain.plans import EvictBrick
from heketipy.domain.states import HealCheck
from heketipy.executors.nodes import GlusterVolume, HealBrick
from heketipy.operations import bricks, gluster_volume
from heketipy.operations.context import Context, decode, encode
from heketipy.operations.hosts import first_answer
from heketipy.operations.kind import Kind, Outcome
from heketipy.operations.reservation import Reservations
from heketipy.operations.saga import Step

NAME = "evict-brick"

T = TypeVar("T")


def reserve(tx: Tx, brick_id: str, *, operation: str, heal_check: HealCheck, parent: str = "") -> EvictBrick:
    """Claim a brick that is to move.

    Raises NotFound, and CannotBegin with heketi's texts if the brick or another one of its volume is being worked on.
    """
    brick = tx.bricks.get(brick_id)
    if brick.pending:
        raise CannotBegin(f"Can not evict brick {brick_id}: brick is pending")
    volume = tx.volumes.get(brick.volume)
    if any(other.pending for other in tx.bricks.of_volume(volume.id)):
        raise CannotBegin(f"Can not evict brick {brick_id} from volume {volume.id}: volume has pending bricks")
    tx.bricks.set_pending([brick_id], operation)
    nodes = tuple(node.address for node in tx.nodes.of_cluster(volume.cluster))
    return EvictBrick(volume=volume, brick=brick, nodes=nodes, heal_check=heal_check, parent=parent)


@dataclass(frozen=True, slots=True)
class Eviction:
    """The work on the nodes. gluster is asked on any node, the old brick's last, and runs on the new brick's."""

    plan: EvictBrick
    context: Context

    def steps(self) -> Sequence[Step]:
        """The steps, in order."""
        return [
            Step("choose", self.choose),
            Step("brick", self.create_brick, undo=self.destroy_new),
            Step("replace", self.replace, pivot=self.replaced),
            Step("old", self.destroy_old),
        ]

    async def choose(self) -> None:
        """Ask gluster for the brick's set, and whether it can do without the brick; then choose another place."""
        if _chosen(self.context):
            return
        try:
            names, index = await self._look()
        except NodeFailure as error:
            error.retryable = False  # all nodes were asked; another place for the brick would change nothing
            raise
        brick_set = self._known(await self.context.db.read(self._bricks), names)
        try:
            self.context.journal.update(await self.context.db.write(self._reserve, brick_set, index))
        except NoReplacement as refusal:
            reasons = await self.context.db.read(self._why_not, brick_set, index)
            raise NoReplacement(reasons) from refusal

    async def _look(self) -> tuple[Sequence[str], int]:
        """Return the brick's set as gluster has it, and the brick's place in it, where the set can do without it."""
        via, found = await first_answer(self._candidates(), self._ask, total=len(self.plan.nodes))
        if found is None:
            raise NotFound(f"Unable to get info for {self.plan.volume.name}: Volume does not exist")
        names, index = self._set_of(found)
        if self.plan.heal_check is HealCheck.ENABLE:
            await self._check_heal(via, found, names, index)
        return names, index

    def _candidates(self) -> list[NodeAddress]:
        own = self.plan.brick.node
        return self.context.candidates(sorted(self.plan.nodes, key=lambda node: (node.id == own, node.id)))

    async def _ask(self, node: NodeAddress) -> tuple[NodeAddress, GlusterVolume | None]:
        return node, await self.context.nodes.volume(node, self.plan.volume.name)

    def _set_of(self, found: GlusterVolume) -> tuple[Sequence[str], int]:
        size = self.plan.volume.durability.set_size
        for at, name in enumerate(found.bricks):
            if gluster_volume.path_of(name) == self.plan.brick.path:
                start = at - at % size
                return found.bricks[start : start + size], at - start
        raise NotFound(f"Brick {self.plan.brick.id} is not part of the gluster volume {found.name}")

    def _bricks(self, tx: Tx) -> list[Brick]:
        return tx.bricks.of_volume(self.plan.volume.id)

    @staticmethod
    def _known(known: Sequence[Brick], names: Sequence[str]) -> list[Brick]:
        by_path = {brick.path: brick for brick in known}
        unknown = [name for name in names if gluster_volume.path_of(name) not in by_path]
        if unknown:
            raise NotFound(f"The books do not know gluster's brick {unknown[0]}, which is of the same set")
        return [by_path[gluster_volume.path_of(name)] for name in names]

    async def _check_heal(self, via: NodeAddress, found: GlusterVolume, names: Sequence[str], index: int) -> None:
        """Raise Conflict with heketi's texts where the set cannot do without the brick now (commands §2.6.7)."""
        others = [name for name in names if name != names[index]]
        reported = await self.context.nodes.heal_info(via, found.name) if others else []
        _refuse_unhealed(self.plan, found, names[index], reported)
        online = sum(1 for brick in reported if brick.name in others and brick.connected)
        required = peers_required(self.plan.volume.durability)
        if online < required:
            raise Conflict(
                f"Cannot replace brick {self.plan.brick.id} as only {online} of {required} required peer bricks are"
                " online"
            )

    def _reserve(self, tx: Tx, brick_set: Sequence[Brick], index: int) -> dict[str, Any]:
        operation = self.context.operation.id
        new = self.context.reservations.replace(
            tx, self.plan.volume, brick_set, index, operation=operation, avoid=frozenset(self.plan.excluded)
        )
        journal = {
            **self.context.journal,
            "replacement": encode(new),
            "node": encode(tx.nodes.get(new.node).address),
        }
        tx.operations.set_journal(operation, journal)
        return journal

    def _why_not(self, tx: Tx, brick_set: Sequence[Brick], index: int) -> str:
        return self.context.reservations.why_no_replacement(
            tx, self.plan.volume, brick_set, index, avoid=frozenset(self.plan.excluded)
        )

    @property
    def new(self) -> Brick:
        """The replacement, once it is chosen."""
        return _replacement(self.context)

    @property
    def nodes(self) -> dict[str, NodeAddress]:
        """All nodes of the cluster, by id; the replacement may be on one that came later."""
        nodes = {node.id: node for node in self.plan.nodes}
        if "node" in self.context.journal:
            node = decode(NodeAddress, self.context.journal["node"])
            nodes[node.id] = node
        return nodes

    async def create_brick(self) -> None:
        """Make the replacement, with the volume's group."""
        await bricks.create(self.context, [self.new], self.nodes, gid=self.plan.volume.gid)

    async def destroy_new(self) -> None:
        """Take the replacement back."""
        if _chosen(self.context):
            await bricks.destroy(self.context, [self.new], self.nodes)

    async def replace(self) -> None:
        """Let gluster use the replacement."""
        (old,), (new,) = (bricks.locations([brick], self.nodes) for brick in (self.plan.brick, self.new))
        try:
            await self._on_new_node(
                lambda node: self.context.nodes.replace_brick(
                    node, self.plan.volume.name, old, new, fence=self.context.fence
                )
            )
        except CommandFailed as error:
            # Another place would do better only if it is the replacement's node that gluster cannot use.
            culprit = gluster_volume.culprit(error, self.nodes.values())
            error.retryable = culprit == self.new.node != error.node
            error.node = culprit
            raise

    async def replaced(self) -> bool:
        """Ask whether gluster uses the replacement."""
        found = await self._on_new_node(
            lambda node: self.context.nodes.volume(node, self.plan.volume.name, fence=self.context.fence)
        )
        return bool(gluster_volume.present(found, [self.new]))

    async def _on_new_node(self, act: Callable[[NodeAddress], Awaitable[T]]) -> T:
        return await self.context.ask_where_it_ran(self.nodes[self.new.node], self.plan.nodes, act)

    async def destroy_old(self) -> None:
        """Destroy what the replacement stands for."""
        await bricks.destroy(self.context, [self.plan.brick], self.nodes)


def _refuse_unhealed(plan: EvictBrick, found: GlusterVolume, name: str, reported: Sequence[HealBrick]) -> None:
    """Raise Conflict if the others are to be healed from the brick, or if that cannot be told."""
    if any(brick.name not in found.bricks for brick in reported):
        raise Conflict("Unable to determine heal status of brick")
    if any(brick.name == name and brick.pending for brick in reported):
        raise Conflict(f"Cannot replace brick {plan.brick.id} as it is source brick for data to be healed")


def _chosen(context: Context) -> bool:
    return "replacement" in context.journal


def _replacement(context: Context) -> Brick:
    return decode(Brick, context.journal["replacement"])


def publish(tx: Tx, plan: EvictBrick, context: Context) -> Outcome:
    """Let the replacement take the old brick's place in the books too."""
    new = _replacement(context)
    tx.bricks.remove([new.id])
    bricks.release(tx, context, [plan.brick])
    tx.bricks.add([replace(new, position=plan.brick.position, pending="")])
    return Outcome()


def release(tx: Tx, plan: EvictBrick, context: Context) -> None:
    """Strike the replacement from the books, if one was chosen. The old brick stays where it is."""
    if _chosen(context):
        bricks.release(tx, context, [_replacement(context)])
    tx.bricks.set_pending([plan.brick.id], "")


def again(reservations: Reservations, tx: Tx, plan: EvictBrick, operation: str, avoid: frozenset[str]) -> EvictBrick:
    """Claim the brick anew after a failure, for a place on another node than those that failed."""
    tx.bricks.set_pending([plan.brick.id], operation)
    return replace(plan, excluded=tuple(sorted(avoid | frozenset(plan.excluded))))


def _steps(plan: EvictBrick, context: Context) -> Sequence[Step]:
    return Eviction(plan, context).steps()


KIND = Kind(name=NAME, plan=EvictBrick, steps=_steps, publish=publish, release=release, again=again)

"""Clone a volume: a snapshot of it, a volume made of the snapshot, and the snapshot gone again.

The copy lives in the thin pools of what it was copied from, and takes no space of its own in the books. Its paths and
logical volumes are named by gluster. Nothing but its uuid proves a volume of the wanted name to be ours; where the
answer that tells it was lost, that there was none of that name before, and that this one's bricks are a clone's.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, TypeVar

from heketipy.db.database import Tx
from heketipy.domain.errors import CannotBegin, CommandFailed, InUse, NodeUnreachable, NotFound
from heketipy.domain.ids import IdSource
from heketipy.domain.model import Brick, NodeAddress
from heketipy.domain.names import default_volume_name
from heketipy.domain.plans import CloneVolume, by_node
from heketipy.executors.nodes import GlusterVolume
from heketipy.operations import bricks, gluster_volume
from heketipy.operations.context import Context
from heketipy.operations.hosts import first_answer
from heketipy.operations.kind import Kind, Outcome
from heketipy.operations.presence import Silence, meanwhile, silent
from heketipy.operations.saga import Step

NAME = "clone-volume"

T = TypeVar("T")


def reserve(tx: Tx, volume_id: str, name: str, *, operation: str, ids: IdSource) -> CloneVolume:
    """Enter the copy, hidden, and claim the bricks of what is copied, which stays visible.

    Raises NotFound for a volume that is not there (yet, or any more), CannotBegin, and InUse if a brick of it is being
    worked on.
    """
    source = tx.volumes.get(volume_id)
    if source.pending:
        raise NotFound
    if source.block:
        raise CannotBegin("Cloning of block hosting volumes is not supported")
    origins = tuple(tx.bricks.of_volume(volume_id))
    if any(brick.pending for brick in origins):
        raise InUse
    clone_id = ids()
    name = name or default_volume_name(clone_id)
    if tx.volumes.name_in_use(source.cluster, name):
        raise CannotBegin(f"Volume name '{name}' already in use")
    clone = replace(source, id=clone_id, name=name, pending=operation)
    copies = tuple(
        replace(origin, id=ids(), volume=clone_id, path="", thin_pool=origin.pool, lv="", pending=operation)
        for origin in origins
    )
    tx.volumes.add(clone)
    tx.bricks.add(copies)
    tx.bricks.set_pending([brick.id for brick in origins], operation)
    nodes = tuple(node.address for node in tx.nodes.of_cluster(source.cluster))
    return CloneVolume(
        source=source, origins=origins, clone=clone, bricks=copies, nodes=nodes, snapshot=f"tmpsnap_{ids()}"
    )


@dataclass(frozen=True, slots=True)
class Cloning:
    """The work on the nodes. The first node that answers runs gluster."""

    plan: CloneVolume
    context: Context

    def steps(self) -> Sequence[Step]:
        """The steps, in order."""
        return [
            Step("look", self.look),
            Step("snapshot", self.take_snapshot, undo=self.drop_snapshot),
            Step("clone", self.clone, undo=self.destroy),
            Step("bricks", self.find_bricks),
            Step("start", self.start),
            Step("drop", self.drop_snapshot),
        ]

    @property
    def nodes(self) -> dict[str, NodeAddress]:
        """All nodes of the cluster, by id."""
        return {node.id: node for node in self.plan.nodes}

    async def look(self) -> None:
        """Make sure that the volume is as the books have it, that the copy's name is free, and that all nodes of bricks
        are there: what gluster has made without them, it does not delete again without them."""
        candidates = self.context.candidates(self.plan.nodes)
        holders = {brick.node for brick in self.plan.origins}
        asking = silent(self.context.nodes, [node for node in self.plan.nodes if node.id in holders])
        async with meanwhile(asking) as others:
            via, source, clone = await first_answer(candidates, self._ask, total=len(self.plan.nodes))
            if source is None:
                text = f"Unable to get info for {self.plan.source.name}: Volume does not exist"
                raise CommandFailed(text, node=via.id)
            order = _in_order(source, self.plan)
            if clone is not None:
                raise CommandFailed(
                    f"Failed to clone snapshot {self.plan.snapshot} to volume {clone.name}: Volume with"
                    f" name:{clone.name} already exists",
                    node=via.id,
                )
            if silences := await others:
                raise CommandFailed(_bricks_down(source, silences), node=silences[0].node.id)
        await self.context.note(via=via.id, order=order)

    async def _ask(self, node: NodeAddress) -> tuple[NodeAddress, GlusterVolume | None, GlusterVolume | None]:
        source, clone = await asyncio.gather(
            self.context.nodes.volume(node, self.plan.source.name),
            self.context.nodes.volume(node, self.plan.clone.name),
        )
        return node, source, clone

    async def _on_via(self, act: Callable[[NodeAddress], Awaitable[T]]) -> T:
        return await self.context.ask_where_it_ran(self.nodes[self.context.journal["via"]], self.plan.nodes, act)

    async def take_snapshot(self) -> None:
        """Take the snapshot."""
        await self._on_via(
            lambda node: self.context.nodes.take_snapshot(
                node, self.plan.source.name, self.plan.snapshot, fence=self.context.fence
            )
        )

    async def drop_snapshot(self) -> None:
        """Delete the snapshot, if there is one."""
        if "via" in self.context.journal:
            await self._on_via(
                lambda node: self.context.nodes.drop_snapshot(
                    node, self.plan.source.name, self.plan.snapshot, fence=self.context.fence
                )
            )

    async def clone(self) -> None:
        """Make the copy in gluster."""
        if self.context.finishing and (made := await self._find()) is not None:
            await self.context.note(uuid=made.id)
            return
        try:
            uuid = await self._on_via(
                lambda node: self.context.nodes.clone_snapshot(
                    node, self.plan.source.name, self.plan.clone.name, self.plan.snapshot, fence=self.context.fence
                )
            )
        except CommandFailed:
            found = await self._find()
            if found is None:
                raise
            uuid = found.id
        await self.context.note(uuid=uuid)

    async def _find(self) -> GlusterVolume | None:
        """Return the copy as gluster knows it; None if there is none, or if the one of its name is somebody's."""
        found = await self._on_via(
            lambda node: self.context.nodes.volume(node, self.plan.clone.name, fence=self.context.fence)
        )
        if found is None:
            return None
        if uuid := self.context.journal.get("uuid"):
            return found if found.id == uuid else None
        folder = f"/snaps/{found.id.replace('-', '')}/"
        is_clone = len(found.bricks) == len(self.plan.bricks) and all(folder in brick for brick in found.bricks)
        return found if is_clone else None

    async def find_bricks(self) -> None:
        """Find out where gluster has put the copy's bricks: paths it tells, logical volumes only their nodes know."""
        found = await self._find()
        if found is None:
            raise CommandFailed(
                f"Unable to get info for {self.plan.clone.name}: Volume does not exist",
                node=self.context.journal["via"],
            )
        await self._note_paths(found)
        placed = self._placed()
        for node, group in by_node(placed).items():
            try:
                volumes = await self.context.nodes.clone_volumes(
                    self.nodes[node], bricks.specs(group, gid=0), fence=self.context.fence
                )
            except NodeUnreachable:
                if not self.context.finishing:
                    raise
                continue  # they are looked up again when the copy is deleted
            for brick in group:
                if brick.id not in volumes:
                    text = f"Failed to find the logical volume of brick {brick.path} of {self.plan.clone.name}"
                    raise CommandFailed(text, node=node)
                self.context.journal["places"][brick.id]["lv"] = volumes[brick.id]
        await self.context.note()

    async def _note_paths(self, found: GlusterVolume) -> None:
        """Write down the copy's paths: when gluster has forgotten it, only they lead to what is left of it."""
        order = self.context.journal["order"]
        if len(order) != len(found.bricks):
            raise CommandFailed(
                f"Unexpected number of brick paths. {len(set(found.bricks))} unique paths, {len(order)} bricks",
                node=self.context.journal["via"],
            )
        known = self.context.journal.get("places", {})
        places = {
            brick: {**known.get(brick, {}), "path": gluster_volume.path_of(name)}
            for brick, name in zip(order, found.bricks, strict=True)
        }
        await self.context.note(uuid=found.id, places=places)

    def _placed(self) -> list[Brick]:
        return placed(self.plan, self.context.journal)

    async def start(self) -> None:
        """Start the copy, and mark it with its own id. In this order: until it has started, glusterd 10 sets nothing on
        a copy that heals itself."""
        await self._on_via(self._start)

    async def _start(self, node: NodeAddress) -> None:
        name, fence = self.plan.clone.name, self.context.fence
        await self.context.nodes.start_clone(node, name, self.plan.snapshot, fence=fence)
        await self.context.nodes.set_options(node, name, [("user.heketi.id", self.plan.clone.id)], fence=fence)

    async def destroy(self) -> None:
        """Take the copy back: out of gluster, which leaves its mounts and volumes, and then those."""
        if "via" not in self.context.journal:
            return
        found = await self._find()
        if found is not None:
            if "places" not in self.context.journal:
                await self._note_paths(found)
            await self._on_via(
                lambda node: gluster_volume.delete_made(self.context, node, self.plan.clone.name, self.plan.bricks)
            )
        if "places" in self.context.journal:
            await bricks.destroy(self.context, self._placed(), self.nodes)


def _bricks_down(source: GlusterVolume, silences: Sequence[Silence]) -> str:
    text = f"Failed to create snapshot of volume {source.name}: One or more bricks of volume {source.name} are down."
    return "\n".join([text, *map(str, silences)])


def _in_order(source: GlusterVolume, plan: CloneVolume) -> list[str]:
    """Return the ids of the copy's bricks in gluster's order of what they are copied from. Raises CommandFailed."""
    copies = {origin.path: copy.id for origin, copy in zip(plan.origins, plan.bricks, strict=True)}
    paths = [gluster_volume.path_of(name) for name in source.bricks]
    for path in paths:
        if path not in copies:
            raise CommandFailed(f"Failed to find brick path {path} in known brick paths", node="", retryable=False)
    if len(set(paths)) != len(copies):
        text = f"Unexpected number of brick paths. {len(set(paths))} unique paths, {len(copies)} bricks"
        raise CommandFailed(text, node="", retryable=False)
    return [copies[path] for path in paths]


def placed(plan: CloneVolume, journal: Mapping[str, Any]) -> list[Brick]:
    """Return the copy's bricks as gluster has made them, in the books' order."""
    places = journal["places"]
    return [replace(brick, path=places[brick.id]["path"], lv=places[brick.id].get("lv", "")) for brick in plan.bricks]


def publish(tx: Tx, plan: CloneVolume, context: Context) -> Outcome:
    """Show the copy."""
    tx.bricks.remove([brick.id for brick in plan.bricks])
    tx.bricks.add([replace(brick, pending="") for brick in placed(plan, context.journal)])
    tx.volumes.set_pending(plan.clone.id, "")
    tx.bricks.set_pending([brick.id for brick in plan.origins], "")
    return Outcome(result=f"/volumes/{plan.clone.id}")


def release(tx: Tx, plan: CloneVolume, context: Context) -> None:
    """Strike the copy from the books. It never took any space of its own."""
    bricks.release(tx, context, plan.bricks)
    tx.volumes.remove(plan.clone.id)
    tx.bricks.set_pending([brick.id for brick in plan.origins], "")


def _steps(plan: CloneVolume, context: Context) -> Sequence[Step]:
    return Cloning(plan, context).steps()


KIND = Kind(name=NAME, plan=CloneVolume, steps=_steps, publish=publish, release=release)

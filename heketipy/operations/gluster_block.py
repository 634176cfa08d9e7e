"""A block volume as operations see it: where it is asked for, and whether it is ours."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import TypeVar

from heketipy.domain.model import NodeAddress
from heketipy.domain.plans import DeleteBlockVolume, ExpandBlockVolume
from heketipy.executors.block import proves
from heketipy.executors.nodes import BlockVolumeReading
from heketipy.operations.context import Context
from heketipy.operations.hosts import first_answer

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Subject:
    """The block volume of a plan. Once a node has answered about it, all goes through that node, which is noted."""

    plan: DeleteBlockVolume | ExpandBlockVolume
    context: Context

    async def look(self) -> BlockVolumeReading | None:
        """Find a node that answers, and return what gluster-block knows under the name there; None if nothing."""
        start = int(self.plan.id[:8], 16)
        candidates = self.context.candidates(self.plan.nodes, start=start)
        via, reading = await first_answer(candidates, self._ask, total=len(self.plan.nodes))
        await self.context.note(via=via.id)
        return reading

    async def read(self) -> BlockVolumeReading | None:
        """Ask again, where all of it runs."""
        return await self.on_via(self._read)

    def is_ours(self, reading: BlockVolumeReading) -> bool:
        """Tell whether it is the one in our books. Old books may not say what would prove it otherwise."""
        return not proves(self.plan.iqn) or reading.iqn == self.plan.iqn

    async def on_via(self, act: Callable[[NodeAddress], Awaitable[T]]) -> T:
        """Do something on the node that has answered."""
        via = next(node for node in self.plan.nodes if node.id == self.context.journal["via"])
        return await self.context.ask_where_it_ran(via, self.plan.nodes, act)

    async def _ask(self, node: NodeAddress) -> tuple[NodeAddress, BlockVolumeReading | None]:
        return node, await self._read(node)

    async def _read(self, node: NodeAddress) -> BlockVolumeReading | None:
        """Return the block volume: by the list of names first, whose answer cannot be taken for a failure."""
        plan, nodes, fence = self.plan, self.context.nodes, self.context.fence
        if plan.name not in await nodes.block_volumes(node, plan.hosting_name, fence=fence):
            return None
        return await nodes.block_volume(node, plan.hosting_name, plan.name, fence=fence)

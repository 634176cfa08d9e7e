"""Create a block volume: on a hosting volume that has room, or on one that is made for it in the same operation."""

from collections.abc import Sequence
from dataclasses import dataclass

from heketipy.db.database import Tx
from heketipy.domain import blockhosting
from heketipy.domain.durability import Durability, DurabilityType
from heketipy.domain.errors import Busy, CannotAllocate, CommandFailed, InvalidRequest, NodeFailure
from heketipy.domain.model import BlockVolume, BlockVolumeSpec, NodeAddress, VolumeSpec
from heketipy.domain.names import default_block_volume_name
from heketipy.domain.operation import Status
from heketipy.domain.plans import CreateBlockVolume, CreateVolume
from heketipy.domain.states import State
from heketipy.executors.nodes import BlockVolumeLayout, NameTaken
from heketipy.operations import volume_create
from heketipy.operations.context import Context
from heketipy.operations.hosts import first_answer
from heketipy.operations.kind import Kind, Outcome
from heketipy.operations.reservation import Reservations, addresses, known_clusters
from heketipy.operations.saga import Step

NAME = "create-block-volume"

HOSTING_DURABILITY = Durability(DurabilityType.REPLICATE, replica=3)
TOO_FEW_HOSTS = "insufficient block hosts online"


def reserve(
    tx: Tx, spec: BlockVolumeSpec, reservations: Reservations, *, block_volume: str, operation: str
) -> CreateBlockVolume:
    """Choose a hosting volume, or reserve one, and take the block volume's size of it.

    Raises InvalidRequest, CannotAllocate, and Busy while another hosting volume comes or goes.
    """
    name = spec.name or default_block_volume_name(block_volume)
    clusters = reservations.eligible(tx, known_clusters(tx, spec.clusters), block=True, limited=False)
    hosting = [volume for volume in tx.volumes.hosting() if volume.cluster in clusters and not volume.pending]
    holding = tx.block_volumes.holding(name)
    chosen = blockhosting.choose(hosting, size_gib=spec.size_gib, holding_the_name=holding, block_volume=block_volume)
    made: CreateVolume | None = None
    if chosen is None:
        explanation = blockhosting.explanation(hosting, size_gib=spec.size_gib, holding_the_name=holding)
        made = _reserve_hosting(tx, spec, reservations, clusters, operation=operation, explanation=explanation)
        chosen = made.volume
    tx.volumes.set_block_info(chosen.id, blockhosting.booked(chosen, spec.size_gib))
    wanted = BlockVolume(
        id=block_volume,
        name=name,
        cluster=chosen.cluster,
        hosting_volume=chosen.id,
        size_gib=spec.size_gib,
        ha_count=spec.ha_count,
        auth=spec.auth,
        requested_clusters=spec.clusters,
        pending=operation,
    )
    tx.block_volumes.add(wanted)
    nodes = addresses(tx, chosen.cluster)
    return CreateBlockVolume(
        block_volume=wanted,
        hosting_name=chosen.name,
        made=made,
        nodes=nodes,
        online=tuple(node.id for node in tx.nodes.of_cluster(chosen.cluster) if node.state is State.ONLINE),
        ha_nodes=blockhosting.shuffled(nodes, block_volume),
        ha_count=spec.ha_count if spec.ha_count <= len(nodes) else 0,
    )


def _reserve_hosting(
    tx: Tx,
    spec: BlockVolumeSpec,
    reservations: Reservations,
    clusters: Sequence[str],
    *,
    operation: str,
    explanation: str,
) -> CreateVolume:
    """Reserve a hosting volume of the configured size. The order of the refusals is heketi's (placement §7.2)."""
    policy = reservations.policy
    clusters = reservations.eligible(tx, clusters, block=True)
    blockhosting.check_made_to_order(hosting_gib=policy.hosting_volume_gib, size_gib=spec.size_gib)
    if _another_comes_or_goes(tx):
        raise Busy
    if not policy.make_hosting_volumes:
        raise CannotAllocate(f"{blockhosting.AUTO_CREATION_OFF}\n{explanation}".rstrip())
    asked = hosting_spec(policy.hosting_volume_gib, clusters)
    try:
        return reservations.create(tx, asked, volume=reservations.ids(), operation=operation)
    except InvalidRequest as error:
        raise CannotAllocate(str(error)) from error


def hosting_spec(gib: int, clusters: Sequence[str]) -> VolumeSpec:
    """Return the request for a hosting volume that is made for a block volume."""
    return VolumeSpec(size_gib=gib, durability=HOSTING_DURABILITY, clusters=tuple(clusters), block=True)


def _another_comes_or_goes(tx: Tx) -> bool:
    """Tell whether a hosting volume is being created or deleted; one whose operation is stuck does not count."""
    pending = {volume.pending for volume in tx.volumes.hosting() if volume.pending}
    operations = (tx.operations.find(operation) for operation in sorted(pending))
    return any(operation is not None and operation.status is Status.NEW for operation in operations)


@dataclass(frozen=True, slots=True)
class BlockCreation:
    """The work on the nodes. gluster-block runs on the first node that answers."""

    plan: CreateBlockVolume
    context: Context

    def steps(self) -> Sequence[Step]:
        """The steps, in order: those of the hosting volume come first, if one is made."""
        hosting = volume_create.Creation(self.plan.made, self.context).steps() if self.plan.made else ()
        return [
            *hosting,
            Step("hosts", self.find_hosts),
            Step("block volume", self.create, undo=self.destroy),
        ]

    async def find_hosts(self) -> None:
        """Find out who runs gluster-block and who exports the block volume, and that nobody's has its name yet: only
        then what is there later can be taken back."""
        plan = self.plan
        online = [node for node in plan.nodes if node.id in plan.online]
        via = await first_answer(self.context.candidates(online), self._ask, total=len(plan.nodes))
        await self.context.note(via=via.id, absent=True, hosts=await self._hosts())

    async def _ask(self, node: NodeAddress) -> NodeAddress:
        if self.plan.made is not None:
            await self.context.nodes.check(node)
            return node
        name, hosting = self.plan.block_volume.name, self.plan.hosting_name
        if name in await self.context.nodes.block_volumes(node, hosting, fence=self.context.fence):
            text = f"Failed to create block volume: there is a block volume {hosting}/{name} that was not made here"
            raise CommandFailed(text, node=node.id)
        return node

    async def _hosts(self) -> list[str]:
        """Return the storage names of the hosts: all, or as many that answer as are wanted."""
        plan = self.plan
        if not plan.ha_count:
            return [node.storage for node in plan.ha_nodes]
        hosts: list[str] = []
        for node in sorted(plan.ha_nodes, key=lambda node: node.id in self.context.down):
            try:
                await self.context.nodes.check(node)
            except NodeFailure:
                continue
            hosts.append(node.storage)
            if len(hosts) == plan.ha_count:
                return hosts
        raise NodeFailure(TOO_FEW_HOSTS, node=plan.nodes[0].id)

    async def create(self) -> None:
        """Make the block volume. How it is reached goes straight into its row: a journal is no place for passwords."""
        wanted = self.plan.block_volume
        layout = BlockVolumeLayout(
            hosting_volume=self.plan.hosting_name,
            name=wanted.name,
            hosts=tuple(self.context.journal["hosts"]),
            size_gib=wanted.size_gib,
            auth=wanted.auth,
        )
        try:
            target = await self.context.nodes.create_block_volume(self._via, layout, fence=self.context.fence)
        except NameTaken:
            await self.context.note(absent=False)
            raise
        await self.context.db.write(lambda tx: tx.block_volumes.set_target(wanted.id, target))

    async def destroy(self) -> None:
        """Take the block volume back, if there was none of its name before."""
        if self.context.journal.get("absent"):
            await self.context.ask_where_it_ran(self._via, self.plan.nodes, self._destroy)

    async def _destroy(self, node: NodeAddress) -> None:
        name, hosting = self.plan.block_volume.name, self.plan.hosting_name
        await self.context.nodes.delete_block_volume(node, hosting, name, fence=self.context.fence)

    @property
    def _via(self) -> NodeAddress:
        return next(node for node in self.plan.nodes if node.id == self.context.journal["via"])


def publish(tx: Tx, plan: CreateBlockVolume, context: Context) -> Outcome:
    """Show the block volume, and the hosting volume that was made for it."""
    if plan.made is not None:
        volume_create.publish(tx, plan.made, context)
    made = plan.block_volume
    tx.block_volumes.set_size(made.id, made.size_gib, usable_gib=made.size_gib)
    tx.block_volumes.set_pending(made.id, "")
    return Outcome(result=f"/blockvolumes/{made.id}")


def release(tx: Tx, plan: CreateBlockVolume, context: Context) -> None:
    """Strike the block volume from the books, and give back what it took; or strike its hosting volume, too."""
    wanted = plan.block_volume
    tx.block_volumes.remove(wanted.id)
    if plan.made is not None:
        volume_create.release(tx, plan.made, context)
    else:
        hosting = tx.volumes.get(wanted.hosting_volume)
        tx.volumes.set_block_info(hosting.id, blockhosting.given_back(hosting, wanted.size_gib))


def _steps(plan: CreateBlockVolume, context: Context) -> Sequence[Step]:
    return BlockCreation(plan, context).steps()


KIND = Kind(name=NAME, plan=CreateBlockVolume, steps=_steps, publish=publish, release=release)

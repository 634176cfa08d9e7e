"""Reserving room in the books for new bricks: choose a cluster and devices, take the space, enter volume and bricks.

Everything here runs inside the write transaction of its caller.
"""

import sys
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace

from heketipy.db.database import Tx
from heketipy.domain.capacity import block_reserve
from heketipy.domain.errors import InvalidRequest, NotFound
from heketipy.domain.ids import IdSource
from heketipy.domain.model import BlockInfo, Brick, Node, NodeAddress, Volume, VolumeSpec
from heketipy.domain.names import default_volume_name
from heketipy.domain.options import effective_options
from heketipy.domain.placement import (
    ClusterFacts,
    ClusterView,
    Limits,
    PlacementRequest,
    Plan,
    ReplacementRequest,
    eligible,
    explain_no_replacement,
    first_that_fits,
    minimum_volume_kib,
    place,
    place_replacement,
)
from heketipy.domain.plans import CreateVolume, ExpandVolume
from heketipy.domain.units import KIB_PER_GIB

OTHER_NODES = 8
"""How many nodes of a large cluster a plan knows beside those of its bricks."""


@dataclass(frozen=True, slots=True)
class VolumePolicy:
    """The server's settings that decide what volumes may be made, and how."""

    limits: Limits = field(default_factory=Limits)
    pre_options: str = ""
    post_options: str = ""
    block_options: str = "group gluster-block"
    volumes_per_cluster: int = 1000
    make_hosting_volumes: bool = False
    """Whether a block volume that finds no hosting volume gets a new one, of `hosting_volume_gib`."""
    hosting_volume_gib: int = 1024


@dataclass(frozen=True, slots=True)
class Reservations:
    """Reserves room. `down` are the nodes known not to answer: they get no bricks."""

    policy: VolumePolicy
    ids: IdSource
    down: Callable[[], frozenset[str]]

    def clusters_for(self, tx: Tx, spec: VolumeSpec) -> list[str]:
        """Return the clusters that a request may use, in the order in which they are tried.

        Raises InvalidRequest: there is none, one that was asked for does not exist, or the volume is too small.
        """
        clusters = known_clusters(tx, spec.clusters)
        minimum_kib = minimum_volume_kib(spec.durability, self.policy.limits)
        if spec.size_gib * KIB_PER_GIB < minimum_kib:
            raise InvalidRequest(
                f"Requested volume size ({spec.size_gib} GB) is smaller than the minimum supported volume size"
                f" ({minimum_kib})"
            )
        return clusters

    def eligible(
        self, tx: Tx, clusters: Iterable[str], *, name: str = "", block: bool, limited: bool = True
    ) -> list[str]:
        """Return those clusters that may host a volume: by their flags, by the volume's name if it has one, and by the
        number of their volumes unless that is not limited. Raises CannotAllocate if none may."""
        return eligible(
            [_facts(tx, cluster, name) for cluster in clusters],
            name=name,
            block=block,
            limit=self.policy.volumes_per_cluster if limited else sys.maxsize,
        )

    def create(
        self, tx: Tx, spec: VolumeSpec, *, volume: str, operation: str, avoid: frozenset[str] = frozenset()
    ) -> CreateVolume:
        """Reserve a new volume, hidden until its operation publishes it.

        `avoid` are nodes that get no brick. Raises CannotAllocate.
        """
        name = spec.name or default_volume_name(volume)
        clusters = self.eligible(tx, self.clusters_for(tx, spec), name=name, block=spec.block)
        request = self.request(spec, volume=volume, avoid=avoid)
        limits = self.policy.limits
        cluster, plan = first_that_fits(
            clusters, lambda cluster: place(request, tx.view(cluster, self.down()), self.ids, limits)
        )
        made = Volume(
            id=volume,
            name=name,
            cluster=cluster,
            size_gib=spec.size_gib,
            durability=spec.durability,
            gid=spec.gid,
            snapshot=spec.snapshot,
            options=request.options,
            block=spec.block,
            block_info=_block_info(spec),
            requested_clusters=spec.clusters,
            pending=operation,
        )
        tx.volumes.add(made)
        bricks = _take(tx, plan, volume=volume, operation=operation)
        return CreateVolume(volume=made, bricks=bricks, nodes=nearby(tx, made, bricks), spec=spec)

    def request(self, spec: VolumeSpec, *, volume: str = "", avoid: frozenset[str] = frozenset()) -> PlacementRequest:
        """Return what placement is asked for a new volume: options of the server are among the volume's."""
        policy = self.policy
        return PlacementRequest(
            size_gib=spec.size_gib,
            durability=spec.durability,
            snapshot_factor=spec.snapshot.factor,
            options=effective_options(
                policy.pre_options, policy.post_options, policy.block_options, spec.options, spec.block
            ),
            volume_id=volume,
            avoid=avoid,
        )

    def request_more(self, tx: Tx, volume: Volume, gib: int) -> PlacementRequest:
        """Return what placement is asked for the expansion of a volume."""
        return PlacementRequest(
            size_gib=gib,
            durability=volume.durability,
            snapshot_factor=volume.snapshot.factor,
            options=volume.options,
            existing_bricks=len(tx.bricks.of_volume(volume.id)),
            volume_id=volume.id,
        )

    def create_again(self, tx: Tx, plan: CreateVolume, operation: str, avoid: frozenset[str]) -> CreateVolume:
        """Reserve anew after a failure, without nodes that failed this volume. It keeps its id and its name."""
        everywhere = avoid | frozenset(plan.excluded)
        again = self.create(tx, plan.spec, volume=plan.volume.id, operation=operation, avoid=everywhere)
        return replace(again, excluded=tuple(sorted(everywhere)))

    def nodes(self, tx: Tx, cluster: str) -> Iterable[Node]:
        """Return all nodes of a cluster, without reading them anew for each volume."""
        return tx.view(cluster, self.down()).nodes.values()

    def replace(
        self,
        tx: Tx,
        volume: Volume,
        brick_set: Sequence[Brick],
        index: int,
        *,
        operation: str,
        avoid: frozenset[str] = frozenset(),
    ) -> Brick:
        """Reserve another place for a brick of a set, which stays outside the volume until gluster has taken it in.

        `avoid` are nodes that get no brick. Raises CannotAllocate.
        """
        request = _replacement(volume, brick_set, index, avoid)
        planned = place_replacement(request, tx.view(volume.cluster, self.down()), self.ids, self.policy.limits)
        brick = replace(planned.brick(volume=volume.id, pending=operation), position=-1)
        tx.bricks.add([brick])
        tx.devices.take(brick.device, brick.charged_kib)
        return brick

    def why_no_replacement(
        self, tx: Tx, volume: Volume, brick_set: Sequence[Brick], index: int, *, avoid: frozenset[str] = frozenset()
    ) -> str:
        """Say of each device why it does not take a brick."""
        nodes, devices = tx.nodes.of_cluster(volume.cluster), tx.devices.of_cluster(volume.cluster)
        view = ClusterView.build(nodes, devices, down=self.down())
        return explain_no_replacement(_replacement(volume, brick_set, index, avoid), view, self.policy.limits)

    def expand(self, tx: Tx, volume_id: str, gib: int, *, operation: str) -> ExpandVolume:
        """Reserve new sets of bricks for a volume.

        Raises NotFound for a volume that is not there (yet, or any more), CannotAllocate.
        """
        volume = tx.volumes.get(volume_id)
        if volume.pending:
            raise NotFound
        request = self.request_more(tx, volume, gib)
        plan = place(request, tx.view(volume.cluster, self.down()), self.ids, self.policy.limits)
        bricks = _take(tx, plan, volume=volume_id, operation=operation)
        return ExpandVolume(volume=volume, bricks=bricks, nodes=nearby(tx, volume, bricks), added_gib=gib)


def known_clusters(tx: Tx, wanted: Sequence[str]) -> list[str]:
    """Return the clusters that were asked for, or all. Raises InvalidRequest: there is none, or one does not exist."""
    known = tx.clusters.ids()
    if not known:
        raise InvalidRequest("No clusters configured")
    for cluster in wanted:
        if cluster not in known:
            raise InvalidRequest(f"Cluster id {cluster} not found")
    return list(wanted) or list(known)


def _facts(tx: Tx, cluster_id: str, name: str) -> ClusterFacts:
    cluster = tx.clusters.get(cluster_id)
    return ClusterFacts(
        id=cluster_id,
        file=cluster.file,
        block=cluster.block,
        volumes=tx.volumes.count(cluster_id),
        name_taken=tx.volumes.name_in_use(cluster_id, name),
    )


def _take(tx: Tx, plan: Plan, *, volume: str, operation: str) -> tuple[Brick, ...]:
    bricks = tuple(brick.brick(volume=volume, pending=operation) for brick in plan.bricks)
    tx.bricks.add(bricks)
    for brick in bricks:
        tx.devices.take(brick.device, brick.charged_kib)
    return bricks


def nearby(tx: Tx, volume: Volume, bricks: Sequence[Brick]) -> tuple[NodeAddress, ...]:
    """Return the nodes of these bricks, and some others that may run gluster if those do not answer, ascending by id.

    Not the whole cluster: what a volume costs must not grow with the number of nodes. Which others, depends on the
    volume.
    """
    nodes = {node.id: node for node in tx.nodes.of_ids(sorted({brick.node for brick in bricks}))}
    others = tx.nodes.some_of_cluster(volume.cluster, start=volume.id, count=OTHER_NODES)
    nodes |= {node.id: node for node in others}
    return tuple(nodes[id].address for id in sorted(nodes))


def addresses(tx: Tx, cluster: str) -> tuple[NodeAddress, ...]:
    """Return how all nodes of a cluster are reached, ascending by id."""
    return tuple(node.address for node in tx.nodes.of_cluster(cluster))


def _replacement(volume: Volume, brick_set: Sequence[Brick], index: int, avoid: frozenset[str]) -> ReplacementRequest:
    return ReplacementRequest(
        brick_set=tuple(brick_set),
        index=index,
        durability=volume.durability,
        snapshot_factor=volume.snapshot.factor,
        options=volume.options,
        avoid=avoid,
    )


def _block_info(spec: VolumeSpec) -> BlockInfo:
    if not spec.block:
        return BlockInfo()
    reserve = block_reserve(spec.size_gib)
    return BlockInfo(free_gib=reserve.free_gib, reserved_gib=reserve.reserved_gib)

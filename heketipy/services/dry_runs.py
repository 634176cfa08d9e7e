"""Dry runs: what a request would lead to. They look at the books as they are, outside the writer, and take nothing."""

from heketipy.db.database import Tx
from heketipy.domain.dry_run import BrickPlace, NoOutlook, VolumeOutlook
from heketipy.domain.errors import NoSpace
from heketipy.domain.model import VolumeSpec
from heketipy.domain.placement import ClusterView, NoCandidates, Plan, first_that_fits, largest_that_fits, place
from heketipy.operations.reservation import Reservations
from heketipy.services.endpoints import EndpointCheck


def volume_outlook(
    tx: Tx, spec: VolumeSpec, reservations: Reservations, endpoints: EndpointCheck
) -> VolumeOutlook | NoOutlook:
    """Place a volume as a create would, and look for the largest size that fits.

    Raises InvalidRequest, and CannotAllocate for what has nothing to do with room.
    """
    clusters = reservations.eligible(tx, reservations.clusters_for(tx, spec), name=spec.name, block=spec.block)
    request, limits, ids = reservations.request(spec), reservations.policy.limits, reservations.ids
    views: dict[str, ClusterView] = {}

    def view(cluster: str) -> ClusterView:
        if cluster not in views:
            nodes, devices = tx.nodes.of_cluster(cluster), tx.devices.of_cluster(cluster)
            views[cluster] = ClusterView.build(nodes, devices, down=reservations.down())
        return views[cluster]

    def largest_gib() -> int:
        return max(largest_that_fits(request, view(cluster), ids, limits) for cluster in clusters)

    try:
        cluster, plan = first_that_fits(clusters, lambda cluster: place(request, view(cluster), ids, limits))
    except (NoSpace, NoCandidates) as error:
        return NoOutlook(error, largest_gib())
    endpoints.check_cluster(view(cluster).nodes.values())
    return VolumeOutlook(
        spec=spec,
        options=request.options,
        cluster=cluster,
        bricks=_places(plan, view(cluster)),
        # The size that was just placed fits, even if chance must help.
        largest_gib=max(largest_gib(), spec.size_gib),
    )


def _places(plan: Plan, view: ClusterView) -> tuple[BrickPlace, ...]:
    return tuple(BrickPlace(brick, view.nodes[brick.node], view.devices[brick.device]) for brick in plan.bricks)

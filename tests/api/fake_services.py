"""Services that keep everything in dictionaries: enough to see what the routes make of what services say."""

import asyncio
from dataclasses import dataclass, field, replace
from typing import Any, TypeVar

from heketipy.domain.admin import AdminMode
from heketipy.domain.details import ClusterDetails, DeviceDetails, NodeDetails, VolumeDetails
from heketipy.domain.dry_run import BrickPlace, VolumeOutlook
from heketipy.domain.errors import HeketipyError, NotFound
from heketipy.domain.model import (
    BlockTarget,
    BlockVolume,
    BlockVolumeSpec,
    Brick,
    BrickType,
    Cluster,
    Device,
    DeviceSpec,
    Node,
    NodeSpec,
    Volume,
    VolumeSpec,
)
from heketipy.domain.operation import Job
from heketipy.domain.placement import PlannedBrick
from heketipy.domain.states import HealCheck, State
from heketipy.services.admin import Admin

CLUSTER = "c" * 32
NODE = "a" * 32
DEVICE = "d" * 32
VOLUME = "f" * 32
BRICK = "b" * 32
BLOCK_VOLUME = "2" * 32
UNKNOWN = "0" * 32


@dataclass
class FakeServices:
    """All services in one. `refusal` is raised by the next call that changes something; `calls` are what came."""

    refusal: HeketipyError | Exception | None = None
    calls: list[tuple[Any, ...]] = field(default_factory=list)
    clusters_by_id: dict[str, ClusterDetails] = field(default_factory=dict)
    nodes_by_id: dict[str, NodeDetails] = field(default_factory=dict)
    devices_by_id: dict[str, DeviceDetails] = field(default_factory=dict)
    volumes_by_id: dict[str, VolumeDetails] = field(default_factory=dict)
    block_volumes_by_id: dict[str, BlockVolume] = field(default_factory=dict)
    jobs_by_id: dict[str, Job] = field(default_factory=dict)
    job_ended: asyncio.Event = field(default_factory=asyncio.Event)

    def __post_init__(self) -> None:
        self.clusters = FakeClusters(self)
        self.nodes = FakeNodes(self)
        self.devices = FakeDevices(self)
        self.bricks = FakeBricks(self)
        self.volumes = FakeVolumes(self)
        self.block_volumes = FakeBlockVolumes(self)
        self.jobs = FakeJobs(self)
        self.admin = Admin(AdminMode.NORMAL)

    def called(self, *call: Any) -> None:
        self.calls.append(call)
        if self.refusal is not None:
            raise self.refusal

    def start(self, *call: Any) -> str:
        self.called(*call)
        job = f"{len(self.jobs_by_id) + 1:032x}"
        self.jobs_by_id[job] = Job(id=job, operation="", created=0.0)
        return job

    def end(self, job: str, **outcome: Any) -> None:
        self.jobs_by_id[job] = replace(self.jobs_by_id[job], ended=1.0, **outcome)
        self.job_ended.set()


Found = TypeVar("Found")


def get(found: dict[str, Found], id: str) -> Found:
    if id not in found:
        raise NotFound
    return found[id]


class FakeClusters:
    def __init__(self, all_: FakeServices) -> None:
        self.all = all_

    async def create(self, *, file: bool, block: bool) -> ClusterDetails:
        self.all.called("create cluster", file, block)
        details = ClusterDetails(Cluster(CLUSTER, file, block))
        self.all.clusters_by_id[CLUSTER] = details
        return details

    async def ids(self) -> list[str]:
        return sorted(self.all.clusters_by_id)

    async def info(self, cluster: str, /) -> ClusterDetails:
        return get(self.all.clusters_by_id, cluster)

    async def set_flags(self, cluster: str, /, *, file: bool, block: bool) -> None:
        details = get(self.all.clusters_by_id, cluster)
        self.all.called("set flags", cluster, file, block)
        self.all.clusters_by_id[cluster] = replace(details, cluster=Cluster(cluster, file, block))

    async def delete(self, cluster: str, /) -> None:
        get(self.all.clusters_by_id, cluster)
        self.all.called("delete cluster", cluster)
        del self.all.clusters_by_id[cluster]


class FakeNodes:
    def __init__(self, all_: FakeServices) -> None:
        self.all = all_

    async def add(self, spec: NodeSpec, /) -> str:
        return self.all.start("add node", spec)

    async def info(self, node: str, /) -> NodeDetails:
        return get(self.all.nodes_by_id, node)

    async def delete(self, node: str, /) -> str:
        get(self.all.nodes_by_id, node)
        return self.all.start("delete node", node)

    async def set_state(self, node: str, state: State, heal_check: HealCheck, /) -> str:
        get(self.all.nodes_by_id, node)
        return self.all.start("set node state", node, state, heal_check)


class FakeDevices:
    def __init__(self, all_: FakeServices) -> None:
        self.all = all_

    async def add(self, spec: DeviceSpec, /) -> str:
        return self.all.start("add device", spec)

    async def info(self, device: str, /) -> DeviceDetails:
        return get(self.all.devices_by_id, device)

    async def delete(self, device: str, /, *, forget: bool) -> str:
        get(self.all.devices_by_id, device)
        return self.all.start("delete device", device, forget)

    async def resync(self, device: str, /) -> str:
        get(self.all.devices_by_id, device)
        return self.all.start("resync device", device)

    async def set_state(self, device: str, state: State, heal_check: HealCheck, /) -> str:
        get(self.all.devices_by_id, device)
        return self.all.start("set device state", device, state, heal_check)


class FakeBricks:
    def __init__(self, all_: FakeServices) -> None:
        self.all = all_

    async def evict(self, brick: str, heal_check: HealCheck, /) -> str:
        if brick == UNKNOWN:
            raise NotFound
        return self.all.start("evict brick", brick, heal_check)


class FakeVolumes:
    def __init__(self, all_: FakeServices) -> None:
        self.all = all_

    async def create(self, spec: VolumeSpec, /) -> str:
        return self.all.start("create volume", spec)

    async def dry_run(self, spec: VolumeSpec, /) -> VolumeOutlook:
        self.all.called("dry run of a volume", spec)
        place = BrickPlace(planned_brick(), node().node, device().device)
        return VolumeOutlook(spec, ("", ""), CLUSTER, (place,), 498)

    async def ids(self) -> list[str]:
        return sorted(self.all.volumes_by_id)

    async def info(self, volume: str, /) -> VolumeDetails:
        return get(self.all.volumes_by_id, volume)

    async def expand(self, volume: str, gib: int, /) -> str:
        get(self.all.volumes_by_id, volume)
        return self.all.start("expand volume", volume, gib)

    async def clone(self, volume: str, name: str, /) -> str:
        get(self.all.volumes_by_id, volume)
        return self.all.start("clone volume", volume, name)

    async def delete(self, volume: str, /) -> str:
        get(self.all.volumes_by_id, volume)
        return self.all.start("delete volume", volume)

    async def restrict(self, volume: str, restriction: str, /) -> str:
        get(self.all.volumes_by_id, volume)
        return self.all.start("restrict volume", volume, restriction)


class FakeBlockVolumes:
    def __init__(self, all_: FakeServices) -> None:
        self.all = all_

    async def create(self, spec: BlockVolumeSpec, /) -> str:
        return self.all.start("create block volume", spec)

    async def ids(self) -> list[str]:
        return sorted(self.all.block_volumes_by_id)

    async def info(self, block_volume: str, /) -> BlockVolume:
        return get(self.all.block_volumes_by_id, block_volume)

    async def expand(self, block_volume: str, new_gib: int, /) -> str:
        get(self.all.block_volumes_by_id, block_volume)
        return self.all.start("expand block volume", block_volume, new_gib)

    async def delete(self, block_volume: str, /) -> str:
        get(self.all.block_volumes_by_id, block_volume)
        return self.all.start("delete block volume", block_volume)


class FakeJobs:
    def __init__(self, all_: FakeServices) -> None:
        self.all = all_
        self.asked: list[float] = []

    async def wait(self, job: str, seconds: float, /) -> Job:
        self.asked.append(seconds)
        if job not in self.all.jobs_by_id:
            raise NotFound(f"No such job: {job}")
        if seconds and self.all.jobs_by_id[job].ended is None:
            await self.all.job_ended.wait()
        return self.all.jobs_by_id[job]


def brick(**changes: Any) -> Brick:
    """Return a brick of the sample volume."""
    given = Brick(
        id=BRICK,
        volume=VOLUME,
        device=DEVICE,
        node=NODE,
        position=0,
        path=f"/var/lib/heketi/mounts/vg_{DEVICE}/brick_{BRICK}/brick",
        size_kib=1048576,
        tp_size_kib=1048576,
        pool_metadata_kib=8192,
        type=BrickType.NORMAL,
    )
    return replace(given, **changes)


def planned_brick() -> PlannedBrick:
    """Return the sample brick as it was planned."""
    return PlannedBrick(
        id=BRICK,
        device=DEVICE,
        node=NODE,
        position=0,
        path=brick().path,
        size_kib=1048576,
        tp_size_kib=1048576,
        pool_metadata_kib=8192,
        type=BrickType.NORMAL,
        thin_pool=f"tp_{BRICK}",
        lv=f"brick_{BRICK}",
    )


def device(**changes: Any) -> DeviceDetails:
    """Return the sample device."""
    given = Device(DEVICE, NODE, "/dev/sdb", 524288000, 523231232, 1056768, 4096)
    return DeviceDetails(replace(given, **changes), (brick(),))


def node(**changes: Any) -> NodeDetails:
    """Return the sample node."""
    return NodeDetails(replace(Node(NODE, CLUSTER, 1, ("m1.lab",), ("10.0.0.1",)), **changes), (device(),))


def volume(sample: Volume, *, hosts: tuple[str, ...] = ("10.0.0.1",)) -> VolumeDetails:
    """Return a volume with the sample brick."""
    return VolumeDetails(sample, (brick(),), hosts)


def block_volume(**changes: Any) -> BlockVolume:
    """Return the sample block volume, which lies on the sample volume."""
    target = BlockTarget(("10.0.0.1",), "iqn.2016-12.org.gluster-block:aafea465", "aafea465", "4a1f5c1e")
    given = BlockVolume(BLOCK_VOLUME, "bv1", CLUSTER, VOLUME, 3, 3, 1, True, target)
    return replace(given, **changes)


def furnished(sample: Volume) -> FakeServices:
    """Return services that know a cluster, a node, a device, a volume and a block volume."""
    services = FakeServices()
    services.clusters_by_id[CLUSTER] = ClusterDetails(Cluster(CLUSTER, True, True), (NODE,), (VOLUME,))
    services.nodes_by_id[NODE] = node()
    services.devices_by_id[DEVICE] = device()
    services.volumes_by_id[VOLUME] = volume(sample)
    services.block_volumes_by_id[BLOCK_VOLUME] = block_volume()
    return services

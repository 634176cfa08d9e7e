"""What the routes need of the services: one small interface for each resource.

Everything raises the errors of `heketipy.domain.errors`, whose texts are those of the answer. What starts
work returns the id of the job that a client polls.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, BinaryIO, Protocol, TypeVar

from starlette.requests import Request

from heketipy.domain.admin import AdminMode
from heketipy.domain.consistency import Report
from heketipy.domain.details import ClusterContents, ClusterDetails, DeviceDetails, NodeDetails, VolumeDetails
from heketipy.domain.dry_run import VolumeOutlook
from heketipy.domain.gauges import SiteGauges
from heketipy.domain.model import BlockVolume, BlockVolumeSpec, DeviceSpec, NodeSpec, VolumeSpec
from heketipy.domain.model import Tags as TagMap
from heketipy.domain.operation import Job
from heketipy.domain.pending import PendingCounts, PendingRecord, Unsettled
from heketipy.domain.states import HealCheck, State
from heketipy.domain.tags import TagsChange
from heketipy.wire.dump import Sections

R = TypeVar("R")


class Clusters(Protocol):
    """Use cases of clusters."""

    async def create(self, *, file: bool, block: bool) -> ClusterDetails: ...
    async def ids(self) -> Sequence[str]: ...
    async def info(self, cluster: str, /) -> ClusterDetails: ...
    async def set_flags(self, cluster: str, /, *, file: bool, block: bool) -> None: ...
    async def delete(self, cluster: str, /) -> None: ...


class Nodes(Protocol):
    """Use cases of nodes."""

    async def add(self, spec: NodeSpec, /) -> str: ...
    async def info(self, node: str, /) -> NodeDetails: ...
    async def delete(self, node: str, /) -> str: ...
    async def set_state(self, node: str, state: State, heal_check: HealCheck, /) -> str: ...


class Devices(Protocol):
    """Use cases of devices."""

    async def add(self, spec: DeviceSpec, /) -> str: ...
    async def info(self, device: str, /) -> DeviceDetails: ...
    async def delete(self, device: str, /, *, forget: bool) -> str: ...
    async def resync(self, device: str, /) -> str: ...
    async def set_state(self, device: str, state: State, heal_check: HealCheck, /) -> str: ...


class Bricks(Protocol):
    """Use cases of bricks."""

    async def evict(self, brick: str, heal_check: HealCheck, /) -> str: ...


class Volumes(Protocol):
    """Use cases of volumes."""

    async def create(self, spec: VolumeSpec, /) -> str: ...
    async def dry_run(self, spec: VolumeSpec, /) -> VolumeOutlook: ...
    async def ids(self) -> Sequence[str]: ...
    async def info(self, volume: str, /) -> VolumeDetails: ...
    async def expand(self, volume: str, gib: int, /) -> str: ...
    async def clone(self, volume: str, name: str, /) -> str: ...
    async def delete(self, volume: str, /) -> str: ...
    async def restrict(self, volume: str, restriction: str, /) -> str: ...


class BlockVolumes(Protocol):
    """Use cases of block volumes."""

    async def create(self, spec: BlockVolumeSpec, /) -> str: ...
    async def ids(self) -> Sequence[str]: ...
    async def info(self, block_volume: str, /) -> BlockVolume: ...
    async def expand(self, block_volume: str, new_gib: int, /) -> str: ...
    async def delete(self, block_volume: str, /) -> str: ...


class Tags(Protocol):
    """Use cases of tags: each returns all tags that are there after the change."""

    async def of_node(self, node: str, change: TagsChange, given: TagMap, /) -> TagMap: ...
    async def of_device(self, device: str, change: TagsChange, given: TagMap, /) -> TagMap: ...


class Operations(Protocol):
    """Use cases of pending operations."""

    async def unsettled(self) -> Unsettled: ...
    async def counts(self) -> PendingCounts: ...
    async def info(self, operation: str, /) -> PendingRecord: ...
    async def clean_up(self, operations: Sequence[str], /) -> str: ...


class Admin(Protocol):
    """The admin mode."""

    @property
    def mode(self) -> AdminMode: ...
    def set(self, mode: AdminMode, /) -> None: ...


class Logging(Protocol):
    """The levels of the log."""

    def levels(self) -> Mapping[str, str]: ...
    def set(self, levels: Mapping[str, str], /) -> None: ...


class Dump(Protocol):
    """Everything at once."""

    async def through(self, write: Callable[[Sections], R], /) -> R:
        """Have all records written by a function that is called on another thread."""
        ...

    async def check(self) -> Report: ...
    async def backup(self) -> BinaryIO: ...


class Topology(Protocol):
    """The whole site."""

    async def through(self, write: Callable[[Iterable[ClusterContents]], R], /) -> R:
        """Have all clusters written by a function that is called on another thread."""
        ...


class ExaminedNodes(Protocol):
    """What nodes have, in heketi's form."""

    @property
    def report(self) -> Sequence[str]: ...
    @property
    def clusters(self) -> Sequence[Mapping[str, Any]] | None: ...


class Examiner(Protocol):
    """The look at all nodes."""

    async def examine(self) -> ExaminedNodes: ...


class Counted(Protocol):
    """What there is in numbers; None where that is not known."""

    @property
    def site(self) -> SiteGauges | None: ...
    @property
    def operations(self) -> PendingCounts | None: ...


class Metrics(Protocol):
    """Numbers for monitoring."""

    async def gauges(self) -> Counted: ...


class Jobs(Protocol):
    """Use cases of jobs."""

    async def wait(self, job: str, seconds: float, /) -> Job:
        """Return the job when it has ended, or as it stands after some seconds.

        Raises NotFound with a text that is not `Id not found`: to clients that would mean a volume is gone.
        """
        ...


class Services(Protocol):
    """All of them, as the application carries them in `app.state.services`."""

    @property
    def clusters(self) -> Clusters: ...
    @property
    def nodes(self) -> Nodes: ...
    @property
    def devices(self) -> Devices: ...
    @property
    def bricks(self) -> Bricks: ...
    @property
    def volumes(self) -> Volumes: ...
    @property
    def block_volumes(self) -> BlockVolumes: ...
    @property
    def jobs(self) -> Jobs: ...
    @property
    def tags(self) -> Tags: ...
    @property
    def operations(self) -> Operations: ...
    @property
    def metrics(self) -> Metrics: ...
    @property
    def dump(self) -> Dump: ...
    @property
    def topology(self) -> Topology: ...
    @property
    def examiner(self) -> Examiner: ...
    @property
    def admin(self) -> Admin: ...
    @property
    def logging(self) -> Logging: ...


def services(request: Request) -> Services:
    """Return the services of the application that a request came to."""
    found: Services = request.app.state.services
    return found

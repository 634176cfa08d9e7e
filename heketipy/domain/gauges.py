"""What there is in numbers, as monitoring asks for it. Sizes are KiB."""

from dataclasses import dataclass
from typing import NamedTuple


class ClusterGauge(NamedTuple):
    """What a cluster has. Volumes that are being created or deleted do not count."""

    id: str
    volumes: int
    block_volumes: int
    nodes: int


class NodeGauge(NamedTuple):
    """What a node has. The names are the first ones of each kind."""

    cluster: str
    manage: str
    storage: str
    devices: int


class DeviceGauge(NamedTuple):
    """What a device has. `node` is the place of its node in the list of nodes."""

    node: int
    id: str
    name: str
    pv_uuid: str
    total_kib: int
    free_kib: int
    used_kib: int
    bricks: int


@dataclass(frozen=True, slots=True)
class SiteGauges:
    """Everything, each list ascending by id. `debts` counts what absent nodes owe."""

    clusters: tuple[ClusterGauge, ...] = ()
    nodes: tuple[NodeGauge, ...] = ()
    devices: tuple[DeviceGauge, ...] = ()
    debts: int = 0

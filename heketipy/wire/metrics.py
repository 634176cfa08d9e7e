"""heketi's gauges in Prometheus' text format, under heketi's names (rest-api §5.7).

They are written here rather than by the client library: a site of 14,400 devices has 100,000 of them.
"""

from collections.abc import Iterable, Iterator
from itertools import islice
from typing import Final

from heketipy.domain.gauges import DeviceGauge, SiteGauges
from heketipy.domain.pending import PendingCounts
from heketipy.domain.units import BYTES_PER_KIB

_ESCAPES: Final = str.maketrans({"\\": r"\\", '"': r"\"", "\n": r"\n"})
_SHORT: Final = 10**6
_TOGETHER: Final = 500
"""So many samples make a piece: other threads get their turn between pieces."""

_Samples = Iterable[tuple[str, str]]
_Families = dict[str, tuple[str, _Samples]]
"""Each one's sentence, and its labels and values."""


def exposition(site: SiteGauges | None, operations: PendingCounts | None) -> Iterator[str]:
    """Write all gauges, ascending by name, one piece after the other. Without a site nothing is left but that heketi is
    not up."""
    families: _Families = {"heketi_up": ("Is heketi running?", _single(0 if site is None else 1))}
    if site is not None:
        families |= _of_clusters(site) | _of_devices(site)
        families["heketipy_debts"] = ("Clean-ups that nodes still owe since they did not answer", _single(site.debts))
    if site is not None and operations is not None:
        families |= _of_operations(operations)
    for name, (help, samples) in sorted(families.items()):
        yield f"# HELP {name} {help}\n# TYPE {name} gauge\n"
        rest = iter(samples)
        while some := [f"{name}{labels} {value}\n" for labels, value in islice(rest, _TOGETHER)]:
            yield "".join(some)


def _of_clusters(site: SiteGauges) -> _Families:
    labels = [f'{{cluster="{_escaped(cluster.id)}"}}' for cluster in site.clusters]

    def count(numbers: Iterable[int]) -> _Samples:
        return zip(labels, map(number, numbers), strict=True)

    return {
        "heketi_cluster_count": ("Number of clusters", _single(len(site.clusters))),
        "heketi_volumes_count": ("Number of volumes on cluster", count(one.volumes for one in site.clusters)),
        "heketi_block_volumes_count": (
            "Number of block volumes on cluster",
            count(one.block_volumes for one in site.clusters),
        ),
        "heketi_nodes_count": ("Number of nodes on cluster", count(one.nodes for one in site.clusters)),
    }


def _of_devices(site: SiteGauges) -> _Families:
    clusters = [f'cluster="{_escaped(node.cluster)}"' for node in site.nodes]
    managed = [f'hostname="{_escaped(node.manage)}"' for node in site.nodes]
    stored = [f'storage_hostname="{_escaped(node.storage)}"' for node in site.nodes]

    def labels(device: DeviceGauge) -> str:
        node = device.node
        own = f'id="{_escaped(device.id)}",pv_uuid="{_escaped(device.pv_uuid)}"'
        return f'{{{clusters[node]},device="{_escaped(device.name)}",{managed[node]},{own},{stored[node]}}}'

    of = [labels(device) for device in site.devices]

    def each(numbers: Iterable[int]) -> _Samples:
        return zip(of, map(number, numbers), strict=True)

    families: _Families = {
        "heketi_device_count": (
            "Number of devices on host",
            (
                (f"{{{cluster},{manage},{storage}}}", number(node.devices))
                for cluster, manage, storage, node in zip(clusters, managed, stored, site.nodes, strict=True)
            ),
        ),
        "heketi_device_brick_count": ("Number of bricks on device", each(one.bricks for one in site.devices)),
    }
    sizes = {
        "size": ("Total size of the device", [one.total_kib for one in site.devices]),
        "free": ("Amount of Free space available on the device", [one.free_kib for one in site.devices]),
        "used": ("Amount of space used on the device", [one.used_kib for one in site.devices]),
    }
    for name, (help, kib) in sizes.items():
        families[f"heketi_device_{name}"] = (help, each(kib))
        families[f"heketi_device_{name}_bytes"] = (f"{help} in bytes", each(one * BYTES_PER_KIB for one in kib))
    return families


def _of_operations(counts: PendingCounts) -> _Families:
    return {
        "heketi_operations_stale_count": ("Number of Stale Operations", _single(counts.stale)),
        "heketi_operations_failed_count": ("Number of Failed Operations", _single(counts.failed)),
        "heketi_operations_new_count": ("Number of New Operations", _single(counts.new)),
        "heketi_operations_total_count": ("Total Number of Operations", _single(counts.total)),
        "heketi_operations_inFlight_count": ("Number of in flight Operations", _single(counts.in_flight)),
    }


def number(value: int) -> str:
    """Write a number as Go's Prometheus library does: from a million on with an exponent."""
    if value < _SHORT:
        return str(value)
    digits = str(value)
    exponent = len(digits) - 1
    significant = digits.rstrip("0")
    fraction = f".{significant[1:]}" if len(significant) > 1 else ""
    return f"{significant[0]}{fraction}e+{exponent:02}"


def _single(value: int) -> Iterator[tuple[str, str]]:
    yield "", number(value)


def _escaped(text: str) -> str:
    return text.translate(_ESCAPES)

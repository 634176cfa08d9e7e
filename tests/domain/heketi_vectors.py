"""Reading the vectors: what heketi computed and where it placed bricks."""

import json
from collections.abc import Callable, Iterator, Sequence
from itertools import count
from pathlib import Path
from typing import Any

import pytest

from heketipy.domain.durability import Durability, DurabilityType
from heketipy.domain.model import Device, Node
from heketipy.domain.placement import HEKETI_BRICK_FLOOR_KIB, ClusterView, Limits, NoRoom, PlacementRequest
from heketipy.domain.placement.sizing import tried_sizes
from heketipy.domain.states import State
from heketipy.domain.units import gib

Vector = dict[str, Any]

FOLDER = Path(__file__).parent / "vectors"


def vectors(*names: str) -> pytest.MarkDecorator:
    """Parametrise a test by all vectors of some lists, as its argument `vector`."""
    rows = [row for name in names for row in json.loads((FOLDER / f"{name}.json").read_text())]
    return pytest.mark.parametrize("vector", rows, ids=[row["id"] for row in rows])


def durability(value: Vector) -> Durability:
    return Durability(
        DurabilityType(value["type"]), replica=value["replica"], data=value["data"], redundancy=value["redundancy"]
    )


def limits(settings: Vector) -> Limits:
    return Limits(
        brick_min_kib=gib(settings["brick_min_size_gib"]),
        brick_max_kib=gib(settings["brick_max_size_gib"]),
        max_bricks=settings["max_bricks_per_volume"],
        average_file_size_kib=settings["average_file_size_kib"],
        zone_checking=settings["zone_checking"],
        brick_floor_kib=HEKETI_BRICK_FLOOR_KIB,
    )


def view(cluster: Vector) -> ClusterView:
    """Make the view of a vector's cluster."""
    nodes, devices = [], []
    for node in cluster["nodes"]:
        nodes.append(
            Node(
                id=node["id"],
                cluster=cluster["id"],
                zone=node["zone"],
                manage=(node["id"],),
                storage=(node["id"],),
                state=State(node["state"]),
                tags=node["tags"],
            )
        )
        devices += [
            Device(
                id=device["id"],
                node=node["id"],
                name="/dev/sdb",
                total_kib=device["total_kib"],
                free_kib=device["free_kib"],
                used_kib=device["total_kib"] - device["free_kib"],
                extent_kib=device["extent_kib"],
                state=State(device["state"]),
                tags=device["tags"],
            )
            for device in node["devices"]
        ]
    return ClusterView.build(nodes, devices)


def ids_with(prefixes: Sequence[str], *, per_set: int) -> Callable[[], str]:
    """Give ids of which those of set number k begin with prefix number k; a single prefix begins all of them."""

    def stream() -> Iterator[str]:
        for number in count():
            prefix = prefixes[number // per_set] if len(prefixes) > 1 else prefixes[0]
            yield f"{prefix}{number:025x}"

    return stream().__next__


def all_tried(request: PlacementRequest, bounds: Limits) -> tuple[list[list[int]], NoRoom]:
    """Return the sizes that are tried where nothing fits, and the refusal that ends the trying."""
    sizes = tried_sizes(request, bounds)
    tried: list[list[int]] = []
    while True:
        try:
            tried.append(list(next(sizes)))
        except NoRoom as end:
            return tried, end

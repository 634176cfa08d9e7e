"""The ring: the order in which devices are asked for room (placement §4.2–4.3).

Its order is canonical: zones as ascending node ids mention them, nodes ascending, each node's devices
descending. heketi's own order of zones and nodes is left to chance; this is one of those that it may have.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass

from heketipy.domain.model import Tags

_PREFIX = re.compile(r"[0-9a-fA-F]{7}")


@dataclass(slots=True, eq=False)
class Candidate:
    """A device as placement sees it: its tags are the effective ones, and its free space changes, KiB."""

    id: str
    node: str
    zone: int
    tags: Tags
    extent_kib: int
    total_kib: int
    free_kib: int


def ring(candidates: Iterable[Candidate]) -> list[Candidate]:
    """Order candidates, which come by ascending node id and device id, so that neighbours differ in zone and
    node.

    One counter chooses the zone and, within it, the node; it is never set back. That is heketi's way, and has
    its price: at the end of the ring, devices of one node may stand side by side.
    """
    by_zone: dict[int, dict[str, list[Candidate]]] = {}
    for candidate in candidates:
        by_zone.setdefault(candidate.zone, {}).setdefault(candidate.node, []).append(candidate)
    zones = [list(nodes.values()) for nodes in by_zone.values()]
    order: list[Candidate] = []
    while zones:
        nodes = zones[zone := len(order) % len(zones)]
        devices = nodes[node := len(order) % len(nodes)]
        order.append(devices.pop())
        if not devices:
            del nodes[node]
        if not nodes:
            del zones[zone]
    return order


def start(set_id: str, length: int) -> int:
    """Return where a set's walk starts on a ring of a length, by the first seven digits of the set's id."""
    if length == 0 or _PREFIX.match(set_id) is None:
        return 0
    return int(set_id[:7], 16) % length

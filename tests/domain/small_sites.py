"""Sites for tests, in a few words."""

from collections.abc import Callable, Iterator, Mapping
from itertools import count

from heketipy.domain.model import Device, Node
from heketipy.domain.placement import ClusterView
from heketipy.domain.states import State
from heketipy.domain.units import gib


def site(
    nodes: int,
    devices: int = 1,
    *,
    gib_free: Callable[[int, int], int] = lambda node, device: 100,
    gib_total: int = 100,
    zone: Callable[[int], int] = lambda node: node + 1,
    tags: Callable[[int], Mapping[str, str]] = lambda node: {},
    states: Mapping[str, State] | None = None,
    down: frozenset[str] = frozenset(),
) -> ClusterView:
    """Make the view of a cluster: nodes n000, n001, … with devices n000d00, n000d01, …; one zone a node by default."""
    states = states or {}
    names = [f"n{i:03}" for i in range(nodes)]
    return ClusterView.build(
        [
            Node(
                id=name,
                cluster="c",
                zone=zone(i),
                manage=(name,),
                storage=(name,),
                state=states.get(name, State.ONLINE),
                tags=tags(i),
            )
            for i, name in enumerate(names)
        ],
        [
            Device(
                id=f"{name}d{j:02}",
                node=name,
                name="/dev/sdb",
                total_kib=gib(gib_total),
                free_kib=gib(gib_free(i, j)),
                used_kib=gib(gib_total - gib_free(i, j)),
                extent_kib=4096,
                state=states.get(f"{name}d{j:02}", State.ONLINE),
            )
            for i, name in enumerate(names)
            for j in range(devices)
        ],
        down=down,
    )


def numbered_ids() -> Callable[[], str]:
    """Give ids that are spread over all ring positions, always the same ones."""

    def stream() -> Iterator[str]:
        for number in count():
            yield f"{(number * 2654435761) % 2**32:08x}{number:024x}"

    return stream().__next__

"""What two lanes on each node allow, one for bricks and one for volumes: the bound for a server where every command
takes the same time and nothing else takes any.

Nodes that happen to be chosen often let others idle, whoever runs the commands. So the bound is worked out for the very
nodes that were chosen, in the order in which volumes were asked for.
"""

import heapq
from collections import defaultdict
from collections.abc import Sequence


def ideal_times(
    placements: Sequence[Sequence[str]], *, for_bricks: float, for_volume: float, in_flight: int
) -> list[float]:
    """Return for each volume how long it takes, in seconds, if the next one begins when one of `in_flight` has ended.

    `placements` are the nodes of each volume's bricks. The commands for a brick take `for_bricks` seconds, one brick of
    a node after the other, in the order of arrival; then those for the volume take `for_volume` and wait for nobody.
    """
    free: dict[str, float] = defaultdict(float)
    going: list[float] = []
    times = []
    for nodes in placements:
        begin = heapq.heappop(going) if len(going) == in_flight else 0.0
        for node in nodes:
            free[node] = max(begin, free[node]) + for_bricks
        end = max(free[node] for node in nodes) + for_volume
        heapq.heappush(going, end)
        times.append(end - begin)
    return times

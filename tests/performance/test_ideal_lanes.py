"""The bench's bound for servers with two lanes a node, worked out by hand for small cases."""

import pytest

from bench.lanes import ideal_times

ONE, OTHER = ("a", "b", "c"), ("d", "e", "f")


@pytest.mark.parametrize(
    ("placements", "in_flight", "times"),
    [
        ([ONE], 1, [3]),
        ([ONE, ONE], 1, [3, 3]),
        ([ONE, ONE], 2, [3, 5]),  # the second waits for the first one's bricks, not for its volume
        ([ONE, OTHER], 2, [3, 3]),
        ([ONE, ("c", "d", "e"), OTHER], 3, [3, 5, 5]),
    ],
)
def test_volumes_wait_for_the_nodes_of_their_bricks(
    placements: list[tuple[str, ...]], in_flight: int, times: list[float]
) -> None:
    assert ideal_times(placements, for_bricks=2, for_volume=1, in_flight=in_flight) == times

"""The order in which devices are asked for room."""

from heketipy.domain.placement.ring import Candidate, ring, start
from tests.domain.heketi_vectors import Vector, vectors


@vectors("ring")
def test_the_ring_is_walked_as_heketi_walks_it(vector: Vector) -> None:
    candidates = [
        Candidate(
            id=item["device"], node=item["node"], zone=item["zone"], tags={}, extent_kib=4096, total_kib=0, free_kib=0
        )
        for item in vector["candidates"]
    ]
    order = [candidate.id for candidate in ring(candidates)]
    assert order == vector["ring"]
    for sequence in vector["sequences"]:
        first = start(sequence["set_id"], len(order))
        assert order[first:] + order[:first] == sequence["visit"]

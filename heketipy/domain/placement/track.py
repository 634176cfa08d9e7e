"""A track: the ring of one pool of devices, less those a tag rule forbids, indexed by free space.

It answers in time that hardly grows with the number of devices: which device is the next with so much free
space, and how many failure domains have such a device. A failure domain is what the bricks of one set may not
share: the node, or with strict zone checking the zone (which the node is part of).
"""

from bisect import bisect_left, bisect_right, insort
from collections.abc import Callable, Iterator, Sequence

from heketipy.domain.placement.max_tree import MaxTree
from heketipy.domain.placement.ring import Candidate, start
from heketipy.domain.tags import TagRule

Domain = str | int
"""The id of a node, or the number of a zone."""

PATIENCE = 32
"""So many useless devices are passed on the ring before each failure domain is asked for its next device
instead.
"""


class Track:
    """The candidates of one pool in ring order. Indices are places among those that the rule lets through."""

    def __init__(self, ring: Sequence[Candidate], *, rule: TagRule | None, strict: bool) -> None:
        self._ring_length = len(ring)
        kept = [(place, item) for place, item in enumerate(ring) if rule is None or rule.accepts(item.tags)]
        self._places = [place for place, _ in kept]
        self.candidates = [item for _, item in kept]
        self._domains: list[Domain] = [item.zone if strict else item.node for item in self.candidates]
        self._index = {item.id: index for index, item in enumerate(self.candidates)}
        self._free = MaxTree([item.free_kib for item in self.candidates])
        self._members: dict[Domain, list[int]] = {}
        self._rank: list[int] = []
        for index, domain in enumerate(self._domains):
            members = self._members.setdefault(domain, [])
            self._rank.append(len(members))
            members.append(index)
        self._free_in = {
            domain: MaxTree([self.candidates[index].free_kib for index in members])
            for domain, members in self._members.items()
        }
        self._maxima = sorted(tree.maximum for tree in self._free_in.values())

    def renew(self, candidate: Candidate) -> None:
        """Take note of a candidate's new free space, if it is on this track."""
        if (index := self._index.get(candidate.id)) is None:
            return
        self._free.set(index, candidate.free_kib)
        tree = self._free_in[self._domains[index]]
        before = tree.maximum
        tree.set(self._rank[index], candidate.free_kib)
        if tree.maximum != before:
            del self._maxima[bisect_left(self._maxima, before)]
            insort(self._maxima, tree.maximum)

    def domains_above(self, kib: int) -> int:
        """Count the failure domains that have a device with more than so much free."""
        return len(self._maxima) - bisect_right(self._maxima, kib)

    def choose(
        self,
        wanted: int,
        *,
        set_id: str,
        above_kib: int,
        used: set[Domain],
        accepts: Callable[[Candidate], bool],
    ) -> list[Candidate]:
        """Walk the ring from the set's start, once around, and take the first acceptable device of each
        failure domain.

        Stops when so many as wanted are found; returns fewer if there are fewer. The domains in `used` are
        left out, those of the found devices are added to it. `above_kib` is a bound: what has no more free
        space is certainly not acceptable.
        """
        found: list[Candidate] = []
        if wanted < 1:
            return found
        passed = 0
        first = bisect_left(self._places, start(set_id, self._ring_length))
        for index in self._walk(first, above_kib):
            candidate, domain = self.candidates[index], self._domains[index]
            if domain not in used and accepts(candidate):
                used.add(domain)
                found.append(candidate)
                if len(found) == wanted:
                    break
            elif passed == PATIENCE:
                for nearest in self._nearest(first, above_kib, used=used, accepts=accepts)[: wanted - len(found)]:
                    used.add(self._domains[nearest])
                    found.append(self.candidates[nearest])
                break
            else:
                passed += 1
        return found

    def _walk(self, first: int, above_kib: int) -> Iterator[int]:
        """Yield the indices of devices with more free space, from the first on, once around."""
        after = self._free.after
        index = after(first, above_kib)
        while index >= 0:
            yield index
            index = after(index + 1, above_kib)
        index = after(0, above_kib)
        while 0 <= index < first:
            yield index
            index = after(index + 1, above_kib)

    def _nearest(
        self, first: int, above_kib: int, *, used: set[Domain], accepts: Callable[[Candidate], bool]
    ) -> list[int]:
        """Return what the walk finds in the end: the first acceptable device of each unused domain, in order
        of the walk.
        """
        nearest: list[int] = []
        for domain, members in self._members.items():
            tree = self._free_in[domain]
            if domain in used or tree.maximum <= above_kib:
                continue
            turn = bisect_left(members, first)
            for begin, end in ((turn, len(members)), (0, turn)):
                rank = tree.after(begin, above_kib)
                while 0 <= rank < end and not accepts(self.candidates[members[rank]]):
                    rank = tree.after(rank + 1, above_kib)
                if 0 <= rank < end:
                    nearest.append(members[rank])
                    break
        return sorted(nearest, key=lambda index: (index < first, index))

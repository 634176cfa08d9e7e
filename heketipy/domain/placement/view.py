"""One cluster as placement sees it, kept in memory and in step with the books.

It belongs to whoever writes to the books and is touched nowhere else. Building it looks at every device;
after that, neither taking space nor placing does. It knows nothing of transactions: when the books' last
changes are undone, throw it away.
"""

from collections.abc import Collection, Iterable, Mapping
from enum import Enum

from heketipy.domain.model import Device, Node
from heketipy.domain.placement.refusals import NO_NODES, NO_ONLINE_STORAGE, NoCandidates
from heketipy.domain.placement.ring import Candidate, ring
from heketipy.domain.placement.track import Track
from heketipy.domain.states import State
from heketipy.domain.tags import ArbiterRole, TagRule, arbiter_role, effective_tags

KEPT_TRACKS = 32
"""Tag rules come from users: of the tracks made for them, so many are kept."""


class Pool(Enum):
    """Which candidates make up a ring. Volumes without arbiter bricks use all of them."""

    ALL = "all"
    ARBITER = "arbiter"
    DATA = "data"
    SHARED = "shared"


POOL_OF_ROLE = {
    ArbiterRole.REQUIRED: Pool.ARBITER,
    ArbiterRole.DISABLED: Pool.DATA,
    ArbiterRole.SUPPORTED: Pool.SHARED,
}


class ClusterView:
    """The nodes and devices of one cluster, and the rings made of them."""

    def __init__(self, nodes: Mapping[str, Node], devices: Mapping[str, Device], *, down: Collection[str]) -> None:
        self.nodes = nodes
        self.devices = devices
        """As they were at the beginning: their free space is out of date."""
        self.down = frozenset(down)
        self._known = {
            device.id: Candidate(
                id=device.id,
                node=device.node,
                zone=nodes[device.node].zone,
                tags=effective_tags(nodes[device.node].tags, device.tags),
                extent_kib=device.extent_kib,
                total_kib=device.total_kib,
                free_kib=device.free_kib,
            )
            for device in sorted(devices.values(), key=lambda device: (device.node, device.id))
        }
        self.candidates = tuple(
            candidate
            for candidate in self._known.values()
            if self.takes_bricks(candidate.node) and devices[candidate.id].state is State.ONLINE
        )
        """The devices that take new bricks, ascending by node id and device id."""
        self.extents_kib = frozenset(candidate.extent_kib for candidate in self.candidates)
        self._tracks: dict[tuple[Pool, TagRule | None, bool], Track] = {}

    @classmethod
    def build(cls, nodes: Iterable[Node], devices: Iterable[Device], *, down: Collection[str] = ()) -> "ClusterView":
        """Make the view of a cluster of all its nodes and devices, in any order. `down` are ids of nodes
        known not to answer.
        """
        return cls({node.id: node for node in nodes}, {device.id: device for device in devices}, down=down)

    def takes_bricks(self, node: str) -> bool:
        """Tell whether devices of a node are candidates at all."""
        return self.nodes[node].state is State.ONLINE and node not in self.down

    def free_kib(self, device: str) -> int:
        """Return the free space of a device, candidate or not."""
        return self._known[device].free_kib

    def used_kib(self, device: str) -> int:
        """Return the used space of a device, candidate or not."""
        return self._known[device].total_kib - self._known[device].free_kib

    def take(self, device: str, kib: int) -> None:
        """Charge a device. Raises ValueError where the books would not allow it either."""
        self._set_free(device, self._known[device].free_kib - kib)

    def give(self, device: str, kib: int) -> None:
        """Give space back to a device. Never more than all of it becomes free, as after a resync that found
        nothing used.
        """
        known = self._known[device]
        self._set_free(device, min(known.free_kib + kib, known.total_kib))

    def resize(self, device: str, *, total_kib: int, free_kib: int) -> None:
        """Take over the sizes that a node reported."""
        self._known[device].total_kib = total_kib
        self._set_free(device, free_kib)

    def check_candidates(self) -> None:
        """Raise NoCandidates if there is nothing to place on."""
        if not self.nodes:
            raise NoCandidates(NO_NODES)
        if not self.candidates:
            raise NoCandidates(NO_ONLINE_STORAGE)

    def track(self, pool: Pool, *, rule: TagRule | None, strict: bool) -> Track:
        """Return the track of a pool, which is made at its first use."""
        key = (pool, rule, strict)
        if (track := self._tracks.get(key)) is None:
            track = Track(ring(self._pool(pool)), rule=rule, strict=strict)
            if len(self._tracks) >= KEPT_TRACKS:
                del self._tracks[next(iter(self._tracks))]
            self._tracks[key] = track
        return track

    def _pool(self, pool: Pool) -> Iterable[Candidate]:
        if pool is Pool.ALL:
            return self.candidates
        return (item for item in self.candidates if POOL_OF_ROLE[arbiter_role(item.tags)] is pool)

    def _set_free(self, device: str, free_kib: int) -> None:
        known = self._known[device]
        if not 0 <= free_kib <= known.total_kib:
            raise ValueError(f"device {device}: {free_kib} KiB of {known.total_kib} cannot be free")
        known.free_kib = free_kib
        for track in self._tracks.values():
            track.renew(known)

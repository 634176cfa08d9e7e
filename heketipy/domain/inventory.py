"""What there is, three times over: by the books, by a node, by gluster. Ids are found in texts by their form."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Final

from heketipy.domain.model import Brick, Node, Volume

_ID: Final = re.compile(r"(?<![0-9a-f])[0-9a-f]{32}(?![0-9a-f])")


def ids_in(texts: Iterable[str]) -> frozenset[str]:
    """Return all ids that occur in texts."""
    return frozenset(id for text in texts for id in _ID.findall(text))


@dataclass(frozen=True, slots=True)
class NodeVolume:
    """A logical volume that a node has. `pool` is the thin pool it lives in and `origin` what it is a snapshot of, ""
    for none; `open` tells whether something uses it."""

    group: str
    name: str
    pool: str = ""
    origin: str = ""
    is_pool: bool = False
    open: bool = False


@dataclass(frozen=True, slots=True)
class NodeMount:
    """A device and where it is, or is to be, mounted."""

    device: str
    point: str


@dataclass(frozen=True, slots=True)
class NodeInventory:
    """What a node says it has. `folders` are those in which bricks are mounted, `gluster` the bricks (`host:path`) of
    each gluster volume by its name, None where gluster did not tell."""

    groups: frozenset[str] = frozenset()
    volumes: tuple[NodeVolume, ...] = ()
    mounts: tuple[NodeMount, ...] = ()
    fstab: tuple[NodeMount, ...] = ()
    folders: frozenset[str] = frozenset()
    gluster: Mapping[str, tuple[str, ...]] | None = None


@dataclass(frozen=True, slots=True)
class Books:
    """What the books say. `at_work` are all ids that pending operations and debts mention; whatever carries one of them
    may be there or not. `settled` are the ids of bricks and volumes that have to be there."""

    nodes: tuple[Node, ...] = ()
    devices: Mapping[str, frozenset[str]] = field(default_factory=dict)
    """Ids of devices by the id of their node."""
    bricks: Mapping[str, Brick] = field(default_factory=dict)
    volumes: Mapping[str, Volume] = field(default_factory=dict)
    at_work: frozenset[str] = frozenset()

    @property
    def settled(self) -> frozenset[str]:
        """Ids of the bricks and volumes on which nobody works."""
        found = {brick.id for brick in self.bricks.values() if not brick.pending and brick.position >= 0}
        found |= {volume.id for volume in self.volumes.values() if not volume.pending}
        return frozenset(found - self.at_work)


def around(before: Books, after: Books) -> tuple[Books, frozenset[str]]:
    """Join the books as they were before and after the nodes were asked: return what was in either of them, and the ids
    of what was settled in both."""
    joined = replace(
        after,
        bricks={**before.bricks, **after.bricks},
        volumes={**before.volumes, **after.volumes},
        devices={
            node: before.devices.get(node, frozenset()) | after.devices.get(node, frozenset())
            for node in {*before.devices, *after.devices}
        },
        at_work=before.at_work | after.at_work,
    )
    return joined, before.settled & after.settled - joined.at_work

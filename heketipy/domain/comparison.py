"""The three-way comparison: books, nodes (LVM, mounts, fstab, folders) and gluster. Pure; it changes nothing.

Only what carries our naming scheme, in a volume group that is ours by the books, can be an orphan that may be cleaned
up. What a brick in the books, an operation, a debt, a gluster volume, a snapshot or another mount refers to never is.
"""

import hashlib
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from functools import cached_property
from typing import Final

from heketipy.domain.inventory import Books, NodeInventory, NodeVolume, ids_in
from heketipy.domain.model import Brick, Node, Volume
from heketipy.domain.names import MOUNT_ROOT, lv, volume_group
from heketipy.domain.quarantine import read_quarantined

_HEX: Final = "[0-9a-f]{32}"
_GROUP: Final = re.compile(f"vg_({_HEX})")
_BRICK: Final = re.compile(f"brick_({_HEX})")
_POOL: Final = re.compile(f"tp_({_HEX})")
_POINT: Final = re.compile(f"{re.escape(MOUNT_ROOT)}/vg_({_HEX})/brick_({_HEX})")


_NEVER: Final = "gluster volumes are never cleaned up"


class Kind(StrEnum):
    """What is wrong."""

    ORPHAN_LV = "orphan-lv"
    ORPHAN_POOL = "orphan-pool"
    ORPHAN_MOUNT = "orphan-mount"
    ORPHAN_FSTAB_LINE = "orphan-fstab-line"
    ORPHAN_FOLDER = "orphan-folder"
    QUARANTINED = "quarantined"
    """Was an orphan, and is kept for a while."""
    UNKNOWN_GROUP = "unknown-volume-group"
    UNKNOWN_LV = "unknown-lv"
    UNKNOWN_VOLUME = "unknown-gluster-volume"
    UNKNOWN_BRICK = "unknown-gluster-brick"
    LOST_GROUP = "lost-volume-group"
    LOST_LV = "lost-lv"
    LOST_POOL = "lost-pool"
    LOST_MOUNT = "lost-mount"
    LOST_FSTAB_LINE = "lost-fstab-line"
    LOST_VOLUME = "lost-gluster-volume"
    LOST_BRICK = "brick-not-in-gluster-volume"

    @property
    def is_orphan(self) -> bool:
        """Whether it is something of a brick that nobody knows."""
        return self.startswith("orphan-")


@dataclass(frozen=True, slots=True)
class Finding:
    """One difference. `name` is what the node calls the thing; ids of device, brick and volume are "" where they are
    not known.

    `hindrance` says why it is not cleaned up; an orphan without one may be. `certain` is false where somebody who could
    know better was not heard. Times are in seconds since 1970: `since` of a quarantine's begin, `until` of its end.
    """

    kind: Kind
    node: str
    name: str
    device: str = ""
    brick: str = ""
    volume: str = ""
    hindrance: str = ""
    certain: bool = True
    since: float | None = None
    until: float | None = None

    @property
    def id(self) -> str:
        """The same at every look."""
        return hashlib.sha256("\0".join((self.kind, self.node, self.device, self.name)).encode()).hexdigest()[:32]


@dataclass(frozen=True, slots=True)
class Leftover:
    """All that is left of a brick on a node: what is done with it is done as a whole.

    `lv` is the volume (of a brick or, where none lives in it, a thin pool), `mounted` and so on tell what else there
    is. `findings` are the ids of what it was found by.
    """

    node: str
    device: str
    brick: str
    lv: str = ""
    mounted: bool = False
    in_fstab: bool = False
    folder: bool = False
    findings: tuple[str, ...] = ()

    @property
    def group(self) -> str:
        """Its volume group."""
        return volume_group(self.device)

    @property
    def point(self) -> str:
        """Where it is mounted."""
        return f"{MOUNT_ROOT}/{self.group}/{lv(self.brick)}"


def leftovers(findings: Iterable[Finding]) -> list[Leftover]:
    """Gather the orphans that nothing hinders, by brick."""
    found: dict[tuple[str, str, str], Leftover] = {}
    for one in findings:
        if not one.kind.is_orphan or one.hindrance:
            continue
        key = (one.node, one.device, one.brick)
        known = found.get(key) or Leftover(one.node, one.device, one.brick)
        match one.kind:
            case Kind.ORPHAN_LV:
                known = replace(known, lv=one.name)
            case Kind.ORPHAN_POOL:
                known = replace(known, lv=known.lv or one.name)
            case Kind.ORPHAN_MOUNT:
                known = replace(known, mounted=True)
            case Kind.ORPHAN_FSTAB_LINE:
                known = replace(known, in_fstab=True)
            case _:
                known = replace(known, folder=True)
        found[key] = replace(known, findings=(*known.findings, one.id))
    return list(found.values())


def quarantined(findings: Iterable[Finding]) -> list[Leftover]:
    """Return what is in quarantine, each as a leftover of its own."""
    return [
        Leftover(one.node, one.device, one.brick, lv=one.name, findings=(one.id,))
        for one in findings
        if one.kind is Kind.QUARANTINED
    ]


def compare(books: Books, settled: frozenset[str], nodes: Mapping[str, NodeInventory]) -> list[Finding]:
    """Compare everything. `nodes` are those that answered, by id; of others nothing is said."""
    found: list[Finding] = []
    of_node: dict[str, list[Brick]] = {}
    for brick in books.bricks.values():
        of_node.setdefault(brick.node, []).append(brick)
    for cluster in sorted({node.cluster for node in books.nodes}):
        members = [node for node in books.nodes if node.cluster == cluster]
        told = {node.id: nodes[node.id] for node in members if node.id in nodes}
        answers = [(id, inventory.gluster) for id, inventory in told.items() if inventory.gluster is not None]
        paths = [brick for _, volumes in answers for bricks in volumes.values() for brick in bricks]
        referred = ids_in(paths) if answers else None
        for node in members:
            if node.id in told:
                found += _Look(books, settled, node, of_node.get(node.id, ()), told[node.id], referred).findings()
        if answers:
            certain = len(answers) == len(members)
            found += _Gluster(books, settled, answers, certain).findings(cluster)
    return found


@dataclass(frozen=True)
class _Look:
    """The comparison of one node. `bricks` are those that it has by the books, `referred` the ids in gluster's bricks;
    None where gluster was not heard."""

    books: Books
    settled: frozenset[str]
    node: Node
    bricks: Sequence[Brick]
    there: NodeInventory
    referred: frozenset[str] | None

    def findings(self) -> list[Finding]:
        """Return losses first, then what nobody knows."""
        return [*self._losses(), *self._with_hindrances(self._orphans()), *self._others()]

    @property
    def _devices(self) -> frozenset[str]:
        return self.books.devices.get(self.node.id, frozenset())

    @cached_property
    def _booked(self) -> frozenset[tuple[str, str]]:
        """Volume groups and names of the volumes and pools that bricks have by the books."""
        names = ((brick, name) for brick in self.bricks for name in (brick.lv or lv(brick.id), brick.pool))
        return frozenset((volume_group(brick.device), name) for brick, name in names)

    @cached_property
    def _inhabitants(self) -> Mapping[tuple[str, str], list[NodeVolume]]:
        """The thin volumes, by volume group and pool."""
        found: dict[tuple[str, str], list[NodeVolume]] = {}
        for volume in self.there.volumes:
            if volume.pool:
                found.setdefault((volume.group, volume.pool), []).append(volume)
        return found

    @cached_property
    def _snapshots(self) -> Mapping[tuple[str, str], list[str]]:
        """The names of snapshots, by volume group and origin."""
        found: dict[tuple[str, str], list[str]] = {}
        for volume in self.there.volumes:
            if volume.origin:
                found.setdefault((volume.group, volume.origin), []).append(volume.name)
        return found

    @cached_property
    def _points(self) -> Mapping[str, list[str]]:
        """Where devices are mounted."""
        found: dict[str, list[str]] = {}
        for mount in self.there.mounts:
            found.setdefault(mount.device, []).append(mount.point)
        return found

    def _losses(self) -> Iterator[Finding]:
        volumes = {(volume.group, volume.name) for volume in self.there.volumes}
        points = {_plain(mount.point) for mount in self.there.mounts}
        lines = {line.point for line in self.there.fstab}
        for device in sorted(self._devices - self.books.at_work):
            if volume_group(device) not in self.there.groups:
                yield Finding(Kind.LOST_GROUP, self.node.id, volume_group(device), device)
        for brick in self.bricks:
            group = volume_group(brick.device)
            if brick.id not in self.settled or brick.volume in self.books.at_work or group not in self.there.groups:
                continue
            name, point = brick.lv or lv(brick.id), brick.path.removesuffix("/brick")
            is_clone = not point.startswith(MOUNT_ROOT)
            if (group, name) not in volumes and not (is_clone and (group, brick.pool) in self._inhabitants):
                yield self._loss(Kind.LOST_LV, name, brick)
            if (group, brick.pool) not in volumes:
                yield self._loss(Kind.LOST_POOL, brick.pool, brick)
            if _plain(point) not in points:
                yield self._loss(Kind.LOST_MOUNT, point, brick)
            if not is_clone and point not in lines:
                yield self._loss(Kind.LOST_FSTAB_LINE, point, brick)

    def _loss(self, kind: Kind, name: str, brick: Brick) -> Finding:
        return Finding(kind, self.node.id, name, brick.device, brick.id, brick.volume)

    def _orphans(self) -> Iterator[Finding]:
        for volume in self.there.volumes:
            device = _match(_GROUP, volume.group)
            brick = _match(_POOL if volume.is_pool else _BRICK, volume.name)
            if not (device in self._devices and brick) or self._is_known(brick, volume):
                continue
            kind = Kind.ORPHAN_POOL if volume.is_pool else Kind.ORPHAN_LV
            inside = self._inside(volume)
            if inside and all(map(_spoken_for, inside)):
                continue  # it goes with what lives in it
            yield Finding(kind, self.node.id, volume.name, device, brick, hindrance=self._use(volume))
        for kind, mounts in ((Kind.ORPHAN_MOUNT, self.there.mounts), (Kind.ORPHAN_FSTAB_LINE, self.there.fstab)):
            for mount in mounts:
                found = _POINT.fullmatch(mount.point)
                if found and not self._is_known(found[2]):
                    foreign = mount.device not in _names(found[1], found[2])
                    why = f"another device is meant: {mount.device}" if foreign else ""
                    yield Finding(kind, self.node.id, mount.point, found[1], found[2], hindrance=why)
        for folder in sorted(self.there.folders):
            found = _POINT.fullmatch(folder)
            if found and not self._is_known(found[2]):
                yield Finding(Kind.ORPHAN_FOLDER, self.node.id, folder, found[1], found[2])

    def _is_known(self, brick: str, volume: NodeVolume | None = None) -> bool:
        """Tell whether the books or work in progress have a brick, or use a volume or pool under its name."""
        if brick in self.books.bricks or brick in self.books.at_work:
            return True
        return volume is not None and (volume.group, volume.name) in self._booked

    def _inside(self, pool: NodeVolume) -> Sequence[NodeVolume]:
        return self._inhabitants.get((pool.group, pool.name), ())

    def _use(self, volume: NodeVolume) -> str:
        """Say what else uses an orphan; "" for nothing."""
        if volume.is_pool:
            return "other volumes live in it" if self._inside(volume) else ""
        snapshots = self._snapshots.get((volume.group, volume.name))
        if snapshots:
            return f"snapshots were made of it: {', '.join(snapshots)}"
        device, brick = volume.group.removeprefix("vg_"), volume.name.removeprefix("brick_")
        points = [point for name in _names(device, brick) for point in self._points.get(name, ())]
        elsewhere = [point for point in points if point != f"{MOUNT_ROOT}/{volume.group}/{volume.name}"]
        if elsewhere:
            return f"it is mounted on {', '.join(elsewhere)}"
        return "something holds it open" if volume.open and not points else ""

    def _with_hindrances(self, found: Iterable[Finding]) -> list[Finding]:
        """What hinders one part of a brick hinders all of it."""
        parts = list(found)
        why: dict[tuple[str, str], str] = {}
        for part in parts:
            key = (part.device, part.brick)
            why[key] = why.get(key) or part.hindrance or self._hindrance(part)
        certain = self.referred is not None
        return [replace(part, hindrance=why[(part.device, part.brick)], certain=certain) for part in parts]

    def _hindrance(self, part: Finding) -> str:
        if part.device not in self._devices:
            return "its volume group is none of ours by the books"
        if part.device in self.books.at_work and volume_group(part.device) not in self.there.groups:
            return "an operation is at work on its device"
        if self.referred is None:
            return "no gluster daemon of the cluster could be asked"
        return "a gluster volume refers to it" if part.brick in self.referred else ""

    def _others(self) -> Iterator[Finding]:
        everywhere = {device for devices in self.books.devices.values() for device in devices} | self.books.at_work
        for group in sorted(self.there.groups):
            device = _match(_GROUP, group)
            if device and device not in (self._devices | self.books.at_work):
                why = "another node has it by the books" if device in everywhere else "the books do not know it"
                yield Finding(Kind.UNKNOWN_GROUP, self.node.id, group, device, hindrance=why)
        for volume in self.there.volumes:
            device = _match(_GROUP, volume.group)
            if device not in self._devices:
                continue
            kept = read_quarantined(volume.name)
            if kept is not None:
                brick = kept.former.rpartition("_")[2]
                since, until = float(kept.since), float(kept.until)
                yield Finding(Kind.QUARANTINED, self.node.id, volume.name, device, brick, since=since, until=until)
            elif not (_ours(volume) or self._has_owner(volume)):
                why = "it does not have a name of ours"
                yield Finding(Kind.UNKNOWN_LV, self.node.id, volume.name, device, hindrance=why)

    def _has_owner(self, volume: NodeVolume) -> bool:
        """Tell whether the books have a volume, or the pool it lives in: what else lives there, snapshots do."""
        names = {(volume.group, volume.name), (volume.group, volume.pool)}
        return bool(names & self._booked or ids_in([volume.name, volume.pool]) & self.books.at_work)


@dataclass(frozen=True, slots=True)
class _Gluster:
    """The comparison of a cluster's books with what its gluster daemons say, all of them together."""

    books: Books
    settled: frozenset[str]
    answers: Sequence[tuple[str, Mapping[str, tuple[str, ...]]]]
    certain: bool

    def findings(self, cluster: str) -> Iterator[Finding]:
        """Return what gluster knows and the books do not, and the other way round."""
        seen = self._seen()
        booked = {volume.name: volume for volume in self.books.volumes.values() if volume.cluster == cluster}
        bricks: dict[str, list[Brick]] = {volume.id: [] for volume in booked.values()}
        for brick in self.books.bricks.values():
            if brick.volume in bricks:
                bricks[brick.volume].append(brick)
        for name, (node, _) in sorted(seen.items()):
            if name not in booked and not ids_in([name]) & self.books.at_work:
                yield Finding(Kind.UNKNOWN_VOLUME, node, name, hindrance=_NEVER)
        for name, volume in sorted(booked.items()):
            if volume.id not in self.settled:
                continue
            if name not in seen:
                yield Finding(Kind.LOST_VOLUME, self.answers[0][0], name, volume=volume.id, certain=self.certain)
            elif all(brick.id in self.settled for brick in bricks[volume.id]):
                yield from self._bricks(volume, bricks[volume.id], *seen[name])

    def _seen(self) -> Mapping[str, tuple[str, frozenset[str]]]:
        """Return a node that knows it, and the bricks, of each volume."""
        seen: dict[str, tuple[str, frozenset[str]]] = {}
        for node, volumes in self.answers:
            for name, paths in volumes.items():
                first, known = seen.get(name, (node, frozenset()))
                seen[name] = first, known | set(map(_plain, paths))
        return seen

    def _bricks(self, volume: Volume, bricks: Iterable[Brick], node: str, paths: frozenset[str]) -> Iterator[Finding]:
        storage = {node.id: node.storage for node in self.books.nodes}
        left = set(paths)
        for brick in bricks:
            places = {_plain(f"{host}:{brick.path}") for host in storage.get(brick.node, ())}
            if not places & left:
                yield Finding(
                    Kind.LOST_BRICK,
                    brick.node,
                    brick.path,
                    brick.device,
                    brick.id,
                    volume.id,
                    certain=self.certain,
                )
            left -= places
        for path in sorted(left):
            yield Finding(Kind.UNKNOWN_BRICK, node, path, volume=volume.id, hindrance=_NEVER)


def _match(pattern: re.Pattern[str], text: str) -> str:
    found = pattern.fullmatch(text)
    return found[1] if found else ""


def _ours(volume: NodeVolume) -> bool:
    return bool(_match(_POOL if volume.is_pool else _BRICK, volume.name))


def _spoken_for(volume: NodeVolume) -> bool:
    """Tell whether a thin volume is an orphan itself, or in quarantine."""
    return bool(_match(_BRICK, volume.name)) or read_quarantined(volume.name) is not None


def _names(device: str, brick: str) -> tuple[str, str]:
    """Return the names under which a brick's volume is mounted."""
    group, name = volume_group(device), lv(brick)
    return f"/dev/mapper/{group}-{name}", f"/dev/{group}/{name}"


def _plain(path: str) -> str:
    return path.replace("/var/run/", "/run/", 1)

"""Saying what holds a disk that LVM has refused, and what wiping it would destroy: lines for people."""

from collections.abc import Sequence
from dataclasses import dataclass

from heketipy.domain.units import KIB_PER_GIB, KIB_PER_MIB
from heketipy.executors.disks import BlockDevice, Signature

SHOWN = 8
"""So many partitions, or names of logical volumes, are listed; more are counted."""


@dataclass(frozen=True, slots=True)
class Holdings:
    """What was found out about a disk. `group` is the volume group that it belongs to: "" for a physical volume of
    none, None for no physical volume. `filters` are the lines of LVM's configuration that hide it from LVM.
    """

    path: str
    disk: BlockDevice | None = None
    signatures: tuple[Signature, ...] = ()
    group: str | None = None
    volumes: tuple[str, ...] = ()
    filters: tuple[str, ...] = ()

    def lines(self) -> tuple[str, ...]:
        """Say all of it, a line a fact."""
        return (*self._disk(), *self._parts(), *self._group(), *self._filters(), *self._loss())

    def _disk(self) -> Sequence[str]:
        facts = self._contents()
        if self.disk is not None:
            if self.disk.table and self.disk.table not in facts:
                facts.append(f"{self.disk.table} partition table")
            if self.disk.mount_point:
                facts.append(f"mounted at {self.disk.mount_point}")
            facts.insert(0, f"{self.disk.type} of {_amount(self.disk.size_kib)}")
        return [f"{self.path}: {', '.join(facts)}"] if facts else []

    def _contents(self) -> list[str]:
        if self.signatures:
            return [_content(signature.type, signature.label) for signature in self.signatures]
        return [_content(self.disk.content, self.disk.label)] if self.disk is not None and self.disk.content else []

    def _parts(self) -> Sequence[str]:
        parts = [part for part in self.disk.below() if part.type != "lvm" or part.mount_point] if self.disk else []
        lines = [
            f"{part.name}: {part.type} of {_amount(part.size_kib)}"
            + (f", {_content(part.content, part.label)}" if part.content else "")
            + (f", mounted at {part.mount_point}" if part.mount_point else "")
            for part in parts[:SHOWN]
        ]
        return [*lines, f"and {len(parts) - SHOWN} more"] if len(parts) > SHOWN else lines

    def _group(self) -> Sequence[str]:
        if self.group is None:
            return []
        if not self.group:
            return [f"{self.path} is a physical volume of LVM that belongs to no volume group"]
        return [f"{self.path} belongs to the volume group {self.group}, which holds {_volumes(self.volumes)}"]

    def _filters(self) -> Sequence[str]:
        if not self.filters:
            return []
        return [f"LVM on the node is told not to look at it: {'; '.join(self.filters)}"]

    def _loss(self) -> Sequence[str]:
        if self.filters:
            return []
        if users := self._users():
            return [f"It is in use by {_listed(users)}: destroydata=true does not help until that is ended"]
        lost = [] if self.group else self._contents()
        if self.group:
            lost.append(f"the volume group {self.group} with {_volumes(self.volumes)}")
        if self.disk is not None:
            lost += [part.name for part in self.disk.below() if part.type == "part"]
        return [f"destroydata=true would destroy what it holds: {_listed(lost)}"] if lost else []

    def _users(self) -> list[str]:
        """Name what keeps the disk open: mounts, and what device-mapper and md have made of it."""
        if self.disk is None:
            return []
        return [
            f"the mount {device.mount_point}" if device.mount_point else f"{device.type} {device.name}"
            for device in (self.disk, *self.disk.below())
            if device.mount_point or device.type not in ("part", "disk", "loop")
        ]


def _content(type: str, label: str) -> str:
    return f"{type} with label {label}" if label else type


def _volumes(names: Sequence[str]) -> str:
    if not names:
        return "no logical volume"
    return f"{len(names)} logical volume{'s' if len(names) > 1 else ''}: {_listed(names)}"


def _listed(texts: Sequence[str]) -> str:
    rest = len(texts) - SHOWN
    return ", ".join(texts[:SHOWN]) + (f" and {rest} more" if rest > 0 else "")


def _amount(kib: int) -> str:
    number, unit = (kib / KIB_PER_GIB, "GiB") if kib >= KIB_PER_GIB else (kib / KIB_PER_MIB, "MiB")
    return f"{number:.2f}".rstrip("0").rstrip(".") + f" {unit}"

"""Putting away what is left of bricks that nobody knows: into quarantine, out of it again, or for good.

Everything is looked at once more on the node itself, under its lock for bricks, before anything goes: what is mounted
or open, has a snapshot or is not called as it was found, stays. A file system in use is not unmounted. The fstab is
edited only for what is unmounted. A step that is repeated finds nothing to do.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from heketipy.domain.comparison import Leftover
from heketipy.domain.errors import CommandFailed
from heketipy.domain.inventory import NodeVolume
from heketipy.domain.model import NodeAddress
from heketipy.domain.quarantine import Quarantined, read_quarantined
from heketipy.executors import fstab, lvm, mounts
from heketipy.executors.answers import refusal
from heketipy.executors.lvm import Lvm
from heketipy.executors.options import SHORT_COMMAND, NodeOptions
from heketipy.executors.transport import Batch, Command, Fence, Lane, Result, Transport

Failures = Mapping[str, str]
"""Why something was not done, by volume group and brick: `vg_…/brick_…`."""


def key(leftover: Leftover) -> str:
    """Name a leftover on its node."""
    return leftover.point.partition("mounts/")[2]


@dataclass(frozen=True, slots=True)
class Quarantine:
    """The verbs about leftovers. Each returns what it could not do; one that fails does not stop the others."""

    transport: Transport
    options: NodeOptions

    @property
    def _lvm(self) -> Lvm:
        return Lvm(self.options)

    async def begin(
        self, node: NodeAddress, leftovers: Sequence[Leftover], *, since: int, until: int, fence: Fence | None = None
    ) -> Failures:
        """Unmount, take out of the fstab, rename. Raises NodeUnreachable, CommandFailed if the node cannot be looked
        at."""
        points = [one for one in leftovers if one.mounted]
        results, there = await self._look(node, [mounts.umount(one.point) for one in points], fence)
        failures = {
            key(one): result.text.strip()
            for one, result in zip(points, results, strict=True)
            if not (result.ok or mounts.is_unmounted(result.stderr))
        }
        free = [one for one in leftovers if key(one) not in failures]
        failures |= {key(one): why for one in free if (why := there.use_of(one))}
        free = [one for one in free if key(one) not in failures]
        lines = [one.point for one in free if one.in_fstab]
        if lines and free:
            (edit,) = await self._run(node, [fstab.remove(lines, fstab=self.options.fstab)], fence)
            if not (edit.ok or fstab.is_missing(edit.stderr)):
                return failures | {key(one): edit.text.strip() for one in free}
        changes = {
            key(one): self._lvm.lvrename(one.group, one.lv, Quarantined(one.lv, since, until).name)
            for one in free
            if there.find(one) is not None
        }
        changes |= {f"{key(one)}/": ("rmdir", one.point) for one in free if one.folder}
        return failures | await self._change(node, changes, fence)

    async def release(
        self, node: NodeAddress, leftovers: Sequence[Leftover], *, fence: Fence | None = None
    ) -> Failures:
        """Give volumes their former names. They are not mounted again. Raises as `begin`."""
        _, there = await self._look(node, [], fence)
        changes = {
            one.lv: self._lvm.lvrename(one.group, one.lv, kept.former)
            for one in leftovers
            if (kept := read_quarantined(one.lv)) is not None and there.find(one) is not None
        }
        return await self._change(node, changes, fence)

    async def end(
        self, node: NodeAddress, leftovers: Sequence[Leftover], *, now: float, fence: Fence | None = None
    ) -> Failures:
        """Remove volumes whose time is over, and the thin pools in which nothing else lives. Raises as `begin`."""
        _, there = await self._look(node, [], fence)
        failures: dict[str, str] = {}
        removals: dict[str, tuple[str, ...]] = {}
        pools: dict[tuple[str, str], str] = {}
        for one in leftovers:
            volume, kept = there.find(one), read_quarantined(one.lv)
            if volume is None or kept is None:
                continue
            if kept.until > now:
                failures[one.lv] = "its time is not over"
            elif why := there.use_of(one):
                failures[one.lv] = why
            else:
                removals[one.lv] = self._lvm.lvremove(one.group, one.lv)
                if volume.pool.startswith("tp_"):
                    pools[(one.group, volume.pool)] = one.lv
        refused = await self._change(node, removals, fence)
        counted = [self._lvm.thin_count(*pool) for pool in pools]
        counts = await self._run(node, counted, fence)
        empty = {
            name: self._lvm.lvremove(*pool)
            for (pool, name), count in zip(pools.items(), counts, strict=True)
            if _is_empty(count)
        }
        return {**failures, **refused, **await self._change(node, empty, fence)}

    async def _look(
        self, node: NodeAddress, before: Sequence[tuple[str, ...]], fence: Fence | None
    ) -> tuple[Sequence[Result], "_There"]:
        """Run commands, and list the volumes then."""
        *results, listed = await self._run(node, [*before, self._lvm.volumes()], fence)
        if not listed.ok:
            raise refusal(node, listed)
        try:
            volumes = lvm.read_volumes(listed.stdout)
        except ValueError as error:
            raise CommandFailed(str(error), node=node.id) from error
        return results, _There({(volume.group, volume.name): volume for volume in volumes})

    async def _change(
        self, node: NodeAddress, changes: Mapping[str, tuple[str, ...]], fence: Fence | None
    ) -> dict[str, str]:
        results = await self._run(node, list(changes.values()), fence)
        return {
            name.removesuffix("/"): result.text.strip()
            for name, result in zip(changes, results, strict=True)
            if not (result.ok or lvm.is_gone(result.stderr) or "No such file or directory" in result.stderr)
        }

    async def _run(self, node: NodeAddress, argvs: Sequence[tuple[str, ...]], fence: Fence | None) -> list[Result]:
        if not argvs:
            return []
        commands = tuple(Command(argv, timeout=SHORT_COMMAND, tolerated=True) for argv in argvs)
        return list(await self.transport.run(node, Batch(commands, Lane.BRICKS, fence=fence)))


@dataclass(frozen=True, slots=True)
class _There:
    """What a node has now, by volume group and name."""

    volumes: Mapping[tuple[str, str], NodeVolume] = field(default_factory=dict)

    def find(self, leftover: Leftover) -> NodeVolume | None:
        return self.volumes.get((leftover.group, leftover.lv))

    def use_of(self, leftover: Leftover) -> str:
        """Say what uses a leftover's volume; "" for nothing."""
        volume = self.find(leftover)
        if volume is None:
            return ""
        place = (volume.group, volume.name)
        if any((one.group, one.origin) == place for one in self.volumes.values()):
            return "snapshots were made of it"
        if any((one.group, one.pool) == place for one in self.volumes.values()):
            return "other volumes live in it"
        return "something holds it open" if volume.open and not volume.is_pool else ""


def _is_empty(count: Result) -> bool:
    if not count.ok:
        return False
    try:
        return lvm.read_thin_count(count.stdout) == 0
    except ValueError:
        return False

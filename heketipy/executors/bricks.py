"""Making and destroying bricks on one node: a thin pool, a thin volume in it, an XFS, a mount, an fstab line.

Everything is named after random ids, and only what carries them is ever touched. No file system is made over another
one, and no volume is removed by a create: where a repeated create finds more than it can prove to be unfinished, it
fails, and the undo cleans up.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import structlog

from heketipy.domain.errors import CommandFailed, NodeFailure
from heketipy.domain.model import BrickType, NodeAddress
from heketipy.domain.names import lv, thin_pool, volume_group
from heketipy.executors import fstab, lvm, mounts, xfs
from heketipy.executors.answers import demand, refusal
from heketipy.executors.lvm import Lvm
from heketipy.executors.options import LONG_COMMAND, SHORT_COMMAND, NodeOptions
from heketipy.executors.transport import Batch, Command, Fence, Lane, Result, Transport

log = structlog.get_logger(__name__)

_CLONE_ROOTS = ("/run/gluster/", "/var/run/gluster/")
_BRICK_DIRECTORY = "/brick"
_SHARED_DIRECTORY_MODE = "2775"


@dataclass(frozen=True, slots=True)
class BrickSpec:
    """What a node has to know of a brick. Sizes as in `domain.model.Brick`; `gid` 0 leaves group and mode alone.

    `thin_pool` and `lv` are the names in the books; where they are empty (old databases) they follow from the id.
    """

    id: str
    device: str
    path: str
    size_kib: int
    tp_size_kib: int
    pool_metadata_kib: int
    type: BrickType = BrickType.NORMAL
    thin_pool: str = ""
    lv: str = ""
    gid: int = 0

    @property
    def group(self) -> str:
        """Its volume group."""
        return volume_group(self.device)

    @property
    def pool_name(self) -> str:
        """Its thin pool, within the group."""
        return self.thin_pool or thin_pool(self.id)

    @property
    def lv_name(self) -> str:
        """Its logical volume, within the group."""
        return self.lv or lv(self.id)

    @property
    def device_node(self) -> str:
        """The block device that holds its file system."""
        return f"/dev/mapper/{_mapper(self.group)}-{_mapper(self.lv_name)}"

    @property
    def mount_point(self) -> str:
        """Where its file system is mounted: one level above its path."""
        return self.path.removesuffix(_BRICK_DIRECTORY)

    @property
    def in_fstab(self) -> bool:
        """Whether it has a line in the fstab; gluster mounts the bricks of clones itself."""
        return not self.path.startswith(_CLONE_ROOTS)

    @property
    def clone_folder(self) -> str:
        """Where gluster mounts the bricks of its clone: a directory named after the clone's uuid; "" for others."""
        return "" if self.in_fstab else self.mount_point.rpartition("/")[0]


def _mapper(name: str) -> str:
    return name.replace("-", "--")


@dataclass(frozen=True, slots=True)
class _Found:
    """What is there of a node's bricks."""

    volumes: frozenset[tuple[str, str]]
    pools_in_use: frozenset[tuple[str, str]]
    mounted: frozenset[tuple[str, str]]
    in_fstab: frozenset[str]

    def has_volume(self, brick: BrickSpec) -> bool:
        return (brick.group, brick.lv_name) in self.volumes

    def has_pool(self, brick: BrickSpec) -> bool:
        return (brick.group, brick.pool_name) in self.volumes

    def pool_in_use(self, brick: BrickSpec) -> bool:
        return (brick.group, brick.pool_name) in self.pools_in_use

    def has_mount(self, brick: BrickSpec) -> bool:
        return (brick.device_node, brick.mount_point) in self.mounted


@dataclass(frozen=True, slots=True)
class Bricks:
    """The verbs about bricks."""

    transport: Transport
    options: NodeOptions

    @property
    def _lvm(self) -> Lvm:
        return Lvm(self.options)

    async def _run(self, node: NodeAddress, commands: Sequence[Command], fence: Fence | None) -> list[Result]:
        if not commands:
            return []
        return list(await self.transport.run(node, Batch(tuple(commands), Lane.BRICKS, fence=fence)))

    async def create(self, node: NodeAddress, bricks: Sequence[BrickSpec], *, fence: Fence | None = None) -> None:
        """Make all bricks, in one round trip; what a former attempt left half made is completed in three more.

        Raises CommandFailed with the text of the tool that refused, NodeUnreachable.
        """
        for brick in bricks:
            if brick.type is BrickType.UNKNOWN or not brick.path.endswith(_BRICK_DIRECTORY):
                raise CommandFailed(f"Can not create a brick of unknown type or path: {brick.path}", node=node.id)
        whole_lines = self._make(fstab.end_last_line(self.options.fstab), tolerated=True)
        commands = [whole_lines, *(command for brick in bricks for command in self._create(brick))]
        results = await self._run(node, commands, fence)
        if len(results) == len(commands) and results[-1].ok:
            return
        if lvm.already_exists(results[-1].stderr):
            await self._complete(node, bricks, results[-1], fence)
        else:
            demand(node, results)

    def _create(self, brick: BrickSpec) -> Iterator[Command]:
        yield self._make(("mkdir", "-p", brick.mount_point))
        yield self._make(self._lvcreate(brick))
        yield from self._format(brick)
        yield self._append(brick)
        yield self._mount(brick)
        yield from self._finish(brick, ("mkdir", f"{brick.path}"))

    @staticmethod
    def _make(argv: tuple[str, ...], *, tolerated: bool = False) -> Command:
        return Command(argv, timeout=LONG_COMMAND, tolerated=tolerated)

    def _lvcreate(self, brick: BrickSpec) -> tuple[str, ...]:
        return self._lvm.lvcreate(
            brick.group,
            pool=brick.pool_name,
            name=brick.lv_name,
            pool_kib=brick.tp_size_kib,
            metadata_kib=brick.pool_metadata_kib,
            size_kib=brick.size_kib,
            arbiter=brick.type is BrickType.ARBITER,
        )

    def _format(self, brick: BrickSpec) -> Iterator[Command]:
        arbiter = brick.type is BrickType.ARBITER
        yield self._make(xfs.mkfs(brick.device_node, arbiter=arbiter, options=self.options))

    def _append(self, brick: BrickSpec) -> Command:
        line = fstab.line(brick.device_node, brick.mount_point, options=self.options.mountopts)
        return self._make(fstab.append(line, fstab=self.options.fstab))

    def _mount(self, brick: BrickSpec, *, tolerated: bool = False) -> Command:
        return self._make(
            mounts.mount(brick.device_node, brick.mount_point, options=self.options.mountopts),
            tolerated=tolerated,
        )

    def _finish(self, brick: BrickSpec, mkdir: tuple[str, ...]) -> Iterator[Command]:
        yield self._make(mkdir)
        if brick.gid:
            yield self._make(("chown", f":{brick.gid}", brick.path))
            yield self._make(("chmod", _SHARED_DIRECTORY_MODE, brick.path))

    async def _complete(
        self, node: NodeAddress, bricks: Sequence[BrickSpec], refused: Result, fence: Fence | None
    ) -> None:
        """Go on from what is there. A volume that can be mounted keeps its file system; one that cannot gets one, which
        mkfs refuses to make over another."""
        found = await self._look(node, fence)
        waiting = [brick for brick in bricks if found.has_volume(brick) and not found.has_mount(brick)]
        attempts = await self._run(
            node,
            [
                command
                for brick in waiting
                for command in (
                    self._make(("mkdir", "-p", brick.mount_point)),
                    self._mount(brick, tolerated=True),
                )
            ],
            fence,
        )
        if len(attempts) < 2 * len(waiting):
            demand(node, attempts)
        mounted = {brick.id for brick, attempt in zip(waiting, attempts[1::2], strict=True) if attempt.ok} | {
            brick.id for brick in bricks if found.has_mount(brick)
        }
        commands: list[Command] = []
        for brick in bricks:
            if not found.has_volume(brick) and found.has_pool(brick) and found.pool_in_use(brick):
                raise refusal(node, refused)
            commands += self._rest(brick, found, mounted=brick.id in mounted)
        results = await self._run(node, commands, fence)
        demand(node, results)

    def _rest(self, brick: BrickSpec, found: _Found, *, mounted: bool) -> Iterator[Command]:
        if not found.has_volume(brick):
            if found.has_pool(brick):
                yield self._make(self._lvm.lvremove(brick.group, brick.pool_name))
            yield self._make(("mkdir", "-p", brick.mount_point))
            yield self._make(self._lvcreate(brick))
        if not mounted:
            yield from self._format(brick)
        if brick.mount_point not in found.in_fstab:
            yield self._append(brick)
        if not mounted:
            yield self._mount(brick)
        yield from self._finish(brick, ("mkdir", "-p", brick.path))

    async def _look(self, node: NodeAddress, fence: Fence | None) -> _Found:
        commands = [
            self._make(self._lvm.lvs()),
            self._make(mounts.show()),
            self._make(fstab.show(self.options.fstab), tolerated=True),
        ]
        results = await self._run(node, commands, fence)
        if len(results) < len(commands):
            demand(node, results)
        if not results[2].ok and not fstab.is_missing(results[2].stderr):
            raise refusal(node, results[2])
        try:
            volumes = lvm.read_lvs(results[0].stdout)
        except ValueError as error:
            raise CommandFailed(str(error), node=node.id) from error
        return _Found(
            volumes=frozenset((volume.group, volume.name) for volume in volumes),
            pools_in_use=frozenset((volume.group, volume.pool) for volume in volumes if volume.pool),
            mounted=frozenset((mount.device, mount.point) for mount in mounts.read(results[1].stdout)),
            in_fstab=frozenset(entry.mount_point for entry in fstab.read(results[2].stdout)),
        )

    async def destroy(
        self, node: NodeAddress, bricks: Sequence[BrickSpec], *, fence: Fence | None = None
    ) -> dict[str, bool]:
        """Remove what is there of the bricks, in two round trips, and tell for each whether its space is free again: it
        is not while other volumes (snapshots, clones) live in its thin pool.

        One brick's failure does not stop the others. Raises CommandFailed when all are done if one could not be
        removed, with the text of the tool that refused, NodeUnreachable.
        """
        bricks = await self._with_volumes(node, bricks, fence)
        demolition = _Demolition(self._lvm, self.options, tuple(bricks))
        results = await self._run(node, demolition.commands(), fence)
        if demolition.stopped_without_fstab(results):
            done = len(results)
            results += await self._run(node, demolition.commands()[done:], fence)
        if len(results) < len(demolition.commands()):
            raise refusal(node, results[-1])
        outcome = demolition.outcome(node, results)
        if outcome.busy and self.options.debug_umount_failures:
            await self._show_open_files(node, outcome.busy)
        removals = [_try(self._lvm.lvremove(*pool)) for pool in outcome.empty]
        folders = [_try(("rmdir", folder)) for folder in dict.fromkeys(b.clone_folder for b in bricks) if folder]
        freed = set(outcome.gone)
        removed = (await self._run(node, removals + folders, fence))[: len(removals)]
        for pool, result in zip(outcome.empty, removed, strict=True):
            if not (result.ok or lvm.is_gone(result.stderr)):
                raise outcome.error or refusal(node, result)
            freed.add(pool)
        if outcome.error is not None:
            raise outcome.error
        last_of_pool = {(brick.group, brick.pool_name): brick.id for brick in bricks}
        return {
            brick.id: (pool := (brick.group, brick.pool_name)) in freed and last_of_pool[pool] == brick.id
            for brick in bricks
        }

    async def clone_volumes(
        self, node: NodeAddress, bricks: Sequence[BrickSpec], *, fence: Fence | None = None
    ) -> dict[str, str]:
        """Find the logical volumes of bricks of clones, which gluster names after the clone and numbers by node; return
        their names by the bricks' ids, as far as there are any. Raises CommandFailed, NodeUnreachable."""
        (result,) = await self._run(node, [self._make(self._lvm.lvs())], fence)
        if not result.ok:
            raise refusal(node, result)
        try:
            volumes = lvm.read_lvs(result.stdout)
        except ValueError as error:
            raise CommandFailed(str(error), node=node.id) from error
        return {
            brick.id: volume.name
            for brick in bricks
            for volume in volumes
            if (volume.group, volume.pool) == (brick.group, brick.pool_name)
            and volume.name.startswith(f"{brick.clone_folder.rpartition('/')[2]}_")
        }

    async def _with_volumes(
        self, node: NodeAddress, bricks: Sequence[BrickSpec], fence: Fence | None
    ) -> Sequence[BrickSpec]:
        """Ask for the logical volumes of bricks of clones: the names in old records are good for one of each node."""
        clones = [brick for brick in bricks if brick.clone_folder]
        if not clones:
            return bricks
        found = await self.clone_volumes(node, clones, fence=fence)
        return [replace(brick, lv=found.get(brick.id, brick.lv)) for brick in bricks]

    async def _show_open_files(self, node: NodeAddress, points: Sequence[str]) -> None:
        commands = [Command(mounts.open_files(point), timeout=SHORT_COMMAND, tolerated=True) for point in points]
        try:
            results = await self.transport.run(node, Batch(tuple(commands)))
        except NodeFailure as error:
            log.warning("brick path could not be checked", node=node.id, reason=str(error))
            return
        for point, result in zip(points, results, strict=True):
            log.warning("brick path kept open", node=node.id, path=point, by=result.stdout or result.text)


@dataclass(frozen=True, slots=True)
class _Outcome:
    """What became of a demolition. Pools are (group, name): `empty` ones may be removed, `gone` ones were not there."""

    empty: tuple[tuple[str, str], ...]
    gone: frozenset[tuple[str, str]]
    busy: tuple[str, ...]
    error: CommandFailed | None


@dataclass(frozen=True, slots=True)
class _Demolition:
    """The batch that takes bricks away, and the reading of its results.

    The fstab is edited before any volume goes, and nothing goes if it cannot be edited, so that the node can boot at
    every moment. A volume that is still mounted is not removed: LVM refuses.
    """

    lvm: Lvm
    options: NodeOptions
    bricks: tuple[BrickSpec, ...]

    @property
    def _pools(self) -> list[tuple[str, str]]:
        return list(dict.fromkeys((brick.group, brick.pool_name) for brick in self.bricks))

    @property
    def _edit_at(self) -> int:
        return len(self.bricks)

    @property
    def _removals_at(self) -> int:
        return self._edit_at + any(brick.in_fstab for brick in self.bricks)

    def commands(self) -> list[Command]:
        """Return the batch: unmount, edit the fstab, remove volumes, count what is left in the pools."""
        points = [brick.mount_point for brick in self.bricks if brick.in_fstab]
        edits = [fstab.remove(points, fstab=self.options.fstab)] if points else []
        return [
            *(_try(mounts.umount(brick.mount_point)) for brick in self.bricks),
            *(Command(edit, timeout=SHORT_COMMAND) for edit in edits),
            *(_try(self.lvm.lvremove(brick.group, brick.lv_name)) for brick in self.bricks),
            *(_try(self.lvm.thin_count(*pool)) for pool in self._pools),
            *(_try(("rmdir", brick.mount_point)) for brick in self.bricks),
        ]

    def stopped_without_fstab(self, results: Sequence[Result]) -> bool:
        """Tell whether the batch ended since there is no fstab to edit: then there is no line to remove."""
        return (
            len(results) == self._removals_at < len(self.commands())
            and self._removals_at > self._edit_at
            and not results[-1].ok
            and fstab.is_missing(results[-1].stderr)
        )

    def outcome(self, node: NodeAddress, results: Sequence[Result]) -> _Outcome:
        """Read the results of the whole batch. Of several failures the first brick's is told."""
        count = len(self.bricks)
        umounts = results[:count]
        removals = results[self._removals_at : self._removals_at + count]
        counts = results[self._removals_at + count : self._removals_at + count + len(self._pools)]
        rmdirs = results[self._removals_at + count + len(self._pools) :]
        errors: list[CommandFailed] = []
        busy: list[str] = []
        for brick, umount, removal in zip(self.bricks, umounts, removals, strict=True):
            if _is_mounted(umount, removal):
                busy.append(brick.mount_point)
                errors.append(refusal(node, umount))
            elif not removal.ok and not lvm.is_gone(removal.stderr):
                errors.append(refusal(node, removal))
        errors += [refusal(node, rmdir) for rmdir in rmdirs if not rmdir.ok and not _is_missing(rmdir.stderr)]
        empty, gone = [], []
        for pool, result in zip(self._pools, counts, strict=True):
            match _count(result):
                case 0:
                    empty.append(pool)
                case -1:
                    gone.append(pool)
                case None:
                    errors.append(
                        refusal(
                            node,
                            result,
                            f"Unable to determine number of logical volumes in thin pool {'/'.join(pool)}"
                            f" on host {node.manage}",
                        )
                    )
        return _Outcome(tuple(empty), frozenset(gone), tuple(busy), errors[0] if errors else None)


def _try(argv: tuple[str, ...]) -> Command:
    return Command(argv, timeout=SHORT_COMMAND, tolerated=True)


def _is_missing(text: str) -> bool:
    return "No such file or directory" in text


def _is_mounted(umount: Result, removal: Result) -> bool:
    """Tell whether a brick's file system stayed mounted.

    The list of all mounts is not asked for: it grows with the bricks on the node, and LVM removes no mounted volume.
    """
    removed = removal.ok or lvm.is_gone(removal.stderr)
    return not (umount.ok or removed or mounts.is_unmounted(umount.stderr))


def _count(result: Result) -> int | None:
    """Return how many volumes are in a pool, -1 if there is no pool, None if that is not known."""
    if not result.ok:
        return -1 if lvm.is_gone(result.stderr) else None
    try:
        return lvm.read_thin_count(result.stdout)
    except ValueError:
        return None

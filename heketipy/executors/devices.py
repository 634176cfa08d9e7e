"""Making disks into devices and back: one disk, one physical volume, one volume group named after the device's id.

A device is known by its volume group's random name, or by its PV's uuid; never by a path, which may name another disk
after the next boot.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar, TypeVar

import structlog

from heketipy.domain.errors import CommandFailed, NodeFailure, NodeUnreachable
from heketipy.domain.model import NodeAddress
from heketipy.domain.names import MOUNT_ROOT, volume_group
from heketipy.executors import disks, lvm, xfs
from heketipy.executors.answers import refusal
from heketipy.executors.holdings import Holdings
from heketipy.executors.lvm import Lvm, PhysicalVolume, persistent_path
from heketipy.executors.options import SHORT_COMMAND, NodeOptions
from heketipy.executors.transport import Batch, Command, Fence, Lane, Result, Transport

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class DeviceReading:
    """What LVM and udev say of a device. Sizes in KiB; total = free + used."""

    total_kib: int
    free_kib: int
    used_kib: int
    extent_kib: int
    pv_uuid: str
    paths: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class DeviceSurvey:
    """What LVM says of a device's space, KiB: all of it, what is used, what uses it (by name of the logical volume,
    thin pools with their metadata), and the spare for pool metadata, which is among what is used."""

    total_kib: int
    used_kib: int
    taken_kib: Mapping[str, int]
    spare_kib: int


class DeviceNotAvailable(CommandFailed):
    """A disk could not be made a device. `connected` tells whether its contents could be looked at; `pv_uuid` is the
    uuid of the physical volume that was found on it, None for none (commands §2.3.2)."""

    code: ClassVar[str] = "device-not-available"

    def __init__(
        self, text: str, *, node: str, status: int = 1, connected: bool = True, pv_uuid: str | None = None
    ) -> None:
        super().__init__(text, node=node, status=status)
        self.connected = connected
        self.pv_uuid = pv_uuid

    def more(self, lines: Sequence[str]) -> "DeviceNotAvailable":
        """Return the same refusal with lines that explain it."""
        text = "\n".join([str(self).rstrip("\n"), *lines]) if lines else str(self)
        return DeviceNotAvailable(
            text, node=self.node, status=self.status, connected=self.connected, pv_uuid=self.pv_uuid
        )


@dataclass(frozen=True, slots=True)
class Devices:
    """The verbs about devices."""

    transport: Transport
    options: NodeOptions

    @property
    def _lvm(self) -> Lvm:
        return Lvm(self.options)

    async def _run(self, node: NodeAddress, commands: Sequence[Command], fence: Fence | None) -> list[Result]:
        return list(await self.transport.run(node, Batch(tuple(commands), Lane.BRICKS, fence=fence)))

    async def set_up(
        self,
        node: NodeAddress,
        path: str,
        device_id: str,
        *,
        destroy: bool = False,
        fence: Fence | None = None,
    ) -> DeviceReading:
        """Make a disk a device. What it carries is wiped only with `destroy`; if it is this very device already, that
        is success and nothing is wiped.

        Raises DeviceNotAvailable with heketi's texts if the disk cannot be had, CommandFailed if it could not be read
        afterwards (it is given back then), NodeUnreachable.
        """
        group = volume_group(device_id)
        making = [
            *([_step(xfs.wipe(path))] if destroy else []),
            _step(self._lvm.pvcreate(path)),
            _step(self._lvm.vgcreate(group, path)),
        ]
        if destroy and (reading := await self._own(node, path, group, fence)):
            return reading
        try:
            results = await self._run(node, [*making, *self._reading(path, group)], fence)
        except NodeUnreachable as error:
            text = f"Initializing device {path} failed (failed to check device contents): {error}"
            raise NodeUnreachable(text, node=error.node, sent=error.sent) from error
        if len(results) <= len(making) and not results[-1].ok:
            return await self._classify(node, path, group, results, len(making), fence)
        try:
            return self._read(node, path, results[len(making) :])
        except CommandFailed:
            await self._give_back(node, path, group, fence)
            raise

    async def _own(self, node: NodeAddress, path: str, group: str, fence: Fence | None) -> DeviceReading | None:
        """Read the disk if it is this device already."""
        results = await self._run(node, self._reading(path, group), fence)
        try:
            if len(results) == _READING_STEPS and lvm.read_pv(results[0].stdout).group == group:
                return self._read(node, path, results)
        except (ValueError, CommandFailed):
            pass
        return None

    async def _classify(
        self,
        node: NodeAddress,
        path: str,
        group: str,
        results: Sequence[Result],
        making: int,
        fence: Fence | None,
    ) -> DeviceReading:
        failed = results[-1]
        try:
            looks = await self._run(node, self._reading(path, group), fence)
        except NodeUnreachable as error:
            raise DeviceNotAvailable(
                f"Initializing device {path} failed (failed to check device contents): {failed.text}",
                node=node.id,
                status=failed.status,
                connected=False,
            ) from error
        pv = _pv(looks[0])
        if pv is not None and pv.group == group:
            return self._read(node, path, looks)
        if len(results) == making:
            await self._run(node, [_step(self._lvm.pvremove(path), tolerated=True)], fence)
        state = "already initialized or contains data?" if pv is None else f"aleady contains Physical Volume {pv.uuid}"
        raise DeviceNotAvailable(
            f"Initializing device {path} failed ({state}): {failed.text}",
            node=node.id,
            status=failed.status,
            pv_uuid=pv.uuid if pv else None,
        )

    async def holdings(self, node: NodeAddress, path: str, *, refusal: str) -> Holdings:
        """Look what holds a disk that was refused with a text. Never fails: what cannot be had is left out."""
        commands = [
            _step(argv, tolerated=True)
            for argv in (
                disks.tree(path),
                disks.signatures(path),
                self._lvm.pvs(path),
                self._lvm.lvs(),
                self._lvm.device_settings(),
            )
        ]
        try:
            tree, signatures, owner, volumes, settings = await self._run(node, commands, None)
        except NodeFailure as error:
            log.warning("a refused disk was not looked at", node=node.id, device=path, reason=str(error))
            return Holdings(path)
        pv = _pv(owner)
        found = _read(disks.read_tree, tree) or (None,)
        return Holdings(
            path,
            disk=found[0],
            signatures=_read(disks.read_signatures, signatures) or (),
            group=pv.group if pv else None,
            volumes=tuple(lv.name for lv in _read(lvm.read_lvs, volumes) or () if pv and lv.group == pv.group),
            filters=lvm.read_filters(settings.stdout) if lvm.is_filtered(refusal) else (),
        )

    def _reading(self, path: str, group: str) -> list[Command]:
        return [
            _step(self._lvm.pvs(path)),
            _step(self._lvm.symlinks(path), tolerated=True),
            _step(self._lvm.vgdisplay(group)),
        ]

    @staticmethod
    def _read(node: NodeAddress, path: str, results: Sequence[Result]) -> DeviceReading:
        if not results[0].ok:
            raise refusal(node, results[0], f"failed to read PV data for {path} [{results[0].text}]")
        try:
            pv = lvm.read_pv(results[0].stdout)
        except ValueError as error:
            raise CommandFailed(f"failed to parse lvs output: {error}", node=node.id) from error
        links, display = results[1:]
        if not display.ok:
            raise refusal(node, display)
        try:
            size = lvm.read_size(display.stdout)
        except ValueError as error:
            raise CommandFailed(str(error), node=node.id) from error
        return DeviceReading(
            total_kib=size.total_kib,
            free_kib=size.free_kib,
            used_kib=size.used_kib,
            extent_kib=size.extent_kib,
            pv_uuid=pv.uuid,
            paths=lvm.read_paths(links.stdout, device=path) if links.ok else (path,),
        )

    async def _give_back(self, node: NodeAddress, path: str, group: str, fence: Fence | None) -> None:
        """Undo a set-up of just now, whose results were unreadable: the path still is the disk that was taken."""
        try:
            await self._run(node, [_step(self._lvm.vgremove(group)), _step(self._lvm.pvremove(path))], fence)
        except NodeUnreachable as error:
            log.warning("device not given back", node=node.id, device=path, reason=str(error))

    async def read(
        self,
        node: NodeAddress,
        device_id: str,
        *,
        paths: Sequence[str] = (),
        pv_uuid: str = "",
        fence: Fence | None = None,
    ) -> DeviceReading:
        """Read a device's size and names. Raises CommandFailed with heketi's texts, NodeUnreachable."""
        group = volume_group(device_id)
        path = await self._path(node, group, paths, pv_uuid, fence)
        return self._read(node, path, await self._run(node, self._reading(path, group), fence))

    async def _path(
        self, node: NodeAddress, group: str, paths: Sequence[str], pv_uuid: str, fence: Fence | None
    ) -> str:
        """Return the name by which a device's disk is asked for: one that no boot changes, where it is known."""
        uuid = pv_uuid
        if not uuid:
            look = await self._run(node, [_step(self._lvm.vgs(group))], fence)
            pv = _pv(look[0])
            uuid = pv.uuid if pv else ""
        if not uuid and not paths:
            raise CommandFailed("device handle missing UUID and Paths", node=node.id)
        return persistent_path(uuid) if uuid else paths[0]

    async def survey(
        self,
        node: NodeAddress,
        device_id: str,
        *,
        paths: Sequence[str] = (),
        pv_uuid: str = "",
        fence: Fence | None = None,
    ) -> DeviceSurvey:
        """Read a device's size, and what takes its space. Raises CommandFailed with heketi's texts, NodeUnreachable."""
        group = volume_group(device_id)
        path = await self._path(node, group, paths, pv_uuid, fence)
        commands = [*self._reading(path, group), _step(self._lvm.allocations(group))]
        results = await self._run(node, commands, fence)
        reading = self._read(node, path, results[:_READING_STEPS])
        if not results[-1].ok:
            raise refusal(node, results[-1])
        try:
            allocations = lvm.read_allocations(results[-1].stdout)
        except ValueError as error:
            raise CommandFailed(str(error), node=node.id) from error
        return DeviceSurvey(
            total_kib=reading.total_kib,
            used_kib=reading.used_kib,
            taken_kib=allocations.taken_kib,
            spare_kib=allocations.spare_kib,
        )

    async def exists(self, node: NodeAddress, device_id: str, *, fence: Fence | None = None) -> bool:
        """Tell whether the device's volume group is on the node. Raises CommandFailed if that is not known."""
        group = volume_group(device_id)
        results = await self.transport.run(node, Batch((_step(self._lvm.vgs(group)),), fence=fence))
        if results[0].ok:
            return True
        if lvm.is_group_gone(results[0].stderr):
            return False
        raise refusal(node, results[0])

    async def tear_down(
        self,
        node: NodeAddress,
        device_id: str,
        *,
        paths: Sequence[str] = (),
        pv_uuid: str = "",
        fence: Fence | None = None,
    ) -> None:
        """Remove a device's volume group and LVM's label from its disk; what is gone already is success.

        The group is found by its name and the disk by its PV's uuid. Without either nothing can be proved to be ours,
        and nothing is touched. Raises CommandFailed if LVM refuses, as it does while the group holds volumes.
        """
        group = volume_group(device_id)
        uuid = pv_uuid or await self._pv_uuid(node, group, fence)
        disk = persistent_path(uuid) if uuid else ""
        commands = [
            _step(self._lvm.vgremove(group)),
            *([_step(self._lvm.pvremove(disk), tolerated=True)] if disk else []),
            _step(("rmdir", f"{MOUNT_ROOT}/{group}"), tolerated=True),
        ]
        results = await self._run(node, commands, fence)
        if not results[0].ok and lvm.is_group_gone(results[0].stderr):
            results += await self._run(node, commands[1:], fence)
        for result in results[: 2 if disk else 1]:
            if result.ok or lvm.is_group_gone(result.stderr) or lvm.is_pv_gone(result.stderr):
                continue
            name = disk or (paths[0] if paths else group)
            raise refusal(
                node,
                result,
                f"Failed to delete device {name} with id {device_id} on host {node.manage}: {result.text}",
            )

    async def _pv_uuid(self, node: NodeAddress, group: str, fence: Fence | None) -> str:
        (look,) = await self._run(node, [_step(self._lvm.vgs(group))], fence)
        pv = _pv(look)
        if pv is None and not lvm.is_group_gone(look.stderr):
            log.warning("volume group's disk not found out", node=node.id, group=group, reason=look.text)
        return pv.uuid if pv else ""

    async def forget(
        self,
        node: NodeAddress,
        device_id: str,
        *,
        paths: Sequence[str] = (),
        pv_uuid: str = "",
        fence: Fence | None = None,
    ) -> None:
        """Remove of a device what can be removed; failures are only logged, an absent node is none either."""
        try:
            await self.tear_down(node, device_id, paths=paths, pv_uuid=pv_uuid, fence=fence)
        except NodeFailure as error:
            log.warning("device forgotten, not removed", node=node.id, device=device_id, reason=str(error))


_READING_STEPS = 3

V = TypeVar("V")


def _read(read: Callable[[str], V], result: Result) -> V | None:
    try:
        return read(result.stdout) if result.ok else None
    except ValueError:
        return None


def _step(argv: tuple[str, ...], *, tolerated: bool = False) -> Command:
    return Command(argv, timeout=SHORT_COMMAND, tolerated=tolerated)


def _pv(result: Result) -> PhysicalVolume | None:
    if not result.ok:
        return None
    try:
        return lvm.read_pv(result.stdout)
    except ValueError:
        return None

"""LVM: argv of what we ask of it, and what its answers mean (commands §2.3, §2.4).

Judge by the exit status first: `pvs` of a disk that is no PV prints a well-formed, empty report and exits 5.
"""

import json
import re
import shlex
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from heketipy.domain.inventory import NodeVolume
from heketipy.executors.options import NodeOptions

ARBITER_CHUNK = "256K"
METADATA_SIZE = "128M"
_SPACE_FIELDS = "lv_name,lv_size,lv_metadata_size,segtype"
_VOLUME_FIELDS = "vg_name,lv_name,pool_lv,origin,segtype,lv_device_open"
_SPARE = "[lvol0_pmspare]"
_PV_FIELDS = "pv_name,pv_uuid,vg_name"
_BY_UUID = "/dev/disk/by-id/lvm-pv-uuid-"
_SIZE = re.compile(r"([0-9]+)(?:[.,]00)?k")
_UINT = re.compile(r"[0-9]+")


@dataclass(frozen=True, slots=True)
class PhysicalVolume:
    """Who a disk is to LVM. `group` is "" for a PV that belongs to none."""

    name: str
    uuid: str
    group: str


@dataclass(frozen=True, slots=True)
class GroupSize:
    """The size of a volume group, KiB. Invariant: total = free + used."""

    total_kib: int
    free_kib: int
    used_kib: int
    extent_kib: int


@dataclass(frozen=True, slots=True)
class LogicalVolume:
    """One line of a report on logical volumes. `pool` is the thin pool it lives in, "" for none."""

    group: str
    name: str
    pool: str


@dataclass(frozen=True, slots=True)
class Allocations:
    """What takes space in a volume group, KiB by name (a thin pool with its metadata), and the spare that LVM keeps for
    repairing pool metadata: as large as the largest metadata, it comes and goes with the pools."""

    taken_kib: Mapping[str, int]
    spare_kib: int


@dataclass(frozen=True, slots=True)
class Lvm:
    """Builds the argv of LVM commands with the site's options."""

    options: NodeOptions

    @property
    def _autobackup(self) -> str:
        return f"--autobackup={'y' if self.options.backup_lvm_metadata else 'n'}"

    def _lvm(self, *args: str) -> tuple[str, ...]:
        return (*shlex.split(self.options.lvm_wrapper), self.options.lvm, *args)

    def pvcreate(self, device: str) -> tuple[str, ...]:
        """Make a disk a physical volume. It answers no to every question, so that nothing found on it is wiped."""
        return self._lvm(
            "pvcreate",
            "-qq",
            f"--metadatasize={METADATA_SIZE}",
            f"--dataalignment={self.options.pv_data_alignment}",
            device,
        )

    def vgcreate(self, group: str, device: str) -> tuple[str, ...]:
        """Make a volume group of one physical volume."""
        return self._lvm(
            "vgcreate",
            "-qq",
            f"--physicalextentsize={self.options.vg_physicalextentsize}",
            self._autobackup,
            group,
            device,
        )

    def vgremove(self, group: str) -> tuple[str, ...]:
        """Remove a volume group; one that holds logical volumes is refused."""
        return self._lvm("vgremove", "-qq", group)

    def pvremove(self, device: str) -> tuple[str, ...]:
        """Take LVM's label off a disk; one that belongs to a volume group is refused."""
        return self._lvm("pvremove", "-qq", device)

    def pvs(self, device: str) -> tuple[str, ...]:
        """Ask who a disk is; read the answer with `read_pv`."""
        return self._lvm("pvs", "-o", _PV_FIELDS, "--reportformat=json", device)

    def vgs(self, group: str) -> tuple[str, ...]:
        """Ask which disk a volume group is on; read the answer with `read_pv`."""
        return self._lvm("vgs", "-o", _PV_FIELDS, "--reportformat=json", group)

    def vgdisplay(self, group: str) -> tuple[str, ...]:
        """Ask for a volume group's size; read the answer with `read_size`."""
        return self._lvm("vgdisplay", "-c", group)

    def symlinks(self, device: str) -> tuple[str, ...]:
        """Ask udev for a disk's other names; read the answer with `read_paths`."""
        return (
            *shlex.split(self.options.lvm_wrapper),
            self.options.udevadm,
            "info",
            "--query=symlink",
            f"--name={device}",
        )

    def lvcreate(
        self,
        group: str,
        *,
        pool: str,
        name: str,
        pool_kib: int,
        metadata_kib: int,
        size_kib: int,
        arbiter: bool,
    ) -> tuple[str, ...]:
        """Make a thin pool and the thin logical volume in it, at one go."""
        return self._lvm(
            "lvcreate",
            "-qq",
            self._autobackup,
            "--poolmetadatasize",
            f"{metadata_kib}K",
            "--chunksize",
            ARBITER_CHUNK if arbiter else self.options.lv_chunksize,
            "--size",
            f"{pool_kib}K",
            "--thin",
            f"{group}/{pool}",
            "--virtualsize",
            f"{size_kib}K",
            "--name",
            name,
        )

    def lvremove(self, group: str, name: str) -> tuple[str, ...]:
        """Remove a logical volume, or a thin pool with all that is in it; one in use is refused."""
        return self._lvm("lvremove", self._autobackup, "-f", f"{group}/{name}")

    def lvrename(self, group: str, name: str, new: str) -> tuple[str, ...]:
        """Give a logical volume another name. One in use is renamed all the same."""
        return self._lvm("lvrename", "-qq", self._autobackup, group, name, new)

    def thin_count(self, group: str, pool: str) -> tuple[str, ...]:
        """Ask how many thin volumes a pool holds; read the answer with `read_thin_count`."""
        return self._lvm("lvs", "--noheadings", "--options=thin_count", f"{group}/{pool}")

    def allocations(self, group: str) -> tuple[str, ...]:
        """Ask for everything that takes space in a volume group; read the answer with `read_allocations`."""
        return self._lvm("lvs", "-a", "--reportformat", "json", "--units", "k", "-o", _SPACE_FIELDS, group)

    def pvs_all(self) -> tuple[str, ...]:
        """Ask for all physical volumes of the node, for people."""
        return self._lvm("pvs", "--reportformat", "json", "--units", "k")

    def vgs_all(self) -> tuple[str, ...]:
        """Ask for all volume groups of the node, for people."""
        return self._lvm("vgs", "--reportformat", "json", "--units", "k")

    def groups(self) -> tuple[str, ...]:
        """Ask for the names of all volume groups of the node; read the answer with `read_groups`."""
        return self._lvm("vgs", "--reportformat", "json", "-o", "vg_name")

    def volumes(self) -> tuple[str, ...]:
        """Ask how all logical volumes of the node hang together; read the answer with `read_volumes`."""
        return self._lvm("lvs", "--reportformat", "json", "-o", _VOLUME_FIELDS)

    def lvs(self) -> tuple[str, ...]:
        """Ask for all logical volumes of the node; read the answer with `read_lvs`."""
        return self._lvm("lvs", "--reportformat", "json", "--units", "k")

    def version(self) -> tuple[str, ...]:
        """Ask for its version."""
        return self._lvm("version")

    def udev_version(self) -> tuple[str, ...]:
        """Ask for udev's version, by the way in which it is asked for links."""
        return (*shlex.split(self.options.lvm_wrapper), self.options.udevadm, "--version")

    def device_settings(self) -> tuple[str, ...]:
        """Ask which devices LVM is told to look at; read the answer with `read_filters`."""
        return self._lvm("lvmconfig", "--typeconfig", "current", "devices")


def persistent_path(pv_uuid: str) -> str:
    """Return the name of a disk that stays the same, by its PV's uuid."""
    return f"{_BY_UUID}{pv_uuid}"


def read_pv(text: str) -> PhysicalVolume:
    """Read the one PV of a report by `pvs` or `vgs`. Raises ValueError with heketi's text if there is not just one."""
    reports = _reports(text)
    if len(reports) != 1:
        raise ValueError("Expected exactly 1 report in output")
    for kind in ("pv", "vg"):
        rows = reports[0].get(kind) or []
        if len(rows) == 1:
            row = rows[0]
            return PhysicalVolume(
                name=str(row.get("pv_name", "")),
                uuid=str(row.get("pv_uuid", "")),
                group=str(row.get("vg_name", "")),
            )
    raise ValueError("Expected exactly 1 PV or 1 VG in output")


def read_lvs(text: str) -> list[LogicalVolume]:
    """Read a report on logical volumes. Raises ValueError if it is none."""
    return [
        LogicalVolume(
            group=str(row.get("vg_name", "")),
            name=str(row.get("lv_name", "")),
            pool=str(row.get("pool_lv", "")),
        )
        for report in _reports(text)
        for row in report.get("lv") or []
    ]


def read_groups(text: str) -> list[str]:
    """Read the names of volume groups. Raises ValueError if it is no report of them."""
    return [str(row["vg_name"]) for row in _rows(text, "vg", "vg_name")]


def read_volumes(text: str) -> list[NodeVolume]:
    """Read how logical volumes hang together. Raises ValueError if it is no such report."""
    return [
        NodeVolume(
            group=str(row["vg_name"]),
            name=str(row["lv_name"]),
            pool=str(row["pool_lv"]),
            origin=str(row["origin"]),
            is_pool=row["segtype"] == "thin-pool",
            open=row["lv_device_open"] == "open",
        )
        for row in _rows(text, "lv", *_VOLUME_FIELDS.split(","))
    ]


def _rows(text: str, kind: str, *fields: str) -> list[dict[str, Any]]:
    """Return the rows of a report, each of which has all fields."""
    rows = [row for report in _reports(text) for row in report[kind]] if _is_report(text, kind) else None
    if rows is None or any(field not in row for row in rows for field in fields):
        raise ValueError("Failed to parse output: fields are missing")
    return rows


def _is_report(text: str, kind: str) -> bool:
    return all(isinstance(report.get(kind), list) for report in _reports(text))


def read_group_names(text: str) -> frozenset[str]:
    """Read the names of all volume groups of a report. Raises ValueError if it is none."""
    return frozenset(str(row.get("vg_name", "")) for report in _reports(text) for row in report.get("vg") or [])


def read_allocations(text: str) -> Allocations:
    """Read what takes space in a volume group. Raises ValueError if it is no such report.

    A thin pool takes its data and its metadata; thin volumes live in pools, and names in brackets are the parts of
    which pools are made.
    """
    taken: dict[str, int] = {}
    spare_kib = 0
    for report in _reports(text):
        for row in report.get("lv") or []:
            name, kind = str(row.get("lv_name", "")), str(row.get("segtype", ""))
            size_kib = _kib(row.get("lv_size", ""))
            if name == _SPARE:
                spare_kib += size_kib
            elif kind == "thin-pool":
                taken[name] = size_kib + _kib(row.get("lv_metadata_size", ""))
            elif kind != "thin" and not name.startswith("["):
                taken[name] = size_kib
    return Allocations(taken_kib=taken, spare_kib=spare_kib)


def _kib(text: Any) -> int:
    found = _SIZE.fullmatch(str(text))
    if found is None:
        raise ValueError(f"Failed to parse output: no size in KiB: {text}")
    return int(found[1])


def _reports(text: str) -> list[dict[str, Any]]:
    try:
        document = json.loads(text)
    except ValueError as error:
        raise ValueError(f"Failed to parse output: {error}") from error
    reports = document.get("report") if isinstance(document, dict) else None
    if not isinstance(reports, list) or not all(isinstance(report, dict) for report in reports):
        raise ValueError("Expected exactly 1 report in output")
    return reports


def read_size(text: str) -> GroupSize:
    """Read what `vgdisplay -c` printed. Raises ValueError with heketi's texts."""
    fields = text.split(":")
    if len(fields) < 17:
        raise ValueError("vgdisplay returned an invalid string")
    extent, total, used, free = (_uint(field) for field in fields[12:16])
    return GroupSize(total_kib=total * extent, free_kib=free * extent, used_kib=used * extent, extent_kib=extent)


def _uint(text: str) -> int:
    if _UINT.fullmatch(text) is None:
        raise ValueError(f'strconv.ParseUint: parsing "{text}": invalid syntax')
    return int(text)


def read_paths(text: str, *, device: str) -> tuple[str, ...]:
    """Read udev's list of a disk's other names. Those made of the PV's uuid are left out; `device` itself is always
    among the result. The order is udev's, which varies from call to call."""
    paths = [f"/dev/{word}" for word in text.split()]
    kept = [path for path in paths if not path.startswith(_BY_UUID)]
    return tuple(kept) if device in kept else (*kept, device)


def read_thin_count(text: str) -> int:
    """Read how many thin volumes a pool holds. Raises ValueError if it is no pool: then only blanks are printed."""
    return int(text.strip())


def read_filters(text: str) -> tuple[str, ...]:
    """Read the settings that hide devices from LVM; there are none by default."""
    rows = (row.strip() for row in text.split("\n"))
    return tuple(row for row in rows if row.startswith(("filter=", "global_filter=")))


def is_filtered(text: str) -> bool:
    """Tell whether LVM refuses a device since it is told not to look at it."""
    return "rejected by filter" in text or "excluded by a filter" in text or "devices file" in text


def is_gone(text: str) -> bool:
    """Tell whether LVM says that a logical volume, or its volume group, does not exist.

    Only LVM's own sentences count: a missing program (`command not found`) proves nothing.
    """
    return "Failed to find logical volume" in text or is_group_gone(text)


def is_group_gone(text: str) -> bool:
    """Tell whether LVM says that a volume group does not exist."""
    return re.search(r'Volume group "[^"]*" not found', text) is not None


def is_pv_gone(text: str) -> bool:
    """Tell whether LVM says that there is no such disk, or no label on it."""
    return "No device found for" in text or "No PV found on device" in text


def already_exists(text: str) -> bool:
    """Tell whether lvcreate refused since the pool or the volume is there already."""
    return re.search(r"Logical [Vv]olume \S+ already exists in [Vv]olume group", text) is not None

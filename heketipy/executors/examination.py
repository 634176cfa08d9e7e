"""A look at everything that a node has: gluster's volumes, LVM, what fstab mounts. What cannot be had is said, and the
rest is there all the same.

The values are those of heketi's examiner, down to its names, which are Go's: tools read them (operations §5).
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final
from xml.etree.ElementTree import Element

from heketipy.domain.errors import CommandFailed, NodeFailure
from heketipy.domain.model import NodeAddress
from heketipy.executors import fstab, gluster, mounts
from heketipy.executors.conversation import Conversation
from heketipy.executors.gluster import Gluster, Reply
from heketipy.executors.lvm import Lvm
from heketipy.executors.options import NodeOptions
from heketipy.executors.transport import Batch, Command, Result, Transport

Json = Mapping[str, Any]

_LIMIT: Final = 60.0

_PV: Final = ("pv_name", "vg_name", "pv_fmt", "pv_attr", "pv_size", "pv_free")
_VG: Final = ("vg_name", "pv_count:", "lv_count", "snap_count", "vg_attr", "vg_size", "vg_free")
"""One of the names is heketi's mistake; its value is empty there, and true here."""
_LV: Final = (
    "lv_name",
    "vg_name",
    "lv_attr",
    "lv_size",
    "pool_lv",
    "origin",
    "data_percent",
    "metadata_percent",
    "move_pv",
    "mirror_log",
    "copy_percent",
    "convert_lv",
)
_REPORTS: Final = (("pv", "PVs", _PV), ("vg", "VGs", _VG), ("lv", "LVs", _LV))

_NUMBERS: Final = {
    "Status": "status",
    "BrickCount": "brickCount",
    "DistCount": "distCount",
    "StripeCount": "stripeCount",
    "ReplicaCount": "replicaCount",
    "ArbiterCount": "arbiterCount",
    "DisperseCount": "disperseCount",
    "RedundancyCount": "redundancyCount",
    "Type": "type",
    "Transport": "transport",
    "OptCount": "optCount",
}


@dataclass(frozen=True, slots=True)
class Examination:
    """What was found on a node; a part that could not be had is None, and `failures` has its name and the reason.

    The parts are `volumes`, `pvs`, `vgs`, `lvs` and `mounts`.
    """

    volumes: Json | None = None
    volume_names: tuple[str, ...] | None = None
    pvs: Json | None = None
    vgs: Json | None = None
    lvs: Json | None = None
    mounts: Json | None = None
    failures: Mapping[str, str] = field(default_factory=dict)


class Examiner:
    """The verb that looks at everything."""

    def __init__(self, transport: Transport, conversation: Conversation, options: NodeOptions) -> None:
        self._transport = transport
        self._conversation = conversation
        self._lvm = Lvm(options)
        self._gluster = Gluster(options)
        self._fstab = options.fstab

    async def examine(self, node: NodeAddress) -> Examination:
        """Look at a node. Never fails."""
        failures: dict[str, str] = {}
        volumes, names = await self._volumes(node, failures)
        pvs, vgs, lvs, mounted = await self._rest(node, failures)
        return Examination(volumes, names, pvs, vgs, lvs, mounted, failures)

    async def _volumes(self, node: NodeAddress, failures: dict[str, str]) -> tuple[Json | None, tuple[str, ...] | None]:
        try:
            reply = await self._conversation.ask(node, self._gluster.volumes_info())
            if reply.error:
                raise CommandFailed(reply.error, node=node.id)
            return read_volumes(reply), tuple(volume.name for volume in gluster.read_volumes(reply))
        except (NodeFailure, ValueError) as error:
            failures["volumes"] = str(error)
            return None, None

    async def _rest(self, node: NodeAddress, failures: dict[str, str]) -> Sequence[Json | None]:
        """Ask for all the rest at once: three reports of LVM, the mounts, and fstab."""
        argvs = (self._lvm.pvs_all(), self._lvm.vgs_all(), self._lvm.lvs(), mounts.show(), fstab.show(self._fstab))
        commands = tuple(Command(argv, timeout=_LIMIT, tolerated=True) for argv in argvs)
        try:
            *reports, mounted, listed = await self._transport.run(node, Batch(commands))
        except NodeFailure as error:
            for kind, name, _ in _REPORTS:
                failures[f"{kind}s"] = f"Unable to get data for LVM {name}"
            failures["mounts"] = f"Unable to get mount status for bricks : {error}"
            return (None, None, None, None)
        found: list[Json | None] = [
            _report(result, kind, name, fields, failures)
            for result, (kind, name, fields) in zip(reports, _REPORTS, strict=True)
        ]
        for result in (mounted, listed):
            if not result.ok:
                failures["mounts"] = f"Unable to get mount status for bricks : {result.text.strip()}"
                return (*found, None)
        return (*found, read_mounts(mounted.stdout, listed.stdout))


def _report(result: Result, kind: str, name: str, fields: Sequence[str], failures: dict[str, str]) -> Json | None:
    if not result.ok:
        failures[f"{kind}s"] = f"Unable to get data for LVM {name}"
        return None
    try:
        return read_report(result.stdout, kind, fields)
    except ValueError as error:
        failures[f"{kind}s"] = f"Unable to determine LVM {name} : {error}"
        return None


def read_report(text: str, kind: str, fields: Sequence[str]) -> Json:
    """Read a report of LVM's. Raises ValueError."""
    document = json.loads(text)
    reports = document.get("report") if isinstance(document, dict) else None
    if not isinstance(reports, list):
        raise ValueError("there is no report in it")
    return {
        "report": [
            {kind: [{field: str(row.get(field.rstrip(":"), "")) for field in fields} for row in report.get(kind, ())]}
            for report in reports
            if isinstance(report, dict)
        ]
    }


def read_mounts(mounted: str, listed: str) -> Json:
    """Say of each line of fstab whether its device is mounted."""
    devices = {row.split()[0] for row in mounted.split("\n") if row.strip()}
    statuses = [
        {
            "Device": entry.device,
            "MountPoint": entry.mount_point,
            "Type": entry.type,
            "MountOptions": entry.options,
            "Mounted": entry.device in devices,
        }
        for entry in fstab.read(listed)
    ]
    return {"Statuses": statuses or None}


def read_volumes(reply: Reply) -> Json:
    """Read all that gluster says of its volumes. Raises ValueError where a number is none."""
    found = reply.root.find("volInfo/volumes")
    elements = [] if found is None else found.findall("volume")
    volumes = {"XMLName": _name("volumes"), "Count": len(elements), "VolumeList": list(map(_volume, elements)) or None}
    return {"XMLName": _name("volInfo"), "Volumes": volumes}


def _volume(element: Element) -> Json:
    numbers = {name: int(_text(element, path) or 0) for name, path in _NUMBERS.items()}
    bricks = [
        {
            "UUID": brick.get("uuid", ""),
            "Name": _text(brick, "name"),
            "HostUUID": _text(brick, "hostUuid"),
            "IsArbiter": int(_text(brick, "isArbiter") or 0),
        }
        for brick in element.findall("bricks/brick")
    ]
    options = [
        {"Name": _text(option, "name"), "Value": _text(option, "value")} for option in element.findall("options/option")
    ]
    members: dict[str, Any] = {
        "XMLName": _name("volume"),
        "VolumeName": _text(element, "name"),
        "ID": _text(element, "id"),
        "StatusStr": _text(element, "statusStr"),
        "TypeStr": _text(element, "typeStr"),
        "Bricks": {"XMLName": _name("bricks"), "BrickList": bricks or None},
        "Options": {"XMLName": _name("options"), "OptionList": options or None},
        **numbers,
    }
    return {name: members[name] for name in _IN_ORDER}


_IN_ORDER: Final = (
    "XMLName",
    "VolumeName",
    "ID",
    "Status",
    "StatusStr",
    "BrickCount",
    "DistCount",
    "StripeCount",
    "ReplicaCount",
    "ArbiterCount",
    "DisperseCount",
    "RedundancyCount",
    "Type",
    "TypeStr",
    "Transport",
    "Bricks",
    "OptCount",
    "Options",
)


def _name(element: str) -> Json:
    return {"Space": "", "Local": element}


def _text(element: Element, path: str) -> str:
    return (element.findtext(path) or "").strip()

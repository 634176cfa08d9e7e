"""LVM's reports: pvs, vgs, lvs and vgdisplay, as text and as JSON, with fields, units and selections."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property

from heketipy.executors.simulator.context import BadOption, Context, Options, done, failed, read_options
from heketipy.executors.simulator.state import Disk, LogicalVolume, VolumeGroup, words
from heketipy.executors.transport import Result

Value = str | int | float | None
"""A field: text, a number, a size in KiB (an int in a field of `SIZES`), a percentage, or nothing."""

SIZES = frozenset(
    words(
        """
        pv_size pv_free pv_used dev_size pe_start vg_size vg_free vg_extent_size lv_size lv_metadata_size
        chunk_size
        """
    )
)
HEADINGS = {
    "pv_name": "PV", "vg_name": "VG", "pv_fmt": "Fmt", "pv_attr": "Attr", "pv_size": "PSize", "pv_free": "PFree",
    "pv_uuid": "PV UUID", "pv_used": "Used", "pe_start": "1st PE", "dev_size": "DevSize", "vg_uuid": "VG UUID",
    "pv_count": "#PV", "lv_count": "#LV", "snap_count": "#SN", "vg_attr": "Attr", "vg_size": "VSize",
    "vg_free": "VFree", "vg_extent_size": "Ext", "vg_extent_count": "#Ext", "vg_free_count": "Free",
    "vg_tags": "VG Tags", "lv_name": "LV", "lv_attr": "Attr", "lv_size": "LSize", "pool_lv": "Pool",
    "origin": "Origin", "data_percent": "Data%", "metadata_percent": "Meta%", "move_pv": "Move",
    "mirror_log": "Log", "copy_percent": "Cpy%Sync", "convert_lv": "Convert", "lv_uuid": "LV UUID",
    "lv_path": "Path", "lv_dm_path": "DMPath", "lv_full_name": "LV", "thin_count": "#Thins",
    "lv_metadata_size": "MSize", "chunk_size": "Chunk", "lv_tags": "LV Tags", "lv_active": "Active",
    "lv_layout": "Layout", "lv_role": "Role", "pv_extent_count": "PE", "pv_pe_count": "PE",
    "pv_pe_alloc_count": "Alloc", "devices": "Devices", "lv_device_open": "DevOpen", "segtype": "Type",
    "lv_health_status": "Health", "lv_time": "CTime", "vg_missing_pv_count": "#PV Missing",
}  # fmt: skip
NUMERIC = SIZES | frozenset(
    words(
        """
        pv_count lv_count snap_count vg_extent_count vg_free_count data_percent metadata_percent copy_percent
        thin_count pv_pe_count pv_pe_alloc_count vg_missing_pv_count
        """
    )
)
DEFAULT_FIELDS = {
    "pv": words("pv_name vg_name pv_fmt pv_attr pv_size pv_free"),
    "vg": words("vg_name pv_count lv_count snap_count vg_attr vg_size vg_free"),
    "lv": words(
        "lv_name vg_name lv_attr lv_size pool_lv origin data_percent metadata_percent move_pv mirror_log "
        "copy_percent convert_lv"
    ),
}

Row = Mapping[str, Value]


def chunks_of(kib: int, chunk_kib: int) -> int:
    """Return how many chunks a number of KiB takes."""
    return -(-kib // chunk_kib)


def percent(part: float, whole: float) -> str:
    """Return a percentage as LVM prints it."""
    return f"{100 * part / whole:.2f}" if whole else "0.00"


class View:
    """The fields of a node's volumes, groups and disks at one moment; what many rows need is looked up once."""

    def __init__(self, context: Context) -> None:
        self.node = context.node
        self._groups: dict[str, Row] = {}

    @cached_property
    def mounted(self) -> set[str]:
        """The devices that are mounted."""
        return {mount.device for stack in self.node.mounts.values() for mount in stack}

    @cached_property
    def thins(self) -> dict[tuple[str, str], list[LogicalVolume]]:
        """The thin volumes, by group and pool."""
        found: dict[tuple[str, str], list[LogicalVolume]] = {}
        for group in self.node.vgs.values():
            for lv in group.lvs.values():
                if lv.kind == "thin":
                    found.setdefault((group.name, lv.pool), []).append(lv)
        return found

    def group(self, name: str) -> Row:
        """Return every field of a volume group; none if there is no such group."""
        if name not in self._groups:
            group = self.node.vgs.get(name)
            self._groups[name] = {} if group is None else group_fields(group)
        return self._groups[name]

    def is_open(self, group: VolumeGroup, lv: LogicalVolume) -> bool:
        """Return whether a volume is mounted, or a pool in use."""
        return lv.path in self.mounted or (group.name, lv.name) in self.thins

    def lv(self, group: VolumeGroup, lv: LogicalVolume) -> Row:
        """Return every field of a logical volume."""
        is_open = self.is_open(group, lv)
        pool = lv.kind == "pool"
        kind, target = {"pool": ("t", "tz"), "thin": ("V", "tz"), "linear": ("-", "--")}[lv.kind]
        return {
            "lv_name": lv.name, "vg_name": group.name, "lv_full_name": f"{group.name}/{lv.name}", "lv_uuid": lv.uuid,
            "lv_attr": f"{kind}wi-{'a' if lv.active else '-'}{'o' if is_open else '-'}{target}--",
            "lv_size": lv.size_kib, "pool_lv": lv.pool, "origin": lv.origin, **self.usage(group, lv), "move_pv": "",
            "mirror_log": "", "copy_percent": "", "convert_lv": "", "lv_dm_path": lv.path,
            "lv_path": "" if pool else f"/dev/{group.name}/{lv.name}",
            "thin_count": len(self.thins.get((group.name, lv.name), [])) if pool else "",
            "lv_metadata_size": lv.metadata_extents * group.extent_kib if pool else "",
            "chunk_size": lv.chunk_kib if pool else 0, "lv_tags": ",".join(lv.tags),
            "lv_active": "active" if lv.active else "", "lv_role": "private" if pool else "public",
            "lv_layout": {"pool": "thin,pool", "thin": "thin,sparse", "linear": "linear"}[lv.kind],
            "segtype": {"pool": "thin-pool", "thin": "thin", "linear": "linear"}[lv.kind],
            "lv_device_open": "open" if is_open else "", "lv_health_status": "", "lv_time": "",
            "devices": f"{lv.name}_tdata(0)" if pool else "", **self.vg(group),
        }  # fmt: skip

    def usage(self, group: VolumeGroup, lv: LogicalVolume) -> Row:
        """Return how full a thin volume or a pool is."""
        data = metadata = ""
        if lv.kind == "thin":
            chunk = group.lvs[lv.pool].chunk_kib
            data = percent(chunks_of(lv.written_kib, chunk), lv.size_kib / chunk)
        if lv.kind == "pool":
            thins = self.thins.get((group.name, lv.name), [])
            chunks = sum(chunks_of(thin.own_kib, lv.chunk_kib) for thin in thins)
            data = percent(min(chunks, lv.size_kib // lv.chunk_kib), lv.size_kib / lv.chunk_kib)
            blocks = lv.metadata_extents * group.extent_kib // 4
            metadata = percent(blocks // 10 + 9 + len(thins) + chunks // 133, blocks)
        return {"data_percent": data, "metadata_percent": metadata}

    def vg(self, group: VolumeGroup) -> Row:
        """Return every field of a volume group, and those of its physical volume."""
        return self.pv(self.node.disks[group.disk])

    def pv(self, disk: Disk) -> Row:
        """Return every field of a physical volume, and those of its group."""
        group = self.group(disk.vg)
        size, free = group.get("vg_size", disk.size_kib), group.get("vg_free", disk.size_kib)
        extents, left = group.get("vg_extent_count", 0), group.get("vg_free_count", 0)
        return {
            "pv_name": disk.path, "pv_uuid": disk.pv_uuid, "pv_fmt": "lvm2", "pv_attr": "a--" if group else "---",
            "pv_size": size, "pv_free": free, "pv_used": difference(size, free), "dev_size": disk.size_kib,
            "pe_start": disk.pe_start_kib, "vg_name": disk.vg, "vg_uuid": "", "pv_pe_count": extents,
            "pv_pe_alloc_count": difference(extents, left), **group,
        }  # fmt: skip


def difference(one: Value, other: Value) -> int:
    """Return how much larger a number is."""
    return one - other if isinstance(one, int) and isinstance(other, int) else 0


def group_fields(group: VolumeGroup) -> Row:
    """Return every field of a volume group."""
    free = group.free_extents
    return {
        "vg_name": group.name, "vg_uuid": group.uuid, "pv_count": 1, "lv_count": len(group.lvs), "snap_count": 0,
        "vg_attr": "wz--n-", "vg_size": group.extents * group.extent_kib, "vg_free": free * group.extent_kib,
        "vg_extent_size": group.extent_kib, "vg_extent_count": group.extents, "vg_free_count": free, "vg_tags": "",
        "vg_missing_pv_count": 0,
    }  # fmt: skip


def report_options(context: Context) -> Options:
    """Parse the options of a report."""
    return read_options(
        context.args,
        "q|quiet v|verbose y|yes a|all noheadings nosuffix unquoted readonly unbuffered aligned rows nameprefixes "
        "noudevsync foreign shared ignorelockingfailure c|colon s|short segments",
        "o|options reportformat units separator S|select O|sort A|autobackup config logonly devices profile",
    )


def pvs(context: Context) -> Result:
    """Report physical volumes."""
    options = report_options(context)
    view = View(context)
    rows: list[Row] = []
    errors = ""
    if options.rest:
        for path in options.rest:
            disk = context.disk(path)
            if disk is None:
                errors += f"  Cannot use {path}: device not found\n"
            elif context.node.hides(disk):
                errors += f"  Cannot use {path}: device is rejected by filter config\n"
            elif not disk.pv_uuid:
                errors += f'  Failed to find physical volume "{path}".\n'
            else:
                rows.append(view.pv(disk))
    else:
        rows = [view.pv(disk) for disk in seen(context) if disk.pv_uuid]
    return report(options, "pv", rows, errors)


def seen(context: Context) -> list[Disk]:
    """Return the disks that LVM is let to look at."""
    return [disk for _, disk in sorted(context.node.disks.items()) if not context.node.hides(disk)]


def vgs(context: Context) -> Result:
    """Report volume groups."""
    options = report_options(context)
    view = View(context)
    rows: list[Row] = []
    errors = ""
    known = {disk.vg: context.node.vgs[disk.vg] for disk in seen(context) if disk.vg}
    for name in options.rest or sorted(known):
        group = known.get(name.removeprefix("/dev/"))
        if group is None:
            errors += f'  Volume group "{name}" not found\n  Cannot process volume group {name}\n'
        else:
            rows.append(view.vg(group))
    return report(options, "vg", rows, errors)


def lvs(context: Context) -> Result:
    """Report logical volumes."""
    options = report_options(context)
    found: list[tuple[VolumeGroup, LogicalVolume]] = []
    errors = ""
    for name in options.rest or sorted(context.node.vgs):
        hit = context.node.lv_by_path(name)
        if hit:
            found.append(hit)
            continue
        group_name, _, lv_name = name.removeprefix("/dev/").partition("/")
        group = context.node.vgs.get(group_name)
        if group is None:
            errors += f'  Volume group "{group_name}" not found\n  Cannot process volume group {group_name}\n'
        elif lv_name:
            errors += f'  Failed to find logical volume "{group_name}/{lv_name}"\n'
        else:
            found += [(group, lv) for _, lv in sorted(group.lvs.items())]
    view = View(context)
    rows = [view.lv(group, lv) for group, lv in found]
    if "all" in options:
        groups = context.node.vgs.values()
        asked = [group for group in groups if not options.rest or group.name in options.rest]
        rows += [spare_fields(view, group) for group in asked if group.spare_extents]
    return report(options, "lv", rows, errors)


def spare_fields(view: View, group: VolumeGroup) -> Row:
    """Return the fields of the hidden spare for pool metadata."""
    size = group.spare_extents * group.extent_kib
    spare = LogicalVolume(name="lvol0_pmspare", vg=group.name, uuid="", kind="linear", size_kib=size)
    return {**view.lv(group, spare), "lv_name": "[lvol0_pmspare]", "lv_attr": "ewi-------"}


def vgdisplay(context: Context) -> Result:
    """Print volume groups as fields separated by colons (-c), or in short."""
    options = report_options(context)
    view = View(context)
    out, errors = "", ""
    for name in options.rest or sorted(context.node.vgs):
        group = context.node.vgs.get(name)
        if group is None:
            errors += f'  Volume group "{name}" not found\n  Cannot process volume group {name}\n'
            continue
        if "colon" not in options:
            total = group.extents * group.extent_kib
            used = group.used_extents * group.extent_kib
            sizes = [sized(kib, "h", suffix=True) for kib in (total, used, total - used)]
            out += f'  "{name}" {sizes[0]} [{sizes[1]} used / {sizes[2]} free]\n'
            continue
        opened = sum(view.is_open(group, lv) for lv in group.lvs.values())
        out += (
            f"  {name}:r/w:772:-1:0:{len(group.lvs)}:{opened}:-1:0:1:1:{group.extents * group.extent_kib}"
            f":{group.extent_kib}:{group.extents}:{group.used_extents}:{group.free_extents}:{group.uuid}\n"
        )
    return failed(5, errors, out) if errors else done(out)


def report(options: Options, kind: str, rows: list[Row], errors: str) -> Result:
    """Print rows: the fields asked for, of those that the selection keeps."""
    fields = fields_of(options.values.get("options", []), kind)
    if "select" in options:
        chosen = selection(options.last("select"))
        rows = [row for row in rows if chosen(row)]
    unit = options.last("units", "r")
    suffix = "nosuffix" not in options
    table = [[shown(field, row.get(field, ""), unit, suffix=suffix) for field in fields] for row in rows]
    if options.last("reportformat").startswith("json"):
        out = as_json(kind, fields, table)
    else:
        out = as_text(options, fields, table)
    return Result(5 if errors else 0, out, errors)


def fields_of(given: list[str], kind: str) -> list[str]:
    """Return the names of the fields that -o asks for."""
    fields = list(DEFAULT_FIELDS[kind])
    for position, text in enumerate(given):
        adds = text.startswith("+")
        if not adds and position == 0:
            fields = []
        for name in text.lstrip("+").split(","):
            full = name if name in HEADINGS else f"{kind}_{name}"
            if full not in HEADINGS:
                raise BadOption(f"Unrecognised field: {name}")
            fields.append(full)
    return fields


def shown(field: str, value: Value, unit: str, *, suffix: bool) -> str:
    """Return a field as text."""
    if field in SIZES and isinstance(value, int):
        return sized(value, unit, suffix=suffix)
    return "" if value is None else str(value)


def sized(kib: int, unit: str, *, suffix: bool) -> str:
    """Return a size in LVM's units; `r` and `h` choose one."""
    powers = {"b": -1, "s": -1, "k": 0, "m": 1, "g": 2, "t": 3, "p": 4}
    lower = unit.lower()
    if lower in {"h", "r"}:
        lower = "k"
        for candidate in "kmgtp":
            lower = candidate
            if kib < 1024 ** (powers[candidate] + 1):
                break
    if lower in {"b", "s"}:
        text = str(kib * 1024 if lower == "b" else kib * 2)
    elif unit.isupper():
        thousands = {"k": 1, "m": 2, "g": 3, "t": 4, "p": 5}[lower]
        text = f"{kib * 1024 / 1000**thousands:.2f}"
    else:
        text = f"{kib / 1024 ** powers[lower]:.2f}"
    return text + ((unit.upper() if unit in {"b", "s"} else lower) if suffix else "")


def as_json(kind: str, fields: list[str], table: list[list[str]]) -> str:
    """Return a report in LVM's own layout of JSON."""
    rows = [
        "{" + ", ".join(f'"{field}":"{value}"' for field, value in zip(fields, row, strict=True)) + "}" for row in table
    ]
    body = ",\n".join(f"                  {row}" for row in rows)
    middle = f"{body}\n" if rows else ""
    return (
        f'  {{\n      "report": [\n          {{\n              "{kind}": [\n{middle}              ]\n'
        "          }\n      ]\n  }\n"
    )


def as_text(options: Options, fields: list[str], table: list[list[str]]) -> str:
    """Return a report in columns, numbers to the right; or with a separator, unaligned."""
    heads = [HEADINGS[field] for field in fields]
    lines = table if "noheadings" in options else [heads, *table]
    if not table:
        return ""
    separator = options.last("separator")
    if separator and "aligned" not in options:
        return "".join(f"  {separator.join(line)}\n" for line in lines)
    widths = [max(len(head), *(len(row[at]) for row in table)) for at, head in enumerate(heads)]
    return "".join(
        "  "
        + (separator or " ").join(
            cell.rjust(width) if field in NUMERIC else cell.ljust(width)
            for field, cell, width in zip(fields, line, widths, strict=True)
        )
        + "\n"
        for line in lines
    )


@dataclass(frozen=True, slots=True)
class Criterion:
    """One comparison of a selection."""

    field: str
    operator: str
    value: str

    def holds(self, row: Row) -> bool:
        """Return whether a row meets it."""
        there = "" if row.get(self.field) is None else str(row.get(self.field, ""))
        match self.operator:
            case "=~":
                return re.search(self.value, there) is not None
            case "!~":
                return re.search(self.value, there) is None
            case "!=":
                return there != self.value
            case "=":
                if self.field.endswith("_tags"):
                    return self.value.strip("{}") in there.split(",")
                return there == self.value
        left, right = float(there or 0), float(self.value.rstrip("kKbBmMgG") or 0)
        return {"<": left < right, ">": left > right, "<=": left <= right, ">=": left >= right}[self.operator]


def selection(text: str) -> Callable[[Row], bool]:
    """Return the test that a selection (-S) expresses: comparisons joined by `&&` or `,`, and by `||` or `#`."""
    any_of: list[list[Criterion]] = []
    for alternative in re.split(r"\|\||#", text):
        all_of = []
        for clause in re.split(r"&&|,", alternative):
            found = re.fullmatch(r"\s*\(?\s*(\w+)\s*(=~|!~|!=|<=|>=|=|<|>)\s*[\"']?(.*?)[\"']?\s*\)?\s*", clause)
            if not found:
                raise BadOption(f"Selection syntax error at '{clause}'.")
            name = found[1]
            full = name if name in HEADINGS else next((f"{k}_{name}" for k in ("lv", "vg", "pv")), name)
            all_of.append(Criterion(full, found[2], found[3]))
        any_of.append(all_of)
    return lambda row: any(all(criterion.holds(row) for criterion in all_of) for all_of in any_of)

"""What is to be found on a node of anything that heketipy makes there, by the node's own tools.

Two of these before and after something tell whether it left anything behind, and whether it took what it should not.
"""

import json
import re
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, fields
from typing import Any

from machines import Node

MOUNTS = "/var/lib/heketi/mounts"
_MARK = "===="

_QUESTIONS = f"""
lvm lvs -a --noheadings --separator / -o vg_name,lv_name; echo {_MARK}
lvm vgs --noheadings -o vg_name; echo {_MARK}
lvm pvs --noheadings -o pv_name; echo {_MARK}
findmnt -rn -t xfs -o TARGET; echo {_MARK}
grep -v '^/dev/vda ' /etc/fstab; echo {_MARK}
find {MOUNTS} -mindepth 1 -maxdepth 2 2>/dev/null; echo {_MARK}
gluster --mode=script volume list 2>/dev/null | grep -v '^No volumes'; echo {_MARK}
gluster --mode=script pool list | awk 'NR > 1 {{print $1}}'; echo {_MARK}
pgrep -a 'lvm|mkfs|glusterfsd|mount' | sed -n 's/^[0-9]* //p' | grep -v glustershd; true
"""


@dataclass(frozen=True)
class Traces:
    """Everything on one node that could be heketipy's. `peers` are uuids, the node's own included."""

    logical_volumes: frozenset[str]
    groups: frozenset[str]
    physical: frozenset[str]
    mounted: frozenset[str]
    fstab: frozenset[str]
    directories: frozenset[str]
    gluster: frozenset[str]
    peers: frozenset[str]
    processes: frozenset[str]

    def beyond(self, before: "Traces") -> dict[str, list[str]]:
        """What there is now and was not before."""
        return _differences(self, before)

    def missing_from(self, before: "Traces") -> dict[str, list[str]]:
        """What there was before and is no longer."""
        return _differences(before, self)


def _differences(one: Traces, other: Traces) -> dict[str, list[str]]:
    found = {}
    for field in fields(Traces):
        if more := sorted(getattr(one, field.name) - getattr(other, field.name)):
            found[field.name] = more
    # An empty folder of a VG stays when its last brick goes, and goes with the device.
    groups = [path for path in found.get("directories", ()) if not re.fullmatch(rf"{MOUNTS}/vg_[0-9a-f]+", path)]
    found.pop("directories", None)
    return {**found, **({"directories": groups} if groups else {})}


def on(node: Node) -> Traces:
    """Look at a node."""
    parts = node.out(_QUESTIONS).split(_MARK)
    return Traces(*(frozenset(line.strip() for line in part.splitlines() if line.strip()) for part in parts))


def on_all(nodes: Iterable[Node]) -> list[Traces]:
    """Look at several."""
    return [on(node) for node in nodes]


def left_behind(nodes: Sequence[Node], before: Sequence[Traces]) -> list[dict[str, list[str]]]:
    """For each node what is there now and was not before; a list of empty dicts is a clean site."""
    return [on(node).beyond(old) for node, old in zip(nodes, before, strict=True)]


def taken_away(nodes: Sequence[Node], before: Sequence[Traces]) -> list[dict[str, list[str]]]:
    """For each node what was there before and is no longer."""
    return [on(node).missing_from(old) for node, old in zip(nodes, before, strict=True)]


def until_clean(nodes: Sequence[Node], before: Sequence[Traces], seconds: float) -> list[dict[str, list[str]]]:
    """Look again and again until nothing is left behind; returns what is still there when patience ends."""
    end = time.monotonic() + seconds
    while any(left := left_behind(nodes, before)) and time.monotonic() < end:
        time.sleep(1)
    return left


def wait_for(node: Node, command: str, *, seconds: float = 120) -> None:
    """Wait until a line of shell succeeds on a node. The loop runs there, so that nothing short is missed."""
    polls = int(seconds / 0.05)
    line = f"for i in $(seq {polls}); do {command} && exit 0; sleep 0.05; done; exit 1"
    done = node.ssh(line, check=False, timeout=seconds * 3)
    assert done.returncode == 0, f"{node!r}: waited in vain for {command!r}"


def command_runs(pattern: str) -> str:
    """A line of shell that succeeds while a process with such a command line runs."""
    # Without the brackets it would find itself.
    return f"pgrep -f '[{pattern[0]}]{pattern[1:]}' >/dev/null"


def logical_volumes(node: Node) -> dict[str, dict[str, Any]]:
    """LVs by `vg/lv`, hidden ones too, sizes in KiB as integers."""
    text = node.out("lvm lvs -a --units k --nosuffix --reportformat json -o vg_name,lv_name,lv_size,pool_lv")
    rows = json.loads(text)["report"][0]["lv"]
    return {
        f"{row['vg_name']}/{row['lv_name'].strip('[]')}": {"kib": int(float(row["lv_size"])), "pool": row["pool_lv"]}
        for row in rows
    }

"""What is to be found on a node of anything that heketipy makes there, by the node's own tools.

Two of these before and after something tell whether it left anything behind, and whether it took what it should not.
"""

import json
import re
import time
from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, fields
from typing import Any

from machines import Node

MOUNTS = "/var/lib/heketi/mounts"
_MARK = "===="
_GROUP_FOLDER = re.compile(rf"{MOUNTS}/vg_[0-9a-f]+")

# glusterd's own files rather than its command line: a second less for each question, and what one node alone
# still knows shows too.
_QUESTIONS = f"""
lvm lvs -a --noheadings --separator / -o vg_name,lv_name; echo {_MARK}
lvm pvs --noheadings -o pv_name,vg_name; echo {_MARK}
findmnt -rn -t xfs -o TARGET; echo {_MARK}
grep -v '^/dev/vda ' /etc/fstab; echo {_MARK}
find {MOUNTS} -mindepth 1 -maxdepth 2 2>/dev/null; echo {_MARK}
ls /var/lib/glusterd/vols; echo {_MARK}
ls /var/lib/glusterd/peers; echo {_MARK}
pgrep -a 'lvm|mkfs|glusterfsd|mount' | sed -n 's/^[0-9]* //p'; true
"""


@dataclass(frozen=True)
class Traces:
    """Everything on one node that could be heketipy's. `physical` are lines of device and group, `peers` the uuids of
    the others."""

    logical_volumes: frozenset[str]
    physical: frozenset[str]
    mounted: frozenset[str]
    fstab: frozenset[str]
    directories: frozenset[str]
    gluster: frozenset[str]
    peers: frozenset[str]
    processes: frozenset[str]

    def changes_since(self, before: "Traces") -> dict[str, list[str]]:
        """What is more (`+field`) and what is less (`-field`) than before."""
        found = {}
        for field in fields(Traces):
            now, then = getattr(self, field.name), getattr(before, field.name)
            for sign, lines in (("+", now - then), ("-", then - now)):
                # An empty folder of a VG stays when its last brick goes, and goes with the device.
                if kept := sorted(line for line in lines if not _GROUP_FOLDER.fullmatch(line)):
                    found[sign + field.name] = kept
        return found


def on(node: Node) -> Traces:
    """Look at a node."""
    parts = node.out(_QUESTIONS).split(_MARK)
    return Traces(*(frozenset(" ".join(line.split()) for line in part.splitlines() if line.strip()) for part in parts))


def on_all(nodes: Iterable[Node]) -> list[Traces]:
    """Look at several at the same time."""
    with ThreadPoolExecutor() as threads:
        return list(threads.map(on, nodes))


def changes(nodes: Sequence[Node], before: Sequence[Traces]) -> list[dict[str, list[str]]]:
    """For each node what differs from before; a list of empty dicts is a site on which nothing was left or taken."""
    return [now.changes_since(then) for now, then in zip(on_all(nodes), before, strict=True)]


def lasting_changes(nodes: Sequence[Node], before: Sequence[Traces], seconds: float) -> list[dict[str, list[str]]]:
    """Look again and again until nothing differs; returns what still does when patience ends."""
    end = time.monotonic() + seconds
    while any(found := changes(nodes, before)) and time.monotonic() < end:
        time.sleep(1)
    return found


def wait_for(node: Node, condition: str, *, seconds: int = 120) -> None:
    """Wait until a line of shell succeeds on a node.

    The loop runs there, so that little is missed. What is shorter than the start of a process on an emulated machine
    is missed all the same: wait for what it leaves instead.
    """
    line = f"SECONDS=0; until {condition}; do [ $SECONDS -lt {seconds} ] || exit 1; sleep 0.05; done"
    done = node.ssh(line, check=False, timeout=seconds + 120)
    assert done.returncode == 0, f"{node!r}: waited in vain for {condition!r}"


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

"""The simulator answers as the real tools did.

The cases are recordings of LVM 2.03.16, xfsprogs 6.1.0, util-linux 2.38.1, coreutils 9.1 and GlusterFS 10.3 at work
on three nodes with disks of 100 GiB. `given` says how the nodes were before; placeholders as `{uuid1}` stand for values
that differ from run to run and are bound where they first appear.

Not compared, since a simulator may say otherwise:
* what a machine mounts by itself; the order of udev's links; addresses, ports and process ids; times;
* `systemctl status` beyond its first three lines, and the hint "Did you mean" of gluster;
* the order of LVM's rows where names are placeholders (there is a test of its own), how full
  pool metadata is, and pools that snapshots share;
* sizes of file systems to the block; names of the files that a heal would copy.
"""

import json
import re
import shlex
from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest

from heketipy.executors.simulator import Simulator

CASES = [case for path in sorted(Path(__file__).parent.glob("cases/*.json")) for case in json.loads(path.read_text())]
PLACEHOLDER = re.compile(r"\{([a-z]+)(\d*)(:hex)?\}")
PATTERNS = {"uuid": "[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}", "lvmuuid": "[0-9A-Za-z-]{38}", "hex": "[0-9a-f]{32}"}
DEVICE = (
    "pvcreate -qq --metadatasize=128M --dataalignment=256K {0}",
    "vgcreate -qq --physicalextentsize=4M --autobackup=n {1} {0}",
)
BRICK = (
    "mkdir -p {point}",
    (
        "lvcreate -qq --poolmetadatasize {metadata_kib}K --chunksize 256K --size {tp_kib}K --thin vg_{device}/tp_{pool}"
        " --virtualsize {kib}K --name brick_{brick}"
    ),
    "mkfs.xfs -q -i size=512 -n size=8192 {mapper}",
    'awk "BEGIN {{print \\"{mapper} {point} xfs rw,inode64,noatime,nouuid 1 2\\" >> \\"/etc/fstab\\"}}"',
    "mount -o rw,inode64,noatime,nouuid {mapper} {point}",
    "mkdir {point}/brick",
)


class Replay:
    """A simulator, and the values that placeholders have taken."""

    def __init__(self) -> None:
        self.values: dict[str, str] = {"unknownhost": "10.0.0.99"}
        self.simulator = Simulator(seed=7)
        for number in (1, 2, 3):
            disks = {f"/dev/vd{letter}": 100 for letter in "bcde"}
            self.simulator.add_node(f"node{number}", f"10.0.0.{number}", disks_gib=disks)

    def known(self, kind: str, number: str) -> str | None:
        """Return the value of a placeholder, if it has one by now."""
        if kind == "storage":
            return f"10.0.0.{number}"
        if kind + number in self.values:
            return self.values[kind + number]
        if kind not in PATTERNS and kind != "cloneuuid":
            return sha256(f"{kind}{number}".encode()).hexdigest()[:32]
        return None

    def filled(self, text: str) -> str:
        """Return a text with values in place of placeholders."""

        def value(found: re.Match[str]) -> str:
            known = self.known(found[1], found[2])
            assert known is not None, f"{found[0]} has no value yet"
            return known.replace("-", "") if found[3] else known

        return PLACEHOLDER.sub(value, text)

    def matches(self, expected: str, actual: str) -> bool:
        """Compare texts; bind the placeholders that have no value."""
        pattern, at, bound = "", 0, set()
        for found in PLACEHOLDER.finditer(expected):
            pattern += re.escape(expected[at : found.start()])
            at = found.end()
            name = found[1] + found[2]
            known = self.known(found[1], found[2])
            if known is not None:
                pattern += re.escape(known.replace("-", "") if found[3] else known)
            elif found[3] or found[1] not in PATTERNS:
                pattern += PATTERNS["hex"]
            elif name in bound:
                pattern += f"(?P={name})"
            else:
                bound.add(name)
                pattern += f"(?P<{name}>{PATTERNS[found[1]]})"
        match = re.fullmatch(pattern + re.escape(expected[at:]), actual)
        if match:
            self.values |= match.groupdict()
        return match is not None

    def prepare(self, given: list[Any]) -> None:
        """Bring the nodes into the state before the recording."""
        for item in given:
            if isinstance(item, list):
                node, command, *expected = item
                result = self.run(node, command)
                assert result.status == 0, (command, result)
                assert not expected or self.matches(expected[0], result.stdout)
            else:
                ((verb, argument),) = item.items()
                self.direct(verb, argument)

    def direct(self, verb: str, argument: Any) -> None:
        """Do what is no command."""
        match verb:
            case "device":
                node, path, identity = argument
                self.prepare([[node, command.format(path, f"vg_{identity}")] for command in DEVICE])
            case "brick":
                self.prepare([[argument["node"], command] for command in brick_commands(argument)])
            case "signature":
                node, path, signature = argument
                self.simulator.node(f"node{node}").disks[path].signature = signature
            case "written":
                node, name, kib = argument
                lv = self.simulator.node(f"node{node}").lvs[name]
                lv.written_kib = lv.own_kib = kib
            case "heal":
                name, entries = argument
                for brick in self.simulator.volumes[name].bricks:
                    brick.to_heal = entries
            case "down":
                self.simulator.node_down(f"node{argument}")
            case "glusterd down":
                self.simulator.glusterd_down(f"node{argument}")
            case "peer state":
                host, state = argument
                pool = self.simulator.state.pool_of("node1")
                pool.members[self.simulator.node(self.filled(host)).manage].state = state
            case "bind":
                name, volume = argument
                self.values[name] = self.simulator.volumes[volume].id.replace("-", "")

    def run(self, node: int, command: str) -> Any:
        """Run a command on a node."""
        return self.simulator.execute(f"node{node}", shlex.split(self.filled(command)))


def brick_commands(brick: dict[str, Any]) -> Iterator[str]:
    """Yield the commands that make a brick, up to the one whose name is asked for."""
    names = {
        **brick,
        "point": f"/var/lib/heketi/mounts/vg_{brick['device']}/brick_{brick['brick']}",
        "mapper": f"/dev/mapper/vg_{brick['device']}-brick_{brick['brick']}",
    }
    for command in BRICK:
        yield command.format(**names)
        if command.startswith(brick["upto"]):
            return


def comparable(command: str, text: str) -> str:
    """Return an output without what is not compared."""
    if command == "mount":
        return "".join(line for line in text.splitlines(keepends=True) if line.startswith("/dev/mapper/"))
    if "udevadm info" in command:
        return " ".join(sorted(text.split()))
    if "systemctl status" in command:
        lines = text.splitlines()[:3]
        return "\n".join(re.sub(r"since .*", "", line) for line in lines)
    text = re.sub(r"\nDid you mean .*", "", text)
    text = re.sub(r"<(port|tcp|pid)>\d+<", r"<\1>0<", text)
    text = re.sub(r"<(sizeFree|inodesFree)>\d+<", r"<\1>0<", text)
    text = re.sub(r"<createTime>.*?<", "<createTime><", text)
    text = re.sub(r'"metadata_percent":"[\d.]+"', '"metadata_percent":"10.00"', text)
    text = re.sub(r'("lv_attr":"twi[^}]*"data_percent":)"[\d.]+"', r'\1"1.00"', text)
    return re.sub(r" *<file gfid.*\n", "", text)


def rows_of(text: str) -> tuple[str, list[str]]:
    """Split a report of LVM into its frame and its rows."""
    lines = text.splitlines()
    rows = [line.rstrip(",") for line in lines if line.startswith("                  {")]
    return "\n".join(line for line in lines if not line.startswith("                  {")), rows


def assert_same(replay: Replay, command: str, expected: str, actual: str) -> None:
    """Compare an output with the recorded one."""
    if '"report"' in expected:
        frame, rows = rows_of(expected)
        actual_frame, actual_rows = rows_of(actual)
        assert frame == actual_frame
        for row in rows:
            hit = next((other for other in actual_rows if replay.matches(row, other)), None)
            assert hit is not None, f"{command}\nno row is\n{row}\namong\n" + "\n".join(actual_rows)
            actual_rows.remove(hit)
        assert not actual_rows, command
        return
    if not replay.matches(expected, actual):
        shown = PLACEHOLDER.sub(lambda found: replay.known(found[1], found[2]) or found[0], expected)
        assert actual == shown, command
        pytest.fail(f"{command}: a placeholder took two values")


@pytest.mark.parametrize("case", CASES, ids=[case["title"] for case in CASES])
def test_the_simulator_answers_as_the_real_tools_did(case: dict[str, Any]) -> None:
    replay = Replay()
    replay.prepare(case["given"])
    for step in case["steps"]:
        command = step["command"]
        if "not compared" in step:
            if "instead" in step:
                replay.prepare([step["instead"]])
            continue
        result = replay.run(step["node"], command)
        assert result.status == step["exit"], (command, result)
        for stream in ("stdout", "stderr"):
            expected = comparable(command, step.get(stream, ""))
            assert_same(replay, command, expected, comparable(command, getattr(result, stream)))

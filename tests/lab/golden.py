"""Make golden cases of what real nodes answered.

    LAB_RECORD=FILE tests/lab/run -k "form_one_pool or as_specified or test_4 or test_7"
    tests/lab/golden.py FILE.*

renews the cases of parsers and judgements whose source begins with `lab:` in tests/executors/cases, and the story in
tests/executors/simulator/cases/lab.json, which the simulator has to tell in the same words. The transcript is what the
server writes when HEKETIPY_RECORD is set, one batch a line. Of answers of the same shape one becomes a case. What was
done on nodes by hand or by a killed server is in no transcript, and a story must not depend on it: record those tests.

The values are what the parsers read now: look at the difference before it is committed, for a wrong value is only right
until somebody looks.
"""

import importlib
import json
import re
import shlex
import sys
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, Final

from heketipy.executors import gluster

TESTS = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(TESTS / "executors"))
golden: Any = importlib.import_module("test_golden_cases")

SOURCE = "lab: "
CASES = TESTS / "executors" / "cases"
STORY = TESTS / "executors" / "simulator" / "cases" / "lab.json"
Case = dict[str, Any]

_CHANGING = re.compile(r"[0-9a-f]{32}|[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}|\w{6}(?:-\w{4}){5}-\w{6}|\d+")
_LVM = {"vgcreate", "vgremove", "pvcreate", "pvremove", "lvcreate", "lvremove", "pvs", "vgs", "vgdisplay"}


def commands(transcripts: Iterable[Path]) -> Iterator[Mapping[str, Any]]:
    """The commands that ran, in order, each with its `host`."""
    for path in transcripts:
        for line in path.read_text().splitlines():
            # A server that was killed may have written half a line.
            if line.endswith("}"):
                batch = json.loads(line)
                yield from (
                    command | {"host": batch["host"]} for command in batch["commands"] if command["status"] is not None
                )


def case_of(command: Mapping[str, Any]) -> tuple[str, Case] | None:
    """The tool, and the case that a command makes; None for one that teaches nothing."""
    argv = [word for word in command["argv"] if word != "/usr/sbin/lvm"]
    read = reading(argv)
    if read is not None and (command["status"] == 0 or read[1] in ("volumes", "peers")):
        return read[0], reading_case(argv, read[1], command["stdout"])
    if command["status"] != 0 and (tool := judged(argv)) is not None:
        kind = "thin_count" if "--options=thin_count" in argv else argv[0]
        if tool == "gluster":
            words = [word for word in argv if not word.startswith("-")]
            kind = words[2] if words[2] in ("create", "set", "add-brick") else f"{words[1]}_{words[2]}"
        stderr = command["stderr"]
        true = [judge.__name__ for judge in golden.JUDGEMENTS[tool] if judge(stderr)]
        case = {"source": SOURCE + kind, "judge": kind, "status": command["status"], "stderr": stderr, "true": true}
        return tool, case
    return None


def reading(argv: list[str]) -> tuple[str, str] | None:
    """Which tool's which parser reads the output of a command."""
    words = [word for word in argv if not word.startswith("-")]
    match words:
        case ["vgdisplay", *_]:
            return "lvm", "size"
        case ["pvs" | "vgs", *_] if "--reportformat=json" in argv:
            return "lvm", "pv"
        case ["lvs", *_]:
            return "lvm", "thin_count" if "--options=thin_count" in argv else "lvs"
        case [name, *_] if name.endswith("udevadm"):
            return "lvm", "paths"
        case ["mount"]:
            return "mounts", "mounts"
        case ["cat", _]:
            return "fstab", "fstab"
        case ["gluster", "volume", "info", *_]:
            return "gluster", "volumes"
        case ["gluster", "pool", "list"]:
            return "gluster", "peers"
        case ["gluster", "snapshot", "list", *_]:
            return "gluster", "snapshot_count"
    return None


def judged(argv: list[str]) -> str | None:
    """Of which tool the failures are judged."""
    if argv[0] == "gluster":
        return "gluster" if len([word for word in argv if not word.startswith("-")]) > 2 else None
    if argv[0] in ("mount", "umount"):
        return "mounts"
    return "lvm" if argv[0] in _LVM or argv[0] == "lvs" else None


def reading_case(argv: list[str], kind: str, stdout: str) -> Case:
    """A case of a parser, its value as the parser reads it now."""
    case: Case = {"source": f"{SOURCE}{' '.join(argv[:1])}", "read": kind, "stdout": stdout}
    if kind == "paths":
        case["arguments"] = {"device": next(word.removeprefix("--name=") for word in argv if "--name=" in word)}
    if kind in ("volumes", "peers", "snapshot_count"):
        case["source"] = SOURCE + " ".join(word for word in argv if not word.startswith("--"))
        case["error_text"] = gluster.read_reply(stdout).error
    if kind == "mounts":
        case["value"] = [line for line in golden.plain(golden.mounts.read(stdout)) if "/heketi/" in line["point"]]
    else:
        case["value"] = golden.plain(golden.read(case))
    return case


def shape(case: Case) -> str:
    """What two cases have in common that teach the same."""
    if case.get("read") == "mounts":
        # They differ in how many bricks there are, which teaches nothing.
        return f"mounts {bool(case['value'])}"
    text = case.get("stdout", "") or case.get("stderr", "")
    return "|".join((case.get("read", ""), case.get("judge", ""), _CHANGING.sub("#", text)))


class Story:
    """What was run and answered, in order, as a case of the simulator's: see test_recorded_commands.

    Values that differ from run to run become placeholders; the addresses of the lab become the simulator's.
    """

    _SHAPES: Final = {
        "uuid": re.compile(r"\b[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}\b"),
        "lvmuuid": re.compile(r"\b\w{6}(?:-\w{4}){5}-\w{6}\b"),
    }

    def __init__(self) -> None:
        self.steps: list[Case] = []
        self._names: dict[str, str] = {}

    def add(self, command: Mapping[str, Any]) -> None:
        """Take in one command. Left out: looks at glusterd, which say how the test treated the node, not the server."""
        if command["argv"][:2] == ["systemctl", "status"]:
            return
        step = {
            "node": int(command["host"].removeprefix("127.0.0.1")),
            "command": self._plain(shlex.join(command["argv"])),
            "exit": command["status"],
        }
        for stream in ("stdout", "stderr"):
            text = command[stream]
            if command["argv"] == ["mount"]:
                text = "".join(line for line in text.splitlines(keepends=True) if line.startswith("/dev/mapper/"))
            if text:
                step[stream] = self._plain(text)
        self.steps.append(step)

    def _plain(self, text: str) -> str:
        # The first node of a pool is known to the others by what its address resolves to.
        text = text.replace("<hostname>gluster1<", "<hostname>10.77.0.11<")
        text = re.sub(r"\b10\.77\.0\.1(\d)\b", r"{storage\1}", text)
        for kind, shape in self._SHAPES.items():
            text = shape.sub(lambda found, kind=kind: self._placeholder(kind, found[0]), text)
        return text

    def _placeholder(self, kind: str, value: str) -> str:
        number = sum(name.startswith("{" + kind) for name in self._names.values()) + 1
        return self._names.setdefault(value, f"{{{kind}{number}}}")

    def write(self) -> None:
        """Write it, a step a line."""
        steps = ",\n".join(json.dumps(step, ensure_ascii=False) for step in self.steps)
        title = "lab: nodes, devices, volumes of all kinds, an expansion, and everything removed"
        STORY.write_text(f'[{{"title": {json.dumps(title)}, "given": [], "steps": [\n{steps}\n]}}]\n')
        print(f"{STORY.name}: {len(self.steps)} steps")


def main(paths: list[str]) -> int:
    """Renew the cases."""
    if not paths:
        print(__doc__, file=sys.stderr)
        return 2
    found: dict[str, dict[str, Case]] = {}
    story = Story()
    for command in commands(map(Path, paths)):
        story.add(command)
        if (made := case_of(command)) is not None:
            tool, case = made
            found.setdefault(tool, {}).setdefault(shape(case), case)
    for tool, cases in found.items():
        file = CASES / f"{tool}.json"
        kept = [case for case in json.loads(file.read_text()) if not case["source"].startswith(SOURCE)]
        known = {shape(case) for case in kept}
        new = [case for key, case in cases.items() if key not in known]
        file.write_text(json.dumps(kept + new, indent=1, ensure_ascii=False))
        print(f"{file.name}: {len(new)} cases of the lab beside {len(kept)} others")
    story.write()
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

"""What is measured on real nodes: three virtual machines of tests/lab, as new for each server.

Commands by hand and the server take turns on the same nodes, so that what else uses the machine meets both.
"""

import asyncio
import itertools
import os
import subprocess
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from bench.figures import THEIRS, Figures, Row, against
from bench.load import Measurement, each, timed
from bench.process import Program, Server, running
from bench.site import Clients, job, volume_request

BY_HAND = "by hand"
NODES = (1, 2, 3)
DISKS = ("/dev/vdb", "/dev/vdc", "/dev/vdd", "/dev/vde")
ROUNDS = 3
AT_ONCE = 6

_LAB = Path(__file__).resolve().parent.parent / "tests" / "lab" / "lab"
_SCRIPT = Path(__file__).with_name("by_hand.sh")

CREATE = "lab: create, replica 3, 1 GiB"
LOAD = "lab: load 3 × 4 devices"
DELETE = "lab: delete"
SIX = f"lab: {AT_ONCE} creates at once"


def on_real_nodes(figures: Figures, folder: Path, programs: Sequence[Program]) -> None:
    """Measure each server on nodes of its own. $LAB is the lab's folder; its nodes must not be running."""
    lab = Path(os.environ.get("LAB") or Path(tempfile.gettempdir()) / "heketipy-lab")
    for program in programs:
        with _nodes(), running(program, folder / program.name, _settings(lab / "key")) as server:
            asyncio.run(_measure(figures, server, lab / "key", by_hand=program == programs[0]))


@contextmanager
def _nodes() -> Iterator[None]:
    subprocess.run([_LAB, "up", str(len(NODES))], check=True)
    try:
        yield
    finally:
        subprocess.run([_LAB, "down"], check=True)


def _settings(key: Path) -> dict[str, Any]:
    return {
        "executor": "ssh",
        "sshexec": {"keyfile": str(key), "user": "root", "port": "2222", "fstab": "/etc/fstab"},
    }


async def _measure(figures: Figures, server: Server, key: Path, *, by_hand: bool) -> None:
    name = server.program.name
    with Clients(server, AT_ONCE) as clients:
        begin = time.monotonic()
        groups = await _load(clients)
        row = Row(LOAD, "s", "≤ 0.6 of heketi's", against(LOAD, THEIRS, 0.6, better="less"))
        figures.add(row, name, time.monotonic() - begin)
        hand = _Hand(key, groups)
        hand.run("connect", "none")
        created, deleted = Measurement(), Measurement()
        for number in range(ROUNDS):
            if by_hand:
                figures.add(_create_row(), BY_HAND, hand.run("create", f"hand{number}"))
                figures.add(_delete_row(), BY_HAND, hand.run("delete", f"hand{number}"))
            path = await timed(created, job(clients[0], "POST", "/volumes", volume_request()))
            figures.add(_create_row(), name, created.times[-1])
            await timed(deleted, job(clients[0], "DELETE", path))
            figures.add(_delete_row(), name, deleted.times[-1])

        async def create(client: int, _: int) -> None:
            await timed(created, job(clients[client], "POST", "/volumes", volume_request()))

        begin = time.monotonic()
        await each(AT_ONCE, range(AT_ONCE), create)
        row = Row(SIX, "s", "≤ 0.8 of heketi's", against(SIX, THEIRS, 0.8, better="less"))
        figures.add(row, name, time.monotonic() - begin, {"each": [round(time, 1) for time in created.times[ROUNDS:]]})


def _create_row() -> Row:
    return Row(CREATE, "s", "≤ 1.1 by hand", against(CREATE, BY_HAND, 1.1, better="less"))


def _delete_row() -> Row:
    return Row(DELETE, "s", "≤ 0.7 of heketi's", against(DELETE, THEIRS, 0.7, better="less"))


async def _load(clients: Clients) -> list[str]:
    """Add a cluster, its nodes and their disks, as `topology load` would; return a volume group of each node."""
    cluster = (await clients[0].request("POST", "/clusters", {"file": True, "block": True})).json()["id"]
    ids: list[str] = []
    for number in NODES:
        names = {"manage": [f"127.0.0.1{number}"], "storage": [f"10.77.0.1{number}"]}
        path = await job(clients[0], "POST", "/nodes", {"cluster": cluster, "zone": number, "hostnames": names})
        ids.append(path.removeprefix("/nodes/"))

    async def add(client: int, what: tuple[str, str]) -> None:
        await job(clients[client], "POST", "/devices", {"node": what[0], "name": what[1]})

    await each(len(NODES), itertools.product(ids, DISKS), add)
    shown = [await clients[0].get(f"/nodes/{id}") for id in ids]
    return [f"vg_{node['devices'][0]['id']}" for node in shown]


class _Hand:
    """Runs the script, on one volume group of each node."""

    def __init__(self, key: Path, groups: Sequence[str]) -> None:
        self._key = key
        self._where = [
            f"127.0.0.1{number}:10.77.0.1{number}:{group}" for number, group in zip(NODES, groups, strict=True)
        ]
        self._control = tempfile.mkdtemp(prefix="by-hand-")

    def run(self, verb: str, name: str) -> float:
        """Return the seconds that it took."""
        begin = time.monotonic()
        argv = [str(_SCRIPT), verb, str(self._key), self._control, name, *self._where]
        subprocess.run(argv, check=True, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
        return time.monotonic() - begin

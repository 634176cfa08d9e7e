"""`heketipy demo`: a story that a person can follow, told by a real server on the simulator.

Everything goes through HTTP, as any client would do it; only what ran on the nodes is read off the simulator itself.
"""

import asyncio
import shlex
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx

from heketipy.config import ConfigurationError, ExecutorName, Settings
from heketipy.domain.errors import HeketipyError, explain
from heketipy.executors.simulator import Ran, Simulator
from heketipy.server.listening import ListenError, listen, port_of
from heketipy.server.options import ServerOptions
from heketipy.server.page import Page
from heketipy.server.run import SIMULATOR_BANNER
from heketipy.server.serving import Ending, Serving
from heketipy.server.topology import read_topology
from heketipy.server.wiring import put_together
from heketipy.telemetry.logging import configure
from heketipy.wire.topology import Topology

Json = dict[str, Any]

COMMAND_MS = 20.0
"""What each simulated command takes, so that times mean something."""

_PACKAGED = Path(__file__).parents[1] / "_topology"
_SAMPLES = _PACKAGED if _PACKAGED.is_dir() else Path(__file__).parents[2] / "topology"
_KIB_PER_GIB = 1 << 20


class DemoError(Exception):
    """The server did not do what the story says."""


@dataclass(frozen=True, slots=True)
class Server:
    """A running server: how it is called, and the simulated nodes behind it."""

    url: str
    http: httpx.AsyncClient
    simulator: Simulator


def run_demo(*, keep: bool, port: int) -> int:
    """Tell the story; with `keep` go on serving on a port until interrupted. Return the exit status."""
    configure("error", form="console", stream=sys.stderr)
    page = Page()
    try:
        asyncio.run(_demo(page, keep=keep, port=str(port) if keep else ""))
    except (DemoError, ListenError, ConfigurationError, HeketipyError) as error:
        sys.stderr.write(f"The demo failed: {explain(error)}\n")
        return 1
    except KeyboardInterrupt:
        return 0
    return 0


async def _demo(page: Page, *, keep: bool, port: str) -> None:
    start = time.monotonic()
    page.banner(SIMULATOR_BANNER)
    with tempfile.TemporaryDirectory(prefix="heketipy-demo-") as folder:
        async with _server(Path(folder), port, keep=keep) as (server, serving):
            page.title("1. A server starts")
            page.text(f"SQLite database in {folder}, listening on {server.url}")
            page.text(f"Each command on a simulated node takes {COMMAND_MS:.0f} ms.")
            await Story(page, server, delete_all=not keep).tell()
            page.title("Try it yourself")
            page.text(_try_it(server.url if keep else "http://localhost:8080", serving=keep))
            page.text(f"(The story took {time.monotonic() - start:.1f} s.)")
            if keep:
                page.text("Serving until you press Ctrl-C …")
                await serving


def _durability(kind: str, **numbers: int) -> Json:
    return {"type": kind, kind: numbers} if numbers else {"type": kind}


def _try_it(url: str, *, serving: bool) -> str:
    first = "" if serving else "    make serve-demo            # in another terminal: the same, and it stays\n"
    return f"""{first}\
    curl {url}/hello
    curl {url}/clusters
    curl -i {url}/volumes -d '{{"size": 10, "durability": {{"type": "replicate", "replicate": {{"replica": 3}}}}}}'
    curl -iL {url}/queue/ID     # the Location of that answer; then the volume
    curl {url}/volumes
    curl -i -X DELETE {url}/volumes/ID"""


@asynccontextmanager
async def _server(folder: Path, port: str, *, keep: bool) -> AsyncIterator[tuple[Server, "asyncio.Task[None]"]]:
    """Run a server of the demo's own: no authentication, its database in a folder."""
    settings = Settings.model_validate(
        {
            "glusterfs": {
                "executor": "mock",
                "db": str(folder / "heketi.db"),
                "backup_interval": 0,
                "simulator": {"latency_ms": COMMAND_MS},
            }
        }
    )
    options = ServerOptions(settings, ExecutorName.SIMULATOR, authenticate=False)
    async with put_together(options) as parts:
        with listen("127.0.0.1", port) as listener:
            runner = parts.services.runner
            ending = Ending(
                settle=parts.db.settle, close=parts.services.admission.close, idle=lambda: not runner.at_work
            )
            serving = Serving(parts.app, listener, ending, grace=10.0)
            ready = asyncio.Event()
            task = asyncio.create_task(serving.run(ready=ready.set, signals=keep))
            await ready.wait()
            simulated = parts.nodes.simulated
            if simulated is None or simulated.simulator is None:
                raise DemoError("the nodes are not simulated")
            url = f"http://127.0.0.1:{port_of(listener)}"
            async with httpx.AsyncClient(base_url=url, timeout=30) as http:
                try:
                    yield Server(url, http, simulated.simulator), task
                finally:
                    if not task.done():
                        serving.end()
                    with suppress(asyncio.CancelledError):
                        await task


class Story:
    """The story, chapter by chapter."""

    def __init__(self, page: Page, server: Server, *, delete_all: bool) -> None:
        """`delete_all`: it ends with the deletion of all volumes."""
        self._page = page
        self._server = server
        self._delete_all = delete_all
        self._hosts: dict[str, str] = {}
        self._devices: dict[str, str] = {}

    async def tell(self) -> None:
        """Tell all of it. Raises DemoError."""
        three = await self._load("2. Three nodes are loaded", "topology-sample.json")
        await self._show_tree(three)
        self._page.title("3. Volumes of all three kinds")
        await self._capacity(three, "before")
        copies = await self._create("photos", "three copies", _durability("replicate", replica=3), three)
        ran = self._commands_since(copies[1])
        disperse = _durability("disperse", data=2, redundancy=1)
        erasure = await self._create("archive", "erasure-coded 2 + 1", disperse, three)
        plain = await self._create("scratch", "distributed, no redundancy", _durability("none"), three)
        await self._capacity(three, "after")
        self._page.title("4. What ran on the nodes for the first of them")
        self._show_commands(ran)
        self._page.title("5. Erasure coding 4 + 2 needs six nodes")
        await self._refused(three)
        six = await self._load("6. So six more nodes are loaded", "topology-six-nodes.json")
        await self._show_tree(six)
        wide = await self._create("backups", "erasure-coded 4 + 2", _durability("disperse", data=4, redundancy=2), six)
        self._page.title("7. The first volume grows while it is in use")
        await self._expand(copies[0], 50)
        if not self._delete_all:
            return
        self._page.title("8. Everything is deleted")
        for volume, _ in (copies, erasure, plain, wide):
            await self._delete(volume)
        await self._capacity(three, "of the three nodes")
        left = [text for text in self._server.simulator.leftovers() if "logical volume" in text or "mount" in text]
        self._page.text(f"Left over on the nodes: {', '.join(left) or 'no logical volume, no mount, no fstab line'}.")

    async def _load(self, title: str, name: str) -> str:
        """Load a sample; return the id of the cluster that was made."""
        self._page.title(f"{title} (topology/{name})")
        start = time.monotonic()
        topology: Topology = read_topology(str(_SAMPLES / name))
        cluster = await self._call("POST", "/clusters", {"file": True, "block": True})
        added = []
        for node in topology.clusters[0].nodes:
            body = {
                "cluster": cluster["id"],
                "zone": node.node.zone,
                "hostnames": node.node.hostnames.model_dump(),
            }
            made = await self._work("POST", "/nodes", body)
            self._hosts[made["id"]] = node.manage
            added.append((made["id"], [disk.name for disk in node.disks()]))
        await asyncio.gather(*(self._add_devices(node, names) for node, names in added))
        devices = sum(len(names) for _, names in added)
        self._page.text(f"{len(added)} nodes and {devices} devices in {time.monotonic() - start:.1f} s, all over REST")
        return str(cluster["id"])

    async def _add_devices(self, node: str, names: Sequence[str]) -> None:
        for name in names:
            await self._work("POST", "/devices", {"node": node, "name": name})

    async def _nodes(self, cluster: str) -> list[Any]:
        ids = (await self._call("GET", f"/clusters/{cluster}"))["nodes"]
        nodes = [await self._call("GET", f"/nodes/{node}") for node in ids]
        for node in nodes:
            self._devices.update({device["id"]: device["name"] for device in node["devices"]})
        return sorted(nodes, key=lambda node: node["hostnames"]["manage"])

    async def _show_tree(self, cluster: str) -> None:
        nodes = await self._nodes(cluster)
        self._page.text(f"cluster {cluster}")
        for position, node in enumerate(nodes):
            last = position == len(nodes) - 1
            host = node["hostnames"]["manage"][0]
            self._page.text(f"{'└─' if last else '├─'} {host}  zone {node['zone']}")
            names = sorted(device["name"] for device in node["devices"])
            sizes = {device["storage"]["total"] // _KIB_PER_GIB for device in node["devices"]}
            sized = f"{', '.join(f'{size} GiB' for size in sorted(sizes))} each"
            self._page.text(f"{'  ' if last else '│ '}   {'  '.join(names)}   {sized}")

    async def _capacity(self, cluster: str, when: str) -> None:
        devices = [device["storage"] for node in await self._nodes(cluster) for device in node["devices"]]
        free, total = (sum(device[key] for device in devices) / _KIB_PER_GIB for key in ("free", "total"))
        self._page.text(f"Capacity {when}: {free:,.1f} of {total:,.1f} GiB free")

    async def _create(self, name: str, what: str, durability: Json, cluster: str) -> tuple[Any, int]:
        """Create a volume and show it; return it and where the simulator's history stood before."""
        before = len(self._server.simulator.history)
        start = time.monotonic()
        body = {"size": 100, "name": name, "durability": durability, "clusters": [cluster]}
        volume = await self._work("POST", "/volumes", body)
        took = time.monotonic() - start
        await self._nodes(cluster)
        self._page.subtitle(f"{volume['name']}: {volume['size']} GiB, {what}, in {took:.2f} s")
        self._show_bricks(volume["bricks"])
        return volume, before

    def _show_bricks(self, bricks: Sequence[Any]) -> None:
        for brick in sorted(bricks, key=lambda brick: self._hosts[brick["node"]]):
            host, device = self._hosts[brick["node"]], self._devices[brick["device"]]
            size = brick["size"] / _KIB_PER_GIB
            self._page.text(f"  {host:<16} {device:<9} {size:7.1f} GiB   brick {brick['id'][:8]}…")

    async def _refused(self, cluster: str) -> None:
        body = {
            "size": 100,
            "durability": _durability("disperse", data=4, redundancy=2),
            "clusters": [cluster],
        }
        answer = await self._server.http.post("/volumes", json=body)
        if answer.is_success:
            raise DemoError("a volume of six bricks a set was accepted on three nodes")
        self._page.text(f"POST /volumes answers {answer.status_code}:")
        for line in answer.text.strip().splitlines():
            self._page.text(f"  {line}")

    async def _expand(self, volume: Any, gib: int) -> None:
        start = time.monotonic()
        grown = await self._work("POST", f"/volumes/{volume['id']}/expand", {"expand_size": gib})
        self._page.text(
            f"{grown['name']}: {volume['size']} → {grown['size']} GiB in {time.monotonic() - start:.2f} s; new:"
        )
        known = {brick["id"] for brick in volume["bricks"]}
        self._show_bricks([brick for brick in grown["bricks"] if brick["id"] not in known])

    async def _delete(self, volume: Any) -> None:
        start = time.monotonic()
        await self._work("DELETE", f"/volumes/{volume['id']}")
        self._page.text(f"{volume['name']} is gone after {time.monotonic() - start:.2f} s")

    def _commands_since(self, before: int) -> list[Ran]:
        return list(self._server.simulator.history)[before:]

    def _show_commands(self, ran: Sequence[Ran]) -> None:
        """Show all commands of the node that also spoke to gluster, and tell what there was besides."""
        one = next(command.node for command in ran if "create" in command.argv and "gluster" in command.argv[0])
        others = sorted({command.node for command in ran} - {one})
        self._page.text(f"On {one}, in two round trips:")
        for command in ran:
            if command.node == one:
                self._page.command(shlex.join(command.argv))
        bricks = sum(command.node != one for command in ran)
        self._page.text(f"At the same time on {' and '.join(others)}: {bricks} more for their bricks.")

    async def _call(self, method: str, path: str, body: object = None) -> Any:
        answer = await self._server.http.request(method, path, json=body)
        if not answer.is_success:
            raise DemoError(f"{method} {path}: {answer.status_code} {answer.text.strip()}")
        return answer.json()

    async def _work(self, method: str, path: str, body: object = None) -> Any:
        """Ask for something that takes a while, and follow it to its end, as every client does."""
        answer = await self._server.http.request(method, path, json=body)
        if answer.status_code != httpx.codes.ACCEPTED:
            raise DemoError(f"{method} {path}: {answer.status_code} {answer.text.strip()}")
        while True:
            poll = await self._server.http.get(answer.headers["Location"])
            if poll.status_code == httpx.codes.SEE_OTHER:
                return await self._call("GET", poll.headers["Location"])
            if poll.status_code == httpx.codes.NO_CONTENT:
                return None
            if poll.status_code != httpx.codes.OK:
                raise DemoError(f"{method} {path}: {poll.text.strip()}")
            await asyncio.sleep(0.4)

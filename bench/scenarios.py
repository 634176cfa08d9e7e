"""What is measured on the simulator: one function a group of rows, each for one server."""

import asyncio
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import mean

from bench import books
from bench.figures import OURS, THEIRS, Figures, Row, against, at_least, at_most
from bench.http import Connection
from bench.lanes import ideal_times
from bench.load import Measurement, each, measured, timed, until
from bench.process import Program, Server, running
from bench.site import Clients, followed, job, load, volume_request, walk

IN_FLIGHT = 8
SMALL = (3, 8)
REFUSALS_ASKED = 125
"""How many requests a second are made that can only be refused."""
UNLIMITED_VOLUMES = {"max_volumes_per_cluster": 100_000}


@dataclass(frozen=True, slots=True)
class Run:
    """One run of the bench. `seconds` is how long a load goes on, `sizes` are the sites: nodes and devices on each."""

    figures: Figures
    folder: Path
    seconds: float
    sizes: Sequence[tuple[int, int]]
    full: bool

    def where(self, program: Program, name: str) -> Path:
        """Return a folder for one server of one scenario."""
        return self.folder / f"{name}-{program.name}"


def size_name(size: tuple[int, int]) -> str:
    """Name a size as in the tables."""
    return f"{size[0]} × {size[1]}"


def creates_row(size: tuple[int, int]) -> Row:
    """Return the row of creates at a size."""
    small = f"creates at {size_name(SMALL)}"
    if size == SMALL:
        return Row(small, "1/s", "≥ heketi's", against(small, THEIRS, 1.0, better="more"))
    return Row(f"creates at {size_name(size)}", "1/s", "≥ 0.8 of 3 × 8", against(small, OURS, 0.8, better="more"))


async def sites(run: Run, program: Program) -> None:
    """Load sites of each size; create, look at and delete volumes there; refuse, and show metrics, at the largest."""
    for size in run.sizes:
        name = size_name(size)
        with running(program, run.where(program, f"site{size[0]}"), UNLIMITED_VOLUMES) as server:
            async with measured(server) as loading:
                cluster = await load(server, nodes=size[0], devices=size[1])
            row = Row(f"loading {name}", "s", "≤ heketi's", against(f"loading {name}", THEIRS, 1.0, better="less"))
            each_ms = round(1000 * loading.cpu_seconds / (size[0] * size[1]), 2)
            details = {"server_cpu_s": round(loading.cpu_seconds, 1), "server_cpu_ms_each": each_ms}
            run.figures.add(row, program.name, loading.seconds, details)
            volumes, made = await creates(server, run.seconds, clusters=[cluster])
            run.figures.add(creates_row(size), program.name, made.rate, made.details())
            await looks(run, server, name, volumes)
            await changes(run, server, name, volumes)
            if size == run.sizes[-1]:
                await metrics(run, server, name, volumes)
                if program.name == OURS:
                    # There is no figure to compare with, and heketi would need hours to fill a large site.
                    await refusals(run, server, name, cluster)


async def creates(
    server: Server, seconds: float, *, clusters: Sequence[str] = (), in_flight: int = IN_FLIGHT, at_most: int = 10**9
) -> tuple[list[str], Measurement]:
    """Make volumes; return their paths, in the order of the requests, and what it took from the request to the answer
    of the poll."""
    volumes: dict[int, str] = {}
    with Clients(server, in_flight) as clients:
        async with measured(server) as result:

            async def create(client: int, number: int) -> None:
                work = job(clients[client], "POST", "/volumes", volume_request(clusters=clusters))
                volumes[number] = await timed(result, work)

            await each(in_flight, until(seconds, at_most=at_most), create)
    return [volumes[number] for number in sorted(volumes)], result


async def looks(run: Run, server: Server, name: str, volumes: Sequence[str]) -> None:
    """Look at volumes over eight connections, and then again while others are made; list them."""
    result = await gets(server, volumes, run.seconds / 2)
    row = Row(f"GET /volumes/{{id}} at {name}", "1/s", "≥ 2,000", at_least(2000))
    run.figures.add(row, server.program.name, result.rate, result.details())

    creating = asyncio.create_task(creates(server, run.seconds))
    beside = Measurement()
    with Clients(server, 1) as clients:
        while not creating.done():
            await timed(beside, clients[0].get(volumes[beside.count % len(volumes)]))
            await asyncio.sleep(0.005)
    await creating
    row = Row(f"GET /volumes/{{id}} while creates run at {name}, p99", "ms", "≤ 20", at_most(20))
    run.figures.add(row, server.program.name, 1000 * beside.quantile(0.99), beside.details())

    listing = Measurement()
    with Clients(server, 1) as clients:
        for _ in range(20):
            await timed(listing, clients[0].get("/volumes"))
    run.figures.add(Row(f"GET /volumes at {name}, p50", "ms"), server.program.name, 1000 * listing.quantile(0.5))


async def gets(server: Server, volumes: Sequence[str], seconds: float, *, clients: int = IN_FLIGHT) -> Measurement:
    """Look at volumes, one after the other, over so many connections."""
    with Clients(server, clients) as pool:
        async with measured(server) as result:

            async def get(client: int, number: int) -> None:
                await timed(result, pool[client].request("GET", volumes[number % len(volumes)]))

            await each(clients, until(seconds), get)
    return result


async def changes(run: Run, server: Server, name: str, volumes: Sequence[str]) -> None:
    """Expand volumes, and delete them."""
    some = list(volumes[: min(100, len(volumes) // 2)])
    with Clients(server, IN_FLIGHT) as clients:
        async with measured(server) as result:

            async def expand(client: int, path: str) -> None:
                await timed(result, job(clients[client], "POST", f"{path}/expand", {"expand_size": 1}))

            await each(IN_FLIGHT, some, expand)
        run.figures.add(Row(f"expands at {name}", "1/s"), server.program.name, result.rate, result.details())
        async with measured(server) as result:

            async def delete(client: int, path: str) -> None:
                await timed(result, job(clients[client], "DELETE", path))

            await each(IN_FLIGHT, some, delete)
        run.figures.add(Row(f"deletes at {name}", "1/s"), server.program.name, result.rate, result.details())


async def metrics(run: Run, server: Server, name: str, volumes: Sequence[str]) -> None:
    """Ask for the metrics, and see how long other requests wait meanwhile."""
    with Clients(server, 2) as clients:
        if (await clients[0].request("GET", "/metrics")).status != 200:
            return
        alive = volumes[-1]
        asking = asyncio.create_task(_three_times(clients[0], "/metrics"))
        others = Measurement()
        while not asking.done():
            await timed(others, clients[1].get(alive))
        seconds = await asking
    run.figures.add(Row(f"/metrics at {name}", "s", "≤ 1", at_most(1)), server.program.name, seconds)
    row = Row(f"longest other request during /metrics at {name}", "ms", "≤ 50", at_most(50))
    run.figures.add(row, server.program.name, 1000 * max(others.times), others.details())


async def _three_times(connection: Connection, path: str) -> float:
    result = Measurement()
    for _ in range(3):
        await timed(result, connection.request("GET", path))
    return result.quantile(0.5)


async def refusals(run: Run, server: Server, name: str, cluster: str) -> None:
    """Fill a cluster, then ask for more there while volumes are made in another one."""
    other = await load(server, nodes=12, devices=4, prefix="other")
    await _fill(server, cluster)
    _, alone = await creates(server, run.seconds, clusters=[other])
    refused = Measurement()

    async def ask(client: int, number: int) -> None:
        # As often as is asked for and a little more: without a limit it would be these that leave creates no time.
        await asyncio.sleep(begin + number / REFUSALS_ASKED - time.monotonic())
        answer = await timed(
            refused, clients[client].request("POST", "/volumes", volume_request(100, clusters=[cluster]))
        )
        if answer.status == 202:
            await followed(clients[client], answer)

    begin = time.monotonic()
    with Clients(server, 4) as clients:
        asking = asyncio.create_task(each(4, until(run.seconds), ask))
        _, beside = await creates(server, run.seconds, clusters=[other])
        await asking
        refused.seconds = time.monotonic() - begin
    row = Row(f"refusals on a full {name}, while creates run", "1/s", "≥ 100", at_least(100))
    run.figures.add(row, server.program.name, refused.rate, refused.details())
    row = Row("creates meanwhile, of their rate alone", "", "≥ 0.7", at_least(0.7))
    share = beside.rate / alone.rate if alone.rate else 0.0
    run.figures.add(row, server.program.name, share, {"alone": round(alone.rate, 1), "beside": round(beside.rate, 1)})


async def _fill(server: Server, cluster: str) -> None:
    """Fill a cluster with volumes whose bricks take whole devices, until one is refused; then with smaller ones."""
    with Clients(server, IN_FLIGHT) as clients:
        for size_gib in (497 * 16, 497 * 4, 497, 200, 100):
            full = asyncio.Event()

            async def create(client: int, size_gib: int, full: asyncio.Event = full) -> None:
                request = volume_request(size_gib, clusters=[cluster])
                answer = await clients[client].request("POST", "/volumes", request)
                if answer.status == 202:
                    await followed(clients[client], answer)
                else:
                    full.set()

            while not full.is_set():
                await each(IN_FLIGHT, [size_gib] * IN_FLIGHT, create)


async def with_latency(run: Run, program: Program) -> None:
    """Make volumes where every command takes 50 ms, and compare with what two lanes on each node allow."""
    nodes, in_flight, latency = 12, 20, 0.05
    settings = {"simulator": {"latency_ms": 1000 * latency}}
    with running(program, run.where(program, "latency"), settings) as server:
        await load(server, nodes=nodes, devices=4, clients=12)
        before = await _commands(server)
        count = 400 if run.full else 200
        volumes, made = await creates(server, 120, in_flight=in_flight, at_most=count)
        ran = {tool: number - before.get(tool, 0) for tool, number in (await _commands(server)).items()}
        with Clients(server, 1) as clients:
            shown = [await clients[0].get(volume) for volume in volumes]
    placements = [[brick["node"] for brick in volume["bricks"]] for volume in shown]
    gluster = ran.get("gluster", 0) / len(volumes)
    bricks = (sum(ran.values()) - ran.get("gluster", 0)) / sum(map(len, placements))
    times = ideal_times(placements, for_bricks=bricks * latency, for_volume=gluster * latency, in_flight=in_flight)
    # By Little's law, without the run's beginning and its end, when fewer are in flight.
    rate, bound = (in_flight / mean(of[in_flight:-in_flight]) for of in (made.times, times))
    details = {
        "commands a node for bricks": round(bricks, 2),
        "of gluster": round(gluster, 2),
        "bound": round(bound, 2),
        "bound if all nodes were always busy": round(nodes / mean(map(len, placements)) / (bricks * latency), 2),
        "steady rate": round(rate, 2),
        **made.details(),
    }
    row = Row("creates with 50 ms a command, of the bound", "", "≥ 0.85", at_least(0.85))
    run.figures.add(row, program.name, rate / bound, details)


async def _commands(server: Server) -> dict[str, int]:
    """Return how many commands have run on nodes, by tool."""
    with Clients(server, 1) as clients:
        text = (await clients[0].request("GET", "/metrics")).body.decode()
    found: dict[str, int] = {}
    for line in text.splitlines():
        if line.startswith("heketipy_commands_total{"):
            tool = line.partition('tool="')[2].partition('"')[0]
            found[tool] = found.get(tool, 0) + int(float(line.rpartition(" ")[2]))
    return found


async def walks(run: Run, program: Program) -> None:
    """Ask for everything on a site with a thousand volumes."""
    with running(program, run.where(program, "walk"), UNLIMITED_VOLUMES) as server:
        await load(server, nodes=12, devices=8)
        await creates(server, 600, at_most=1000)
        with Clients(server, 1) as clients:
            for _ in range(3):
                async with measured(server) as result:
                    requests = await walk(clients[0])
                row = Row("walk over 1,000 volumes", "s", "≤ 2", at_most(2))
                details = {"requests": requests, "server_cpu_s": round(result.cpu_seconds, 2)}
                run.figures.add(row, program.name, result.seconds, details)
            if program.name != OURS:
                return
            for _ in range(3):
                async with measured(server) as result:
                    await clients[0].get("/topology")
                row = Row("1,000 volumes in one answer", "s", "≤ 0.1", at_most(0.1))
                run.figures.add(row, program.name, result.seconds)


async def starts(run: Run, program: Program) -> None:
    """Start without books; and, heketipy alone, with ten thousand volumes."""
    with running(program, run.where(program, "first-start"), {}):
        pass  # it compiles what is not compiled yet
    for number in range(3):
        with running(program, run.where(program, f"start{number}"), {}) as server:
            await asyncio.sleep(0)
            row = Row("start, empty", "s", "≤ 1.5", at_most(1.5))
            usage = server.usage()
            details = {"cpu_s": round(usage.cpu_seconds, 2), "memory_mib": round(usage.memory_mib, 1)}
            run.figures.add(row, program.name, server.started, details)
    if program.name != OURS:
        return
    full = run.where(program, "ten-thousand") / "full.db"
    full.parent.mkdir(parents=True, exist_ok=True)
    await books.fill(full, clusters=1, nodes=100, devices=36, volumes=10_000)
    for _ in range(3):
        with running(program, full.parent, {}, database=full) as server:
            usage = server.usage()
            row = Row("start with 10,000 volumes", "s", "≤ 3", at_most(3))
            run.figures.add(row, program.name, server.started, {"cpu_s": round(usage.cpu_seconds, 2)})
            await _shown(server)
            peak = {"after the start": round(usage.peak_mib, 1), "after being shown": round(server.usage().peak_mib, 1)}
            await dumps(run, server)
            row = Row("peak memory after all of it was shown and dumped", "MiB", "≤ 200", at_most(200))
            run.figures.add(row, program.name, server.usage().peak_mib, peak)


async def _shown(server: Server) -> None:
    """Let a server show all that it has, as a monitor and `heketi-cli topology info` would."""
    with Clients(server, 1) as clients:
        await clients[0].get("/volumes")
        for cluster in (await clients[0].get("/clusters"))["clusters"]:
            for node in (await clients[0].get(f"/clusters/{cluster}"))["nodes"]:
                await clients[0].get(f"/nodes/{node}")
        await clients[0].get("/topology")


async def dumps(run: Run, server: Server) -> None:
    """Dump everything, alone, and while somebody else looks at volumes."""
    with Clients(server, 2) as clients:
        volumes = (await clients[0].get("/volumes"))["volumes"]
        async with measured(server) as alone:
            answer = await timed(alone, clients[0].request("GET", "/db/dump"))
        row = Row("dump of 10,000 volumes", "s", "≤ 2", at_most(2))
        details = {"server_cpu_s": round(alone.cpu_seconds, 2), "mib": round(len(answer.body) / 2**20)}
        run.figures.add(row, server.program.name, alone.seconds, details)
        dumping = asyncio.create_task(clients[0].request("GET", "/db/dump"))
        others = Measurement()
        while not dumping.done():
            await timed(others, clients[1].get(f"/volumes/{volumes[others.count % len(volumes)]}"))
            await asyncio.sleep(0.005)
        await dumping
    row = Row("longest other request during the dump", "ms", "≤ 100", at_most(100))
    run.figures.add(row, server.program.name, 1000 * max(others.times), others.details())

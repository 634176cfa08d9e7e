"""The bench's command line: `make bench`, with options in BENCH.

    make bench                              heketipy on its simulator: a quick profile of a few minutes
    make bench HEKETI_BIN=/path/to/heketi   the same for a given heketi, in the same run
    make bench BENCH=--full                 also the largest site, and longer loads
    make bench BENCH="--only starts"        one group of rows; several with commas
    make bench BENCH=--lab                  real nodes (see docs/lab.md) against commands by hand

Each value is printed when it is known, the table at the end; all of it goes to build/bench.json. Servers are asked one
after the other. What counts is CPU where others use the machine too: it is told with every value, as is the load.
"""

import argparse
import os
import shutil
import tempfile
from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path

import uvloop

from bench import scenarios
from bench.figures import Figures
from bench.process import Program
from bench.scenarios import Run

QUICK = ((3, 8), (100, 36))
FULL = (*QUICK, (400, 36))

GROUPS: Mapping[str, Callable[[Run, Program], Awaitable[None]]] = {
    "starts": scenarios.starts,
    "sites": scenarios.sites,
    "latency": scenarios.with_latency,
    "walks": scenarios.walks,
}
ONLY_OURS = frozenset({"latency"})
"""Groups that need settings which heketi does not have."""


def main() -> None:
    """Run what the command line asks for."""
    parser = argparse.ArgumentParser(prog="make bench", description="Measure servers that speak heketi's API.")
    parser.add_argument("--full", action="store_true", help="also 400 × 36 devices, and longer loads")
    parser.add_argument("--lab", action="store_true", help="on real nodes, against commands by hand")
    parser.add_argument("--only", default="", help=f"groups of rows, with commas: {', '.join(GROUPS)}")
    parser.add_argument("--sizes", default="", help="sites instead of the usual ones: 3x8,400x36")
    parser.add_argument("--seconds", type=float, default=0.0, help="how long a load goes on")
    parser.add_argument("--heketi", default=os.environ.get("HEKETI_BIN", ""), help="a heketi to measure as well")
    parser.add_argument("--json", type=Path, default=Path("build/bench.json"), help="where the figures are written")
    options = parser.parse_args()
    figures = Figures()
    folder = Path(tempfile.mkdtemp(prefix="heketipy-bench-"))
    try:
        if options.lab:
            from bench.lab import on_real_nodes

            on_real_nodes(figures, folder, _programs(options))
        else:
            uvloop.run(_simulated(_run(options, figures, folder), options))
    finally:
        options.json.parent.mkdir(parents=True, exist_ok=True)
        figures.write(options.json)
        print(f"\n{figures.table()}\n\nThe same as JSON: {options.json}")
        shutil.rmtree(folder, ignore_errors=True)


def _run(options: argparse.Namespace, figures: Figures, folder: Path) -> Run:
    sizes = [tuple(map(int, size.split("x"))) for size in options.sizes.split(",") if size]
    return Run(
        figures=figures,
        folder=folder,
        seconds=options.seconds or (20.0 if options.full else 6.0),
        sizes=[(nodes, devices) for nodes, devices in sizes] or (FULL if options.full else QUICK),
        full=options.full,
    )


def _programs(options: argparse.Namespace) -> list[Program]:
    return [Program.ours(), *([Program.theirs(options.heketi)] if options.heketi else [])]


async def _simulated(run: Run, options: argparse.Namespace) -> None:
    programs = _programs(options)
    for name in options.only.split(",") if options.only else GROUPS:
        for program in programs:
            if program == programs[0] or name not in ONLY_OURS:
                await GROUPS[name](run, program)


if __name__ == "__main__":
    main()

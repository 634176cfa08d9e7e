"""Servers on the simulator, the plug-in, and the table of how long each call took."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import in_tree_plugin
import pytest
from claims import secret, storage_class
from heketi_process import ADMIN_KEY, HeketiProcess, command, configuration
from in_tree_plugin import Manifest, Plugin, Result

TIME = "time of a call"


def pytest_terminal_summary(terminalreporter: Any) -> None:
    reports = [r for kind in ("passed", "failed") for r in terminalreporter.stats.get(kind, ()) if r.when == "call"]
    times = [value for report in reports for name, value in report.user_properties if name == TIME]
    if not times:
        return
    terminalreporter.section("what each call of the plug-in took")
    for row in times:
        line = "{case:<70} {do:<14} {milliseconds:8.1f} ms  {polls:3} polls, the longest {longest_poll:.1f} ms"
        terminalreporter.write_line(line.format(**row))
    in_tree_plugin.BUILD.mkdir(parents=True, exist_ok=True)
    (in_tree_plugin.BUILD / "times.json").write_text(json.dumps(times, indent=1) + "\n")


@pytest.fixture(scope="session")
def plugin() -> Plugin:
    program = in_tree_plugin.build()
    if program is None:
        _cannot("there is no Go tool-chain to build Kubernetes' plug-in with")
    assert program is not None
    return Plugin(program)


def _cannot(reason: str) -> None:
    """A developer may lack the tools; a build that stands for the project may not."""
    if os.environ.get("CI"):
        pytest.fail(reason)
    pytest.skip(reason)


@dataclass
class Site:
    """A server with two clusters, and how a class refers to it."""

    server: HeketiProcess
    large: str  # a cluster of six nodes
    small: str  # a cluster of three

    @property
    def auth(self) -> bool:
        return self.server.auth

    def parameters(self, more: dict[str, str] | None = None) -> dict[str, str]:
        if self.auth:
            login = {"restuser": "admin", "secretNamespace": "default", "secretName": "heketi-secret"}
        else:
            login = {"restauthenabled": "false"}
        return {"resturl": self.server.url, **login, **(more or {})}

    def objects(self, claim: Manifest, more: dict[str, str] | None = None) -> list[Manifest]:
        return [secret(ADMIN_KEY), storage_class(self.parameters(more)), claim]


@pytest.fixture(scope="session", params=[True, False], ids=["auth", "no-auth"])
def shared_site(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    yield from _site(tmp_path_factory.mktemp("site"), auth=request.param)


@pytest.fixture
def site(shared_site: Site) -> Iterator[Site]:
    """A server that must be left as it was found."""
    rest = shared_site.server.rest
    before = rest.space()
    yield shared_site
    left = rest.volumes()
    for volume in left:  # so that one failure is not that of all tests after it
        rest.do("DELETE", f"/volumes/{volume}")
    assert left == []
    assert rest.unfinished() == []
    assert rest.space() == before


@pytest.fixture
def own_site(tmp_path: Path) -> Iterator[Site]:
    """A server of this test alone, to be killed and restarted at will."""
    yield from _site(tmp_path, auth=True)


@pytest.fixture
def slow_site(tmp_path: Path) -> Iterator[Site]:
    """A server of this test alone, whose nodes take their time: work can be interrupted in the middle."""
    for site in _site(tmp_path, auth=True):
        site.server.environment["HEKETIPY_SIMULATOR_LATENCY_MS"] = "60"
        site.server.restart()
        yield site


def _site(folder: Path, *, auth: bool) -> Iterator[Site]:
    server = _start(folder, auth=auth)
    try:
        large = server.add_cluster([f"192.0.2.{n}" for n in range(11, 17)], devices=2)
        small = server.add_cluster([f"192.0.2.{n}" for n in range(21, 24)])
        yield Site(server, large, small)
    finally:
        server.stop()


@pytest.fixture
def start_server(tmp_path: Path) -> Iterator[Callable[..., HeketiProcess]]:
    """Starts a server without a cluster, with settings of its own."""
    started = []

    def start(config: str | None = None, **options: Any) -> HeketiProcess:
        started.append(_start(tmp_path, config, **options))
        return started[-1]

    yield start
    for server in started:
        server.stop()


def _start(folder: Path, config: str | None = None, **options: Any) -> HeketiProcess:
    if command() is None:
        _cannot("there is no server to test")
    server = HeketiProcess(folder, config or configuration(folder), **options)
    server.start()
    return server


@pytest.fixture
def time_table(request: pytest.FixtureRequest) -> Callable[[Result], None]:
    """Notes how long the steps of a result took, for the table at the end."""

    def row(do: str, seconds: float, polls: list[float]) -> None:
        values = {
            "case": request.node.name,
            "do": do,
            "milliseconds": round(seconds * 1000, 1),
            "polls": len(polls),
            "longest_poll": round(max(polls, default=0) * 1000, 1),
        }
        request.node.user_properties.append((TIME, values))

    def note(result: Result) -> None:
        if len(result.steps) > 1 and all(e.step == -1 for e in result.exchanges):
            slowest = max(step.seconds for step in result.steps)
            row(f"{len(result.steps)} x {result.steps[0].do}", slowest, [e.took for e in result.exchanges if e.is_poll])
            return
        for number, step in enumerate(result.steps):
            row(step.do, step.seconds, [e.took for e in result.exchanges if e.is_poll and e.step == number])

    return note

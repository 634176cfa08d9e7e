"""Builds and runs the Go program that drives Kubernetes' own plug-in, and gives its results Python types."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

Manifest = dict[str, Any]

SOURCE = Path(__file__).parent / "provisioner"
BUILD = Path(__file__).parents[2] / "build" / "kubernetes"


@dataclass(frozen=True)
class Exchange:
    """One request of the plug-in and the server's answer, taken off the socket; times in seconds."""

    step: int
    connection: int
    at: float
    took: float
    method: str
    path: str
    request_headers: dict[str, str]
    request_body: str
    status: int
    response_headers: dict[str, str]
    response_body: str
    lost: bool

    @property
    def is_poll(self) -> bool:
        return self.path.startswith("/queue/")

    @property
    def is_pending(self) -> bool:
        return "X-Pending" in self.response_headers

    @property
    def line(self) -> str:
        return f"{self.method} {self.path}"

    @cached_property
    def sent(self) -> Any:
        return json.loads(self.request_body)

    @cached_property
    def answer(self) -> Any:
        return json.loads(self.response_body)


@dataclass(frozen=True)
class Connection:
    number: int
    opened: float
    closed: float
    closed_by: str


@dataclass(frozen=True)
class Step:
    """What the plug-in returned to the controller. An empty error is success."""

    do: str
    claim: str
    error: str
    size: str
    seconds: float


@dataclass(frozen=True)
class Result:
    name: str
    steps: list[Step]
    objects: list[Manifest]
    exchanges: list[Exchange]
    connections: list[Connection]
    log: str = field(repr=False, default="")

    @property
    def errors(self) -> list[str]:
        return [step.error for step in self.steps if step.error]

    def all(self, kind: str) -> list[Manifest]:
        return [o for o in self.objects if o["kind"] == kind]

    def one(self, kind: str) -> Manifest:
        [found] = self.all(kind)
        return found

    def refusals(self) -> list[tuple[int, str]]:
        """Status and text of every answer that is an error."""
        return [(e.status, e.response_body) for e in self.exchanges if e.status >= 400]


def build() -> Path | None:
    """The program, or None without a Go tool-chain. Go's cache makes a second build a matter of seconds."""
    go = shutil.which("go")
    if go is None:
        return None
    program = BUILD / "provisioner"
    subprocess.run(
        ["nice", go, "build", "-trimpath", "-buildvcs=false", "-mod=readonly", "-o", str(program), "."],
        cwd=SOURCE,
        check=True,
        env={**os.environ, "CGO_ENABLED": "0"},
    )
    return program


class Plugin:
    """The unmodified plug-in, with a fresh Kubernetes around it for every run."""

    def __init__(self, program: Path) -> None:
        self._program = program

    def run(
        self,
        objects: list[Manifest],
        steps: list[Manifest],
        *,
        name: str = "",
        at_once: bool = False,
        delay: float = 0,
        settle: float = 0,
        environment: dict[str, str] | None = None,
    ) -> Result:
        case = {"name": name, "objects": objects, "steps": steps, "at_once": at_once}
        done = subprocess.run(
            [str(self._program), "-v=4", f"-delay={delay}s", f"-settle={settle}s"],
            input=json.dumps([case]),
            capture_output=True,
            text=True,
            timeout=240,
            check=False,
            env={**os.environ, **(environment or {})},
        )
        assert done.returncode == 0, done.stderr
        [raw] = json.loads(done.stdout)
        return Result(
            name=raw["name"],
            steps=[Step(**s) for s in raw["steps"]],
            objects=raw["objects"],
            exchanges=[Exchange(**e) for e in raw["exchanges"]],
            connections=[Connection(**c) for c in raw["connections"]],
            log=done.stderr,
        )

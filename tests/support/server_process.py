"""A heketipy server as a process of its own, on the simulator."""

import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Self

import httpx

from tests.support.leaks import CHAP, secrets_in

LIMIT = 60.0
PROGRAMS = Path(sys.executable).parent


def configuration(folder: Path, *, top: Mapping[str, Any] | None = None, **gluster: Any) -> Path:
    """Write a heketi.json for the simulator into a folder, and return its path."""
    file = folder / "heketi.json"
    section = {"executor": "mock", "db": str(folder / "heketi.db"), **gluster}
    file.write_text(json.dumps({**(top or {}), "glusterfs": section}), encoding="utf-8")
    return file


def environment(**more: str) -> dict[str, str]:
    """Return the environment without what would configure a server, and with what is given."""
    kept = {name: text for name, text in os.environ.items() if not name.startswith(("HEKETI", "SSH_"))}
    return {**kept, **more}


def finished(*command: str | Path, cwd: Path, **variables: str) -> "subprocess.CompletedProcess[str]":
    """Run a program to its end. Of secrets it may print the passwords of block volumes alone, which are asked for."""
    done = subprocess.run(
        [PROGRAMS / command[0], *command[1:]],
        cwd=cwd,
        env=environment(**variables),
        capture_output=True,
        text=True,
        timeout=LIMIT,
        check=False,
    )
    assert secrets_in(done.stdout + done.stderr, allowed=[CHAP]) == []
    return done


class ServerProcess:
    """A running server. Leaving the context kills it if it still runs. What it prints is always read, so that it never
    waits for us; it must not be a secret."""

    def __init__(self, command: Sequence[str | Path], *, cwd: Path, tls: bool = False, **variables: str) -> None:
        self.lines: list[str] = []
        self._tls = tls
        self._printed = threading.Condition()
        self._process = subprocess.Popen(
            [PROGRAMS / command[0], *command[1:]],
            cwd=cwd,
            env=environment(**variables),
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        self._reader = threading.Thread(target=self._read)
        self._reader.start()

    def _read(self) -> None:
        assert self._process.stdout is not None
        for line in self._process.stdout:
            with self._printed:
                self.lines.append(line.rstrip("\n"))
                self._printed.notify_all()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        if self._process.poll() is None:
            self._process.kill()
        self.status()
        assert self._process.stdout is not None
        self._process.stdout.close()
        if kind is None:
            assert secrets_in(self.log) == []

    @property
    def pid(self) -> int:
        """Its process id."""
        return self._process.pid

    @property
    def log(self) -> str:
        """Everything that it printed so far."""
        return "\n".join(self.lines)

    def line(self, part: str) -> str:
        """Wait for a line with such a part, and return it."""
        with self._printed:
            found = self._printed.wait_for(lambda: [line for line in self.lines if part in line], LIMIT)
        assert found, f"no line with {part!r} in:\n{self.log}"
        return found[0]

    def url(self) -> str:
        """Wait until it listens, and return its address."""
        port = self.line("Listening on port ").split()[3]
        return f"{'https' if self._tls else 'http'}://127.0.0.1:{port}"

    def client(self) -> httpx.Client:
        """Wait until it listens, and return a client."""
        return httpx.Client(base_url=self.url(), timeout=LIMIT)

    def tell(self, number: signal.Signals) -> None:
        """Send it a signal."""
        self._process.send_signal(number)

    def end(self, number: signal.Signals = signal.SIGTERM) -> int:
        """Tell it to end, and return its exit status."""
        self.tell(number)
        return self.status()

    def status(self) -> int:
        """Wait for its end, and return its exit status."""
        status = self._process.wait(LIMIT)
        self._reader.join(LIMIT)
        return status


def work(http: httpx.Client, method: str, path: str, body: object = None) -> Any:
    """Ask for something that takes a while, follow it to its end, and return what came of it."""
    answer = http.request(method, path, json=body)
    assert answer.status_code == 202, answer.text
    return outcome(http, answer.headers["Location"])


def outcome(http: httpx.Client, job: str) -> Any:
    """Follow a job to its end, and return what came of it."""
    end = time.monotonic() + LIMIT
    while (poll := http.get(job)).headers.get("X-Pending") == "true":
        assert time.monotonic() < end
    if poll.status_code == 204:
        return None
    assert poll.status_code == 303, poll.text
    return http.get(poll.headers["Location"]).json()


def add_nodes(http: httpx.Client, count: int = 3, *, devices: Sequence[str] = ("/dev/sdb",)) -> str:
    """Make a cluster of nodes with devices, and return its id."""
    cluster: str = http.post("/clusters", json={"file": True, "block": True}).json()["id"]
    for number in range(1, count + 1):
        hosts = {"manage": [f"192.0.2.{number}"], "storage": [f"192.0.2.{number}"]}
        node = work(http, "POST", "/nodes", {"cluster": cluster, "zone": number, "hostnames": hosts})
        for device in devices:
            work(http, "POST", "/devices", {"node": node["id"], "name": device})
    return cluster

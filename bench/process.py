"""Servers under test as processes of their own: started, asked what they cost, ended."""

import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

START_SECONDS = 120.0
END_SECONDS = 60.0
_TICKS = os.sysconf("SC_CLK_TCK")


class ServerError(Exception):
    """A server did not start."""


@dataclass(frozen=True, slots=True)
class Program:
    """A server that can be started: `name` in the tables, `line` before its `--config=FILE`."""

    name: str
    line: tuple[str, ...]

    @classmethod
    def ours(cls) -> "Program":
        """Return heketipy as it is installed beside this Python."""
        return cls("heketipy", (str(Path(sys.executable).with_name("heketi")),))

    @classmethod
    def theirs(cls, binary: str) -> "Program":
        """Return a given heketi."""
        return cls("heketi", (binary,))


@dataclass(frozen=True, slots=True)
class Usage:
    """What a process has used so far: seconds of CPU, and MiB of memory now and at most."""

    cpu_seconds: float
    memory_mib: float
    peak_mib: float


@dataclass(frozen=True, slots=True)
class Server:
    """A running server. `started` are the seconds from its start to its first answer."""

    program: Program
    port: int
    pid: int
    started: float

    def usage(self) -> Usage:
        """Ask the system what it has used."""
        after_name = Path(f"/proc/{self.pid}/stat").read_text().rpartition(")")[2].split()
        lines = Path(f"/proc/{self.pid}/status").read_text().splitlines()
        kib = {
            name: int(value.split()[0]) for name, _, value in (line.partition(":") for line in lines) if "kB" in value
        }
        return Usage(
            cpu_seconds=(int(after_name[11]) + int(after_name[12])) / _TICKS,
            memory_mib=kib["VmRSS"] / 1024,
            peak_mib=kib["VmHWM"] / 1024,
        )


@contextmanager
def running(
    program: Program, folder: Path, settings: Mapping[str, Any], *, database: Path | None = None
) -> Iterator[Server]:
    """Start a server in a folder with these settings of `glusterfs`, and end it afterwards. Raises ServerError."""
    folder.mkdir(parents=True, exist_ok=True)
    port = _free_port()
    config = folder / "heketi.json"
    gluster = {"executor": "mock", "db": str(database or folder / "heketi.db"), "loglevel": "info", **settings}
    config.write_text(json.dumps({"port": str(port), "glusterfs": gluster}))
    log = folder / "server.log"
    begin = time.monotonic()
    with log.open("ab") as sink:
        process = subprocess.Popen(
            [*program.line, f"--config={config}", "--disable-auth"],
            stdin=subprocess.DEVNULL,
            stdout=sink,
            stderr=sink,
            cwd=folder,
            env=_environment(),
        )
    try:
        _wait_until_it_answers(process, port, begin, log)
        yield Server(program, port, process.pid, time.monotonic() - begin)
    finally:
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(END_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _environment() -> dict[str, str]:
    """Return an environment in which modules are compiled once, as those of an installed server are, also where Python
    is told not to write bytecode: else each start would compile everything anew."""
    environment = dict(os.environ)
    if environment.pop("PYTHONDONTWRITEBYTECODE", ""):
        environment["PYTHONPYCACHEPREFIX"] = str(Path("build/bytecode").absolute())
    return environment


def _wait_until_it_answers(process: subprocess.Popen[bytes], port: int, begin: float, log: Path) -> None:
    while time.monotonic() - begin < START_SECONDS:
        if process.poll() is not None:
            raise ServerError(f"{process.args!r} ended at once:\n{log.read_text()[-2000:]}")
        try:
            with socket.create_connection(("127.0.0.1", port), timeout=START_SECONDS) as link:
                link.sendall(b"GET /hello HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
                if link.recv(64).startswith(b"HTTP/1.1 200"):
                    return
        except OSError:
            time.sleep(0.01)
    raise ServerError(f"{process.args!r} did not answer within {START_SECONDS:.0f} s")


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port

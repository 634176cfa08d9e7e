"""The server as its users run it: a process of its own, a configuration file, a key, HTTP. Nothing is imported from it.

The trap: after `kill` the same object starts the next process on the same books; its address stays the same, so that a
job begun before can be polled after.
"""

import hashlib
import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import jwt

ADMIN_KEY = "the lab's admin key, long enough for HS256"
JOB_SECONDS = 400
START_SECONDS = 60


class ServiceError(Exception):
    """The server did not start, end or answer in time."""


@dataclass(frozen=True)
class Job:
    """How an asynchronous request ended: 303 with the place of its result, 204, or 500 with `error`."""

    status: int
    location: str = ""
    error: str = ""
    seconds: float = 0.0

    @property
    def ok(self) -> bool:
        """Whether it did what was asked."""
        return self.status in (204, 303)


class Service:
    """One server, its folder and its address."""

    def __init__(self, folder: Path, *, keyfile: Path, record: Path | None = None) -> None:
        self.folder = folder
        self.record = record
        self.log_file = folder / "server.log"
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port: int = probe.getsockname()[1]
        self.config_file = folder / "heketi.json"
        self.config_file.write_text(json.dumps(self._configuration(keyfile), indent=2))
        self._process: subprocess.Popen[bytes] | None = None
        self._http = httpx.Client(base_url=f"http://127.0.0.1:{self.port}", timeout=60)
        self.starts = 0

    def _configuration(self, keyfile: Path) -> dict[str, Any]:
        return {
            "port": str(self.port),
            # Emulated nodes need longer for a create than any real ones.
            "shutdown_grace": 240,
            "jwt": {"admin": {"key": ADMIN_KEY}, "user": {"key": "the lab's user key, which nobody uses here"}},
            "glusterfs": {
                "executor": "ssh",
                "db": str(self.folder / "heketi.db"),
                "loglevel": "debug",
                "sshexec": {"keyfile": str(keyfile), "user": "root", "port": "2222", "fstab": "/etc/fstab"},
                # Short, so that debts are paid within a test's patience.
                "start_time_background_cleaner": 5,
                "refresh_time_background_cleaner": 10,
                "start_time_monitor_gluster_nodes": 5,
                "refresh_time_monitor_gluster_nodes": 10,
            },
        }

    @property
    def running(self) -> bool:
        """Whether the process lives."""
        return self._process is not None and self._process.poll() is None

    def start(self, *options: str) -> float:
        """Start the server, wait until it answers, and return the seconds that took."""
        begin = time.monotonic()
        program = Path(sys.executable).with_name("heketipy")
        environment = dict(os.environ)
        self.starts += 1
        if self.record is not None:
            # One file a process: a killed one may leave half a line at the end.
            environment["HEKETIPY_RECORD"] = f"{self.record}.{self.starts}"
        with self.log_file.open("ab") as log:
            self._process = subprocess.Popen(
                [str(program), "serve", "--config", str(self.config_file), *options],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                cwd=self.folder,
                env=environment,
            )
        while time.monotonic() - begin < START_SECONDS:
            if self._process.poll() is not None:
                raise ServiceError(f"the server ended at once:\n{self.log_tail()}")
            try:
                if self._http.get("/hello").status_code == 200:
                    return time.monotonic() - begin
            except httpx.TransportError:
                time.sleep(0.05)
        raise ServiceError(f"the server did not answer:\n{self.log_tail()}")

    def kill(self) -> None:
        """kill -9."""
        assert self._process is not None
        self._process.send_signal(signal.SIGKILL)
        self._process.wait(20)

    def stop(self, seconds: float = 300) -> float:
        """SIGTERM, and wait for the end. Returns the seconds it took."""
        begin = time.monotonic()
        if self._process is not None and self._process.poll() is None:
            self._process.send_signal(signal.SIGTERM)
            try:
                self._process.wait(seconds)
            except subprocess.TimeoutExpired as error:
                self._process.kill()
                self._process.wait(20)
                raise ServiceError(f"the server did not end in {seconds:.0f} s:\n{self.log_tail()}") from error
        return time.monotonic() - begin

    def close(self) -> None:
        """Stop, and drop connections."""
        try:
            self.stop()
        finally:
            self._http.close()

    def log_tail(self, lines: int = 40) -> str:
        """The end of its log."""
        return "\n".join(self.log_file.read_text(errors="replace").splitlines()[-lines:])

    def request(self, method: str, path: str, body: Mapping[str, Any] | None = None) -> httpx.Response:
        """Send one signed request."""
        now = int(time.time())
        claims = {
            "iss": "admin",
            "iat": now,
            "exp": now + 300,
            "qsh": hashlib.sha256(f"{method}&{path}".encode()).hexdigest(),
        }
        token = jwt.encode(claims, ADMIN_KEY, algorithm="HS256")
        return self._http.request(
            method,
            path,
            content=None if body is None else json.dumps(body),
            headers={"Authorization": f"bearer {token}", "Content-Type": "application/json"},
        )

    def get(self, path: str) -> dict[str, Any]:
        """GET something that is there."""
        answer = self.request("GET", path)
        assert answer.status_code == 200, f"GET {path}: {answer.status_code} {answer.text}"
        return dict(answer.json())

    def begin(self, method: str, path: str, body: Mapping[str, Any] | None = None) -> str:
        """Send a request that starts a job, and return the job's path."""
        answer = self.request(method, path, body)
        assert answer.status_code == 202, f"{method} {path}: {answer.status_code} {answer.text}"
        return answer.headers["Location"]

    def wait(self, job: str, seconds: float = JOB_SECONDS) -> Job:
        """Poll a job until it has ended."""
        begin = time.monotonic()
        while time.monotonic() - begin < seconds:
            answer = self.request("GET", job)
            if answer.headers.get("X-Pending") != "true":
                error = answer.text.strip() if answer.status_code >= 400 else ""
                return Job(answer.status_code, answer.headers.get("Location", ""), error, time.monotonic() - begin)
        raise ServiceError(f"{job} did not end in {seconds:.0f} s:\n{self.log_tail()}")

    def do(self, method: str, path: str, body: Mapping[str, Any] | None = None) -> Job:
        """Send a request that starts a job, and wait for its end."""
        begin = time.monotonic()
        job = self.wait(self.begin(method, path, body))
        return Job(job.status, job.location, job.error, time.monotonic() - begin)

    def create(self, **request: Any) -> tuple[dict[str, Any], float]:
        """Create a volume; returns what the server tells of it, and the seconds."""
        job = self.do("POST", "/volumes", request)
        assert job.ok, f"create of {request}: {job.status} {job.error}\n{self.log_tail()}"
        return self.get(job.location), job.seconds

    def delete(self, path: str) -> float:
        """Delete a node, device or volume, and return the seconds."""
        job = self.do("DELETE", path)
        assert job.ok, f"DELETE {path}: {job.status} {job.error}\n{self.log_tail()}"
        return job.seconds

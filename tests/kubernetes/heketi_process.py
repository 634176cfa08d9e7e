"""A server as its own process on the simulator: what Kubernetes would find behind `resturl`."""

from __future__ import annotations

import json
import os
import shlex
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import httpx
from heketi_rest import Rest

ADMIN_KEY = "the administrator's key of these tests"
USER_KEY = "the ordinary user's key of these tests"


def command() -> list[str] | None:
    """How to start the server; HEKETI_UNDER_TEST names another one, heketi itself for instance."""
    if other := os.environ.get("HEKETI_UNDER_TEST"):
        return shlex.split(other)
    heketipy = Path(sys.executable).parent / "heketipy"
    return [str(heketipy), "serve"] if heketipy.exists() else None


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port: int = listener.getsockname()[1]
        return port


def configuration(folder: Path, settings: dict[str, Any] | None = None, **top: Any) -> str:
    """A heketi.json for the simulator; the port comes through the environment."""
    config = {
        "jwt": {"admin": {"key": ADMIN_KEY}, "user": {"key": USER_KEY}},
        "glusterfs": {"executor": "mock", "db": str(folder / "heketi.db"), **(settings or {})},
        **top,
    }
    return json.dumps(config)


class HeketiProcess:
    """A server with its files in one folder. `environment` is what its start sets besides."""

    def __init__(
        self,
        folder: Path,
        config: str,
        *,
        auth: bool = True,
        topology: str | None = None,
        environment: dict[str, str] | None = None,
        certificate: Path | None = None,
    ) -> None:
        self.auth = auth
        self.folder = folder
        self.port = free_port()
        self.url = f"{'https' if certificate else 'http'}://127.0.0.1:{self.port}"
        self.rest = Rest(self.url, ADMIN_KEY if auth else None, certificate)
        self._process: subprocess.Popen[bytes] | None = None
        self.environment = {**os.environ, "HEKETI_HTTP_PORT": str(self.port), **(environment or {})}
        (folder / "heketi.json").write_text(config)
        self._arguments = ["--config", str(folder / "heketi.json")]
        if topology is not None:
            (folder / "topology.json").write_text(topology)
            self._arguments += ["--topology", str(folder / "topology.json")]
        if not auth:
            self._arguments.append("--disable-auth")

    @property
    def log(self) -> str:
        return (self.folder / "server.log").read_text()

    def start(self, limit: float = 30) -> None:
        argv = command()
        assert argv is not None
        with (self.folder / "server.log").open("ab") as log:
            self._process = subprocess.Popen(
                [*argv, *self._arguments], cwd=self.folder, env=self.environment, stdout=log, stderr=subprocess.STDOUT
            )
        end = time.monotonic() + limit
        while not self._says_hello():
            assert self._process.poll() is None, f"the server ended:\n{self.log}"
            assert time.monotonic() < end, f"the server does not answer:\n{self.log}"
            time.sleep(0.05)

    def _says_hello(self) -> bool:
        try:
            return self.rest.ask("GET", "/hello").is_success
        except httpx.TransportError:
            return False

    def stop(self, with_signal: signal.Signals = signal.SIGTERM) -> None:
        if self._process is not None:
            self.tell(with_signal)
            self.wait()

    def tell(self, number: signal.Signals) -> None:
        assert self._process is not None
        self._process.send_signal(number)

    def wait(self) -> None:
        assert self._process is not None
        self._process.wait(60)
        self._process = None

    def restart(self, with_signal: signal.Signals = signal.SIGTERM) -> None:
        self.stop(with_signal)
        self.start()

    def add_cluster(self, storage: list[str], devices: int = 1) -> str:
        """A cluster with one node for each storage address, in three zones."""
        cluster: str = self.rest.do("POST", "/clusters", {"file": True, "block": True})["id"]
        for number, address in enumerate(storage):
            node = {
                "zone": number % 3 + 1,
                "cluster": cluster,
                "hostnames": {"manage": [f"node-{cluster[:6]}-{number}"], "storage": [address]},
            }
            node_id = self.rest.do("POST", "/nodes", node)["id"]
            for device in range(devices):
                self.rest.do("POST", "/devices", {"node": node_id, "name": f"/dev/vd{'bcdefgh'[device]}"})
        return cluster

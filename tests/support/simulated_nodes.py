"""Simulated nodes in a process of their own, which outlive the servers that use them."""

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from heketipy.executors.simulator.remote import RemoteSimulatorTransport

SOCKET = "simulator.socket"
"""Where they listen, in their folder."""


@contextmanager
def simulated_nodes(folder: Path, *options: str) -> Iterator[RemoteSimulatorTransport]:
    """Run nodes, which appear on first sight, until the end of the `with`."""
    socket = folder / SOCKET
    daemon = [sys.executable, "-m", "heketipy.executors.simulator.daemon", f"--socket={socket}", "--accept-anything"]
    with subprocess.Popen([*daemon, *options], stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        process.stdout.readline()
        try:
            yield RemoteSimulatorTransport(socket)
        finally:
            process.terminate()

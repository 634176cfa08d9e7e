"""Try an installed heketipy: its programs answer, and its server starts, serves and ends. Used on a wheel.

try_installed.py FOLDER_OF_PROGRAMS
"""

import json
import signal
import subprocess
import sys
import tempfile
import urllib.request
from pathlib import Path


def main(programs: Path) -> None:
    """Raise or exit if something is wrong."""
    version = subprocess.check_output([programs / "heketipy", "--version"], text=True)
    print(version.strip())
    with tempfile.TemporaryDirectory() as folder:
        config = Path(folder, "heketi.json")
        config.write_text(json.dumps({"glusterfs": {"executor": "mock", "db": f"{folder}/heketi.db"}}))
        command = [programs / "heketipy", "serve", "--config", config, "--disable-auth"]
        with subprocess.Popen(command, cwd=folder, stdout=subprocess.PIPE, text=True) as server:
            try:
                port = _port(server)
                for path in ("/hello", "/clusters"):
                    with urllib.request.urlopen(f"http://127.0.0.1:{port}{path}", timeout=10) as answer:
                        print(f"GET {path}: {answer.status} {answer.read().decode().strip()}")
            finally:
                server.send_signal(signal.SIGTERM)
                assert server.stdout is not None
                server.stdout.read()
        if server.returncode != 0:
            sys.exit(f"the server ended with status {server.returncode}")
    print("the installed server starts, serves and ends")


def _port(server: "subprocess.Popen[str]") -> int:
    assert server.stdout is not None
    for line in server.stdout:
        if line.startswith("Listening on port "):
            return int(line.split()[3])
    sys.exit("the server ended before it listened")


if __name__ == "__main__":
    main(Path(sys.argv[1]).resolve())

"""What scripts do with the server's process and its database."""

import json
import shutil
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.support.server_process import (
    LIMIT,
    ServerProcess,
    add_nodes,
    configuration,
    environment,
    finished,
    work,
)

VOLUME = {"size": 1, "durability": {"type": "replicate", "replicate": {"replica": 3}}}
VECTORS = Path(__file__).parents[1] / "services" / "vectors" / "db"
HEAVY = ("asyncssh", "fastapi", "httpx", "sqlalchemy", "uvicorn")


def heketi(folder: Path, **gluster: Any) -> ServerProcess:
    """Start a server as scripts do: in its folder, with a relative path of its database."""
    config = configuration(folder, db="heketi.db", **gluster)
    return ServerProcess(["heketi", f"--config={config.name}", "--disable-auth"], cwd=folder)


def contents(http: httpx.Client) -> Any:
    """Return everything that a client can see."""
    clusters = http.get("/clusters").json()["clusters"]
    nodes = [node for cluster in clusters for node in http.get(f"/clusters/{cluster}").json()["nodes"]]
    return {path: http.get(path).json() for path in ("/volumes", *(f"/nodes/{node}" for node in nodes))}


@pytest.mark.parametrize(
    ("numbers"),
    [(signal.SIGINT,), (signal.SIGTERM,), (signal.SIGINT, signal.SIGKILL), (signal.SIGTERM, signal.SIGKILL)],
    ids=lambda numbers: " then ".join(number.name for number in numbers),
)
def test_the_one_file_that_is_copied_after_a_stop_holds_everything(
    tmp_path: Path, numbers: tuple[signal.Signals, ...]
) -> None:
    """The second signal comes a tenth of a second after the first."""
    first, second = tmp_path / "first", tmp_path / "second"
    for folder in (first, second):
        folder.mkdir()
    with heketi(first) as server, server.client() as http:
        add_nodes(http)
        work(http, "POST", "/volumes", VOLUME)
        before = contents(http)
        server.tell(numbers[0])
        if len(numbers) > 1:
            time.sleep(0.1)
            server.tell(numbers[1])
        server.status()
    shutil.copy(first / "heketi.db", second / "heketi.db")
    with heketi(second) as server, server.client() as http:
        assert contents(http) == before
        assert server.end(signal.SIGINT) == 0


def test_a_file_that_is_taken_away_begins_anew_and_one_that_is_put_back_goes_on(tmp_path: Path) -> None:
    database, kept = tmp_path / "heketi.db", tmp_path / "kept.db"
    with heketi(tmp_path) as server, server.client() as http:
        add_nodes(http)
        before = contents(http)
        server.end(signal.SIGINT)
    database.rename(kept)
    with heketi(tmp_path) as server, server.client() as http:
        assert http.get("/clusters").json() == {"clusters": []}
        http.post("/clusters", json={})
        server.end(signal.SIGKILL)
    shutil.copy(kept, database)
    with heketi(tmp_path) as server, server.client() as http:
        assert contents(http) == before
        server.end(signal.SIGINT)


def test_it_ends_within_ten_seconds_of_sigint_whatever_it_is_at(tmp_path: Path) -> None:
    with heketi(tmp_path, simulator={"latency_ms": 60_000}) as server:
        with server.client() as http:
            cluster = http.post("/clusters", json={}).json()["id"]
            hosts = {"manage": ["192.0.2.1"], "storage": ["192.0.2.1"]}
            body = {"cluster": cluster, "zone": 1, "hostnames": hosts}
            waiting = threading.Thread(target=_lost, args=(str(http.base_url), body))
            waiting.start()
            http.get("/clusters")
        start = time.monotonic()
        assert server.end(signal.SIGINT) == 0
        assert time.monotonic() - start < 10
        waiting.join()


def _lost(url: str, body: Any) -> None:
    try:
        httpx.post(f"{url}/nodes", json=body, timeout=LIMIT)
    except httpx.TransportError:
        return


@pytest.mark.parametrize("reason", ["no keys", "an unknown admin mode", "an unknown attribute of its database"])
def test_what_cannot_start_is_gone_before_anything_heavy_is_imported(tmp_path: Path, reason: str) -> None:
    top = {"default_state": "bogus"} if reason == "an unknown admin mode" else {}
    config = configuration(tmp_path, top=top)
    if reason == "an unknown attribute of its database":
        dump = json.loads((VECTORS / "plain.json").read_text())
        dump["dbattributeentries"]["DB_OF_TOMORROW"] = {"Key": "DB_OF_TOMORROW", "Value": "yes"}
        (tmp_path / "tomorrow.json").write_text(json.dumps(dump))
        finished("heketi", "db", "import", "--jsonfile", "tomorrow.json", "--dbfile", "heketi.db", cwd=tmp_path)
    line = ["heketi", f"--config={config}", *([] if reason == "no keys" else ["--disable-auth"])]
    program = (
        f"import sys; sys.argv = {line!r}\n"
        "from heketipy.server.main import heketi\n"
        "try: heketi()\n"
        f"finally: print([name for name in {HEAVY} if name in sys.modules])"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=False, timeout=LIMIT, env=environment()
    )
    assert done.returncode == 1
    assert done.stderr.startswith("ERROR: ")
    assert done.stdout.splitlines()[-1] == "[]"


@pytest.mark.parametrize("words", ["export --jsonfile out.json", "consistency-check"])
def test_a_database_that_a_server_holds_is_given_up_after_three_seconds(tmp_path: Path, words: str) -> None:
    with heketi(tmp_path) as server:
        server.url()
        start = time.monotonic()
        done = finished("heketi", "db", *words.split(), "--dbfile", "heketi.db", cwd=tmp_path)
        assert 3 <= time.monotonic() - start < 30
        assert done.returncode == 1
        assert "Unable to open database: timeout" in done.stderr
        assert server.end(signal.SIGINT) == 0
    assert not (tmp_path / "out.json").exists()

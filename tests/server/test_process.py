"""The programs as processes: what they print, how they start, serve and end."""

import contextlib
import json
import os
import shutil
import signal
import socket
import sqlite3
import ssl
import subprocess
import threading
import time
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.support.leaks import secrets_in
from tests.support.server_process import PROGRAMS, ServerProcess, add_nodes, configuration, finished, outcome, work
from tests.support.signed import JWT, KEYS

SLOW = {"simulator": {"latency_ms": 100}}
VOLUME = {"size": 1, "durability": {"type": "replicate", "replicate": {"replica": 3}}}


def serve(config: Path, *more: str | Path) -> list[str | Path]:
    return ["heketipy", "serve", "--config", config, "--disable-auth", *more]


def test_heketi_starts_as_heketi_does_and_ends_at_once_when_told(tmp_path: Path) -> None:
    config = configuration(tmp_path, top={"port": ""})
    with ServerProcess(["heketi", f"--config={config}", "--disable-auth"], cwd=tmp_path) as server:
        with server.client() as http:
            assert http.get("/hello").text == "Hello from Heketi"
            assert http.get("/clusters").json() == {"clusters": []}
        assert server.end(signal.SIGINT) == 0
    assert server.lines[0].startswith("Heketi v10 (heketipy ")
    assert "WARNING: Heketi started with --disable-auth" in server.lines
    assert "Shutting down..." in server.lines


def test_a_simulator_is_announced_loudly(tmp_path: Path) -> None:
    with ServerProcess(serve(configuration(tmp_path)), cwd=tmp_path) as server:
        with server.client() as http:
            assert http.get("/clusters").headers["x-heketipy-simulator"] == "no real storage"
        server.end()
    assert "NOTHING CAN BE STORED" in server.log


def test_versions_are_told() -> None:
    heketipy, heketi = finished("heketipy", "--version", cwd=Path.cwd()), finished("heketi", "-v", cwd=Path.cwd())
    assert (heketipy.returncode, heketi.returncode) == (0, 0)
    assert heketipy.stdout.startswith("heketipy ")
    assert heketi.stdout.startswith("Heketi v10 (heketipy ")
    assert len(heketi.stdout.splitlines()) == 1


@pytest.mark.parametrize(
    ("command", "stderr"),
    [
        (["heketi"], "Please provide configuration file\n"),
        (["heketi", "--config="], "Please provide configuration file\n"),
        (
            ["heketi", "--config=absent", "--disable-auth"],
            "ERROR: Unable to open config file absent: open absent: no such file or directory\n",
        ),
        (["heketi", "--config=.", "--disable-auth"], "ERROR: Unable to parse configuration: read .: is a directory\n"),
        (
            ["heketi", "--config=heketi.json"],
            (
                "ERROR: Missing JWT information in config file\n"
                "Set jwt.admin.key and jwt.user.key, or give --disable-auth\n"
            ),
        ),
    ],
)
def test_heketi_refuses_in_heketis_words(tmp_path: Path, command: list[str], stderr: str) -> None:
    configuration(tmp_path)
    done = finished(*command, cwd=tmp_path)
    assert done.returncode == 1
    assert done.stderr == stderr
    assert done.stdout.startswith("Heketi v10 (heketipy ")


@pytest.mark.parametrize(
    ("command", "stdout", "stderr"),
    [
        (["heketi", "--bogus"], "unknown flag: --bogus\n", "Error: unknown flag: --bogus\n"),
        (
            ["heketi", "--config=f", "extra"],
            'unknown command "extra" for "heketi"\n',
            'Error: unknown command "extra" for "heketi"\nRun \'heketi --help\' for usage.\n',
        ),
    ],
)
def test_heketi_tells_mistakes_of_its_command_line_twice(
    tmp_path: Path, command: list[str], stdout: str, stderr: str
) -> None:
    done = finished(*command, cwd=tmp_path)
    assert (done.returncode, done.stdout, done.stderr) == (255, stdout, stderr)


def test_serve_without_an_executor_says_what_to_set(tmp_path: Path) -> None:
    config = configuration(tmp_path, executor="")
    done = finished(*serve(config), cwd=tmp_path)
    assert done.returncode == 1
    assert '"executor": "ssh"' in done.stderr
    assert not (tmp_path / "heketi.db").exists()


def test_the_environment_names_the_executor(tmp_path: Path) -> None:
    done = finished(*serve(configuration(tmp_path)), cwd=tmp_path, HEKETI_EXECUTOR="zzz")
    assert done.returncode == 1
    assert "ERROR: Unable to start application: invalid executor: zzz" in done.stderr


@pytest.mark.parametrize(
    ("content", "text"),
    [
        (b"no database at all, but long enough to be looked at" * 20, "Unable to open database"),
        (b"\0" * 16 + (0xED0CDAED).to_bytes(4, "little") + b"\0" * 4096, "BoltDB"),
    ],
)
def test_a_file_that_is_no_database_of_ours_is_left_alone(tmp_path: Path, content: bytes, text: str) -> None:
    database = tmp_path / "heketi.db"
    database.write_bytes(content)
    done = finished(*serve(configuration(tmp_path)), cwd=tmp_path)
    assert done.returncode == 1
    assert "ERROR: Unable to start application: Unable to open database: " in done.stderr
    assert text in done.stderr
    assert database.read_bytes() == content


def test_a_second_server_on_the_same_database_refuses_and_names_the_first(tmp_path: Path) -> None:
    config = configuration(tmp_path)
    with ServerProcess(serve(config), cwd=tmp_path) as first:
        first.url()
        second = finished(*serve(config), cwd=tmp_path)
        assert second.returncode == 1
        assert str(first.pid) in second.stderr
        assert first.end() == 0


@pytest.mark.parametrize(("program", "status"), [("heketi", 0), ("heketipy", 1)])
def test_a_port_in_use_is_told(tmp_path: Path, program: str, status: int) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = str(other.getsockname()[1])
        config = configuration(tmp_path, top={"port": port, "listen_address": "127.0.0.1"})
        command = serve(config) if program == "heketipy" else ["heketi", f"--config={config}", "--disable-auth"]
        done = finished(*command, cwd=tmp_path)
    assert done.returncode == status
    text = f"ERROR: HTTP Server error: listen tcp 127.0.0.1:{port}: bind: address already in use\nShutting down...\n"
    assert done.stdout.endswith(text)


def test_a_missing_certificate_is_told_and_a_given_one_is_used(tmp_path: Path) -> None:
    absent = {"enable_tls": True, "cert_file": str(tmp_path / "cert"), "key_file": str(tmp_path / "key")}
    config = configuration(tmp_path, top=absent)
    done = finished(*serve(config), cwd=tmp_path)
    assert f"ERROR: HTTP Server error: open {tmp_path}/cert: no such file or directory" in done.stdout
    subprocess.run(
        f"openssl req -x509 -newkey rsa:2048 -nodes -subj /CN=localhost -days 2 "
        f"-addext subjectAltName=IP:127.0.0.1 -keyout {tmp_path}/key -out {tmp_path}/cert".split(),
        check=True,
        capture_output=True,
    )
    with ServerProcess(serve(config), cwd=tmp_path, tls=True) as server:
        trust = ssl.create_default_context(cafile=str(tmp_path / "cert"))
        assert httpx.get(f"{server.url()}/hello", verify=trust).status_code == 200
        assert server.line("Listening on port ").endswith(" with TLS enabled")
        assert server.end() == 0


def test_work_under_way_is_finished_and_its_client_gets_the_answer_on_a_new_connection(tmp_path: Path) -> None:
    with ServerProcess(serve(configuration(tmp_path, poll_hold=0, **SLOW)), cwd=tmp_path) as server:
        with server.client() as http:
            add_nodes(http)
            job = http.post("/volumes", json=VOLUME).headers["Location"]
            server.tell(signal.SIGTERM)
            server.line("Shutting down...")
            refused = http.post("/volumes", json=VOLUME)
            assert refused.status_code == 429
            assert int(refused.headers["Retry-After"]) > 0
            assert http.get("/clusters").status_code == 200
            with httpx.Client(base_url=http.base_url) as another:
                assert outcome(another, job)["size"] == 1
        assert server.status() == 0


def test_the_database_is_one_complete_file_as_soon_as_the_end_begins(tmp_path: Path) -> None:
    with ServerProcess(serve(configuration(tmp_path, **SLOW)), cwd=tmp_path) as server:
        with server.client() as http:
            add_nodes(http)
            http.post("/volumes", json=VOLUME)
            server.tell(signal.SIGTERM)
            server.line("Shutting down...")
            _wait_until_gone(tmp_path / "heketi.db-wal")
        server.tell(signal.SIGKILL)
        server.status()
    copied = tmp_path / "copy.db"
    copied.write_bytes((tmp_path / "heketi.db").read_bytes())
    with sqlite3.connect(copied) as books:
        assert books.execute("SELECT count(*) FROM nodes").fetchone() == (3,)
    books.close()


def _wait_until_gone(file: Path) -> None:
    end = time.monotonic() + 10
    while file.exists():
        assert time.monotonic() < end, f"{file.name} is still there"
        time.sleep(0.01)


def test_a_create_that_is_killed_leaves_nothing_behind(tmp_path: Path) -> None:
    config = configuration(tmp_path, **SLOW)
    with ServerProcess(serve(config), cwd=tmp_path) as server, server.client() as http:
        add_nodes(http)
        job = http.post("/volumes", json=VOLUME).headers["Location"]
        server.end(signal.SIGKILL)
    with ServerProcess(serve(config), cwd=tmp_path) as server, server.client() as http:
        ended = _ended(http, job)
        assert ended.status_code == 500
        assert "stopped" in ended.text
        assert http.get("/volumes").json() == {"volumes": []}
        assert work(http, "POST", "/volumes", VOLUME)["size"] == 1
        assert server.end() == 0


def _ended(http: httpx.Client, job: str) -> httpx.Response:
    while (answer := http.get(job)).headers.get("X-Pending"):
        pass
    return answer


def test_a_second_signal_ends_it_at_once(tmp_path: Path) -> None:
    with ServerProcess(serve(configuration(tmp_path, simulator={"latency_ms": 20_000})), cwd=tmp_path) as server:
        with server.client() as http:
            cluster = http.post("/clusters", json={}).json()["id"]
            hosts = {"manage": ["192.0.2.1"], "storage": ["192.0.2.1"]}
            body = {"cluster": cluster, "zone": 1, "hostnames": hosts}
            waiting = threading.Thread(target=_lost, args=(str(http.base_url), body))
            waiting.start()
            http.get("/clusters")
        server.tell(signal.SIGTERM)
        server.line("Shutting down...")
        assert server.end() in (0, 1)
        waiting.join()


def _lost(url: str, body: Any) -> None:
    with contextlib.suppress(httpx.TransportError):
        httpx.post(f"{url}/nodes", json=body, timeout=60)


@pytest.mark.parametrize("number", [signal.SIGHUP, signal.SIGTERM, signal.SIGINT])
def test_every_signal_that_ends_it_ends_it_well(tmp_path: Path, number: signal.Signals) -> None:
    with ServerProcess(serve(configuration(tmp_path)), cwd=tmp_path) as server:
        server.url()
        assert server.end(number) == 0
    assert not list(tmp_path.glob("heketi.db-*"))


def test_a_signal_leads_out_of_the_read_only_mode(tmp_path: Path) -> None:
    command = serve(configuration(tmp_path, top={"default_state": "read-only", "log_format": "json"}))
    with ServerProcess(command, cwd=tmp_path) as server, server.client() as http:
        refused = http.post("/admin", json={"state": "normal"})
        assert (refused.status_code, refused.text) == (503, "Service disabled for maintenance\n")
        server.tell(signal.SIGUSR2)
        server.line("the admin mode is set")
        assert http.get("/admin").json() == {"state": "normal"}
        assert http.post("/clusters", json={}).status_code == 201
        assert server.end() == 0


def test_the_log_level_can_be_changed_while_the_server_runs(tmp_path: Path) -> None:
    command = serve(configuration(tmp_path, top={"log_format": "json"}))
    with ServerProcess(command, cwd=tmp_path) as server, server.client() as http:
        http.get("/volumes")
        server.line('"path": "/volumes"')
        assert http.post("/internal/logging", json={"loglevel": {"glusterfs": "error"}}).status_code == 200
        http.get("/nothing")
        assert server.end() == 0
    assert "/nothing" not in server.log


def test_a_signal_during_the_start_ends_it(tmp_path: Path) -> None:
    with ServerProcess(["heketi", f"--config={configuration(tmp_path)}", "--disable-auth"], cwd=tmp_path) as server:
        server.line("Heketi v10")
        assert server.end() == 0
    assert "Shutting down..." in server.log


def test_a_topology_is_loaded_at_the_start_and_loading_again_changes_nothing(tmp_path: Path) -> None:
    sample = Path(__file__).parents[2] / "topology" / "topology-sample.json"
    command = serve(configuration(tmp_path, top={"log_format": "json"}), "--topology", sample)
    counts = []
    for _ in range(2):
        with ServerProcess(command, cwd=tmp_path) as server, server.client() as http:
            told = json.loads(server.line('"topology loaded"'))
            counts.append({name: told[name] for name in ("added", "already_there", "failed")})
            clusters = http.get("/clusters").json()["clusters"]
            assert len(clusters) == 1
            assert len(http.get(f"/clusters/{clusters[0]}").json()["nodes"]) == 3
            assert server.end() == 0
    assert counts == [
        {"added": 19, "already_there": 0, "failed": 0},
        {"added": 0, "already_there": 18, "failed": 0},
    ]


def test_a_topology_that_makes_no_sense_keeps_the_server_from_starting(tmp_path: Path) -> None:
    bad = tmp_path / "topology.json"
    node = {"node": {"hostnames": {"manage": [], "storage": ["192.0.2.1"]}, "zone": 0}, "devices": ["sdb"]}
    bad.write_text(json.dumps({"clusters": [{"nodes": [node]}]}))
    done = finished(*serve(configuration(tmp_path), "--topology", bad), cwd=tmp_path)
    assert done.returncode == 1
    for text in ("hostnames.manage", "zone", "sdb"):
        assert text in done.stderr


def test_no_secret_is_ever_printed(tmp_path: Path) -> None:
    config = configuration(tmp_path, top={"jwt": JWT}, loglevel="debug")
    with ServerProcess(["heketipy", "serve", "--config", config], cwd=tmp_path) as server, server.client() as http:
        assert http.get("/clusters").status_code == 401
        http.get("/clusters", headers={"Authorization": f"bearer {KEYS['admin']}"})
        assert server.end() == 0
    assert not secrets_in(server.log)


@pytest.mark.parametrize("kept", [True, False], ids=["kept in a file", "rebuilt from the books"])
def test_a_restarted_server_finds_its_simulated_nodes_as_they_were(tmp_path: Path, kept: bool) -> None:
    simulator = {"state_file": str(tmp_path / "nodes.json")} if kept else {}
    config = configuration(tmp_path, simulator=simulator)
    with ServerProcess(serve(config), cwd=tmp_path) as server, server.client() as http:
        add_nodes(http)
        volume = work(http, "POST", "/volumes", VOLUME)
        assert server.end() == 0
    with ServerProcess(serve(config), cwd=tmp_path) as server, server.client() as http:
        assert http.get(f"/volumes/{volume['id']}").json() == volume
        assert work(http, "POST", f"/volumes/{volume['id']}/expand", {"expand_size": 1})["size"] == 2
        work(http, "DELETE", f"/volumes/{volume['id']}")
        assert work(http, "POST", "/volumes", VOLUME)["size"] == 1
        assert server.end() == 0


def test_a_topology_is_loaded_with_authentication_on_too(tmp_path: Path) -> None:
    sample = Path(__file__).parents[2] / "topology" / "topology-six-nodes.json"
    config = configuration(tmp_path, top={"log_format": "json", "jwt": JWT})
    command = ["heketipy", "serve", "--config", config, "--topology", sample]
    with ServerProcess(command, cwd=tmp_path) as server:
        told = json.loads(server.line('"topology loaded"'))
        assert (told["added"], told["failed"]) == (37, 0)
        assert server.end() == 0


def test_as_process_1_of_a_container_it_ends_when_told(tmp_path: Path) -> None:
    namespace = [shutil.which("unshare") or "unshare", "--pid", "--fork", "--kill-child"]
    if shutil.which("unshare") is None or subprocess.run([*namespace, "true"], check=False).returncode != 0:
        pytest.skip("no process namespace can be made here")
    program = [*namespace, PROGRAMS / "heketipy", *serve(configuration(tmp_path))[1:]]
    with ServerProcess(program, cwd=tmp_path) as server:
        server.url()
        children = Path(f"/proc/{server.pid}/task/{server.pid}/children").read_text().split()
        os.kill(int(children[0]), signal.SIGTERM)
        assert server.status() == 0
    assert "Shutting down..." in server.log

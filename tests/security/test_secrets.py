"""No secret of a server is in anything that it prints, answers, keeps or lets others see.

The server is a process with every secret there is, on nodes that it reaches by ssh; it is used well and badly, and
everything is looked through. What a run of the tests leaves beside that, `tests/support/leaks.py` looks through.
"""

import asyncio
import json
import os
import shutil
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import pytest

from heketipy.client.token import token
from heketipy.executors.simulator import Effect, Fault, Simulator, on
from tests.support.databases import postgresql_server, where
from tests.support.leaks import CHAP, GIVEN, IN_BASE64, PRIVATE_KEY, TOKEN, secrets_in
from tests.support.secrets import chap_password, secret
from tests.support.server_process import ServerProcess, finished
from tests.support.signed import JWT, KEYS, Signed, authorization
from tests.support.sshnode import SshNodes, ssh_nodes
from tests.support.system_over_ssh import LOOPBACKS

__all__ = ["postgresql_server", "where"]

ROOT = Path(__file__).parents[2]
PASSWORD = secret("database-password")
REPLICA_3 = {"type": "replicate", "replicate": {"replica": 3}}
LOCKS = Path("/run/heketipy")
"""Where scripts keep locks if root runs them."""
COMMANDS = ("export --jsonfile=-", "import --jsonfile=empty.json", "consistency-check")
NOWHERE = (
    f"postgresql://user:{PASSWORD}@127.0.0.1:1/heketi",
    f"mysql://user:{PASSWORD}@127.0.0.1:1/heketi",
    f"postgresql://127.0.0.1:1/heketi?user=u&password={PASSWORD}&sslpassword={PASSWORD}",
    f"POSTGRES://user:{PASSWORD}%40@127.0.0.1:port/heketi",
)
"""Databases that there are not."""
SHOWS_PASSWORDS = ("/blockvolumes/", "/db/dump", "/internal/state/examine", "/backup/db")
"""Paths whose answers hold passwords of block volumes, as heketi's do."""


@dataclass
class Seen:
    """All that others can see of a server, by where they see it."""

    places: dict[str, bytes] = field(default_factory=dict)

    def add(self, place: str, content: str | bytes) -> None:
        """Add what is seen somewhere."""
        self.places[place] = content if isinstance(content, bytes) else content.encode(errors="surrogateescape")

    def leaks(self, *more: str) -> list[str]:
        """Say which secrets are seen where; `more` are texts that are secret, too."""
        found = []
        for place, content in self.places.items():
            allowed = [CHAP] if any(path in place for path in SHOWS_PASSWORDS) else []
            found += [f"{place}: {what}" for what in secrets_in(content, allowed=allowed)]
            found += [f"{place}: a part of a key" for text in more if text.encode() in content]
        return found


@pytest.fixture
async def nodes(tmp_path: Path) -> AsyncIterator[SshNodes]:
    """Simulated nodes behind ssh, and what leads LVM's commands to them, which have absolute paths."""
    simulator = Simulator(accept_anything=True, device_size_gib=500, seed=1)
    for host in LOOPBACKS:
        simulator.add_node(host)
    there = LOCKS.exists()
    async with ssh_nodes(simulator, tmp_path) as nodes:
        wrapper = nodes.bin / "wrapper"
        wrapper.write_text(f'#!/bin/sh\nname={nodes.bin}/"${{1##*/}}"\nshift\nexec "$name" "$@"\n')
        wrapper.chmod(0o755)
        yield nodes
    if not there:
        shutil.rmtree(LOCKS, ignore_errors=True)


def configured(folder: Path, nodes: SshNodes, where: str) -> Path:
    """Write a configuration that holds all secrets but one, which is the environment's."""
    database = where.replace("postgres@", f"postgres:{PASSWORD}@")
    file = folder / "heketi.json"
    ssh = {
        "keyfile": str(nodes.keyfile),
        "user": "root",
        "port": str(nodes.port),
        "lvm_wrapper": str(nodes.bin / "wrapper"),
    }
    section = {
        "executor": "ssh",
        "sshexec": ssh,
        "db": database,
        "loglevel": "debug",
        "record_file": str(folder / "transcript"),
        "backup_interval": 0.2,
        "backup_directory": str(folder / "backups"),
        "poll_hold": 5,
    }
    jwt = {"admin": JWT["admin"]}
    file.write_text(json.dumps({"jwt": jwt, "log_format": "json", "glusterfs": section}))
    return file


class User:
    """A client that remembers all answers."""

    def __init__(self, url: str, seen: Seen) -> None:
        self._http = httpx.AsyncClient(base_url=url, timeout=60)
        self._seen = seen
        self._number = 0

    async def ask(self, method: str, path: str, body: Any = None, **more: Any) -> httpx.Response:
        """Send a request, and follow the work that it starts to its end."""
        content = body if isinstance(body, str) or body is None else json.dumps(body)
        answer = await self._send(method, path, content=content, **{"auth": Signed(), **more})
        if answer.status_code != 202:
            return answer
        while "x-pending" in (poll := await self._send("GET", answer.headers["location"], auth=Signed())).headers:
            pass
        return await self._send("GET", poll.headers["location"], auth=Signed()) if poll.status_code == 303 else poll

    async def _send(self, method: str, path: str, **more: Any) -> httpx.Response:
        answer = await self._http.request(method, path, **more)
        self._number += 1
        self._seen.add(f"answer {self._number} to {method} {path}", str(answer.headers).encode() + answer.content)
        return answer

    async def close(self) -> None:
        """Close what is open."""
        await self._http.aclose()


async def use_well(user: User) -> dict[str, str]:
    """Make something of everything; return ids."""
    cluster = (await user.ask("POST", "/clusters", {"file": True, "block": True})).json()["id"]
    for zone, host in enumerate(LOOPBACKS[:3], 1):
        added = {"cluster": cluster, "zone": zone, "hostnames": {"manage": [host], "storage": [host]}}
        node = (await user.ask("POST", "/nodes", added)).json()["id"]
        assert (await user.ask("POST", "/devices", {"node": node, "name": "/dev/sdb"})).status_code == 204
    volume = (await user.ask("POST", "/volumes", {"size": 1, "durability": REPLICA_3})).json()["id"]
    hosting = {"size": 20, "durability": REPLICA_3, "block": True}
    assert (await user.ask("POST", "/volumes", hosting)).status_code == 200
    made = (await user.ask("POST", "/blockvolumes", {"size": 1, "auth": True})).json()
    assert secrets_in(made["blockvolume"]["password"]) != []
    return {"node": node, "volume": volume, "blockvolume": made["id"]}


async def use_badly(user: User, nodes: SshNodes, ids: dict[str, str]) -> None:
    """Let everything fail that has to do with secrets, and let nodes fail."""
    for header in ("", "x", f"bearer {KEYS['admin']}", f"bearer {KEYS['admin']}.{KEYS['user']}.{PASSWORD}"):
        await user.ask("GET", "/clusters", auth=None, headers={"Authorization": header})
    for key, path in ((KEYS["user"], "/clusters"), (KEYS["admin"], "/volumes"), ("", "/clusters")):
        bad = token(user="admin", secret=key, method="GET", path=path, now=0.0)
        await user.ask("GET", "/clusters", auth=None, headers={"Authorization": f"bearer {bad}"})
    await user.ask("DELETE", f"/volumes/{ids['volume']}", auth=Signed("user"))
    for body in ("", "{", '{"size":"x"}', {"size": 10**9}, {"size": 1, "clusters": ["x"]}):
        await user.ask("POST", "/volumes", body)
    faults = nodes.simulator.faults
    garbage = f"PASSWORD: {chap_password()}\n"
    for effect, words in (
        (Effect.FAIL, "volume create"),
        (Effect.LOSE, "volume start"),
        (Effect.GARBAGE, "gluster-block create"),
        (Effect.FAIL, "gluster-block create"),
    ):
        block = "block" in words
        said = garbage if block else "no"
        with faults.during(Fault(effect, on(words), times=0, stdout=said, stderr=said)):
            await user.ask("POST", "/blockvolumes" if block else "/volumes", {"size": 1, "auth": True})
    for effect in (Effect.GARBAGE, Effect.FAIL):
        with faults.during(Fault(effect, on("gluster-block info"), times=0, stdout=garbage, stderr=garbage)):
            await user.ask("POST", f"/blockvolumes/{ids['blockvolume']}/expand", {"new_size": 2})
    await nodes.down(LOOPBACKS[0])
    await user.ask("POST", "/volumes", {"size": 1, "durability": REPLICA_3})
    await user.ask("GET", "/internal/state/examine/gluster")
    await nodes.up(LOOPBACKS[0])


async def look_at_everything(user: User, ids: dict[str, str]) -> None:
    """Ask for all that can be looked at."""
    document = json.loads((ROOT / "openapi" / "heketipy.json").read_text())
    for path, methods in document["paths"].items():
        kind = path.split("/")[1].removesuffix("s")
        if "get" in methods and not path.endswith("resync"):
            await user.ask("GET", path.replace("{id}", ids.get(kind, "0" * 32)))


def processes_of(parent: int) -> Iterator[tuple[str, bytes]]:
    """Yield what the system shows of a process and of those that it has started: command lines of all, environments of
    the latter."""
    for process in (parent, *_below(parent)):
        with suppress(OSError):
            yield f"command line of {process}", Path(f"/proc/{process}/cmdline").read_bytes()
            if process != parent:
                yield f"environment of {process}", Path(f"/proc/{process}/environ").read_bytes()


def _below(parent: int) -> Iterator[int]:
    for task in Path(f"/proc/{parent}/task").glob("*/children"):
        with suppress(OSError):
            for child in map(int, task.read_text().split()):
                yield child
                yield from _below(child)


async def watch(process: int, seen: Seen) -> None:
    """Look at the processes of a server for as long as it runs."""
    while True:
        for place, content in processes_of(process):
            seen.add(place, content)
        await asyncio.sleep(0.02)


async def test_no_secret_is_seen_of_a_server_that_is_used_well_and_badly(
    tmp_path: Path, nodes: SshNodes, where: str
) -> None:
    seen = Seen()
    config = configured(tmp_path, nodes, where)
    command = ["heketipy", "serve", "--config", config]
    with ServerProcess(command, cwd=tmp_path, HEKETI_USER_KEY=KEYS["user"]) as server:
        user = User(await asyncio.to_thread(server.url), seen)
        watching = asyncio.create_task(watch(server.pid, seen))
        ids = await use_well(user)
        await use_badly(user, nodes, ids)
        await look_at_everything(user, ids)
        await user.close()
        if "://" not in where:
            while not list((tmp_path / "backups").glob("*.db*")):
                await asyncio.sleep(0.05)
        watching.cancel()
        assert await asyncio.to_thread(server.end) == 0
        seen.add("log", server.log)
    key = nodes.keyfile.read_text()
    seen.add("transcript", (tmp_path / "transcript").read_bytes())
    for place in sorted((tmp_path / "backups").glob("*")):
        seen.add(f"/backup/db kept as {place.name}", place.read_bytes())
    for number, ran in enumerate(nodes.simulator.history):
        seen.add(f"command {number} on a node", " ".join(ran.argv))
    for host, node in nodes.servers.items():
        seen.add(f"executed on {host}", "\n".join(node.executed))
    assert len(seen.places) > 100
    assert any(chap.startswith("answer") for chap in _with_passwords(seen))
    assert seen.leaks(*key.split("\n")[1:-2]) == []


def _with_passwords(seen: Seen) -> list[str]:
    return [place for place, content in seen.places.items() if secrets_in(content, allowed=[GIVEN])]


def test_no_secret_is_told_by_what_cannot_start(tmp_path: Path) -> None:
    """`finished` looks for secrets in what it prints."""
    (tmp_path / "key").write_text(secret("key-file"))
    (tmp_path / "empty.json").write_text("{}")
    ssh = {"executor": "ssh", "sshexec": {"keyfile": str(tmp_path / "key")}}
    wrong: list[tuple[dict[str, Any], dict[str, Any]]] = [
        ({"jwt": {"admin": {"key": [KEYS["admin"]]}}}, {}),
        ({"jwt": {"admin": KEYS["admin"]}}, {}),
        ({"jwt": JWT}, ssh),
        *(({"jwt": JWT}, {"db": database}) for database in NOWHERE),
    ]
    for top, section in wrong:
        file = tmp_path / "heketi.json"
        file.write_text(json.dumps({**top, "glusterfs": {"executor": "mock", **section}}))
        done = finished("heketipy", "serve", "--config", file, cwd=tmp_path)
        assert done.returncode != 0, done.stdout
    for command, database in zip(COMMANDS, NOWHERE, strict=False):
        assert finished("heketi", "db", *command.split(), f"--dbfile={database}", cwd=tmp_path).returncode != 0


def test_a_database_that_was_imported_is_named_without_its_password(tmp_path: Path, postgresql_server: Any) -> None:
    (tmp_path / "empty.json").write_text("{}")
    database = postgresql_server.empty_database().replace("postgres@", f"postgres:{PASSWORD}@")
    done = finished("heketi", "db", "import", "--jsonfile=empty.json", f"--dbfile={database}", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert "DB imported to postgresql" in done.stderr


PLANTED = {
    GIVEN: f"a line with {KEYS['admin']} in it",
    IN_BASE64: "Basic dXNlcjpoaWRkZW4tZnJvbS1hbGwtcGFzc3dvcmQ=",
    PRIVATE_KEY: "-----BEGIN OPENSSH PRIVATE KEY-----",
    TOKEN: authorization("GET", "/clusters"),
    CHAP: f'"PASSWORD":"{chap_password()}"',
}


@pytest.mark.parametrize("kind", PLANTED)
def test_a_secret_that_is_seen_is_found(kind: str) -> None:
    seen = Seen()
    seen.add("log", "nothing")
    assert seen.leaks() == []
    seen.add("answer 7 to GET /metrics", PLANTED[kind])
    (found,) = seen.leaks()
    assert found.startswith(f"answer 7 to GET /metrics: {kind}")


def test_a_secret_of_a_child_is_found(tmp_path: Path) -> None:
    for words, variables in (([KEYS["admin"]], {}), ([], {"KEY": KEYS["admin"]})):
        sleeping = [sys.executable, "-c", "import sys; print(flush=True); sys.stdin.read()", *words]
        with subprocess.Popen(
            sleeping, env={**os.environ, **variables}, stdin=subprocess.PIPE, stdout=subprocess.PIPE
        ) as child:
            assert child.stdout is not None
            child.stdout.readline()
            found = [place for place, content in processes_of(os.getpid()) if secrets_in(content)]
            child.communicate()
        assert found == [f"{'command line' if words else 'environment'} of {child.pid}"]


LEAKY = """
import logging
from tests.support.secrets import secret, chap_password

def test_prints():
    print(secret("printed"))

def test_logs():
    logging.getLogger().warning("a password: %s", chap_password())

def test_leaves(tmp_path):
    (tmp_path / "server.log").write_text(secret("left"))

def test_keeps(tmp_path):
    (tmp_path / "heketi.json").write_text(secret("kept"))
    (tmp_path / "heketi.db").write_text(chap_password())

def test_leaves_nothing(tmp_path):
    (tmp_path / "server.log").write_text("all is well")
"""


@pytest.mark.parametrize("workers", ["0", "2"])
def test_a_run_of_tests_fails_for_what_it_leaves(tmp_path: Path, workers: str) -> None:
    (tmp_path / "test_leaky.py").write_text(LEAKY)
    shutil.copy(ROOT / "tests" / "conftest.py", tmp_path)
    left = tmp_path / "left"
    options = ["-q", "-p", "no:cacheprovider", "-n", workers, f"--basetemp={left}", f"--rootdir={tmp_path}", "-rf"]
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-c", "/dev/null", "--import-mode=importlib", *options, tmp_path],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": os.pathsep.join([str(ROOT), *sys.path])},
        capture_output=True,
        text=True,
        check=False,
    )
    shutil.rmtree(left)
    failed = {line.split("::")[1].split(" ")[0] for line in done.stdout.splitlines() if line.startswith("FAILED")}
    assert (done.returncode, failed) == (1, {"test_prints", "test_logs"}), done.stdout
    files = done.stdout.partition("secrets in files")[2]
    assert files.count("server.log: a secret that was given") == 1
    assert "heketi." not in files
    assert secrets_in(done.stdout) == []

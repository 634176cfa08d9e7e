"""A PostgreSQL server for one run of the tests: in a folder of its own, on a unix socket, and thrown away.

Run as a program it starts one, prints its URL, and ends it when its input ends:

    python tests/support/postgresql.py
"""

import ctypes
import functools
import os
import pwd
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import LiteralString

import psycopg

SWITCH = "HEKETIPY_TEST_POSTGRESQL"
"""Environment: 0 leaves PostgreSQL out of the tests."""

_START_LIMIT = 60.0


class NoPostgresqlError(Exception):
    """There is none, and none can be had. The text says why."""


class Server:
    """A running server. Anybody may connect through its socket."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def url(self, database: str = "postgres") -> str:
        """Return the URL of one of its databases."""
        return f"postgresql://postgres@/{database}?host={self._folder}"

    def empty_database(self) -> str:
        """Return the URL of a database with nothing in it. It is the same one each time: making one takes long, and
        takes room."""
        with psycopg.connect(self.url(), autocommit=True) as connection:
            connection.execute(
                "SELECT pg_terminate_backend(pid, 10000) FROM pg_stat_activity"
                " WHERE datname = current_database() AND pid <> pg_backend_pid()"
            )
            connection.execute("DROP SCHEMA public CASCADE")
            connection.execute("CREATE SCHEMA public")
        return self.url()

    def execute(self, statement: LiteralString) -> None:
        """Run a statement, outside of any transaction."""
        with psycopg.connect(self.url(), autocommit=True) as connection:
            connection.execute(statement)


@contextmanager
def server() -> Iterator[Server]:
    """Start a server, installing PostgreSQL where root may do that, and remove all traces of its data afterwards.
    Raises NoPostgresqlError."""
    if os.environ.get(SWITCH) == "0":
        raise NoPostgresqlError(f"{SWITCH} is 0")
    binaries = _binaries() or _installed()
    # Not below pytest's own folders: the path of a unix socket may have 107 bytes only.
    folder = Path(tempfile.mkdtemp(prefix="heketipy-pg-", dir="/tmp"))
    try:
        user = _unprivileged()
        if user is not None:
            os.chown(folder, user.pw_uid, user.pw_gid)
        data = folder / "data"
        initdb = [binaries / "initdb", "-D", data, "-U", "postgres", "-A", "trust", "-E", "UTF8", "--no-sync"]
        # Not the locale C: the order of ids must not depend on the server's locale.
        made = _run_as(user, [*map(str, initdb), "--locale=C.UTF-8"])
        if made.returncode:
            raise NoPostgresqlError(f"initdb failed: {made.stderr.strip()}")
        with _running(binaries, data, folder, user) as log:
            running = Server(folder)
            _wait_until_ready(running, log)
            yield running
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _binaries() -> Path | None:
    """Return the folder of `initdb` and `postgres`, the newest if there are several."""
    places = [Path(folder) for folder in os.environ.get("PATH", "").split(os.pathsep) if folder]
    places += sorted(Path("/usr/lib/postgresql").glob("*/bin"), key=lambda place: place.parent.name, reverse=True)
    found = next((place for place in places if (place / "initdb").exists() and (place / "postgres").exists()), None)
    return None if found is None else (found / "initdb").resolve().parent


def _installed() -> Path:
    if os.geteuid() != 0 or shutil.which("apt-get") is None:
        raise NoPostgresqlError("PostgreSQL is not installed, and only root can install it with apt-get")
    # With RUNLEVEL=1 Debian's package makes no server run.
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive", "RUNLEVEL": "1"}
    for command in (["apt-get", "update"], ["apt-get", "install", "-y", "--no-install-recommends", "postgresql"]):
        done = subprocess.run(command, env=environment, capture_output=True, text=True)
        if done.returncode:
            raise NoPostgresqlError(f"`{' '.join(command)}` failed: {done.stderr.strip()[-300:]}")
    binaries = _binaries()
    if binaries is None:
        raise NoPostgresqlError("the package postgresql has no initdb where one would look for it")
    return binaries


def _unprivileged() -> pwd.struct_passwd | None:
    """Return whom the server runs as; None for ourselves. It refuses to run as root."""
    if os.geteuid() != 0:
        return None
    names = {entry.pw_name: entry for entry in pwd.getpwall()}
    return names.get("postgres") or names["nobody"]


def _become(user: pwd.struct_passwd | None) -> None:
    """Give up root, in a child, and die with the parent."""
    if user is not None:
        os.setgroups([])
        os.setgid(user.pw_gid)
        os.setuid(user.pw_uid)
    set_death_signal = 1
    ctypes.CDLL(None).prctl(set_death_signal, signal.SIGQUIT)


def _run_as(user: pwd.struct_passwd | None, command: list[str]) -> subprocess.CompletedProcess[str]:
    become = functools.partial(_become, user)
    return subprocess.run(command, preexec_fn=become, cwd="/", capture_output=True, text=True)


@contextmanager
def _running(binaries: Path, data: Path, folder: Path, user: pwd.struct_passwd | None) -> Iterator[Path]:
    settings = {
        "listen_addresses": "",
        "unix_socket_directories": str(folder),
        "fsync": "off",
        "max_connections": "200",
        "shared_buffers": "32MB",
    }
    options = [text for name, value in settings.items() for text in ("-c", f"{name}={value}")]
    log = folder / "log"
    become = functools.partial(_become, user)
    with log.open("wb") as output:
        process = subprocess.Popen(
            [binaries / "postgres", "-D", data, *options], preexec_fn=become, cwd="/", stdout=output, stderr=output
        )
    try:
        yield log
    finally:
        # At once: nobody needs its data any more.
        process.send_signal(signal.SIGQUIT)
        try:
            process.wait(_START_LIMIT)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _wait_until_ready(running: Server, log: Path) -> None:
    deadline = time.monotonic() + _START_LIMIT
    while True:
        try:
            return running.execute("SELECT 1")
        except psycopg.OperationalError as error:
            if time.monotonic() > deadline:
                text = log.read_text(errors="replace")[-300:]
                raise NoPostgresqlError(f"the server did not start: {text}") from error
            time.sleep(0.05)


def main() -> None:
    """Start a server for people."""
    with server() as running:
        print(running.url(), flush=True)
        sys.stdin.read()


if __name__ == "__main__":
    main()

"""What programs import, and what not: each of these packages costs a start a good part of a second, or much memory."""

import subprocess
import sys
from pathlib import Path

import asyncssh
import pytest

LIMIT = 60.0

NOTED = """
import sys
print(*sorted(name for name in {noted!r} if name in sys.modules), file=sys.stderr)
"""
SERVER = """
import asyncio
from heketipy.config import ExecutorName, Settings
from heketipy.server.options import ServerOptions
import heketipy.server.run
from heketipy.server.wiring import put_together

async def start():
    async with put_together(ServerOptions(Settings.model_validate({settings!r}), ExecutorName({executor!r}))):
        pass

asyncio.run(start())
"""


def imported(program: str, noted: list[str]) -> list[str]:
    """Return which of some modules a program has imported when it ends."""
    command = [sys.executable, "-c", program + NOTED.format(noted=noted)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=LIMIT)
    assert done.returncode == 0, done.stderr
    return done.stderr.splitlines()[-1].split()


@pytest.mark.parametrize(
    ("program", "noted"),
    [
        ("import heketipy.cli.main", ["pydantic", "sqlalchemy", "fastapi", "uvicorn", "asyncssh", "cryptography"]),
        ("import heketipy.server.main", ["sqlalchemy", "fastapi", "uvicorn", "asyncssh", "cryptography", "httpx"]),
    ],
    ids=["heketi-cli", "a server that may still have to refuse"],
)
def test_what_is_not_needed_yet_is_not_imported(program: str, noted: list[str]) -> None:
    assert imported(program, noted) == []


@pytest.mark.parametrize("executor", ["mock", "ssh"])
def test_a_server_imports_one_way_to_its_nodes_and_no_migrations_for_new_books(executor: str, tmp_path: Path) -> None:
    key = tmp_path / "key"
    asyncssh.generate_private_key("ssh-ed25519").write_private_key(key)
    gluster = {
        "executor": executor,
        "db": str(tmp_path / "heketi.db"),
        "sshexec": {"keyfile": str(key), "user": "root"},
    }
    keys = {"admin": {"key": "a"}, "user": {"key": "u"}}
    program = SERVER.format(settings={"jwt": keys, "glusterfs": gluster}, executor=executor)
    ways = {"mock": "heketipy.executors.simulator", "ssh": "asyncssh"}
    assert imported(program, ["alembic", "httpx", *ways.values()]) == [ways[executor]]

"""`heketi doctor` as a program."""

import re
from pathlib import Path

import pytest

from heketipy.server.doctor_line import DoctorLine, parse
from heketipy.server.heketi_line import WrongLineError
from tests.support.server_process import ServerProcess, add_nodes, configuration, finished
from tests.support.simulated_nodes import SOCKET, simulated_nodes


@pytest.mark.parametrize(
    ("arguments", "line"),
    [
        ([], DoctorLine()),
        (["--config=f"], DoctorLine(config="f")),
        (["--node", "a,b", "--config", "f", "--node=c"], DoctorLine(config="f", nodes=["a", "b", "c"])),
        (["-h"], DoctorLine(help=True)),
    ],
)
def test_its_flags(arguments: list[str], line: DoctorLine) -> None:
    assert parse(arguments) == line


@pytest.mark.parametrize("arguments", [["--node"], ["--nodes=a"], ["-x"], ["nodes"]])
def test_what_it_does_not_understand(arguments: list[str]) -> None:
    with pytest.raises(WrongLineError):
        parse(arguments)


async def test_it_looks_beside_a_server_and_tells_by_its_status_whether_something_is_wrong(tmp_path: Path) -> None:
    config = configuration(tmp_path, simulator={"socket": str(tmp_path / SOCKET)})
    with (
        simulated_nodes(tmp_path) as nodes,
        ServerProcess(["heketi", f"--config={config}", "--disable-auth"], cwd=tmp_path) as server,
        server.client() as http,
    ):
        add_nodes(http)
        done = finished("heketi", "doctor", f"--config={config}", cwd=tmp_path)
        lines = done.stdout.splitlines()
        assert (done.returncode, done.stderr, lines[-1]) == (0, "", "3 nodes: 0 failures, 0 warnings")
        assert all(re.match(r"OK   \S+: [^:]+: \S", line) for line in lines[:-1])
        await nodes.call("add_fault", effect="fail", words=["thin_check"], times=0)
        done = finished("heketipy", "doctor", "--config", config, "--node=another", cwd=tmp_path)
        assert done.returncode == 1
        assert done.stdout.count("\nFAIL ") == 4
        assert "FAIL another: thin_check: simulated failure -> install thin-provisioning-tools" in done.stdout
        assert server.end() == 0


def test_before_there_are_books_it_looks_at_hosts_and_leaves_no_books(tmp_path: Path) -> None:
    config = configuration(tmp_path)
    done = finished("heketi", "doctor", f"--config={config}", "--node=n1", cwd=tmp_path)
    assert (done.returncode, done.stderr) == (0, "")
    assert "OK   n1: pool: in no pool yet\n" in done.stdout
    assert done.stdout.endswith("\n1 node: 0 failures, 0 warnings\n")
    assert not [path.name for path in tmp_path.iterdir() if ".db" in path.name]


def test_it_needs_a_configuration(tmp_path: Path) -> None:
    for program in ("heketi", "heketipy"):
        done = finished(program, "doctor", cwd=tmp_path)
        assert (done.returncode, done.stderr) == (1, "Please provide configuration file\n")
        assert finished(program, "doctor", "--help", cwd=tmp_path).stdout.startswith("looks whether the storage nodes")

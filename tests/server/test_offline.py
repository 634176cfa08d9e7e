"""`heketi offline …` as a program: work without a server, or beside one."""

import json
import signal
import time
from pathlib import Path
from typing import Any

import pytest

from heketipy.server.heketi_line import WrongLineError
from heketipy.server.offline_line import OfflineLine, parse
from heketipy.services.database_volume import OPTIONS
from tests.support.server_process import ServerProcess, add_nodes, configuration, finished, work
from tests.support.simulated_nodes import SOCKET, simulated_nodes

VOLUME = {"size": 1, "durability": {"type": "replicate", "replicate": {"replica": 3}}}


@pytest.fixture
def config(tmp_path: Path) -> Path:
    return configuration(tmp_path, simulator={"socket": str(tmp_path / SOCKET)})


def serve(config: Path) -> list[str | Path]:
    return ["heketi", f"--config={config}", "--disable-auth"]


def offline(folder: Path, *words: str | Path) -> Any:
    return finished("heketi", "offline", *words, cwd=folder)


async def test_what_a_killed_server_left_is_cleaned_up_without_serving(tmp_path: Path, config: Path) -> None:
    with simulated_nodes(tmp_path) as nodes:
        with ServerProcess(serve(config), cwd=tmp_path) as server, server.client() as http:
            add_nodes(http)
            before = await nodes.call("leftovers")
            await nodes.call("add_fault", effect="delay", words=["mkfs.xfs"], seconds=60, times=0)
            http.post("/volumes", json=VOLUME)
            while not any("lvcreate" in argv for _, argv, _ in await nodes.call("history")):
                pass
            server.end(signal.SIGKILL)
        await nodes.call("clear_faults")
        assert await nodes.call("leftovers") != before
        done = offline(tmp_path, "cleanup-operations", f"--config={config}")
        assert (done.returncode, done.stdout.splitlines()[1:]) == (
            0,
            ["OFFLINE COMMAND: Clean All Pending Operations"],
        )
        assert "Starting clean now...\n" in done.stderr
        assert await nodes.call("leftovers") == before
        with ServerProcess(serve(config), cwd=tmp_path) as server, server.client() as http:
            assert http.get("/operations").json()["total"] == 0
            assert server.end() == 0


async def test_what_cannot_be_cleaned_up_now_stays_pending_and_is_counted(tmp_path: Path, config: Path) -> None:
    with simulated_nodes(tmp_path) as nodes:
        with ServerProcess(serve(config), cwd=tmp_path) as server, server.client() as http:
            add_nodes(http)
            volume = work(http, "POST", "/volumes", VOLUME)
            await nodes.call("add_fault", effect="fail", words=["lvremove"], times=0)
            job = http.delete(f"/volumes/{volume['id']}").headers["Location"]
            while http.get(job).headers.get("X-Pending"):
                pass
            assert server.end() == 0
        done = offline(tmp_path, "cleanup-operations", "--config", config)
        assert done.returncode == 0
        assert "Left are 1 pending operations, and 0 that nodes owe\n" in done.stderr


def test_a_database_that_a_server_has_is_not_cleaned_up(tmp_path: Path) -> None:
    config = configuration(tmp_path)
    with ServerProcess(serve(config), cwd=tmp_path) as server:
        server.url()
        start = time.monotonic()
        done = offline(tmp_path, "cleanup-operations", "--config", config)
        assert done.returncode == 1
        assert time.monotonic() - start >= 3
        assert done.stderr.startswith("ERROR: Unable to start application: Unable to open database: ")
        assert str(server.pid) in done.stderr
        assert server.end() == 0


def test_books_that_are_only_looked_at_are_not_cleaned_up(tmp_path: Path) -> None:
    config = configuration(tmp_path)
    with ServerProcess(serve(config), cwd=tmp_path) as server:
        server.url()
        server.end()
    configuration(tmp_path, db_read_only=True)
    done = offline(tmp_path, "cleanup-operations", "--config", config)
    assert done.returncode == 1
    assert done.stderr.endswith("Error cleaning operations: database is in read-only mode\n")


async def test_the_volume_of_the_database_gets_its_options_once_and_beside_a_server(
    tmp_path: Path, config: Path
) -> None:
    with (
        simulated_nodes(tmp_path) as nodes,
        ServerProcess(serve(config), cwd=tmp_path) as server,
        server.client() as http,
    ):
        add_nodes(http)
        for name in ("heketidbstorage", "another"):
            work(http, "POST", "/volumes", {**VOLUME, "name": name})
        set_before = len(await _settings(nodes))
        for words in (
            ("update-dbvol", f"--config={config}"),
            ("update-dbvol", "--config", config),
            ("update-dbvol", f"--config={config}", "--force-volume-name", "another"),
        ):
            done = offline(tmp_path, *words)
            assert (done.returncode, done.stderr) == (0, "")
            assert done.stdout.splitlines()[1:] == ["OFFLINE COMMAND: update dbvol"]
        made = (await _settings(nodes))[set_before:]
        assert made == [(name, *option) for name in ("heketidbstorage", "another") for option in OPTIONS]
        done = offline(tmp_path, "update-dbvol", f"--config={config}", "--force-volume-name=nobody")
        assert (done.returncode, done.stderr) == (1, "Error updating db volume: Volume nobody not found\n")
        server.end()


async def _settings(nodes: Any) -> list[tuple[str, ...]]:
    """Return the options that were set, in order: volume, key and value."""
    return [
        tuple(argv[argv.index("set") + 1 :])
        for _, argv, _ in await nodes.call("history")
        if argv[3:5] == ["volume", "set"]
    ]


def test_what_the_nodes_have_is_printed_between_two_lines(tmp_path: Path) -> None:
    config = configuration(tmp_path)
    with ServerProcess(serve(config), cwd=tmp_path) as server, server.client() as http:
        add_nodes(http)
        work(http, "POST", "/volumes", VOLUME)
        assert server.end() == 0
    done = offline(tmp_path, "state", "examine", "gluster", "--config", config)
    assert done.returncode == 0
    head, _, rest = done.stdout.partition("EXAMINER_OUTPUT_STARTS\n")
    assert head.splitlines()[1:] == ["OFFLINE COMMAND: Examine state of Gluster", "Starting examiner now..."]
    text, _, end = rest.partition("EXAMINER_OUTPUT_ENDS\n")
    assert end == ""
    found = json.loads(text)
    assert found["report"] == ["heketi volume list matches with volume list of all nodes"]
    assert len(found["clusters"][0]["NodesData"]) == 3
    assert len(found["heketidb"]["volumeentries"]) == 1


@pytest.mark.parametrize(
    ("words", "status", "stderr"),
    [
        (["cleanup-operations"], 1, "Configuration file is required\n"),
        (
            ["update-dbvol", "--config", "absent"],
            1,
            "ERROR: Unable to open config file absent: open absent: no such file or directory\n",
        ),
        (["cleanup-operations", "--bogus"], 255, "Error: unknown flag: --bogus\n"),
        (["cleanup-operations", "--config"], 255, "Error: flag needs an argument: --config\n"),
    ],
)
def test_what_is_wrong_is_told_in_heketis_words(tmp_path: Path, words: list[str], status: int, stderr: str) -> None:
    done = offline(tmp_path, *words)
    assert (done.returncode, done.stderr) == (status, stderr)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("program", ["heketi", "heketipy"])
@pytest.mark.parametrize("words", [[], ["state"], ["state", "examine"], ["zz"], ["cleanup-operations", "--help"]])
def test_help_is_shown_where_nothing_is_to_be_done(tmp_path: Path, program: str, words: list[str]) -> None:
    done = finished(program, "offline", *words, cwd=tmp_path)
    assert done.returncode == 0
    assert "cleanup-operations" in done.stdout


@pytest.mark.parametrize(
    ("words", "line"),
    [
        ("cleanup-operations --config=f", OfflineLine("cleanup-operations", "f")),
        ("--config f state examine gluster", OfflineLine("examine", "f")),
        ("update-dbvol --force-volume-name n --config f", OfflineLine("update-dbvol", "f", "n")),
        ("update-dbvol extra --config f", OfflineLine("", "f")),
    ],
)
def test_flags_are_read_wherever_they_stand(words: str, line: OfflineLine) -> None:
    assert parse(words.split()) == line


def test_an_unknown_letter_is_refused() -> None:
    with pytest.raises(WrongLineError, match="unknown shorthand flag: 'x' in -x"):
        parse(["-x"])

"""Fault injection by heketi's configuration, in a server that is a process of its own."""

import json
import re
from pathlib import Path
from typing import Any

import httpx

from tests.support.server_process import ServerProcess, add_nodes, configuration, outcome, work
from tests.support.simulated_nodes import SOCKET, simulated_nodes

VOLUME = {"size": 1, "durability": {"type": "replicate", "replicate": {"replica": 3}}}


def injecting(folder: Path, *commands: Any, results: Any = (), **gluster: Any) -> list[str | Path]:
    """Return the command of a server into which faults are injected."""
    injection = {"command_injection": {"commands": list(commands), "results": list(results)}}
    options: dict[str, Any] = {"simulator": {"socket": str(folder / SOCKET)}, **gluster}
    config = configuration(folder, executor="inject/mock", injectexec=injection, **options)
    return ["heketi", f"--config={config}", "--disable-auth"]


def failure(http: httpx.Client, path: str, body: object) -> str:
    """Ask for something that fails, and return why."""
    job = http.post(path, json=body).headers["Location"]
    while (poll := http.get(job)).headers.get("X-Pending"):
        pass
    assert poll.status_code == 500
    return poll.text


async def test_a_create_fails_as_configured_while_the_file_is_there_and_leaves_nothing(tmp_path: Path) -> None:
    flag = tmp_path / "flag"
    hook = {"Cmd": "(^| )lvcreate.*", "CondFile": str(flag), "Reaction": {"Err": "fooey"}}
    with simulated_nodes(tmp_path) as nodes:
        with ServerProcess(injecting(tmp_path, hook), cwd=tmp_path) as server, server.client() as http:
            add_nodes(http)
            before = await nodes.call("leftovers")
            flag.touch()
            assert failure(http, "/volumes", VOLUME) == "fooey\n"
            assert http.get("/volumes").json() == {"volumes": []}
            assert await nodes.call("leftovers") == before
            flag.unlink()
            assert work(http, "POST", "/volumes", VOLUME)["size"] == 1
            assert server.end() == 0
        assert "faults are injected" in server.log


async def test_a_panic_ends_the_server_and_the_next_one_puts_everything_right(tmp_path: Path) -> None:
    hook = {"Cmd": ".*add-brick .*", "Reaction": {"Panic": "boom"}}
    with simulated_nodes(tmp_path) as nodes:
        with ServerProcess(injecting(tmp_path, hook), cwd=tmp_path) as server, server.client() as http:
            add_nodes(http)
            volume = work(http, "POST", "/volumes", VOLUME)
            before = await nodes.call("leftovers")
            job = http.post(f"/volumes/{volume['id']}/expand", json={"expand_size": 1}).headers["Location"]
            assert server.status() == 2
        assert "panic: boom" in server.lines
        assert await nodes.call("leftovers") != before
        with ServerProcess(injecting(tmp_path), cwd=tmp_path) as server, server.client() as http:
            while http.get(job).headers.get("X-Pending"):
                pass
            assert http.get(f"/volumes/{volume['id']}").json() == volume
            assert await nodes.call("leftovers") == before
            assert server.end() == 0


def test_a_hook_behind_a_command_replaces_what_it_left(tmp_path: Path) -> None:
    hook = {"Cmd": "volume start", "Result": "", "Reaction": {"Err": "it did not start"}}
    command = injecting(tmp_path, results=[hook], simulator={}, operation_retry_limits={"volume_create": 1})
    with ServerProcess(command, cwd=tmp_path) as server, server.client() as http:
        add_nodes(http)
        assert failure(http, "/volumes", VOLUME) == "it did not start\n"
        assert server.end() == 0


def test_a_recorded_configuration_works_as_it_stands_and_what_is_no_expression_in_it_is_named(tmp_path: Path) -> None:
    hooks = [
        {"Cmd": ".* volume set .*", "CondFile": "", "Reaction": {"ErrOutput": "100% bad", "ExitStatus": 3}},
        {"Cmd": "(invalid", "Reaction": {"Err": "never", "Pause": 0, "ForceErr": False}},
    ]
    with ServerProcess(injecting(tmp_path, *hooks, simulator={}), cwd=tmp_path) as server, server.client() as http:
        line = server.line("a hook is no regular expression")
        assert re.search(r"commands\[1\].*\(invalid", line)
        add_nodes(http)
        assert failure(http, "/volumes", VOLUME) == "100% bad\n"
        assert server.end() == 0


def test_an_environment_variable_switches_injection_off(tmp_path: Path) -> None:
    command = injecting(tmp_path, {"Cmd": "lvcreate", "Reaction": {"Err": "fooey"}}, simulator={})
    with ServerProcess(command, cwd=tmp_path, HEKETI_EXECUTOR="mock") as server, server.client() as http:
        add_nodes(http)
        job = http.post("/volumes", json=VOLUME).headers["Location"]
        assert outcome(http, job)["size"] == 1
        assert json.loads(server.line("glusterfs.injectexec has no effect"))
        assert server.end() == 0

"""The script of a batch, run by real shells."""

import fcntl
import os
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from heketipy.executors.script import Refusal, Report, script
from heketipy.executors.transport import Batch, Command, Fence, Lane, Result

MARK = "mark-0123456789"
LIMIT = 30.0
TORTURE = (
    "it's",
    'a "quoted" word',
    "$(touch INJECTED)",
    "`touch INJECTED`",
    "; touch INJECTED #",
    "$HOME ${PATH}",
    "a\nb\n",
    "*",
    "~",
    "\\",
    "\\n",
    "-n",
    "",
    "\t",
    "ünï©ødé 磁碟",
    "!history",
    "'''",
    f"\n{MARK} done\n",
)


@pytest.fixture(params=["dash", "bash"])
def shell(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    path = tmp_path / "state"
    path.mkdir(mode=0o700)
    return path


def batch(*argvs: tuple[str, ...], fence: Fence | None = None, lane: Lane = Lane.READ, **more: Any) -> Batch:
    return Batch(tuple(Command(argv, **more) for argv in argvs), lane, fence=fence)


def text_of(batch: Batch, directory: Path | str, **more: Any) -> str:
    return script(batch, mark=MARK, directory=str(directory), **{"lock_wait": LIMIT, **more})


def run(shell: str, batch: Batch, directory: Path, *, cwd: Path | None = None, env: Any = None, **more: Any) -> Report:
    done = subprocess.run(
        [shell],
        input=text_of(batch, directory, **more).encode(),
        capture_output=True,
        timeout=LIMIT,
        check=False,
        cwd=cwd,
        env=env,
    )
    assert done.stderr == b"" or b"Killed" in done.stderr or b"setlocale" in done.stderr
    report = Report(MARK)
    report.feed(done.stdout)
    assert list(directory.glob("run.*")) == []
    return report


def test_status_and_both_outputs_of_each_command_come_back(shell: str, directory: Path) -> None:
    noisy = ("sh", "-c", "printf 'out\n\n'; printf '  err' >&2; exit 7")
    report = run(shell, batch(("true",), ("echo", "hello"), noisy, tolerated=True), directory)
    assert report.began
    assert report.done
    assert report.results == [Result(0), Result(0, "hello\n"), Result(7, "out\n\n", "  err")]


def test_the_first_failure_that_is_not_tolerated_ends_the_batch(shell: str, directory: Path) -> None:
    commands = (
        Command(("false",), tolerated=True),
        Command(("sh", "-c", "exit 3")),
        Command(("touch", str(directory / "ran"))),
    )
    report = run(shell, Batch(commands), directory)
    assert report.done
    assert [result.status for result in report.results] == [1, 3]
    assert not (directory / "ran").exists()


def test_no_word_reaches_the_shell_unquoted(shell: str, directory: Path, tmp_path: Path) -> None:
    show = ("sh", "-c", 'for word; do printf "%s\\0" "$word"; done', "-")
    report = run(shell, batch((*show, *TORTURE)), directory, cwd=tmp_path)
    assert report.results == [Result(0, "".join(f"{word}\0" for word in TORTURE))]
    assert not (tmp_path / "INJECTED").exists()


@pytest.mark.parametrize("text", TORTURE)
def test_stdin_arrives_as_it_is(shell: str, directory: Path, tmp_path: Path, text: str) -> None:
    report = run(shell, batch(("cat",), ("cat",), stdin=text), directory, cwd=tmp_path)
    assert report.results == [Result(0, text), Result(0, text)]
    assert not (tmp_path / "INJECTED").exists()


@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    words=st.lists(st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0")), max_size=5),
    stdin=st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0")),
)
def test_any_words_survive_the_shell(directory: Path, words: list[str], stdin: str) -> None:
    show = ("sh", "-c", 'cat; for word; do printf "%s\\0" "$word"; done', "-")
    report = run("dash", batch((*show, *words), stdin=stdin), directory)
    assert report.results == [Result(0, stdin + "".join(f"{word}\0" for word in words))]


def test_outputs_of_any_bytes_and_of_any_size_come_back(shell: str, directory: Path) -> None:
    report = run(
        shell,
        batch(("printf", "\\377\\001\\r\\n"), ("head", "-c", "3000000", "/dev/zero"), ("cat", "/proc/self/environ")),
        directory,
        env={"PATH": os.environ["PATH"], "X": f"\n{MARK} end\n{MARK} done"},
    )
    assert report.results[0].stdout == "\ufffd\x01\r\n"
    assert report.results[1].stdout == "\0" * 3_000_000
    assert f"{MARK} done" in report.results[2].stdout


def test_greetings_of_login_shells_are_passed_over(shell: str, directory: Path) -> None:
    text = text_of(batch(("echo", "hello")), directory)
    done = subprocess.run(
        [shell, "-c", f"printf 'Welcome to node1\n***'; exec {shell}"],
        input=text.encode(),
        capture_output=True,
        timeout=LIMIT,
        check=True,
    )
    report = Report(MARK)
    for byte in done.stdout:
        report.feed(bytes([byte]))
    assert report.results == [Result(0, "hello\n")]


def test_a_script_that_was_cut_off_does_nothing(shell: str, directory: Path) -> None:
    text = text_of(batch(("touch", str(directory / "ran"))), directory)
    whole = text.rstrip("\n")
    for end in [*range(0, len(whole) - 12, 97), *range(len(whole) - 40, len(whole) - len("eketipy </dev/null"))]:
        subprocess.run([shell], input=text[:end].encode(), capture_output=True, timeout=LIMIT, check=False)
        assert not (directory / "ran").exists(), text[:end][-40:]


def test_a_command_is_ended_at_its_limit(shell: str, directory: Path) -> None:
    report = run(shell, batch(("sleep", "1000"), timeout=0.2), directory)
    assert report.results == [Result(124)]
    assert report.results[0].text == "SSH command timeout"


def test_a_command_ended_by_a_signal_says_so(shell: str, directory: Path) -> None:
    report = run(shell, batch(("sh", "-c", "kill -KILL $$")), directory)
    assert report.results[0].text == "Process exited with status 137 from signal KILL"


def test_a_missing_program_is_a_failure_of_its_own(shell: str, directory: Path) -> None:
    report = run(shell, batch(("no-such-program", "x")), directory)
    assert report.results[0].status == 127
    assert "no-such-program" in report.results[0].stderr


def test_commands_inherit_no_descriptor_of_ours(shell: str, directory: Path) -> None:
    look = ("sh", "-c", "ls /proc/$$/fd; readlink /proc/$$/fd/0")
    report = run(shell, batch(look, fence=Fence("a", 1), lane=Lane.BRICKS), directory)
    assert report.results == [Result(0, "0\n1\n2\n/dev/null\n")]


def test_our_own_tools_do_not_come_from_the_path(shell: str, directory: Path, tmp_path: Path) -> None:
    shims = tmp_path / "shims"
    shims.mkdir()
    for name in ("mkdir", "rm", "id", "find", "flock", "timeout", "base64", "head", "mktemp"):
        (shims / name).write_text(f"#!/bin/sh\necho shim of {name}\n")
        (shims / name).chmod(0o755)
    report = run(
        shell,
        batch(("mkdir", "x"), ("rm", "x"), fence=Fence("a", 1), lane=Lane.BRICKS),
        directory,
        env={"PATH": f"{shims}:/usr/bin:/bin"},
    )
    assert report.results == [Result(0, "shim of mkdir\n"), Result(0, "shim of rm\n")]


def test_messages_of_tools_are_in_english(shell: str, directory: Path) -> None:
    report = run(shell, batch(("rmdir", "/nope")), directory, env={"PATH": os.environ["PATH"], "LC_ALL": "de_DE.UTF-8"})
    assert report.results[0].stderr == "rmdir: failed to remove '/nope': No such file or directory\n"


def test_a_lower_epoch_is_refused_for_its_operation_alone(shell: str, directory: Path) -> None:
    ran = directory / "ran"
    touch = ("touch", str(ran))
    assert run(shell, batch(("true",), fence=Fence("a", 7)), directory).done
    late = run(shell, batch(touch, fence=Fence("a", 6)), directory)
    assert (late.began, late.refusal, late.reason) == (False, Refusal.SUPERSEDED, "7")
    assert not ran.exists()
    assert run(shell, batch(("true",), fence=Fence("b", 1)), directory).done
    assert run(shell, batch(touch, fence=Fence("a", 7)), directory).done
    assert run(shell, batch(touch, fence=Fence("a", 1)), directory, node="n2").done
    assert ran.exists()


@pytest.fixture
def survivor(directory: Path) -> Iterator[subprocess.Popen[bytes]]:
    """A batch whose first command ends when `directory/go` is written to; its second one would make `directory/ran`."""
    os.mkfifo(directory / "go")
    argvs = (("cat", str(directory / "go")), ("touch", str(directory / "ran")))
    process = subprocess.Popen(["dash"], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    assert process.stdin is not None
    process.stdin.write(text_of(batch(*argvs, fence=Fence("a", 1), timeout=LIMIT), directory).encode())
    process.stdin.close()
    assert process.stdout is not None
    while process.stdout.readline() != f"{MARK} begin\n".encode():
        pass
    yield process
    process.stdout.close()
    process.wait(LIMIT)


def test_a_lock_that_is_held_is_waited_for_in_vain(
    shell: str, directory: Path, survivor: subprocess.Popen[bytes]
) -> None:
    report = run_beside(shell, batch(("true",), fence=Fence("a", 2)), directory, lock_wait=0.2)
    assert report.refusal is Refusal.BUSY
    (directory / "go").write_text("")


def run_beside(shell: str, batch: Batch, directory: Path, **more: Any) -> Report:
    done = subprocess.run(
        [shell], input=text_of(batch, directory, **more).encode(), capture_output=True, timeout=LIMIT, check=False
    )
    report = Report(MARK)
    report.feed(done.stdout)
    return report


def test_a_survivor_ends_its_command_under_the_lock_and_begins_no_other(
    shell: str, directory: Path, survivor: subprocess.Popen[bytes]
) -> None:
    assert survivor.stdout is not None
    survivor.stdout.close()
    with (directory / "a.lock").open("rb") as lock, pytest.raises(BlockingIOError):
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    heir = subprocess.Popen([shell], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    assert heir.stdin is not None
    heir.stdin.write(text_of(batch(("echo", "mine"), fence=Fence("a", 2)), directory).encode())
    heir.stdin.close()
    heir.stdin = None
    (directory / "go").write_text("")
    out, _ = heir.communicate(timeout=LIMIT)
    report = Report(MARK)
    report.feed(out)
    assert report.results == [Result(0, "mine\n")]
    survivor.wait(LIMIT)
    assert not (directory / "ran").exists()


def test_a_hangup_does_not_end_a_command(directory: Path, survivor: subprocess.Popen[bytes]) -> None:
    assert survivor.stdout is not None
    survivor.send_signal(signal.SIGHUP)
    (directory / "go").write_text("here")
    report = Report(MARK)
    report.feed(survivor.stdout.read())
    assert report.results[0] == Result(0, "here")
    assert report.done


def test_two_batches_of_the_bricks_lane_take_turns(shell: str, directory: Path) -> None:
    count = directory / "count"
    step = ("sh", "-c", f"n=$(cat {count}); sleep 0.01; echo $((n + 1)) >{count}")
    count.write_text("0")
    processes = []
    for number in range(8):
        process = subprocess.Popen([shell], stdin=subprocess.PIPE, stdout=subprocess.DEVNULL)
        assert process.stdin is not None
        process.stdin.write(
            text_of(batch(step, step, fence=Fence(f"op{number}", 1), lane=Lane.BRICKS), directory).encode()
        )
        process.stdin.close()
        processes.append(process)
    for process in processes:
        assert process.wait(LIMIT) == 0
    assert count.read_text() == "16\n"


def test_a_daemon_does_not_keep_the_lock(shell: str, directory: Path) -> None:
    pids = directory / "pid"
    spawn = ("sh", "-c", f"sleep 1000 & echo $! >{pids}")
    try:
        assert run(shell, batch(spawn, fence=Fence("a", 1)), directory).done
        assert run(shell, batch(("true",), fence=Fence("a", 2)), directory, lock_wait=0.5).done
    finally:
        os.kill(int(pids.read_text()), signal.SIGKILL)


def test_a_lock_file_that_was_swept_away_is_taken_anew(shell: str, directory: Path) -> None:
    old = directory / "old.lock"
    old.write_text("3\n")
    os.utime(old, (0, 0))
    held = directory / "held.lock"
    held.write_text("3\n")
    os.utime(held, (0, 0))
    with held.open("rb") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        assert run(shell, batch(("true",), fence=Fence("a", 1)), directory).done
        assert old.exists(), "not every operation clears away"
        assert run(shell, batch(("true",), fence=Fence("0a", 1)), directory).done
    assert sorted(path.name for path in directory.glob("*.lock")) == ["0a.lock", "a.lock", "held.lock"]


def test_an_operation_keeps_its_own_old_lock(shell: str, directory: Path) -> None:
    own = directory / "0a.lock"
    own.write_text("3\n")
    os.utime(own, (0, 0))
    report = run(shell, batch(("true",), fence=Fence("0a", 2)), directory)
    assert report.refusal is Refusal.SUPERSEDED


@pytest.mark.parametrize("kind", ["symlink", "missing parent", "file"])
def test_a_directory_that_is_not_ours_is_refused(shell: str, tmp_path: Path, kind: str) -> None:
    place = tmp_path / "place"
    match kind:
        case "symlink":
            (tmp_path / "elsewhere").mkdir()
            place.symlink_to(tmp_path / "elsewhere")
        case "missing parent":
            place = tmp_path / "none" / "place"
        case "file":
            place.write_text("")
    report = run_beside(shell, batch(("touch", str(tmp_path / "ran"))), place)
    assert (report.began, report.refusal) == (False, Refusal.BROKEN)
    assert "no directory of our own" in report.reason
    assert not (tmp_path / "ran").exists()


@pytest.mark.skipif(os.geteuid() != 0, reason="needs root to become somebody else")
@pytest.mark.parametrize("owner", [0, 65534])
def test_another_user_keeps_the_locks_at_home(shell: str, tmp_path: Path, owner: int) -> None:
    home = Path(subprocess.check_output(["mktemp", "-d"], text=True).strip())
    try:
        os.chown(home, 65534, 65534)
        if owner == 0:
            (home / ".heketipy").mkdir(mode=0o777)
        text = script(batch(("id", "-u"), fence=Fence("a", 1)), mark=MARK, lock_wait=1)
        done = subprocess.run(
            [shell],
            input=text.encode(),
            capture_output=True,
            env={"HOME": str(home)},
            user=65534,
            group=65534,
            check=False,
        )
        report = Report(MARK)
        report.feed(done.stdout)
        if owner == 0:
            assert report.refusal is Refusal.BROKEN
        else:
            assert report.results == [Result(0, "65534\n")]
            assert (home / ".heketipy").stat().st_mode & 0o777 == 0o700
    finally:
        subprocess.run(["rm", "-rf", str(home)], check=True)


@pytest.mark.parametrize("may_limit", [True, False])
def test_sudo_stands_before_commands_and_never_before_a_shell(
    shell: str, directory: Path, tmp_path: Path, may_limit: bool
) -> None:
    calls = tmp_path / "calls"
    sudo = tmp_path / "bin" / "sudo"
    sudo.parent.mkdir()
    sudo.write_text(
        f'#!/bin/sh\necho "$*" >>{calls}\n[ "$1" = -n ] || exit 9\nshift\n'
        f'if [ "$1" = -l ]; then exit {0 if may_limit else 1}; fi\nexec "$@"\n'
    )
    sudo.chmod(0o755)
    report = run(
        shell,
        batch(("echo", "a b"), ("sh", "-c", "exit 4"), timeout=5),
        directory,
        sudo=True,
        env={"PATH": f"{sudo.parent}:/usr/bin:/bin"},
    )
    assert report.results == [Result(0, "a b\n"), Result(4)]
    asked, *ran = calls.read_text().splitlines()
    assert asked in {"-n -l /usr/bin/timeout", "-n -l /bin/timeout"}
    limit = f"{asked.removeprefix('-n -l ')} -k 10 5 " if may_limit else ""
    assert ran == [f"-n {limit}echo a b", f"-n {limit}sh -c exit 4"]


@pytest.mark.parametrize("name", ["", "../x", "a/b", "-x", ".x", "a b", "a\n"])
def test_an_operation_that_names_no_file_is_refused(name: str) -> None:
    with pytest.raises(ValueError, match="no name for a lock"):
        script(batch(("true",), fence=Fence(name, 1)), mark=MARK, lock_wait=1)


@pytest.mark.parametrize("command", [Command(()), Command(("a\0b",)), Command(("a",), stdin="\0")])
def test_a_word_that_no_process_can_be_given_is_refused(command: Command) -> None:
    with pytest.raises(ValueError, match="NUL"):
        script(Batch((command,)), mark=MARK, lock_wait=1)


@pytest.mark.parametrize(
    "output",
    [
        b"\nM result 0 0\nnot base64!\nM end\n",
        b"x" * 2_000_000,
        b"\nM result 0 0\n" + b"A" * 900_000 + b"\n" + b"\n".join([b"A" * 900_000] * 20),
    ],
)
def test_what_cannot_be_a_report_is_refused(output: bytes) -> None:
    with pytest.raises(ValueError, match=r"not readable|without end"):
        Report("M").feed(output)

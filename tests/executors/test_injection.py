"""Injected faults: hooks at single commands, though those travel in batches."""

import asyncio
from collections.abc import Sequence
from pathlib import Path
from typing import NoReturn

import pytest
from structlog.testing import capture_logs

from heketipy.domain.errors import NodeUnreachable
from heketipy.executors.go_expressions import compile_go
from heketipy.executors.injection import Hook, Injected, Reaction
from heketipy.executors.simulator import Effect, Fault, Simulator, SimulatorTransport, on
from heketipy.executors.transport import Batch, Command, Fence, Lane, Result
from tests.executors.simulator.conftest import ADDRESSES
from tests.support.secrets import secret

FIRST = ADDRESSES[0]
FAILS = Reaction(err="fooey")


@pytest.fixture
def simulator() -> Simulator:
    made = Simulator(seed=3)
    made.add_node(FIRST.manage, FIRST.storage, disks_gib={"/dev/vdb": 100})
    return made


class Counting:
    """Counts the pieces in which batches arrive."""

    def __init__(self, simulator: Simulator) -> None:
        self.inner = SimulatorTransport(simulator)
        self.pieces: list[Batch] = []

    async def run(self, node: object, batch: Batch) -> Sequence[Result]:
        self.pieces.append(batch)
        return await self.inner.run(FIRST, batch)

    async def close(self) -> None:
        await self.inner.close()

    @property
    def lines(self) -> list[list[str]]:
        """The commands that were run, piece by piece."""
        return [[" ".join(command.argv) for command in piece.commands] for piece in self.pieces]


@pytest.fixture
def transport(simulator: Simulator) -> Counting:
    return Counting(simulator)


def batch(*lines: str, tolerated: Sequence[str] = (), fence: Fence | None = None) -> Batch:
    commands = [Command(tuple(line.split()), tolerated=line in tolerated) for line in lines]
    return Batch(tuple(commands), Lane.BRICKS, "x", fence)


async def run(transport: Counting, given: Batch, *before: Hook, behind: Sequence[Hook] = ()) -> Sequence[Result]:
    return await Injected(transport, commands=before, results=behind).run(FIRST, given)


async def test_a_batch_that_no_hook_is_about_is_one_round_trip(transport: Counting) -> None:
    given = batch("mkdir /a", "mkdir /b", fence=Fence("op", 3))
    assert [r.status for r in await run(transport, given, Hook("lvcreate", FAILS))] == [0, 0]
    assert transport.pieces == [given]


async def test_what_stands_before_has_run_what_is_hooked_has_not_and_its_failure_ends_the_batch(
    transport: Counting, simulator: Simulator
) -> None:
    given = batch("mkdir /a", "mkdir /b", "mkdir /c", fence=Fence("op", 3))
    results = await run(transport, given, Hook("mkdir /b", FAILS))
    assert results == [Result(0), Result(1, stderr="fooey", cause="fooey")]
    assert transport.lines == [["mkdir /a"]]
    assert transport.pieces[0].fence == given.fence
    assert transport.pieces[0].lane is Lane.BRICKS
    assert not simulator.execute(FIRST.manage, ["test", "-d", "/b"]).ok


async def test_a_failure_that_is_tolerated_and_a_success_let_the_batch_go_on(transport: Counting) -> None:
    given = batch("mkdir /a", "mkdir /b", "mkdir /c", "mkdir /d", tolerated=["mkdir /b"])
    results = await run(transport, given, Hook("/b", FAILS), Hook("/c", Reaction(result="made")))
    assert [(r.status, r.stdout) for r in results] == [(0, ""), (1, ""), (0, "made"), (0, "")]
    assert transport.lines == [["mkdir /a"], ["mkdir /d"]]


async def test_a_batch_that_failed_by_itself_never_comes_to_its_hook(transport: Counting) -> None:
    results = await run(transport, batch("mkdir /a", "mkdir /a", "mkdir /b"), Hook("mkdir /b", FAILS))
    assert [r.status for r in results] == [0, 1]


async def test_hooks_are_searched_in_each_single_command_and_the_first_that_fits_is_taken(transport: Counting) -> None:
    hooks = (Hook("^dir", FAILS), Hook("(^| )/b$", Reaction(err="first")), Hook("mkdir .*", Reaction(err="second")))
    given = batch("test -d /", "mkdir /b", "mkdir /a", tolerated=["mkdir /b"])
    assert [r.stderr for r in await run(transport, given, *hooks)] == ["", "first", "second"]


async def test_a_hook_looks_at_commands_in_heketis_form(transport: Counting) -> None:
    device = ("/usr/sbin/lvm", "pvcreate", "/dev/vdb")
    given = Batch((Command(device),))
    assert (await run(transport, given, Hook("pvcreate '/dev/vdb'$", FAILS)))[0].stderr == "fooey"


async def test_a_hook_takes_effect_only_while_its_file_is_there(transport: Counting, tmp_path: Path) -> None:
    flag = tmp_path / "flag"
    injected = Injected(transport, commands=[Hook("true", FAILS, condition=str(flag)), Hook("true", Reaction("late"))])
    answers = []
    for there in (False, True, False):
        flag.touch() if there else flag.unlink(missing_ok=True)
        answers += await injected.run(FIRST, batch("true"))
    assert [(r.status, r.stdout) for r in answers] == [(0, "late"), (1, ""), (0, "late")]


async def test_the_file_is_looked_for_when_the_command_is_about_to_run(transport: Counting, tmp_path: Path) -> None:
    flag = tmp_path / "flag"

    class Making(Counting):
        async def run(self, node: object, batch: Batch) -> Sequence[Result]:
            flag.touch()
            return await super().run(node, batch)

    making = Making(transport.inner.simulator)
    results = await run(making, batch("mkdir /a", "mkdir /b"), Hook("/b", FAILS, condition=str(flag)))
    assert [r.stderr for r in results] == ["", "fooey"]


@pytest.mark.parametrize(
    ("reaction", "result", "text"),
    [
        (Reaction(), Result(0), None),
        (Reaction(result="out"), Result(0, "out"), None),
        (Reaction(err="bad"), Result(1, "", "bad", "bad"), "bad"),
        (Reaction(err="bad", result="out", exit_status=7), Result(7, "out", "bad", "bad"), "bad"),
        (Reaction(err="bad", err_output="printed"), Result(1, "", "printed", "bad"), "printed"),
        (Reaction(err="bad", force_err_output=True), Result(1, "", "", "bad"), "bad"),
        (Reaction(exit_status=3), Result(3), "Process exited with status 3"),
        (Reaction(err_output="warned"), Result(0, "", "warned"), None),
        (Reaction(err_output="100% bad", exit_status=3, force_err=True), Result(3, "", "100% bad"), "100% bad"),
        (Reaction(force_err=True), Result(1), "Process exited with status 1"),
        (Reaction(result="{}", force_err=True, force_err_output=True), Result(1, "{}"), "Process exited with status 1"),
    ],
)
async def test_a_reaction_answers_as_its_members_say(
    transport: Counting, reaction: Reaction, result: Result, text: str | None
) -> None:
    (answer,) = await run(transport, batch("true"), Hook("true", reaction))
    assert answer == result
    assert answer.ok is (text is None)
    assert text is None or answer.text == text


@pytest.mark.looptime
async def test_a_reaction_takes_its_time(transport: Counting) -> None:
    loop = asyncio.get_running_loop()
    start = loop.time()
    await run(transport, batch("true"), Hook("true", Reaction(pause=2)))
    assert loop.time() - start == pytest.approx(2, abs=0.1)


class Crashed(BaseException):
    """Stands for the end of the process."""


async def test_a_panic_comes_before_its_command_and_after_its_pause(transport: Counting) -> None:
    def crash(text: str) -> NoReturn:
        raise Crashed(text)

    hook = Hook("mkdir /b", Reaction(err="bad", panic="boom"))
    with pytest.raises(Crashed, match="boom"):
        await Injected(transport, commands=[hook], crash=crash).run(FIRST, batch("mkdir /a", "mkdir /b", "mkdir /c"))
    assert transport.lines == [["mkdir /a"]]


async def test_behind_a_command_hooks_see_it_and_what_it_left_and_it_has_run(
    transport: Counting, simulator: Simulator
) -> None:
    hooks = (
        Hook("mkdir", FAILS, result="no such output"),
        Hook("cat", FAILS, result="."),
        Hook("mkdir /b", Reaction(err="thwack!"), result=".*"),
    )
    results = await run(transport, batch("mkdir /a", "mkdir /b", "mkdir /c"), behind=hooks)
    assert [r.stderr for r in results] == ["", "thwack!"]
    assert transport.lines == [["mkdir /a"], ["mkdir /b"]]
    assert simulator.execute(FIRST.manage, ["test", "-d", "/b"]).ok


@pytest.mark.parametrize(
    ("line", "expression"),
    [("hostname", "^manage1\n$"), ("mkdir /", "^Process exited with status 1$"), ("echo", "")],
)
async def test_what_a_command_left_is_what_it_printed_or_why_it_failed(
    transport: Counting, line: str, expression: str
) -> None:
    (answer,) = await run(transport, batch(line), behind=[Hook("", Reaction("instead"), result=expression)])
    assert answer == Result(0, "instead")


async def test_a_failure_that_is_replaced_by_a_success_lets_the_batch_go_on(transport: Counting) -> None:
    results = await run(
        transport, batch("mkdir /", "mkdir /a"), behind=[Hook("mkdir /$", Reaction("fine"), result="status 1")]
    )
    assert [r.status for r in results] == [0, 0]


async def test_a_batch_that_fails_before_the_command_is_not_looked_at_behind_it(transport: Counting) -> None:
    hook = Hook("mkdir /c", Reaction("fine"), result="")
    results = await run(transport, batch("mkdir /a", "mkdir /", "mkdir /c"), behind=[hook])
    assert [r.ok for r in results] == [True, False]


@pytest.mark.parametrize("lost", ["before anything ran", "in the middle"])
async def test_a_node_that_is_lost_between_two_pieces_was_reached(
    transport: Counting, simulator: Simulator, lost: str
) -> None:
    class Losing(Counting):
        async def run(self, node: object, batch: Batch) -> Sequence[Result]:
            if self.pieces or lost == "before anything ran":
                simulator.node_down(FIRST.manage)
            return await super().run(node, batch)

    hook = Hook("mkdir /b", Reaction("hooked"))
    with pytest.raises(NodeUnreachable) as caught:
        await run(Losing(simulator), batch("mkdir /a", "mkdir /b", "mkdir /c"), hook)
    assert caught.value.sent is (lost == "in the middle")


async def test_a_connection_that_is_lost_stays_so(transport: Counting, simulator: Simulator) -> None:
    simulator.faults.add(Fault(Effect.LOSE, on("mkdir /a")))
    with pytest.raises(NodeUnreachable) as caught:
        await run(transport, batch("mkdir /a"), behind=[Hook("mkdir", FAILS, result="")])
    assert caught.value.sent


async def test_what_is_no_regular_expression_is_named_and_never_matches(transport: Counting) -> None:
    with capture_logs() as lines:
        injected = Injected(
            transport,
            commands=[Hook("x", FAILS), Hook("(invalid", FAILS)],
            results=[Hook("true", FAILS, result="[z-a]")],
        )
    assert [(line["setting"], line["expression"]) for line in lines] == [
        ("glusterfs.injectexec.command_injection.commands[1]", "(invalid"),
        ("glusterfs.injectexec.command_injection.results[0]", "true / [z-a]"),
    ]
    assert "unterminated subpattern" in lines[0]["reason"]
    assert (await injected.run(FIRST, batch("true")))[0].ok


async def test_what_is_injected_is_told_but_no_secret(transport: Counting) -> None:
    given = Batch((Command(("echo", secret("word")), tolerated=True, secret=True), Command(("echo", "open"))))
    with capture_logs() as lines:
        await run(transport, given, Hook("echo", FAILS))
    assert [line["command"] for line in lines] == ["echo", "echo open"]


async def test_an_empty_batch_stays_one(transport: Counting) -> None:
    injected = Injected(transport, commands=[Hook("", FAILS)])
    assert await injected.run(FIRST, Batch((), fence=Fence("op", 1))) == []
    assert len(transport.pieces) == 1
    await injected.close()


@pytest.mark.parametrize(
    ("expression", "text", "found"),
    [
        (".*volume replace-brick.*", "gluster volume replace-brick v", True),
        ("b$", "a b\n", False),
        (r"b\z", "a b", True),
        ("(?m)^b$", "a\nb\nc", True),
        ("[$]", "a$b", True),
        (r"\$a", "$a", True),
        (r"^\Qa.b\E$", "axb", False),
        (r"\Qa.b", "a.b", True),
        ("^[[:alpha:]_]+$", "a_B", True),
        ("^[[:digit:]]+$", "1²", False),
        (r"^\d$", "٣", False),
        ("[]a]", "]", True),
        ("[^]a]", "]", False),
        ("^[[a]$", "[", True),
        ("^[a[]$", "[", True),
        (r"[\]]", "]", True),
        ("(?i)LVCREATE", "lvm lvcreate", True),
        ("", "anything", True),
    ],
)
def test_an_expression_means_what_it_means_to_go(expression: str, text: str, found: bool) -> None:
    assert bool(compile_go(expression).search(text)) is found


@pytest.mark.parametrize("expression", ["(", "[[:nothing:]]", "*", "a{2,1}"])
def test_what_is_none_is_refused(expression: str) -> None:
    with pytest.raises(ValueError):
        compile_go(expression)

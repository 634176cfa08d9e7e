"""Lanes, meter and recorder, around transports of this file that only wait."""

import asyncio
import io
import json
from collections.abc import Sequence

import pytest

from heketipy.domain.errors import NodeUnreachable
from heketipy.domain.model import NodeAddress
from heketipy.executors.build import lock_wait, storage_nodes
from heketipy.executors.lanes import Lanes
from heketipy.executors.metered import Metered, Outcome, tool
from heketipy.executors.options import NodeOptions
from heketipy.executors.recorder import Recorder
from heketipy.executors.simulator import Effect, Fault, Simulator, SimulatorTransport, on
from heketipy.executors.transport import Batch, Command, Fence, Lane, Result, Superseded
from tests.support.secrets import secret

A, B = (NodeAddress(id=f"n{n}", manage=f"node{n}", storage=f"10.0.0.{n}") for n in (1, 2))


class Stage:
    """Runs nothing; each batch stays until it is let go, by the name of its first command."""

    def __init__(self) -> None:
        self.present: list[str] = []
        self.exits: dict[str, asyncio.Event] = {}

    async def run(self, node: NodeAddress, batch: Batch) -> Sequence[Result]:
        name = batch.commands[0].argv[0]
        self.present.append(name)
        try:
            await self.exits.setdefault(name, asyncio.Event()).wait()
        finally:
            self.present.remove(name)
        return [Result(0)]

    async def close(self) -> None:
        """Nothing to close."""


class Play:
    """Batches on a stage, by name."""

    def __init__(self, lanes: Lanes, stage: Stage) -> None:
        self.lanes = lanes
        self.stage = stage
        self.tasks: dict[str, asyncio.Task[Sequence[Result]]] = {}

    async def enter(self, name: str, lane: Lane, *, node: NodeAddress = A, subject: str = "") -> list[str]:
        batch = Batch((Command((name,)),), lane, subject)
        self.tasks[name] = asyncio.create_task(self.lanes.run(node, batch))
        return await self.present()

    async def leave(self, name: str) -> list[str]:
        self.stage.exits.setdefault(name, asyncio.Event()).set()
        await self.tasks.pop(name)
        return await self.present()

    async def give_up(self, name: str) -> list[str]:
        self.tasks[name].cancel()
        with pytest.raises(asyncio.CancelledError):
            await self.tasks.pop(name)
        return await self.present()

    async def present(self) -> list[str]:
        for _ in range(20):
            await asyncio.sleep(0)
        return sorted(self.stage.present)


@pytest.fixture
def play() -> Play:
    stage = Stage()
    return Play(Lanes(stage, volumes_at_once=2), stage)


async def test_bricks_of_a_node_take_turns_in_the_order_of_arrival(play: Play) -> None:
    await play.enter("1", Lane.BRICKS)
    await play.enter("2", Lane.BRICKS)
    await play.enter("3", Lane.BRICKS)
    assert await play.enter("elsewhere", Lane.BRICKS, node=B) == ["1", "elsewhere"]
    assert await play.leave("1") == ["2", "elsewhere"]
    assert await play.give_up("2") == ["3", "elsewhere"]
    await play.leave("elsewhere")
    assert await play.leave("3") == []


async def test_a_volume_is_worked_on_by_one_batch_on_whatever_node(play: Play) -> None:
    await play.enter("x1", Lane.VOLUME, subject="x")
    await play.enter("x2", Lane.VOLUME, subject="x", node=B)
    assert await play.enter("y", Lane.VOLUME, subject="y") == ["x1", "y"]
    assert await play.enter("z", Lane.VOLUME, subject="z") == ["x1", "y"]
    assert await play.leave("y") == ["x1", "z"]
    assert await play.leave("x1") == ["x2", "z"]
    await play.leave("x2")
    assert await play.leave("z") == []


async def test_peers_come_and_go_alone_and_nobody_starves(play: Play) -> None:
    await play.enter("x", Lane.VOLUME, subject="x")
    assert await play.enter("probe", Lane.PEERS, subject="c") == ["x"]
    assert await play.enter("y", Lane.VOLUME, subject="y", node=B) == ["x"]
    assert await play.enter("bricks", Lane.BRICKS) == ["bricks", "x"]
    assert await play.enter("look", Lane.READ) == ["bricks", "look", "x"]
    assert await play.enter("look again", Lane.READ) == ["bricks", "look", "look again", "x"]
    for name in ("bricks", "look", "look again"):
        await play.leave(name)
    assert await play.leave("x") == ["probe"]
    assert await play.enter("detach", Lane.PEERS, subject="c") == ["probe"]
    assert await play.leave("probe") == ["y"]
    assert await play.leave("y") == ["detach"]
    assert await play.leave("detach") == []


async def test_whoever_gives_up_waiting_lets_the_next_in(play: Play) -> None:
    await play.enter("x", Lane.VOLUME, subject="x")
    await play.enter("probe", Lane.PEERS)
    await play.enter("y", Lane.VOLUME, subject="y")
    assert await play.give_up("probe") == ["x", "y"]
    await play.enter("detach", Lane.PEERS)
    await play.give_up("y")
    assert await play.give_up("x") == ["detach"]
    assert await play.give_up("detach") == []
    assert await play.enter("z", Lane.VOLUME, subject="x") == ["z"]
    await play.leave("z")


async def test_whoever_is_cancelled_when_its_turn_has_come_gives_it_back(play: Play) -> None:
    await play.enter("x", Lane.VOLUME, subject="x")
    await play.enter("probe", Lane.PEERS)
    play.stage.exits["x"].set()
    while not play.tasks["x"].done():
        await asyncio.sleep(0)
    await play.give_up("probe")
    assert await play.enter("y", Lane.VOLUME, subject="y") == ["y"]
    await play.leave("y")


class Figures:
    """A meter that remembers."""

    def __init__(self) -> None:
        self.waits: list[tuple[Lane, float]] = []
        self.ends: list[tuple[str, Lane, Outcome]] = []
        self.commands: list[tuple[str, int]] = []

    def waited(self, lane: Lane, seconds: float) -> None:
        self.waits.append((lane, seconds))

    def ran(self, node: str, lane: Lane, outcome: Outcome, seconds: float) -> None:
        assert seconds >= 0
        self.ends.append((node, lane, outcome))

    def command(self, tool: str, status: int) -> None:
        self.commands.append((tool, status))


@pytest.fixture
def simulator() -> Simulator:
    simulator = Simulator(seed=1)
    simulator.add_node(A.manage, A.storage)
    return simulator


def fails(*, tolerated: bool = False) -> Command:
    return Command(("lvm", "lvs", "vg_nope"), tolerated=tolerated)


async def test_a_meter_is_told_how_batches_end(simulator: Simulator) -> None:
    figures = Figures()
    transport = Metered(SimulatorTransport(simulator), figures)
    await transport.run(A, Batch((fails(tolerated=True), Command(("mount",)))))
    await transport.run(A, Batch((fails(),)))
    await transport.run(A, Batch((fails(), Command(("mount",))), Lane.BRICKS))
    await transport.run(A, Batch((fails(tolerated=True),), fence=Fence("a", 2)))
    with pytest.raises(Superseded):
        await transport.run(A, Batch((fails(),), fence=Fence("a", 1)))
    with pytest.raises(NodeUnreachable):
        await transport.run(B, Batch((fails(),)))
    assert [outcome for _, _, outcome in figures.ends] == [
        Outcome.OK,
        Outcome.REFUSED,
        Outcome.REFUSED,
        Outcome.OK,
        Outcome.FENCED,
        Outcome.UNREACHABLE,
    ]
    assert figures.commands == [("lvs", 5), ("mount", 0), ("lvs", 5), ("lvs", 5), ("lvs", 5)]
    await transport.close()


async def test_the_wait_for_a_lane_is_told(simulator: Simulator) -> None:
    figures = Figures()
    nodes = storage_nodes(SimulatorTransport(simulator), meter=figures)
    await nodes.check(A)
    assert [lane for lane, _ in figures.waits] == [Lane.READ]
    assert figures.ends == [(A.id, Lane.READ, Outcome.OK)]
    await nodes.close()


@pytest.mark.parametrize(
    ("argv", "name"),
    [
        (("/usr/sbin/exec-on-host", "/usr/sbin/lvm", "lvcreate", "x"), "lvcreate"),
        (("lvm",), "lvm"),
        (("/usr/bin/udevadm", "info"), "udevadm"),
    ],
)
def test_a_command_is_counted_under_its_tool(argv: tuple[str, ...], name: str) -> None:
    assert tool(argv) == name


async def test_a_transcript_tells_what_failed_and_keeps_secrets(simulator: Simulator) -> None:
    transcript = io.StringIO()
    recorder = Recorder(SimulatorTransport(simulator), transcript)
    hidden = Command(("tee", "/tmp/x", secret("word")), stdin=secret("word"), secret=True)
    await recorder.run(A, Batch((hidden, fails(), Command(("mount",))), Lane.BRICKS, fence=Fence("a", 3)))
    simulator.faults.add(Fault(Effect.LOSE, on("mount")))
    with pytest.raises(NodeUnreachable):
        await recorder.run(A, Batch((Command(("mount",)),)))
    await recorder.close()
    assert secret("word") not in transcript.getvalue()
    refused, lost = (json.loads(line) for line in transcript.getvalue().splitlines())
    assert [command["status"] for command in refused["commands"]] == [0, 5, None]
    assert refused["commands"][0]["argv"] == ["tee", "***"]
    assert refused["commands"][1]["stderr"]
    assert (refused["operation"], refused["epoch"], refused["error"]) == ("a", 3, None)
    assert lost["error"]["code"] == "node-unreachable"


@pytest.mark.parametrize(("timeout", "seconds"), [(0, 660), (598, 600), (599, 660), (1200, 1260), (3600, 3660)])
def test_a_lock_is_waited_for_longer_than_any_command_may_take(timeout: int, seconds: int) -> None:
    options = NodeOptions(gluster_cli_timeout=timeout)
    assert options.gluster_exec_timeout == seconds
    assert lock_wait(options) > options.longest_command >= seconds

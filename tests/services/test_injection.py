"""What operations make of injected faults: the hooks that heketi's own tests are fond of."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from heketipy.domain.durability import Durability
from heketipy.domain.model import BlockVolumeSpec, DeviceSpec, VolumeSpec
from heketipy.domain.states import HealCheck, State
from heketipy.executors.injection import Hook, Injected, Reaction
from heketipy.executors.simulator import Simulator
from heketipy.executors.transport import Transport
from tests.operations.scenarios import REPLICA_3
from tests.support.system import System


class InjectedSystem(System):
    """A system into which faults are injected while its flag is there."""

    flag: Path
    before: tuple[Hook, ...] = ()
    behind: tuple[Hook, ...] = ()

    def reach(self) -> Transport:
        """Return the way to the nodes."""
        return Injected(super().reach(), commands=self.before, results=self.behind)

    async def with_hook(self, command: str, reaction: Reaction, *, result: str | None = None) -> None:
        """Start anew with a hook, which waits for the flag."""
        hook = Hook(command, reaction, result=result, condition=str(self.flag))
        self.before, self.behind = ((hook,), ()) if result is None else ((), (hook,))
        await self.restart()


@pytest.fixture
async def injected(tmp_path: Path) -> AsyncIterator[InjectedSystem]:
    system = InjectedSystem(tmp_path / "heketi.db", Simulator(accept_anything=True, device_size_gib=500, seed=1))
    system.flag = tmp_path / "flag"
    await system.start()
    yield system
    await system.stop()


async def test_a_create_fails_with_the_text_of_the_hook_and_leaves_nothing(injected: InjectedSystem) -> None:
    await injected.cluster()
    await injected.with_hook("(^| )lvcreate.*", Reaction(err="fooey"))
    injected.flag.touch()
    job = await injected.result(await injected.services.volumes.create(VolumeSpec(size_gib=10, durability=REPLICA_3)))
    assert job.error == "fooey"
    assert await injected.discrepancies() == []
    injected.flag.unlink()
    assert await injected.volume(10, REPLICA_3)
    assert await injected.discrepancies() == []


@pytest.mark.parametrize("command", [".*udevadm.*", ".*vgs .*"])
async def test_devices_come_and_go_without_what_is_only_nice_to_have(injected: InjectedSystem, command: str) -> None:
    node = (await injected.cluster(nodes=1, devices=0)).nodes[0]
    await injected.with_hook(command, Reaction(err="not today"))
    injected.flag.touch()
    await injected.done(await injected.services.devices.add(DeviceSpec(node=node, name="/dev/sdb")))
    device = (await injected.services.nodes.info(node)).devices[0].device
    assert device.pv_uuid
    for state in (State.OFFLINE, State.FAILED):
        await injected.done(await injected.services.devices.set_state(device.id, state, HealCheck.ENABLE))
    await injected.done(await injected.services.devices.delete(device.id))
    assert await injected.discrepancies() == []


async def test_a_device_is_emptied_without_heal_info_where_nobody_asks_for_it(injected: InjectedSystem) -> None:
    await injected.cluster(nodes=4, devices=1)
    volume = await injected.volume(10, REPLICA_3)
    device = (await injected.services.volumes.info(volume)).bricks[0].device
    await injected.with_hook(".* volume heal .* info --xml", Reaction(err="no heal info"))
    injected.flag.touch()
    set_state = injected.services.devices.set_state
    await injected.done(await set_state(device, State.OFFLINE, HealCheck.ENABLE))
    refused = await injected.result(await set_state(device, State.FAILED, HealCheck.ENABLE))
    assert "no heal info" in refused.error
    await injected.done(await set_state(device, State.FAILED, HealCheck.DISABLE))
    assert await injected.discrepancies() == []


@pytest.mark.parametrize("ran", [False, True])
async def test_books_and_nodes_agree_on_a_replacement_that_was_said_to_fail(
    injected: InjectedSystem, ran: bool
) -> None:
    await injected.cluster(nodes=4, devices=1)
    volume = await injected.volume(10, REPLICA_3)
    old = (await injected.services.volumes.info(volume)).bricks[0].id
    await injected.with_hook(".*volume replace-brick.*", Reaction(err="thwack!"), result=".*" if ran else None)
    injected.flag.touch()
    job = await injected.result(await injected.services.bricks.evict(old, HealCheck.ENABLE))
    bricks = [brick.id for brick in (await injected.services.volumes.info(volume)).bricks]
    assert (old in bricks) is bool(job.error) is (not ran)
    assert await injected.discrepancies() == []


async def test_what_cannot_be_removed_stays_pending_until_it_can(injected: InjectedSystem) -> None:
    await injected.cluster()
    volume = await injected.volume(10, REPLICA_3)
    await injected.with_hook(".*lvremove.*", Reaction(err="in use"))
    injected.flag.touch()
    job = await injected.result(await injected.services.volumes.delete(volume))
    assert job.error
    (record,) = await injected.services.operations.pending()
    assert record.type_name == "delete-volume"
    injected.flag.unlink()
    await injected.services.operations.clean_up([])
    await injected.services.runner.drain()
    assert await injected.services.operations.pending() == []
    assert await injected.discrepancies() == []


async def test_a_brick_that_is_busy_is_let_go_later(injected: InjectedSystem) -> None:
    await injected.cluster()
    volume = await injected.volume(10, REPLICA_3)
    await injected.with_hook("^umount.*", Reaction(err="target is busy", pause=0.01))
    injected.flag.touch()
    job = await injected.result(await injected.services.volumes.delete(volume))
    assert "target is busy" in job.error
    injected.flag.unlink()
    await injected.restart()
    assert await injected.services.volumes.ids() == []
    assert await injected.discrepancies() == []


@pytest.mark.parametrize(
    ("reaction", "text"),
    [
        (
            Reaction(
                result='{"RESULT": "FAIL", "errCode": 1, "errMsg": "ZOWIE"}', force_err=True, force_err_output=True
            ),
            "Failed to create block volume: ZOWIE",
        ),
        (Reaction(err="bloop"), "Unparsable error during block volume create: bloop"),
    ],
)
async def test_a_block_volume_fails_in_heketis_words(injected: InjectedSystem, reaction: Reaction, text: str) -> None:
    await injected.cluster()
    await injected.with_hook("^gluster-block create .*", reaction)
    injected.flag.touch()
    job = await injected.result(await injected.services.block_volumes.create(BlockVolumeSpec(size_gib=1)))
    assert job.error == text
    assert await injected.discrepancies() == []


async def test_an_option_that_is_refused_takes_the_volume_back(injected: InjectedSystem) -> None:
    await injected.cluster()
    await injected.with_hook(".* volume set .*", Reaction(err_output="100% bad", exit_status=3, force_err=True))
    injected.flag.touch()
    job = await injected.result(
        await injected.services.volumes.create(VolumeSpec(size_gib=10, durability=Durability()))
    )
    assert job.error == "100% bad"
    assert injected.simulator.volumes == {}
    assert await injected.discrepancies() == []

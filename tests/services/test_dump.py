"""The dump of a large site: how long it takes, and how long it lets others wait."""

import asyncio
import time
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from heketipy.db.database import Database, Tx
from heketipy.domain.durability import Durability, DurabilityType
from heketipy.domain.model import Brick, BrickType, Cluster, Device, Node, Volume
from heketipy.services.dump import Dump
from heketipy.wire.dump import dumped

VOLUMES = 10_000


@pytest.fixture
async def large(tmp_path: Path) -> AsyncIterator[Database]:
    """Books with 10,000 volumes of three bricks each."""
    db = Database.open(tmp_path / "heketi.db")
    await db.write(_large_site)
    yield db
    db.close()


def _large_site(tx: Tx) -> None:
    cluster = "c" * 32
    tx.clusters.add(Cluster(cluster, True, True))
    for node in range(12):
        tx.nodes.add(Node(f"{node:032x}", cluster, 1, (f"node{node}",), (f"10.0.0.{node}",)))
        device = f"{node:031x}d"
        tx.devices.add(Device(device, f"{node:032x}", "/dev/sdb", 2**45, 2**45, 0, 4096))
    for number in range(VOLUMES):
        volume = f"{number:032x}"
        durability = Durability(DurabilityType.REPLICATE, replica=3)
        tx.volumes.add(Volume(volume, f"vol_{volume}", cluster, 10, durability, options=("", "")))
        tx.bricks.add(_brick(volume, (number + position) % 12, position) for position in range(3))


def _brick(volume: str, node: int, position: int) -> Brick:
    id, device = f"{position}{volume[1:]}", f"{node:031x}d"
    path = f"/var/lib/heketi/mounts/vg_{device}/brick_{id}/brick"
    return Brick(
        id, volume, device, f"{node:032x}", position, path, 10485760, 10485760, 53248, BrickType.NORMAL, f"tp_{id}"
    )


async def test_10000_volumes_are_dumped_within_two_seconds(large: Database) -> None:
    """The time is that of this process, so that others on the machine do not count."""
    seconds = []
    for _ in range(3):
        begun = time.process_time()
        pieces = await Dump(large).through(lambda sections: list(dumped(sections)))
        seconds.append(time.process_time() - begun)
    assert b"".join(pieces).count(b'"GlusterVolumeOptions"') == VOLUMES
    assert min(seconds) < 2, seconds


async def test_nobody_waits_long_while_everything_is_dumped_or_checked(large: Database) -> None:
    for work in (lambda: Dump(large).through(lambda sections: list(dumped(sections))), Dump(large).check):
        longest = []
        for _ in range(3):
            at_work = asyncio.ensure_future(work())
            waits = [0.0]
            while not at_work.done():
                asked = time.perf_counter()
                await large.read(lambda tx: tx.details.volume("0" * 32))
                waits.append(time.perf_counter() - asked)
                await asyncio.wait([at_work], timeout=0.01)
            await at_work
            longest.append(max(waits))
        assert min(longest) < 0.1, longest

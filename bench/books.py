"""Filling heketipy's books before a server is started on them: ten thousand volumes in seconds, by its own code."""

import asyncio
import secrets
from pathlib import Path

from heketipy.db.database import Database, Tx
from heketipy.domain.durability import Durability, DurabilityType
from heketipy.domain.model import Cluster, Device, Node, VolumeSpec
from heketipy.domain.units import KIB_PER_GIB
from heketipy.operations.reservation import Reservations, VolumePolicy

DEVICE_KIB = 500 * KIB_PER_GIB
_AT_ONCE = 500


def new_id() -> str:
    """Return a fresh random id."""
    return secrets.token_hex(16)


async def fill(path: Path, *, clusters: int, nodes: int, devices: int, volumes: int) -> None:
    """Make books with so many clusters, each with so many nodes, each of these with so many devices; and replicated
    volumes of 1 GiB, spread over the clusters."""
    database = await asyncio.to_thread(Database.open, path)
    try:
        ids = [
            await database.write(_cluster, number=number, nodes=nodes, devices=devices) for number in range(clusters)
        ]
        reservations = Reservations(policy=VolumePolicy(volumes_per_cluster=volumes), ids=new_id, down=frozenset)
        for start in range(0, volumes, _AT_ONCE):
            count = min(_AT_ONCE, volumes - start)
            await database.write(_volumes, reservations, cluster=ids[start // _AT_ONCE % clusters], count=count)
    finally:
        await asyncio.to_thread(database.close)


def _cluster(tx: Tx, *, number: int, nodes: int, devices: int) -> str:
    cluster = new_id()
    tx.clusters.add(Cluster(cluster, file=True, block=True))
    for index in range(nodes):
        node = new_id()
        names = (f"n{number}-{index}.manage",), (f"10.{number}.{index // 250}.{index % 250 + 1}",)
        tx.nodes.add(Node(id=node, cluster=cluster, zone=index % 3 + 1, manage=names[0], storage=names[1]))
        for disk in range(devices):
            tx.devices.add(
                Device(
                    id=new_id(),
                    node=node,
                    name=f"/dev/disk{disk}",
                    total_kib=DEVICE_KIB,
                    free_kib=DEVICE_KIB,
                    used_kib=0,
                    extent_kib=4096,
                )
            )
    return cluster


def _volumes(tx: Tx, reservations: Reservations, *, cluster: str, count: int) -> None:
    durability = Durability(DurabilityType.REPLICATE, replica=3)
    for _ in range(count):
        spec = VolumeSpec(size_gib=1, durability=durability, clusters=(cluster,))
        plan = reservations.create(tx, spec, volume=new_id(), operation="filling")
        tx.bricks.set_pending([brick.id for brick in plan.bricks], "")
        tx.volumes.set_pending(plan.volume.id, "")

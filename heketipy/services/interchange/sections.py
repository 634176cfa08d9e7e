"""All records of the books, section by section, as heketi's dump has them."""

from collections.abc import Iterator

from heketipy.db.database import Tx
from heketipy.operations.records import record
from heketipy.services.interchange import entries
from heketipy.services.interchange.entries import Entry

Entries = Iterator[tuple[str, Entry]]

GENERATION_FACT = "heketi generation"
"""Where the books keep the id that heketi calls its database's generation."""


def sections(tx: Tx) -> Iterator[tuple[str, Entries]]:
    """Return each section's name and its records, ascending by id. They are made as they are asked for, so each section
    has to be used up before the next is looked at."""
    yield entries.CLUSTERS, _clusters(tx)
    yield entries.VOLUMES, _volumes(tx)
    yield entries.BRICKS, ((brick.id, entries.brick(brick)) for brick in tx.everything.bricks())
    yield entries.NODES, _nodes(tx)
    yield entries.DEVICES, _devices(tx)
    yield entries.BLOCK_VOLUMES, ((one.id, entries.block_volume(one)) for one in tx.everything.block_volumes())
    yield entries.ATTRIBUTES, iter(entries.attributes(tx.meta.get(GENERATION_FACT) or "").items())
    yield entries.PENDING, _pending(tx)


def _clusters(tx: Tx) -> Entries:
    nodes, volumes = tx.everything.nodes_of_clusters(), tx.everything.volumes_of_clusters()
    block_volumes = tx.everything.block_volumes_of_clusters()
    for cluster in tx.everything.clusters():
        id = cluster.id
        yield id, entries.cluster(cluster, nodes.get(id, ()), volumes.get(id, ()), block_volumes.get(id, ()))


def _volumes(tx: Tx) -> Entries:
    bricks, hosts = tx.everything.bricks_of_volumes(), tx.everything.hosts_of_clusters()
    block_volumes = tx.everything.block_volumes_of_volumes()
    for volume in tx.everything.volumes():
        id = volume.id
        yield (
            id,
            entries.volume(volume, bricks.get(id, ()), hosts.get(volume.cluster, ()), block_volumes.get(id, ())),
        )


def _nodes(tx: Tx) -> Entries:
    devices = tx.everything.devices_of_nodes()
    return ((node.id, entries.node(node, devices.get(node.id, ()))) for node in tx.everything.nodes())


def _devices(tx: Tx) -> Entries:
    bricks = tx.everything.bricks_of_devices()
    return ((device.id, entries.device(device, bricks.get(device.id, ()))) for device in tx.everything.devices())


def _pending(tx: Tx) -> Entries:
    for operation in tx.operations.all():
        found = record(operation)
        if found is not None:
            yield operation.id, entries.pending(found)

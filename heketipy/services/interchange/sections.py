"""All records of the books, section by section, as heketi's dump has them.

Where our tables cannot say what a record said that was taken over from heketi, that record is shown as it came, as long
as nothing has changed about the object.
"""

import heapq
import json
from collections.abc import Iterable, Iterator, Mapping
from operator import itemgetter

from heketipy.db.database import Tx
from heketipy.db.heketi_records import HeketiRecord
from heketipy.operations.records import record
from heketipy.services.interchange import entries
from heketipy.services.interchange.attributes import ATTRIBUTES_FACT
from heketipy.services.interchange.entries import Entry

Entries = Iterator[tuple[str, Entry]]

GENERATION_FACT = "heketi generation"
"""Where the books keep the id that heketi calls its database's generation."""


def sections(tx: Tx) -> Iterator[tuple[str, Entries]]:
    """Return each section's name and its records, ascending by id. They are made as they are asked for, so each section
    has to be used up before the next is looked at."""
    attributes = attributes_of(tx)
    for name, ours in our_sections(tx):
        kept = tx.heketi_records.of(name)
        if name == entries.PENDING and attributes.get(entries.OPERATIONS, {}).get("Value") != "yes":
            yield name, iter(())
        else:
            yield name, _merged(ours, kept) if kept else ours


def our_sections(tx: Tx) -> Iterator[tuple[str, Entries]]:
    """Return the same as our own tables have it."""
    yield entries.CLUSTERS, _clusters(tx)
    yield entries.VOLUMES, _volumes(tx)
    yield entries.BRICKS, ((brick.id, entries.brick(brick)) for brick in tx.everything.bricks())
    yield entries.NODES, _nodes(tx)
    yield entries.DEVICES, _devices(tx)
    yield entries.BLOCK_VOLUMES, ((one.id, entries.block_volume(one)) for one in tx.everything.block_volumes())
    yield entries.ATTRIBUTES, iter(attributes_of(tx).items())
    yield entries.PENDING, _pending(tx)


def attributes_of(tx: Tx) -> dict[str, Entry]:
    """Return the attributes of the books, ascending by name."""
    kept = tx.meta.get(ATTRIBUTES_FACT)
    values = dict.fromkeys(entries.UPGRADED, "yes") if kept is None else json.loads(kept)
    return entries.attributes({**values, entries.GENERATION: tx.meta.get(GENERATION_FACT) or ""})


def _merged(ours: Entries, kept: Mapping[str, HeketiRecord]) -> Iterator[tuple[str, Entry]]:
    unknown = ((id, dict(record.entry)) for id, record in kept.items() if record.ours is None)
    return heapq.merge(_still_true(ours, kept), unknown, key=itemgetter(0))


def _still_true(ours: Iterable[tuple[str, Entry]], kept: Mapping[str, HeketiRecord]) -> Entries:
    for id, entry in ours:
        record = kept.get(id)
        yield id, dict(record.entry) if record is not None and record.ours == entry else entry


def _clusters(tx: Tx) -> Entries:
    nodes, volumes = tx.everything.nodes_of_clusters(), tx.everything.volumes_of_clusters()
    block_volumes = tx.everything.block_volumes_of_clusters()
    for cluster in tx.everything.clusters():
        id = cluster.id
        yield id, entries.cluster(cluster, nodes.get(id, ()), volumes.get(id, ()), block_volumes.get(id, ()))


def _volumes(tx: Tx) -> Entries:
    bricks_of, hosts = tx.everything.bricks_of_volumes(), tx.everything.hosts_of_clusters()
    block_volumes = tx.everything.block_volumes_of_volumes()
    for volume in tx.everything.volumes():
        id = volume.id
        yield (
            id,
            entries.volume(volume, bricks_of(id), hosts.get(volume.cluster, ()), block_volumes.get(id, ())),
        )


def _nodes(tx: Tx) -> Entries:
    devices = tx.everything.devices_of_nodes()
    return ((node.id, entries.node(node, devices.get(node.id, ()))) for node in tx.everything.nodes())


def _devices(tx: Tx) -> Entries:
    bricks_of = tx.everything.bricks_of_devices()
    return ((device.id, entries.device(device, bricks_of(device.id))) for device in tx.everything.devices())


def _pending(tx: Tx) -> Entries:
    for operation in tx.operations.all():
        found = record(operation)
        if found is not None:
            yield operation.id, entries.pending(found)

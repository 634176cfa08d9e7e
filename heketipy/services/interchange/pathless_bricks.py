"""Bricks without a path, which old versions of heketi left in its database when a create failed: they are on no node,
and their devices are charged for them."""

from collections.abc import Collection
from dataclasses import dataclass

from heketipy.db.database import Tx
from heketipy.services.interchange import entries


@dataclass(frozen=True, slots=True)
class Selection:
    """Devices, by their ids or by where they are; all of them if `everywhere`."""

    everywhere: bool = False
    clusters: Collection[str] = ()
    nodes: Collection[str] = ()
    devices: Collection[str] = ()


def remove_pathless(tx: Tx, selection: Selection) -> int:
    """Remove those on the selected devices, and give the devices their space back; return how many there were. Raises
    NotFound if something that is selected does not exist."""
    devices = _selected(tx, selection)
    found = {brick.id: brick for some in tx.bricks.of_devices(sorted(devices)).values() for brick in some}
    pathless = [brick for brick in found.values() if not brick.path]
    tx.bricks.remove([brick.id for brick in pathless])
    for brick in pathless:
        if not tx.bricks.on_pool(brick.device, brick.pool):
            tx.devices.give(brick.device, brick.charged_kib)
    # The records of bricks that belong to no volume were too odd for our tables, and were kept as they came.
    kept = {
        id: record.entry
        for id, record in tx.heketi_records.of(entries.BRICKS).items()
        if record.ours is None and not record.entry["Info"]["path"] and record.entry["Info"]["device"] in devices
    }
    tx.heketi_records.remove(entries.BRICKS, [*kept, *(brick.id for brick in pathless)])
    for entry in kept.values():
        tx.devices.give(entry["Info"]["device"], max(entry["TpSize"] + entry["PoolMetadataSize"], 0))
    return len(pathless) + len(kept)


def _selected(tx: Tx, selection: Selection) -> set[str]:
    if selection.everywhere:
        return {device.id for device in tx.devices.all()}
    devices = {tx.devices.get(device).id for device in selection.devices}
    nodes = {tx.nodes.get(node).id for node in selection.nodes}
    for cluster in selection.clusters:
        nodes.update(tx.clusters.node_ids(tx.clusters.get(cluster).id))
    return devices.union(*(tx.nodes.device_ids(node) for node in nodes))

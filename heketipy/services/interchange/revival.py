"""Pending operations of heketi as operations of ours: those that it had not finished are then taken back, and deletes
finished, as its own clean-up would do.

A record that does not say enough (clones: their copy has no record), or that names what is not there, stays what it is.
"""

from collections.abc import Callable, Mapping
from typing import Any, Final

from heketipy.db.database import Tx
from heketipy.domain.errors import NotFound
from heketipy.domain.model import Brick, NodeAddress, Volume, VolumeSpec
from heketipy.domain.operation import Operation, Status
from heketipy.domain.pending import Action, Change, PendingRecord, RecordType
from heketipy.domain.plans import (
    CreateBlockVolume,
    CreateVolume,
    DeleteBlockVolume,
    DeleteVolume,
    Evacuate,
    EvictBrick,
    ExpandBlockVolume,
    ExpandVolume,
)
from heketipy.domain.states import HealCheck
from heketipy.operations import (
    block_volume_create,
    block_volume_delete,
    block_volume_expand,
    brick_evict,
    evacuation,
    volume_create,
    volume_delete,
    volume_expand,
)
from heketipy.operations.context import encode
from heketipy.operations.runner import FROM_HEKETI

Entry = dict[str, Any]


class _Unclear(Exception):
    """A record does not say enough."""


class _Record:
    """A record of a pending operation, with what it names."""

    def __init__(self, tx: Tx, entry: Entry) -> None:
        self.tx = tx
        self.id: str = entry["Id"]
        self._actions: list[Entry] = entry["Actions"]

    def all(self, change: Change) -> list[str]:
        """Return the ids of everything that is changed so."""
        return [action["Id"] for action in self._actions if action["Change"] == change]

    def any(self, change: Change) -> str:
        """Return the id of the one thing that is changed so; empty if there is none."""
        found = self.all(change)
        if len(found) > 1:
            raise _Unclear
        return found[0] if found else ""

    def one(self, change: Change) -> str:
        """Return the id of the one thing that is changed so."""
        found = self.any(change)
        if not found:
            raise _Unclear
        return found

    def delta(self, change: Change) -> int:
        """Return by how much, or to how much, it is changed."""
        delta = next(action["Delta"] for action in self._actions if action["Change"] == change)
        if not isinstance(delta, int) or delta < 0:
            raise _Unclear
        return delta

    def bricks(self, change: Change, *, needed: bool = True) -> tuple[Brick, ...]:
        """Return the bricks that are changed so."""
        found = tuple(self.tx.bricks.get(id) for id in self.all(change))
        if needed and not found:
            raise _Unclear
        return found

    def nodes(self, cluster: str) -> tuple[NodeAddress, ...]:
        """Return all nodes of a cluster."""
        found = tuple(node.address for node in self.tx.nodes.of_cluster(cluster))
        if not found:
            raise _Unclear
        return found


_Revived = tuple[str, Any, dict[str, Any], bool]
"""The kind, the plan, the journal, and whether there may be no way back."""


def _volume_create(record: _Record) -> _Revived:
    volume = record.tx.volumes.get(record.one(Change.ADD_VOLUME))
    return volume_create.NAME, _creation(record, volume), {}, False


def _creation(record: _Record, volume: Volume) -> CreateVolume:
    return CreateVolume(volume, record.bricks(Change.ADD_BRICK), record.nodes(volume.cluster), _spec(volume))


def _spec(volume: Volume) -> VolumeSpec:
    return VolumeSpec(
        size_gib=volume.size_gib,
        name=volume.name,
        durability=volume.durability,
        gid=volume.gid,
        snapshot=volume.snapshot,
        options=volume.options,
        clusters=volume.requested_clusters,
        block=volume.block,
    )


def _volume_delete(record: _Record) -> _Revived:
    volume = record.tx.volumes.get(record.one(Change.DELETE_VOLUME))
    plan = DeleteVolume(volume, record.bricks(Change.DELETE_BRICK), record.nodes(volume.cluster))
    return volume_delete.NAME, plan, {}, False


def _volume_expand(record: _Record) -> _Revived:
    """Whether gluster has taken the bricks in, only it can tell: if so they stay, unless the volume goes anyway."""
    volume = record.tx.volumes.get(record.one(Change.EXPAND_VOLUME))
    added_gib = record.delta(Change.EXPAND_VOLUME)
    plan = ExpandVolume(volume, record.bricks(Change.ADD_BRICK), record.nodes(volume.cluster), added_gib)
    return volume_expand.NAME, plan, {}, not volume.pending


def _block_volume_create(record: _Record) -> _Revived:
    wanted = record.tx.block_volumes.get(record.one(Change.ADD_BLOCK_VOLUME))
    hosting = record.tx.volumes.get(wanted.hosting_volume)
    made = record.any(Change.ADD_VOLUME)
    if bool(made) != bool(record.all(Change.ADD_BRICK)):
        raise _Unclear
    nodes = record.nodes(wanted.cluster)
    plan = CreateBlockVolume(
        block_volume=wanted,
        hosting_name=hosting.name,
        made=_creation(record, hosting) if made else None,
        nodes=nodes,
        online=tuple(node.id for node in nodes),
        ha_nodes=nodes,
        ha_count=0,
    )
    return block_volume_create.NAME, plan, {"via": nodes[0].id, "absent": True, "hosts": []}, False


def _block_volume_delete(record: _Record) -> _Revived:
    found = record.tx.block_volumes.get(record.one(Change.DELETE_BLOCK_VOLUME))
    plan = DeleteBlockVolume(
        id=found.id,
        name=found.name,
        iqn=found.target.iqn,
        hosting_volume=found.hosting_volume,
        hosting_name=record.tx.volumes.get(found.hosting_volume).name,
        nodes=record.nodes(found.cluster),
    )
    return block_volume_delete.NAME, plan, {}, False


def _block_volume_expand(record: _Record) -> _Revived:
    found = record.tx.block_volumes.get(record.one(Change.EXPAND_BLOCK_VOLUME))
    new_gib = record.delta(Change.EXPAND_BLOCK_VOLUME)
    nodes = record.nodes(found.cluster)
    plan = ExpandBlockVolume(
        id=found.id,
        name=found.name,
        iqn=found.target.iqn,
        hosting_volume=found.hosting_volume,
        hosting_name=record.tx.volumes.get(found.hosting_volume).name,
        nodes=nodes,
        new_gib=new_gib,
        booked_gib=max(new_gib - found.size_gib, 0),
    )
    return block_volume_expand.NAME, plan, {"via": nodes[0].id}, True


def _brick_evict(record: _Record) -> _Revived:
    (brick,) = record.bricks(Change.DELETE_BRICK)
    volume = record.tx.volumes.get(brick.volume)
    parent = record.any(Change.PARENT_OPERATION)
    plan = EvictBrick(volume, brick, record.nodes(volume.cluster), HealCheck.ENABLE, parent)
    journal: dict[str, Any] = {}
    if record.any(Change.ADD_BRICK):
        (new,) = record.bricks(Change.ADD_BRICK)
        journal = {"replacement": encode(new), "node": encode(record.tx.nodes.get(new.node).address)}
    return brick_evict.NAME, plan, journal, bool(journal)


def _device_remove(record: _Record) -> _Revived:
    device = record.tx.devices.get(record.one(Change.REMOVE_DEVICE))
    child = record.any(Change.CHILD_OPERATION)
    journal = {"child": {"operation": child, "job": "", "device": device.id}} if child else {}
    return evacuation.OF_DEVICE, Evacuate((device.id,), "", HealCheck.ENABLE), journal, False


_REVIVALS: Final[dict[int, Callable[[_Record], _Revived]]] = {
    RecordType.CREATE_VOLUME: _volume_create,
    RecordType.DELETE_VOLUME: _volume_delete,
    RecordType.EXPAND_VOLUME: _volume_expand,
    RecordType.CREATE_BLOCK_VOLUME: _block_volume_create,
    RecordType.DELETE_BLOCK_VOLUME: _block_volume_delete,
    RecordType.EXPAND_BLOCK_VOLUME: _block_volume_expand,
    RecordType.EVICT_BRICK: _brick_evict,
    RecordType.REMOVE_DEVICE: _device_remove,
}

_STATUSES: Final[dict[str, Status]] = {"": Status.NEW, "failed": Status.FAILED}


def from_heketi(entry: Mapping[str, Any]) -> PendingRecord:
    """Return a record that no operation of ours stands for."""
    return PendingRecord(
        id=entry["Id"],
        created=entry["Timestamp"],
        type=entry["Type"],
        actions=tuple(Action(action["Change"], action["Id"], action["Delta"]) for action in entry["Actions"]),
        status=entry["Status"],
    )


def revive(tx: Tx, entry: Entry) -> Operation | None:
    """Return the operation that a record stands for, once everything else is in the books; None if it is not clear."""
    revival = _REVIVALS.get(entry["Type"])
    if revival is None:
        return None
    try:
        kind, plan, journal, pivoted = revival(_Record(tx, entry))
    except (NotFound, _Unclear, ValueError):
        return None
    return Operation(
        id=entry["Id"],
        kind=kind,
        created=float(entry["Timestamp"]),
        epoch=FROM_HEKETI,
        plan=encode(plan),
        journal=journal,
        status=_STATUSES.get(entry["Status"], Status.STALE),
        pivoted=pivoted,
    )

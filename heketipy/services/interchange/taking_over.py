"""Taking over a database of heketi into empty books.

What our tables can say goes into them; of every record that they say otherwise, or cannot hold at all, the record
itself is kept beside them, so that nothing is lost on the way out. Pending operations become operations of ours, as far
as that can be done (`revival`).
"""

import json
from collections.abc import Iterable, Mapping
from typing import Any

from heketipy.db.database import Tx
from heketipy.db.heketi_records import HeketiRecord
from heketipy.domain.durability import Durability, DurabilityType
from heketipy.domain.errors import InvalidRequest
from heketipy.domain.model import (
    BlockInfo,
    BlockTarget,
    BlockVolume,
    Brick,
    BrickType,
    Cluster,
    Device,
    Node,
    Snapshot,
    Volume,
)
from heketipy.domain.pending import RecordType
from heketipy.domain.states import State
from heketipy.services.interchange import entries
from heketipy.services.interchange.attributes import ATTRIBUTES_FACT
from heketipy.services.interchange.entries import Entry
from heketipy.services.interchange.revival import revive
from heketipy.services.interchange.sections import GENERATION_FACT, our_sections

_STATES = frozenset(State)
_BRICK_TYPES = frozenset(type.value for type in BrickType)
_FOREIGN = frozenset({RecordType.CLONE_VOLUME, RecordType.UNKNOWN})


def take_over(tx: Tx, database: Mapping[str, Iterable[Entry]], *, generation: str) -> None:
    """Enter all records of a database. `generation` becomes its new id. Raises InvalidRequest for what heketi would not
    store either, and Conflict where two nodes have a host name in common."""
    records = {section: _by_id(section, database.get(section, ())) for section in entries.SECTIONS}
    for sort in (entries.NODES, entries.DEVICES):
        for entry in records[sort].values():
            entry["State"] = entry["State"] or State.ONLINE.value
    tx.meta.set(GENERATION_FACT, generation)
    attributes = {name: entry["Value"] for name, entry in records[entries.ATTRIBUTES].items()}
    attributes.pop(entries.GENERATION, None)
    tx.meta.set(ATTRIBUTES_FACT, json.dumps(attributes))
    _Books(tx, records).enter()
    _keep_the_rest(tx, records)


def _by_id(section: str, given: Iterable[Entry]) -> dict[str, Entry]:
    """Return records by the ids that they themselves name: those count."""
    records = {}
    for entry in given:
        match section:
            case entries.ATTRIBUTES:
                id = entry["Key"]
            case entries.PENDING:
                id = entry["Id"]
                if entry["Type"] == RecordType.UNKNOWN:
                    raise InvalidRequest(f"a pending operation is of no type ({id!r})")
            case _:
                id = entry["Info"]["id"]
        if not id:
            raise InvalidRequest(f"a record of {section} has no id")
        records[id] = dict(entry)
    return records


class _Books:
    """Enters records in the order in which they refer to each other. What refers to nothing is left out."""

    def __init__(self, tx: Tx, records: Mapping[str, Mapping[str, Entry]]) -> None:
        self._tx = tx
        self._records = records
        self._clusters: set[str] = set()
        self._nodes: dict[str, str] = {}
        self._devices: set[str] = set()
        self._volumes: dict[str, str] = {}
        self._revivable = {id for id, entry in records[entries.PENDING].items() if entry["Type"] not in _FOREIGN}

    def enter(self) -> None:
        """Enter everything."""
        for id, entry in self._records[entries.CLUSTERS].items():
            self._tx.clusters.add(Cluster(id, file=entry["Info"]["file"], block=entry["Info"]["block"]))
            self._clusters.add(id)
        self._enter_nodes()
        self._enter_devices()
        self._enter_volumes()
        self._enter_bricks()
        self._enter_block_volumes()
        for entry in self._records[entries.PENDING].values():
            operation = revive(self._tx, entry)
            if operation is not None:
                self._tx.operations.add(operation)

    def _enter_nodes(self) -> None:
        for id, entry in self._records[entries.NODES].items():
            info, names = entry["Info"], entry["Info"]["hostnames"]
            if info["cluster"] in self._clusters and names["manage"] and names["storage"]:
                manage, storage = tuple(names["manage"]), tuple(names["storage"])
                state, tags = _state(entry), info.get("tags", {})
                self._tx.nodes.add(Node(id, info["cluster"], info["zone"], manage, storage, state, tags))
                self._nodes[id] = info["cluster"]

    def _enter_devices(self) -> None:
        for id, entry in self._records[entries.DEVICES].items():
            info = entry["Info"]
            if entry["NodeId"] not in self._nodes:
                continue
            total, free = max(info["storage"]["total"], 0), max(info["storage"]["free"], 0)
            free = min(free, total)
            self._tx.devices.add(
                Device(
                    id=id,
                    node=entry["NodeId"],
                    name=info["name"],
                    total_kib=total,
                    free_kib=free,
                    used_kib=total - free,
                    extent_kib=entry["ExtentSize"],
                    state=_state(entry),
                    tags=info.get("tags", {}),
                    paths=tuple(info.get("paths", ())),
                    pv_uuid=info.get("pv_uuid", ""),
                )
            )
            self._devices.add(id)

    def _enter_volumes(self) -> None:
        names: set[tuple[str, str]] = set()
        for id, entry in self._records[entries.VOLUMES].items():
            info = entry["Info"]
            durability = _durability(info["durability"])
            name = (info["cluster"], info["name"])
            if info["cluster"] not in self._clusters or name in names or info["size"] < 0:
                continue
            names.add(name)
            books = info["blockinfo"]
            self._tx.volumes.add(
                Volume(
                    id=id,
                    name=info["name"],
                    cluster=info["cluster"],
                    size_gib=info["size"],
                    durability=durability,
                    gid=info.get("gid", 0),
                    snapshot=Snapshot(info["snapshot"]["enable"], info["snapshot"]["factor"]),
                    options=tuple(entry["GlusterVolumeOptions"] or ()),
                    block=info.get("block", False),
                    block_info=BlockInfo(
                        books.get("freesize", 0), books.get("reservedsize", 0), books.get("restriction", "")
                    ),
                    requested_clusters=tuple(info.get("clusters", ())),
                    pending=self._mark(entry),
                )
            )
            self._volumes[id] = info["cluster"]

    def _enter_bricks(self) -> None:
        places = {
            brick: (id, position)
            for id in self._volumes
            for position, brick in enumerate(self._records[entries.VOLUMES][id]["Bricks"])
        }
        entered = []
        for id, entry in self._records[entries.BRICKS].items():
            info = entry["Info"]
            volume, position = places.get(id, (info["volume"], -1))
            pending = self._mark(entry)
            known = volume in self._volumes and info["device"] in self._devices and info["node"] in self._nodes
            if position < 0 and not pending:
                # Its volume does not know it, and no operation is about to bring it in: it would be in the way of the
                # volume's delete.
                known = False
            if not known or min(info["size"], entry["TpSize"], entry["PoolMetadataSize"]) < 0:
                continue
            entered.append(
                Brick(
                    id=id,
                    volume=volume,
                    device=info["device"],
                    node=info["node"],
                    position=position,
                    path=info["path"],
                    size_kib=info["size"],
                    tp_size_kib=entry["TpSize"],
                    pool_metadata_kib=entry["PoolMetadataSize"],
                    type=BrickType(entry["SubType"] if entry["SubType"] in _BRICK_TYPES else BrickType.UNKNOWN),
                    thin_pool=entry["LvmThinPool"],
                    lv=entry["LvmLv"],
                    pending=pending,
                )
            )
        self._tx.bricks.add(entered)

    def _enter_block_volumes(self) -> None:
        names: set[tuple[str, str]] = set()
        for id, entry in self._records[entries.BLOCK_VOLUMES].items():
            info, target = entry["Info"], entry["Info"]["blockvolume"]
            cluster, hosting = info.get("cluster", ""), info.get("blockhostingvolume", "")
            if cluster not in self._clusters or hosting not in self._volumes or (hosting, info["name"]) in names:
                continue
            names.add((hosting, info["name"]))
            self._tx.block_volumes.add(
                BlockVolume(
                    id=id,
                    name=info["name"],
                    cluster=cluster,
                    hosting_volume=hosting,
                    size_gib=max(info["size"], 0),
                    usable_gib=info.get("usablesize", 0),
                    ha_count=info.get("hacount", 0),
                    auth=info.get("auth", False),
                    target=BlockTarget(
                        tuple(target["hosts"] or ()), target["iqn"], target["username"], target["password"]
                    ),
                    requested_clusters=tuple(info.get("clusters", ())),
                    pending=self._mark(entry),
                )
            )

    def _mark(self, entry: Entry) -> str:
        """Return the operation that an object is marked by. The marks of clones that never ended are dropped, since
        nothing would ever take them off what was to be copied."""
        operation: str = entry["Pending"]["Id"]
        return operation if operation in self._revivable else ""


def _keep_the_rest(tx: Tx, records: Mapping[str, Mapping[str, Entry]]) -> None:
    """Keep the records that our tables say otherwise, or not at all."""
    for section, ours in our_sections(tx):
        if section == entries.ATTRIBUTES:
            continue
        said = dict(ours)
        tx.heketi_records.add(
            section,
            {id: HeketiRecord(entry, said.get(id)) for id, entry in records[section].items() if entry != said.get(id)},
        )


def _state(entry: Entry) -> State:
    """Return the state of a node or device. One that is not known takes nothing new."""
    return State(entry["State"]) if entry["State"] in _STATES else State.OFFLINE


def _durability(given: Mapping[str, Any]) -> Durability:
    type = given.get("type", "")
    if type and type not in tuple(DurabilityType):
        raise InvalidRequest(f"Not a known volume durability type: {type}")
    return Durability(
        type=DurabilityType(type or DurabilityType.NONE),
        replica=given["replicate"].get("replica", 0),
        data=given["disperse"].get("data", 0),
        redundancy=given["disperse"].get("redundancy", 0),
    )

"""What we know in the form of heketi's records, members in heketi's order. Members that it leaves out are left out."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from heketipy.domain.durability import Durability
from heketipy.domain.model import BlockVolume, Brick, Cluster, Device, Node, Tags, Volume
from heketipy.domain.pending import PendingRecord

Entry = dict[str, Any]

CLUSTERS: Final = "clusterentries"
VOLUMES: Final = "volumeentries"
BRICKS: Final = "brickentries"
NODES: Final = "nodeentries"
DEVICES: Final = "deviceentries"
BLOCK_VOLUMES: Final = "blockvolumeentries"
ATTRIBUTES: Final = "dbattributeentries"
PENDING: Final = "pendingoperations"

SECTIONS: Final = (CLUSTERS, VOLUMES, BRICKS, NODES, DEVICES, BLOCK_VOLUMES, ATTRIBUTES, PENDING)
"""The kinds of records, in heketi's order."""

GENERATION: Final = "DB_GENERATION_ID"
FLAGS: Final = "DB_CLUSTER_HAS_FILE_BLOCK_FLAG"
SUBTYPES: Final = "DB_BRICK_HAS_SUBTYPE_FIELD"
DEVICE_META: Final = "DB_DEVICE_HAS_ID_META"
OPERATIONS: Final = "DB_HAS_PENDING_OPS_BUCKET"
KNOWN_ATTRIBUTES: Final = frozenset({GENERATION, FLAGS, SUBTYPES, DEVICE_META, OPERATIONS})
UPGRADED: Final = frozenset({FLAGS, SUBTYPES, DEVICE_META, OPERATIONS})
"""Attributes whose value is `yes` in every database that a heketi of today has opened."""


def cluster(cluster: Cluster, nodes: Sequence[str], volumes: Sequence[str], block_volumes: Sequence[str]) -> Entry:
    """Return a cluster's record, with ids of all that belongs to it."""
    return {
        "Info": {
            "id": cluster.id,
            "nodes": list(nodes),
            "volumes": list(volumes),
            "block": cluster.block,
            "file": cluster.file,
            "blockvolumes": list(block_volumes),
        }
    }


def volume(volume: Volume, bricks: Sequence[str], hosts: Sequence[str], block_volumes: Sequence[str]) -> Entry:
    """Return a volume's record. `hosts` are those that it can be mounted from now."""
    info: Entry = {"size": volume.size_gib}
    if volume.requested_clusters:
        info["clusters"] = list(volume.requested_clusters)
    info["name"] = volume.name
    info["durability"] = durability(volume.durability)
    if volume.gid:
        info["gid"] = volume.gid
    if volume.block:
        info["block"] = True
    info["snapshot"] = {"enable": volume.snapshot.enable, "factor": volume.snapshot.factor}
    info["id"] = volume.id
    info["cluster"] = volume.cluster
    info["mount"] = {"glusterfs": mount(volume.name, hosts)}
    books = volume.block_info
    info["blockinfo"] = _given(
        freesize=books.free_gib,
        reservedsize=books.reserved_gib,
        blockvolume=list(block_volumes),
        restriction=books.restriction,
    )
    return {
        "Info": info,
        "Bricks": list(bricks),
        "GlusterVolumeOptions": list(volume.options) or None,
        "Pending": {"Id": volume.pending},
    }


def durability(durability: Durability) -> Entry:
    """Return how data is kept safe: the numbers of all types, as far as they were given."""
    return {
        "type": durability.type.value,
        "replicate": _given(replica=durability.replica),
        "disperse": _given(data=durability.data, redundancy=durability.redundancy),
    }


def mount(name: str, hosts: Sequence[str]) -> Entry:
    """Return how a volume is mounted."""
    return {
        "hosts": hosts if isinstance(hosts, list) else list(hosts),  # one for all volumes of a cluster
        "device": f"{hosts[0] if hosts else ''}:{name}",
        "options": {"backup-volfile-servers": ",".join(hosts[1:])},
    }


def brick(brick: Brick) -> Entry:
    """Return a brick's record."""
    return {
        "Info": {
            "id": brick.id,
            "path": brick.path,
            "device": brick.device,
            "node": brick.node,
            "volume": brick.volume,
            "size": brick.size_kib,
        },
        "TpSize": brick.tp_size_kib,
        "PoolMetadataSize": brick.pool_metadata_kib,
        "Pending": {"Id": brick.pending},
        "LvmThinPool": brick.thin_pool,
        "LvmLv": brick.lv,
        "SubType": brick.type.value,
    }


def node(node: Node, devices: Sequence[str]) -> Entry:
    """Return a node's record."""
    info: Entry = {
        "zone": node.zone,
        "hostnames": {"manage": list(node.manage), "storage": list(node.storage)},
        "cluster": node.cluster,
        **_tags(node.tags),
        "id": node.id,
    }
    return {"State": node.state.value, "Info": info, "Devices": list(devices)}


def device(device: Device, bricks: Sequence[str]) -> Entry:
    """Return a device's record."""
    info: Entry = {
        "name": device.name,
        **_tags(device.tags),
        "storage": {"total": device.total_kib, "free": device.free_kib, "used": device.used_kib},
        "id": device.id,
        **_given(paths=list(device.paths), pv_uuid=device.pv_uuid),
    }
    return {
        "State": device.state.value,
        "Info": info,
        "Bricks": list(bricks),
        "NodeId": device.node,
        "ExtentSize": device.extent_kib,
    }


def block_volume(block_volume: BlockVolume) -> Entry:
    """Return a block volume's record."""
    target = block_volume.target
    info: Entry = {
        "size": block_volume.size_gib,
        **_given(clusters=list(block_volume.requested_clusters)),
        "name": block_volume.name,
        **_given(hacount=block_volume.ha_count, auth=block_volume.auth),
        "id": block_volume.id,
        "blockvolume": {
            "hosts": list(target.hosts) or None,
            "iqn": target.iqn,
            "lun": 0,
            "username": target.username,
            "password": target.password,
        },
        **_given(
            cluster=block_volume.cluster,
            blockhostingvolume=block_volume.hosting_volume,
            usablesize=block_volume.usable_gib,
        ),
    }
    return {"Info": info, "Pending": {"Id": block_volume.pending}}


def attributes(values: Mapping[str, str]) -> dict[str, Entry]:
    """Return the records of attributes, ascending by name."""
    return {name: {"Key": name, "Value": value} for name, value in sorted(values.items())}


def pending(record: PendingRecord) -> Entry:
    """Return the record of a pending operation."""
    return {
        "Id": record.id,
        "Timestamp": record.created,
        "Type": int(record.type),
        "Actions": [
            {"Change": int(action.change), "Id": action.id, "Delta": action.delta} for action in record.actions
        ],
        "Status": record.status,
    }


def _tags(tags: Tags) -> Mapping[str, object]:
    return {"tags": dict(sorted(tags.items()))} if tags else {}


def _given(**members: object) -> Entry:
    """Return the members that are not empty, as heketi leaves out others."""
    return {name: value for name, value in members.items() if value}

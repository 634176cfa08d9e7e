"""A small site in the books: clusters of three nodes with two devices each, and ways to put volumes on it."""

from heketipy.db.database import Tx
from heketipy.domain.durability import Durability, DurabilityType
from heketipy.domain.model import BlockInfo, BlockTarget, BlockVolume, Brick, BrickType, Cluster, Device, Node, Volume
from tests.support.secrets import chap_password

DEVICE_KIB = 500 * 1024 * 1024
NODES = 3
DEVICES = 2


def id_of(kind: str, number: int) -> str:
    """Return an id that can be told apart from others by a reader, ascending with the number."""
    digits = {
        "cluster": "c",
        "node": "1",
        "device": "d",
        "volume": "a",
        "brick": "b",
        "operation": "f",
        "job": "e",
        "block volume": "2",
    }
    return digits[kind] + f"{number:031x}"


CLUSTER = id_of("cluster", 1)


def node(number: int, *, cluster: str = CLUSTER, zone: int = 1) -> Node:
    """Return a node."""
    return Node(id_of("node", number), cluster, zone, (f"node{number}.example.com",), (f"10.0.0.{number}",))


def device(number: int, *, on: int, total_kib: int = DEVICE_KIB) -> Device:
    """Return an empty device."""
    return Device(id_of("device", number), id_of("node", on), f"/dev/sd{number}", total_kib, total_kib, 0, 4096)


def brick(number: int, *, volume: int, on: Device, position: int = 0, pending: str = "") -> Brick:
    """Return a brick of 1 GiB."""
    return Brick(
        id=id_of("brick", number),
        volume=id_of("volume", volume),
        device=on.id,
        node=on.node,
        position=position,
        path=f"/var/lib/heketi/mounts/vg_{on.id}/brick_{id_of('brick', number)}/brick",
        size_kib=1048576,
        tp_size_kib=1048576,
        pool_metadata_kib=8192,
        type=BrickType.NORMAL,
        thin_pool=f"tp_{id_of('brick', number)}",
        pending=pending,
    )


def volume(number: int, *, cluster: str = CLUSTER, name: str = "", pending: str = "") -> Volume:
    """Return a volume of 1 GiB with three replicas."""
    made = id_of("volume", number)
    durability = Durability(DurabilityType.REPLICATE, replica=3)
    return Volume(made, name or f"vol_{made}", cluster, 1, durability, options=("", ""), pending=pending)


def hosting_volume(number: int, *, gib: int = 100, info: BlockInfo | None = None, pending: str = "") -> Volume:
    """Return a hosting volume on which there is nothing yet, unless its books say so."""
    made = id_of("volume", number)
    durability = Durability(DurabilityType.REPLICATE, replica=3)
    info = info or BlockInfo(free_gib=gib * 98 // 100, reserved_gib=gib - gib * 98 // 100)
    return Volume(made, f"vol_{made}", CLUSTER, gib, durability, block=True, block_info=info, pending=pending)


def block_volume(number: int, *, on: int, gib: int = 1, name: str = "", pending: str = "") -> BlockVolume:
    """Return a block volume on a hosting volume, exported by the first node."""
    made = id_of("block volume", number)
    target = BlockTarget(("10.0.0.1",), f"iqn.2016-12.org.gluster-block:{made}", made, chap_password())
    return BlockVolume(
        id=made,
        name=name or f"blockvol_{made}",
        cluster=CLUSTER,
        hosting_volume=id_of("volume", on),
        size_gib=gib,
        usable_gib=gib,
        ha_count=1,
        auth=True,
        target=target,
        pending=pending,
    )


def add_site(tx: Tx) -> None:
    """Add the first cluster with its nodes and devices: node n has the devices 10n and 10n + 1."""
    tx.clusters.add(Cluster(CLUSTER, file=True, block=True))
    for number in range(1, NODES + 1):
        tx.nodes.add(node(number))
        for index in range(DEVICES):
            tx.devices.add(device(10 * number + index, on=number))


def add_volume(tx: Tx, number: int, *, name: str = "", pending: str = "") -> None:
    """Add a volume with a brick on the first device of each node, charged."""
    tx.volumes.add(volume(number, name=name, pending=pending))
    for position in range(NODES):
        on = tx.devices.get(id_of("device", 10 * (position + 1)))
        # Descending ids, so that gluster's order is not by chance that of the ids.
        made = brick(100 * number + NODES - position, volume=number, on=on, position=position, pending=pending)
        tx.bricks.add([made])
        tx.devices.take(on.id, made.charged_kib)

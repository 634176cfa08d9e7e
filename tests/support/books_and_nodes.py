"""The invariant behind every test of operations: the books say what the nodes hold, and the nodes hold nothing else."""

from collections import Counter

from heketipy.db.transaction import Tx
from heketipy.domain.model import Brick
from heketipy.domain.names import mount_point, thin_pool, volume_group
from heketipy.executors.simulator.mounts import fstab_lines
from heketipy.executors.simulator.state import GlusterVolume, Node, State

SNAPS = "/run/gluster/snaps/"


def discrepancies(tx: Tx, state: State) -> list[str]:
    """Name everything in which books and nodes differ, and everything that is unsettled. Owed bricks may be there."""
    found = [
        f"operation {operation.kind} is {operation.status}: {operation.error}" for operation in tx.operations.all()
    ]
    found += [f"job {job.id} has no end" for job in tx.jobs.unfinished()]
    bricks = tx.bricks.all()
    found += [f"brick {brick.id} is pending" for brick in bricks if brick.pending]
    found += [f"volume {volume.name} is pending" for volume in tx.volumes.all() if volume.pending]
    found += _devices(tx, state)
    for node in state.nodes.values():
        found += _bricks_of(tx, node, [b for b in bricks if tx.nodes.get(b.node).manage[0] == node.manage])
    return found + _volumes(tx, state) + _block_volumes(tx, state) + _peers(tx, state)


def _devices(tx: Tx, state: State) -> list[str]:
    found = []
    owed = _owed_pools(tx)
    groups = {(node.manage, name) for node in state.nodes.values() for name in node.vgs if name.startswith("vg_")}
    for device in tx.devices.all():
        group = (tx.nodes.get(device.node).manage[0], volume_group(device.id))
        if group not in groups:
            found.append(f"device {device.id} has no volume group")
        groups.discard(group)
        # Clones share the pools of what they were copied from, and a pool is charged once.
        pools = {brick.pool: brick.charged_kib for brick in tx.bricks.of_device(device.id)}
        charged = sum((owed.get(device.id, {}) | pools).values())
        if device.used_kib != charged:
            found.append(f"device {device.id} counts {device.used_kib} KiB used, charged are {charged}")
        if device.total_kib != device.free_kib + device.used_kib:
            found.append(f"device {device.id}: total is not free + used")
    return found + [f"{host}: volume group {name} is no device's" for host, name in sorted(groups)]


def _owed_pools(tx: Tx) -> dict[str, dict[str, int]]:
    """Return the charges of pools that nodes still owe, by device and name of the pool."""
    owed: dict[str, dict[str, int]] = {}
    for debt in tx.debts.all():
        for brick in debt.work["bricks"]["bricks"] if "bricks" in debt.work else ():
            pool = brick["thin_pool"] or thin_pool(brick["id"])
            owed.setdefault(brick["device"], {})[pool] = brick["tp_size_kib"] + brick["pool_metadata_kib"]
    return owed


def _bricks_of(tx: Tx, node: Node, bricks: list[Brick]) -> list[str]:
    owed = {
        name
        for debt in tx.debts.all()
        if tx.nodes.get(debt.node).manage[0] == node.manage and "bricks" in debt.work
        for brick in debt.work["bricks"]["bricks"]
        for name in (brick["id"], brick["lv"], brick["thin_pool"], brick["path"].removesuffix("/brick"))
        if name
    }

    def compare(what: str, expected: set[str], there: set[str]) -> list[str]:
        there = {name for name in there if name in expected or not any(part in name for part in owed)}
        return [f"{node.manage}: {what} {name} is missing" for name in sorted(expected - there)] + [
            f"{node.manage}: {what} {name} is nobody's" for name in sorted(there - expected)
        ]

    clones = [brick for brick in bricks if brick.path.startswith(SNAPS)]
    points = {mount_point(brick.device, brick.id) for brick in bricks if brick not in clones}
    lvs = {f"{volume_group(b.device)}/{name}" for b in bricks for name in (b.thin_pool, b.lv)}
    heketis = {name for name in node.lvs if name.startswith("vg_")}
    mounts = {point for point in node.mounts if "/heketi/" in point or point.startswith(SNAPS)}
    copies = {brick.path.removesuffix("/brick") for brick in clones}
    lines = [line.point for line in fstab_lines(node.fstab) if "/heketi/" in line.point]
    directories = {path for path in node.dirs if path.count("/") == 6 and "/heketi/mounts/" in path}
    found = compare("logical volume", lvs, heketis) + compare("mount", points | copies, mounts)
    found += compare("fstab line for", points, set(lines)) + compare("directory", points, directories)
    found += [f"{node.manage}: {n} fstab lines for {point}" for point, n in Counter(lines).items() if n > 1]
    snaps = {path for path in node.dirs if path.startswith(SNAPS) and path.count("/") == 5}
    found += compare("directory", copies, snaps)
    for brick in bricks:
        found += _directory(tx, node, brick)
    return found


def _directory(tx: Tx, node: Node, brick: Brick) -> list[str]:
    entry = node.entry(brick.path)
    if entry is None:
        return [f"{node.manage}: no directory {brick.path}"]
    volume = tx.volumes.get(brick.volume)
    wanted = (volume.gid, 0o2775) if volume.gid else (0, 0o755)
    if (entry.gid, entry.mode) != wanted:
        return [f"{node.manage}: {brick.path} has group {entry.gid} and mode {entry.mode:o}"]
    return []


def _volumes(tx: Tx, state: State) -> list[str]:
    there: dict[str, GlusterVolume] = {}
    for pool in state.pools.values():
        there.update({name: volume for name, volume in pool.volumes.items() if not name.startswith("foreign")})
    found = []
    for volume in tx.volumes.all():
        known = there.pop(volume.name, None)
        if known is None:
            found.append(f"gluster does not know volume {volume.name}")
            continue
        storage = {node.id: node.storage[0] for node in tx.nodes.of_cluster(volume.cluster)}
        expected = [f"{storage[brick.node]}:{brick.path}" for brick in tx.bricks.of_volume(volume.id)]
        bricks = [f"{brick.host}:{brick.path}" for brick in known.bricks]
        if bricks != expected:
            found.append(f"volume {volume.name} consists of {bricks}, the books say {expected}")
        if known.status != "Started":
            found.append(f"volume {volume.name} is {known.status}")
        if known.options["user.heketi.id"] != volume.id:
            found.append(f"gluster's volume {volume.name} is marked as {known.options['user.heketi.id']}")
    found += [f"snapshot {name} is nobody's" for pool in state.pools.values() for name in pool.snapshots]
    return found + [f"gluster volume {name} is nobody's" for name in sorted(there)]


def _block_volumes(tx: Tx, state: State) -> list[str]:
    there = {
        (hosting.name, block.name): block
        for pool in state.pools.values()
        for hosting in pool.volumes.values()
        for block in hosting.blocks.values()
        if not block.name.startswith("foreign")
    }
    found = []
    for block_volume in tx.block_volumes.all():
        name = (tx.volumes.get(block_volume.hosting_volume).name, block_volume.name)
        known = there.pop(name, None)
        if known is None:
            found.append(f"gluster-block does not know block volume {name}")
            continue
        if known.size_kib != block_volume.size_gib << 20:
            found.append(f"block volume {name} has {known.size_kib} KiB, the books say {block_volume.size_gib} GiB")
        target = block_volume.target
        # A node that was deleted exports it still; nobody is told to go there.
        there_still = {node.storage[0] for node in tx.nodes.of_cluster(block_volume.cluster)}
        hosts = tuple(host for host in known.hosts if host in there_still)
        reached = (hosts, f"iqn.2016-12.org.gluster-block:{known.gbid}", known.password)
        if (target.hosts, target.iqn, target.password) != reached:
            found.append(f"block volume {name} is not reached as the books say")
        if block_volume.pending:
            found.append(f"block volume {name} is pending")
    taken = tx.block_volumes.taken_gib()
    for volume in tx.volumes.hosting():
        info = volume.block_info
        if volume.size_gib != info.free_gib + info.reserved_gib + taken.get(volume.id, 0):
            found.append(f"the books of hosting volume {volume.name} do not come out even: {info}")
    return found + [f"block volume {name} is nobody's" for name in sorted(there)]


def _peers(tx: Tx, state: State) -> list[str]:
    found = []
    for cluster in tx.clusters.ids():
        nodes = {node.manage[0] for node in tx.nodes.of_cluster(cluster)}
        owed = {debt.work["detach"]["host"] for debt in tx.debts.all() if "detach" in debt.work}
        pools = [set(pool.members) for pool in state.pools.values() if nodes & set(pool.members)]
        if len(nodes) > 1 and [pool - owed for pool in pools] != [nodes]:
            found.append(f"peers are {pools}, the cluster's nodes are {nodes}")
    return found

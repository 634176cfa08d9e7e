"""The simulator: nodes, what runs on them, what has run, and what is left.

It is synchronous: `execute` runs one command to its end. Batches, locks, latency and faults are the transport's.
"""

import asyncio
import random
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from heketipy.domain.errors import NodeUnreachable
from heketipy.domain.model import NodeAddress
from heketipy.executors.simulator import gluster_block, gluster_snapshots, mounts, registry
from heketipy.executors.simulator.context import Context, World
from heketipy.executors.simulator.faults import Faults
from heketipy.executors.simulator.gates import Gates
from heketipy.executors.simulator.state import REJECTED, Disk, Entry, GlusterVolume, Node, State
from heketipy.executors.transport import Result

MOUNTS = "/var/lib/heketi/mounts"
OURS = ("/var/lib/heketi", MOUNTS)
"""Directories which are made once and are no leftovers."""
REFUSED_KEY = (
    "ssh: handshake failed: ssh: unable to authenticate, attempted methods [none publickey],"
    " no supported methods remain"
)


@dataclass(frozen=True, slots=True)
class Ran:
    """A command that ran: on which node (manage name), what, and how it ended."""

    node: str
    argv: tuple[str, ...]
    status: int


class Simulator:
    """A cluster of simulated nodes.

    With `accept_anything` hosts and devices appear on first sight, as heketi's mock has it: each device gives a volume
    group of exactly `device_size_gib`. `seed` makes uuids repeatable. `on_change` is called after each command that may
    have changed something.
    """

    def __init__(
        self,
        state: State | None = None,
        *,
        accept_anything: bool = False,
        device_size_gib: int = 500,
        seed: int | None = None,
        history: int = 100_000,
        on_change: Callable[[], None] | None = None,
    ) -> None:
        self.world = World(
            state=state or State(),
            accept_anything=accept_anything,
            device_size_gib=device_size_gib,
            chance=random.Random(seed),  # noqa: S311 - uuids of a simulation
        )
        self.faults = Faults()
        self.gates = Gates()
        self.survivors: set[asyncio.Task[None]] = set()
        self.history: deque[Ran] = deque(maxlen=history)
        self.on_change = on_change

    @property
    def state(self) -> State:
        """Everything that is."""
        return self.world.state

    @property
    def nodes(self) -> Mapping[str, Node]:
        """The nodes by manage name."""
        return self.state.nodes

    @property
    def volumes(self) -> dict[str, GlusterVolume]:
        """The gluster volumes of all trusted pools, by name."""
        return {name: volume for pool in self.state.pools.values() for name, volume in pool.volumes.items()}

    def node(self, host: str) -> Node:
        """Return a node by its manage or storage name."""
        node = self.state.nodes.get(host) or self.state.by_storage(host)
        if node is None:
            raise KeyError(host)
        return node

    def add_node(self, manage: str, storage: str = "", *, disks_gib: Mapping[str, int] | None = None) -> Node:
        """Add a node: by default it is reached and known by one name and has no disk but its root's."""
        node = self.world.add_node(manage, storage or manage)
        for path, gib in (disks_gib or {}).items():
            self.add_disk(manage, path, gib)
        return node

    def add_disk(self, host: str, path: str, gib: int, *, signature: str = "") -> Disk:
        """Give a node a disk, with the links that udev makes; `signature` is that of a file system on it."""
        node = self.node(host)
        number = len(node.disks) + 6
        links = [
            f"/dev/disk/by-path/virtio-pci-0000:00:{number:02x}.0",
            f"/dev/disk/by-path/pci-0000:00:{number:02x}.0",
            f"/dev/disk/by-diskseq/{number - 3}",
            f"/dev/block/254:{(len(node.disks)) * 16}",
        ]
        disk = node.disks[path] = Disk(path=path, size_kib=gib << 20, links=links, signature=signature)
        return disk

    def execute(self, host: str, argv: Sequence[str], stdin: str = "") -> Result:
        """Run one command on a node to its end, past all faults."""
        return self.run_on(self.node(host), argv, stdin)

    def run_on(self, node: Node, argv: Sequence[str], stdin: str = "") -> Result:
        """Run one command on a node to its end, and write it into the history."""
        result = registry.run(Context(self.world, node, tuple(argv), stdin))
        self.history.append(Ran(node.manage, tuple(argv), result.status))
        if self.on_change is not None and not registry.only_looks(argv):
            self.on_change()
        return result

    async def settle(self) -> None:
        """Wait until nothing runs on the nodes any more that has lost its connection."""
        while self.survivors:
            await asyncio.gather(*self.survivors, return_exceptions=True)

    def reach(self, address: NodeAddress, *, port: str = "22") -> Node:
        """Return the node behind an address as ssh would find it.

        Raises NodeUnreachable, nothing having been sent: no such host, down, or it refuses our key.
        """
        node = self.state.nodes.get(address.manage)
        if node is None and self.world.accept_anything:
            node = self._named(address)
        if node is None or not node.up:
            text = f"dial tcp {address.manage}:{port}: connect: no route to host"
            raise NodeUnreachable(text, node=address.id, sent=False)
        if not node.accepts_key:
            raise NodeUnreachable(REFUSED_KEY, node=address.id, sent=False, refused=True)
        return node

    def _named(self, address: NodeAddress) -> Node:
        """Return a node that appears on first sight; a peer known by its storage name alone gets its manage name."""
        node = self.state.by_storage(address.storage)
        if node is None or node.manage != node.storage:
            return self.world.add_node(address.manage, address.storage)
        former = node.manage
        self.state.nodes[address.manage] = self.state.nodes.pop(former)
        node.manage = address.manage
        for pool in self.state.pools.values():
            if former in pool.members:
                member = pool.members.pop(former)
                member.node = address.manage
                pool.members[address.manage] = member
        return node

    def node_down(self, host: str, *, noticed: bool = True) -> None:
        """Switch a node off the network. `noticed`: its peers have found out; else their commands wait for it."""
        node = self.node(host)
        node.up, node.noticed = False, noticed

    def node_up(self, host: str) -> None:
        """Put a node back onto the network."""
        node = self.node(host)
        node.up, node.noticed = True, True

    def hang(self, host: str, *, noticed: bool = True) -> None:
        """Let a node take connections, and answer nothing any more. `noticed` as for `node_down`."""
        node = self.node(host)
        node.hung, node.noticed = True, noticed

    def wake(self, host: str) -> None:
        """Let a node that hung go on."""
        node = self.node(host)
        node.hung, node.noticed = False, True

    def lose_disk(self, host: str, path: str) -> None:
        """Take a disk out of a node, and what LVM knew of it. File systems on it stay mounted, and hold nothing."""
        node = self.node(host)
        disk = node.disks.pop(path)
        node.vgs.pop(disk.vg, None)

    def reimage(self, host: str) -> None:
        """Set a node up anew under the same name: empty disks of the same sizes and names, and a glusterd of its own,
        which nobody has probed. Its former peers reach it, and reject it."""
        former = self.node(host)
        for pool in self.state.pools.values():
            if (member := pool.members.get(former.manage)) is not None:
                member.state, member.uuid = REJECTED, former.uuid
        node = self.world.add_node(former.manage, former.storage)
        for path, disk in former.disks.items():
            node.disks.setdefault(path, Disk(path=path, size_kib=disk.size_kib, links=disk.links))

    def glusterd_down(self, host: str) -> None:
        """Stop glusterd on a node."""
        self.node(host).glusterd = False

    def glusterd_up(self, host: str) -> None:
        """Start glusterd on a node."""
        self.node(host).glusterd = True

    def blockd_down(self, host: str) -> None:
        """Stop gluster-block's daemon on a node."""
        self.node(host).blockd = False

    def blockd_up(self, host: str) -> None:
        """Start gluster-block's daemon on a node."""
        self.node(host).blockd = True

    def refuse_key(self, host: str, *, refuse: bool = True) -> None:
        """Let a node refuse the key that we log in with."""
        self.node(host).accepts_key = not refuse

    def reboot(self, host: str) -> None:
        """Boot a node anew: mounts and /run are gone, fstab is mounted, glusterd runs and mounts its clones."""
        node = self.node(host)
        node.mounts.clear()
        run = node.root.put("run", Entry())
        for name in ("gluster", "lock"):
            run.put(name, Entry())
        for lv in node.lvs.values():
            lv.active = True
        node.up = node.glusterd = node.blockd = node.noticed = True
        node.hung = False
        node.boots += 1
        mounts.mount_all(Context(self.world, node, ("mount", "-a")), node.fstab_path)
        for pool in self.state.pools.values():
            volumes = [s.volume for s in pool.snapshots.values() if s.active]
            for volume in [*pool.volumes.values(), *volumes]:
                gluster_snapshots.mount_bricks(self.state, volume, only=node)

    def leftovers(self) -> list[str]:
        """Name everything that fresh nodes do not have: LVM objects, mounts, fstab lines, directories, volumes, peers.

        heketi's directory of mounts is none, nor that of a device whose volume group is there; what lies inside a
        brick's file system or in /run goes with it.
        """
        found = [text for _, node in sorted(self.state.nodes.items()) for text in self._leftovers_of(node)]
        for _, pool in sorted(self.state.pools.items()):
            found += [f"gluster volume {name} ({v.status})" for name, v in sorted(pool.volumes.items())]
            found += [f"block volume {name}" for name in sorted(gluster_block.names_of([*pool.volumes.values()]))]
            found += [f"gluster snapshot {name}" for name in sorted(pool.snapshots)]
            if len(pool.members) > 1:
                found += [f"peer {member.hostname}" for _, member in sorted(pool.members.items())]
        return found

    def _leftovers_of(self, node: Node) -> Iterator[str]:
        host = node.manage
        yield from (f"{host}: physical volume {path}" for path, d in sorted(node.disks.items()) if d.pv_uuid)
        yield from (f"{host}: volume group {name}" for name in sorted(node.vgs))
        yield from (f"{host}: logical volume {name}" for name in sorted(node.lvs))
        yield from (f"{host}: mount {point}" for point in sorted(node.mounts))
        for line in mounts.fstab_lines(node.fstab):
            if line.point != "/":
                yield f"{host}: fstab line {line.device} {line.point}"
        devices = {f"{MOUNTS}/{name}" for name in node.vgs}
        for path in node.dirs:
            inside = node.covering(path)
            if path not in OURS and path not in devices and inside is None and not path.startswith("/run/"):
                yield f"{host}: directory {path}"

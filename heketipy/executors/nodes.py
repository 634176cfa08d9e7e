"""Storage nodes: the verbs by which the rest of heketipy speaks of them, in terms of the domain.

Every verb is idempotent: "already so" is success. Every change is fenced by its operation, and touches only what
carries the ids it was given. Failures are NodeUnreachable (the node did not answer), Superseded (another server has
taken the operation over) and CommandFailed (the node refused; the text is its tool's, as heketi hands it on).
"""

from collections.abc import Iterable, Sequence

from heketipy.domain.comparison import Leftover
from heketipy.domain.inventory import NodeInventory
from heketipy.domain.model import BlockTarget, NodeAddress
from heketipy.executors.block import BlockVolumeLayout, BlockVolumeReading
from heketipy.executors.blocks import Blocks, NameTaken
from heketipy.executors.bricks import Bricks, BrickSpec
from heketipy.executors.clones import Clones
from heketipy.executors.conversation import PATIENCE, Conversation
from heketipy.executors.devices import DeviceNotAvailable, DeviceReading, Devices, DeviceSurvey
from heketipy.executors.examination import Examination, Examiner
from heketipy.executors.gluster import BricksAt, GlusterVolume, HealBrick, Peer, VolumeLayout
from heketipy.executors.holdings import Holdings
from heketipy.executors.options import NodeOptions
from heketipy.executors.peers import CHECK_TIMEOUT, Peers
from heketipy.executors.quarantine import Failures, Quarantine
from heketipy.executors.stocktaking import Stocktaking
from heketipy.executors.transport import Fence, Transport
from heketipy.executors.vitals import Checkup, Vitals
from heketipy.executors.volumes import Volumes

__all__ = [
    "BlockVolumeLayout",
    "BlockVolumeReading",
    "BrickSpec",
    "DeviceNotAvailable",
    "DeviceReading",
    "DeviceSurvey",
    "GlusterVolume",
    "HealBrick",
    "NameTaken",
    "Peer",
    "StorageNodes",
    "VolumeLayout",
]


class StorageNodes:
    """All storage nodes, reached through one transport."""

    def __init__(
        self,
        transport: Transport,
        options: NodeOptions,
        *,
        patience: tuple[float, ...] = PATIENCE,
    ) -> None:
        """`patience` are the seconds to wait before gluster is asked again while others hold its locks."""
        conversation = Conversation(transport, options, patience)
        self._transport = transport
        self._bricks = Bricks(transport, options)
        self._devices = Devices(transport, options)
        self._peers = Peers(transport, conversation, options)
        self._volumes = Volumes(conversation, options)
        self._clones = Clones(conversation, options)
        self._blocks = Blocks(conversation, options)
        self._checkup = Checkup(transport, options)
        self._examiner = Examiner(transport, conversation, options)
        self._stocktaking = Stocktaking(transport, self._volumes, options)
        self._quarantine = Quarantine(transport, options)

    async def close(self) -> None:
        """Drop the connections to all nodes."""
        await self._transport.close()

    async def examine(self, node: NodeAddress) -> Examination:
        """Look at everything that a node has. Never fails: what cannot be had is said."""
        return await self._examiner.examine(node)

    async def take_stock(self, node: NodeAddress, devices: Iterable[str]) -> NodeInventory:
        """List what a node has of LVM, mounts, fstab, folders of these devices (ids), gluster volumes."""
        return await self._stocktaking.take(node, devices)

    async def quarantine(
        self, node: NodeAddress, leftovers: Sequence[Leftover], *, since: int, until: int, fence: Fence | None = None
    ) -> Failures:
        """Put away what is left of bricks that nobody knows, for a while; tell what could not be done, and why."""
        return await self._quarantine.begin(node, leftovers, since=since, until=until, fence=fence)

    async def release_quarantined(
        self, node: NodeAddress, leftovers: Sequence[Leftover], *, fence: Fence | None = None
    ) -> Failures:
        """Give what is in quarantine its former name; tell what could not be done, and why."""
        return await self._quarantine.release(node, leftovers, fence=fence)

    async def remove_quarantined(
        self, node: NodeAddress, leftovers: Sequence[Leftover], *, now: float, fence: Fence | None = None
    ) -> Failures:
        """Remove what was in quarantine up to now (seconds since 1970); tell what could not be done, and why."""
        return await self._quarantine.end(node, leftovers, now=now, fence=fence)

    async def vitals(self, node: NodeAddress, *, block: bool = False) -> Vitals:
        """Look whether a node can serve, also for block volumes where that is wanted."""
        return await self._checkup.vitals(node, block=block)

    async def check(self, node: NodeAddress, *, limit: float = CHECK_TIMEOUT) -> None:
        """Make sure that a node's gluster daemon runs. `limit` is in seconds."""
        await self._peers.check(node, limit=limit)

    async def peers(self, node: NodeAddress) -> list[Peer]:
        """Return the trusted pool as a node sees it; the node itself is `localhost` in it."""
        return await self._peers.peers(node)

    async def probe_peer(
        self, via: NodeAddress, storage_host: str, *, cluster: str = "", fence: Fence | None = None
    ) -> None:
        """Take a host into the trusted pool."""
        await self._peers.probe(via, storage_host, cluster=cluster, fence=fence)

    async def detach_peer(
        self,
        via: NodeAddress,
        storage_host: str,
        *,
        cluster: str = "",
        force: bool = False,
        fence: Fence | None = None,
    ) -> None:
        """Let a host go from the trusted pool; `force`: also while other peers are down."""
        await self._peers.detach(via, storage_host, cluster=cluster, force=force, fence=fence)

    async def set_up_device(
        self,
        node: NodeAddress,
        path: str,
        device_id: str,
        *,
        destroy: bool = False,
        fence: Fence | None = None,
    ) -> DeviceReading:
        """Make a disk a device; what it carries is wiped only with `destroy`. Raises DeviceNotAvailable."""
        return await self._devices.set_up(node, path, device_id, destroy=destroy, fence=fence)

    async def holdings(self, node: NodeAddress, path: str, *, refusal: str) -> Holdings:
        """Look what holds a disk that was refused with a text. Never fails."""
        return await self._devices.holdings(node, path, refusal=refusal)

    async def read_device(
        self,
        node: NodeAddress,
        device_id: str,
        *,
        paths: Sequence[str] = (),
        pv_uuid: str = "",
        fence: Fence | None = None,
    ) -> DeviceReading:
        """Read a device's size and names."""
        return await self._devices.read(node, device_id, paths=paths, pv_uuid=pv_uuid, fence=fence)

    async def survey_device(
        self,
        node: NodeAddress,
        device_id: str,
        *,
        paths: Sequence[str] = (),
        pv_uuid: str = "",
        fence: Fence | None = None,
    ) -> DeviceSurvey:
        """Read a device's size, and what takes its space."""
        return await self._devices.survey(node, device_id, paths=paths, pv_uuid=pv_uuid, fence=fence)

    async def has_device(self, node: NodeAddress, device_id: str, *, fence: Fence | None = None) -> bool:
        """Tell whether a device's volume group is on the node. With a fence, what still runs there for the operation is
        waited for."""
        return await self._devices.exists(node, device_id, fence=fence)

    async def tear_down_device(
        self,
        node: NodeAddress,
        device_id: str,
        *,
        paths: Sequence[str] = (),
        pv_uuid: str = "",
        fence: Fence | None = None,
    ) -> None:
        """Remove a device's volume group and the label from its disk."""
        await self._devices.tear_down(node, device_id, paths=paths, pv_uuid=pv_uuid, fence=fence)

    async def forget_device(
        self,
        node: NodeAddress,
        device_id: str,
        *,
        paths: Sequence[str] = (),
        pv_uuid: str = "",
        fence: Fence | None = None,
    ) -> None:
        """Remove of a device what can be removed. Never fails on account of the node."""
        await self._devices.forget(node, device_id, paths=paths, pv_uuid=pv_uuid, fence=fence)

    async def create_bricks(
        self, node: NodeAddress, bricks: Sequence[BrickSpec], *, fence: Fence | None = None
    ) -> None:
        """Make bricks, all of them in one round trip."""
        await self._bricks.create(node, bricks, fence=fence)

    async def destroy_bricks(
        self, node: NodeAddress, bricks: Sequence[BrickSpec], *, fence: Fence | None = None
    ) -> dict[str, bool]:
        """Destroy bricks; tell for each, by id, whether its space is free again."""
        return await self._bricks.destroy(node, bricks, fence=fence)

    async def create_volume(self, node: NodeAddress, layout: VolumeLayout, *, fence: Fence | None = None) -> None:
        """Make a gluster volume, set its options, start it."""
        await self._volumes.create(node, layout, fence=fence)

    async def volume(self, node: NodeAddress, name: str, *, fence: Fence | None = None) -> GlusterVolume | None:
        """Return a gluster volume by its name; None where there is none. With a fence, what still runs on the node for
        the operation is waited for."""
        return await self._volumes.find(node, name, fence=fence)

    async def volumes(self, node: NodeAddress) -> list[GlusterVolume]:
        """Return all gluster volumes."""
        return await self._volumes.all(node)

    async def volume_snapshots(self, node: NodeAddress, name: str) -> int:
        """Tell how many snapshots a volume has."""
        return await self._volumes.snapshot_count(node, name)

    async def start_volume(self, node: NodeAddress, name: str, *, fence: Fence | None = None) -> None:
        """Start a volume."""
        await self._volumes.start(node, name, fence=fence)

    async def stop_volume(
        self, node: NodeAddress, name: str, *, force: bool = True, fence: Fence | None = None
    ) -> None:
        """Stop a volume."""
        await self._volumes.stop(node, name, force=force, fence=fence)

    async def delete_volume(self, node: NodeAddress, name: str, *, fence: Fence | None = None) -> None:
        """Stop and delete a volume; its bricks stay."""
        await self._volumes.delete(node, name, fence=fence)

    async def add_bricks(
        self, node: NodeAddress, layout: VolumeLayout, bricks: BricksAt, *, fence: Fence | None = None
    ) -> None:
        """Add whole sets of bricks to a volume."""
        await self._volumes.add_bricks(node, layout, bricks, fence=fence)

    async def replace_brick(
        self,
        node: NodeAddress,
        name: str,
        old: tuple[str, str],
        new: tuple[str, str],
        *,
        fence: Fence | None = None,
    ) -> None:
        """Let a brick take the place of another one of a volume; each is a storage name and a path."""
        await self._volumes.replace_brick(node, name, old, new, fence=fence)

    async def heal_info(self, node: NodeAddress, name: str) -> list[HealBrick]:
        """Tell what is to be healed in a volume, brick by brick."""
        return await self._volumes.heal_info(node, name)

    async def set_options(
        self, node: NodeAddress, name: str, options: Sequence[tuple[str, str]], *, fence: Fence | None = None
    ) -> None:
        """Set options of a volume."""
        await self._volumes.set_options(node, name, options, fence=fence)

    async def take_snapshot(self, node: NodeAddress, volume: str, snapshot: str, *, fence: Fence | None = None) -> None:
        """Take a snapshot of a volume, ready to be cloned."""
        await self._clones.take_snapshot(node, volume, snapshot, fence=fence)

    async def clone_snapshot(
        self, node: NodeAddress, volume: str, clone: str, snapshot: str, *, fence: Fence | None = None
    ) -> str:
        """Make a volume of a snapshot of another one; return its uuid."""
        return await self._clones.clone(node, volume, clone, snapshot, fence=fence)

    async def start_clone(self, node: NodeAddress, clone: str, snapshot: str, *, fence: Fence | None = None) -> None:
        """Start a clone."""
        await self._clones.start(node, clone, snapshot, fence=fence)

    async def drop_snapshot(self, node: NodeAddress, volume: str, snapshot: str, *, fence: Fence | None = None) -> None:
        """Delete a snapshot of a volume."""
        await self._clones.drop_snapshot(node, volume, snapshot, fence=fence)

    async def clone_volumes(
        self, node: NodeAddress, bricks: Sequence[BrickSpec], *, fence: Fence | None = None
    ) -> dict[str, str]:
        """Find the logical volumes of bricks of clones, by the bricks' ids."""
        return await self._bricks.clone_volumes(node, bricks, fence=fence)

    async def rebalance(self, node: NodeAddress, name: str, *, fence: Fence | None = None) -> None:
        """Start to spread a volume's files over its new bricks, where that is wanted."""
        await self._volumes.rebalance(node, name, fence=fence)

    async def create_block_volume(
        self, node: NodeAddress, layout: BlockVolumeLayout, *, fence: Fence | None = None
    ) -> BlockTarget:
        """Make a block volume; tell how it is reached. Raises NameTaken if somebody else's has its name."""
        return await self._blocks.create(node, layout, fence=fence)

    async def delete_block_volume(
        self, node: NodeAddress, hosting_volume: str, name: str, *, fence: Fence | None = None
    ) -> None:
        """Delete a block volume, whoever made it."""
        await self._blocks.delete(node, hosting_volume, name, fence=fence)

    async def expand_block_volume(
        self, node: NodeAddress, hosting_volume: str, name: str, *, size_gib: int, fence: Fence | None = None
    ) -> None:
        """Let a block volume grow to a size."""
        await self._blocks.expand(node, hosting_volume, name, size_gib=size_gib, fence=fence)

    async def block_volume(
        self, node: NodeAddress, hosting_volume: str, name: str, *, fence: Fence | None = None
    ) -> BlockVolumeReading | None:
        """Return a block volume by its name; None where there is none."""
        return await self._blocks.find(node, hosting_volume, name, fence=fence)

    async def block_volumes(self, node: NodeAddress, hosting_volume: str, *, fence: Fence | None = None) -> list[str]:
        """Return the names of the block volumes on a hosting volume."""
        return await self._blocks.names(node, hosting_volume, fence=fence)

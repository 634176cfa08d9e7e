"""gluster: argv of what we ask of it, and what its answers mean (commands §2.2, §2.5).

With `--xml` gluster tells most failures in the document and exits 0; without a running daemon it exits 1 and says so
on stdout.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from xml.etree.ElementTree import Element, ParseError

from defusedxml import DefusedXmlException
from defusedxml.ElementTree import fromstring

from heketipy.domain.durability import Durability, DurabilityType
from heketipy.executors.options import NodeOptions
from heketipy.executors.transport import Result

BricksAt = Sequence[tuple[str, str]]
"""Bricks in gluster's order: storage name of the node, and path."""

_SETS_PER_ADD = {DurabilityType.NONE: 15, DurabilityType.REPLICATE: 5, DurabilityType.DISPERSE: 1}
_STARTED = 1
_CONNECTED = "Connected"
_NAMELESS = "information not available"
_INT = re.compile(r"[+-]?[0-9]+")
_BUSY = re.compile(r"Another transaction (is|could be) in progress|Locking failed on|Cluster lock not held")

DAEMON_AWAY = "Connection failed. Please check if gluster daemon is operational."


@dataclass(frozen=True, slots=True)
class VolumeLayout:
    """What gluster has to know to make a volume, or to add bricks to it.

    `options` are texts of key and value, in order; empty ones are passed over. `id` is set as `user.heketi.id`.
    """

    name: str
    id: str
    bricks: tuple[tuple[str, str], ...]
    durability: Durability
    arbiter: bool = False
    options: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class GlusterVolume:
    """A volume as gluster knows it. `bricks` are texts `host:path` in gluster's order."""

    name: str
    id: str
    status: int
    status_text: str
    type_text: str
    bricks: tuple[str, ...]
    snapshot_count: int = 0
    dist_count: int = 0
    replica_count: int = 0
    arbiter_count: int = 0
    disperse_count: int = 0
    redundancy_count: int = 0
    options: Mapping[str, str] = field(default_factory=dict)

    @property
    def started(self) -> bool:
        """Whether it is running."""
        return self.status == _STARTED


@dataclass(frozen=True, slots=True)
class Peer:
    """A node of the trusted pool, as another one of it sees it. The one that was asked calls itself `localhost`.

    A peer may be known by names that our books do not have: `hostnames` are all of them."""

    uuid: str
    hostname: str
    connected: bool
    hostnames: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class HealBrick:
    """What heal info says of one brick. `name` is `host:path`; `pending` is how many entries are to be healed from it,
    None where that is not known. Unreachable bricks are named too: `connected` tells them."""

    name: str
    connected: bool
    pending: int | None


@dataclass(frozen=True, slots=True)
class Gluster:
    """Builds the argv of gluster commands with the site's options."""

    options: NodeOptions

    def _gluster(self, *args: str) -> tuple[str, ...]:
        return ("gluster", "--mode=script", f"--timeout={self.options.gluster_timeout}", *args)

    def peer_probe(self, host: str) -> tuple[str, ...]:
        """Take a host into the trusted pool; one that is in it already is no error."""
        return self._gluster("peer", "probe", host)

    def peer_detach(self, host: str, *, force: bool = False) -> tuple[str, ...]:
        """Let a host go from the trusted pool; one that holds bricks is refused. `force`: also while other peers are
        down."""
        return self._gluster("peer", "detach", host, *(["force"] if force else []))

    def pool_list(self) -> tuple[str, ...]:
        """Ask for the trusted pool; read the answer with `read_peers`."""
        return self._gluster("pool", "list", "--xml")

    def op_version(self) -> tuple[str, ...]:
        """Ask for the version of the protocol that the pool speaks."""
        return self._gluster("volume", "get", "all", "cluster.op-version")

    def snapshot_limit(self, limit: int) -> tuple[str, ...]:
        """Limit how many snapshots a volume may have."""
        return self._gluster("snapshot", "config", "snap-max-hard-limit", str(limit))

    def volume_create(self, layout: VolumeLayout) -> tuple[str, ...]:
        """Make a volume of the layout's first set of bricks."""
        first = layout.bricks[: _set_size(layout)]
        return self._gluster("volume", "create", layout.name, *_kind(layout), *_names(first))

    def add_bricks(self, layout: VolumeLayout, bricks: BricksAt) -> Iterator[tuple[str, ...]]:
        """Add whole sets of bricks to a volume, by as many commands as it takes."""
        chunk = _set_size(layout) * _SETS_PER_ADD[layout.durability.type]
        for at in range(0, len(bricks), chunk):
            yield self._gluster("volume", "add-brick", layout.name, *_names(bricks[at : at + chunk]))

    def set_options(self, layout: VolumeLayout) -> Iterator[tuple[str, ...]]:
        """Set the layout's options, and the id by which heketi marks its volumes."""
        for option in (*layout.options, f"user.heketi.id {layout.id}"):
            if words := option_words(option):
                yield self._gluster("volume", "set", layout.name, *words)

    def set_option(self, name: str, option: str, value: str) -> tuple[str, ...]:
        """Set one option of a volume."""
        return self._gluster("volume", "set", name, option, value)

    def volume_start(self, name: str) -> tuple[str, ...]:
        """Start a volume."""
        return self._gluster("volume", "start", name)

    def volume_stop(self, name: str, *, force: bool) -> tuple[str, ...]:
        """Stop a volume."""
        return self._gluster("volume", "stop", name, *(("force",) if force else ()))

    def volume_delete(self, name: str) -> tuple[str, ...]:
        """Delete a stopped volume; its bricks stay as they are."""
        return self._gluster("volume", "delete", name)

    def rebalance(self, name: str) -> tuple[str, ...]:
        """Start to spread a volume's files over its new bricks."""
        return self._gluster("volume", "rebalance", name, "start")

    def volume_info(self, name: str) -> tuple[str, ...]:
        """Ask for a volume; read the answer with `read_volumes`."""
        return self._gluster("volume", "info", name, "--xml")

    def volumes_info(self) -> tuple[str, ...]:
        """Ask for all volumes; read the answer with `read_volumes`."""
        return self._gluster("volume", "info", "--xml")

    def snapshots(self, name: str) -> tuple[str, ...]:
        """Ask for a volume's snapshots; read the answer with `read_snapshot_count`."""
        return self._gluster("snapshot", "list", name, "--xml")

    def replace_brick(self, name: str, old: str, new: str) -> tuple[str, ...]:
        """Let a new brick take the place of another one; both are `host:path`. Its content is healed afterwards."""
        return self._gluster("volume", "replace-brick", name, old, new, "commit", "force")

    def heal_info(self, name: str) -> tuple[str, ...]:
        """Ask what is to be healed in a volume; read the answer with `read_heal_info`."""
        return self._gluster("volume", "heal", name, "info", "--xml")

    def snapshot_create(self, snapshot: str, volume: str) -> tuple[str, ...]:
        """Take a snapshot of a running volume, under just that name."""
        return self._gluster("--xml", "snapshot", "create", snapshot, volume, "no-timestamp")

    def snapshot_activate(self, snapshot: str) -> tuple[str, ...]:
        """Make a snapshot usable, as it has to be to be cloned."""
        return self._gluster("--xml", "snapshot", "activate", snapshot)

    def snapshot_clone(self, clone: str, snapshot: str) -> tuple[str, ...]:
        """Make a volume of a snapshot; read its uuid with `read_clone_uuid`."""
        return self._gluster("--xml", "snapshot", "clone", clone, snapshot)

    def snapshot_deactivate(self, snapshot: str) -> tuple[str, ...]:
        """Take a snapshot out of use."""
        return self._gluster("--xml", "snapshot", "deactivate", snapshot)

    def snapshot_delete(self, snapshot: str) -> tuple[str, ...]:
        """Delete a snapshot with its bricks; clones of it stay."""
        return self._gluster("--xml", "snapshot", "delete", snapshot)

    def clone_start(self, name: str) -> tuple[str, ...]:
        """Start a clone. Only the answer tells whether it runs: the exit status does not."""
        return self._gluster("--xml", "volume", "start", name)


def option_words(option: str) -> tuple[str, ...]:
    """Split an option at its first blank into key and value; empty for an empty one.

    The value is one argument, whatever is in it. Quotes round the whole of it are taken off, since heketi's users
    wrote them for its shell.
    """
    key, *rest = option.split(None, 1) or [""]
    if not key:
        return ()
    if not rest:
        return (key,)
    value = rest[0].rstrip()
    if len(value) > 1 and value[0] == value[-1] and value[0] in "'\"" and value[0] not in value[1:-1]:
        value = value[1:-1]
    return (key, value)


def _set_size(layout: VolumeLayout) -> int:
    return layout.durability.set_size


def _kind(layout: VolumeLayout) -> tuple[str, ...]:
    durability = layout.durability
    match durability.type:
        case DurabilityType.NONE:
            return ()
        case DurabilityType.REPLICATE if durability.copies == 1:
            return ()  # gluster refuses `replica 1`; single bricks are what is meant
        case DurabilityType.REPLICATE:
            return ("replica", str(durability.copies), *(("arbiter", "1") if layout.arbiter else ()))
        case DurabilityType.DISPERSE:
            data, redundancy = durability.dispersion
            return ("disperse-data", str(data), "redundancy", str(redundancy))


def brick_name(host: str, path: str) -> str:
    """Name a brick as gluster does."""
    return f"{host}:{path}"


def _names(bricks: BricksAt) -> tuple[str, ...]:
    return tuple(brick_name(host, path) for host, path in bricks)


@dataclass(frozen=True, slots=True)
class Reply:
    """An XML document of gluster's. `error` is "" unless gluster says that the command failed."""

    root: Element
    error: str


def read_reply(text: str) -> Reply:
    """Read an XML answer. Raises ValueError with heketi's text if it is none."""
    try:
        root = fromstring(text)
    except ParseError as error:
        raise ValueError("EOF" if "<" not in text else f"XML syntax error: {error}") from error
    except DefusedXmlException as error:
        raise ValueError(f"XML syntax error: {error}") from error
    error_text = (root.findtext("opErrstr") or "").strip()
    if not error_text and _int(root, "opRet") != 0:
        error_text = f"gluster error {_int(root, 'opErrno')}"
    return Reply(root, error_text)


def read_volumes(reply: Reply) -> list[GlusterVolume]:
    """Read the volumes of an answer. Raises ValueError where a number is none."""
    return [_volume(element) for element in reply.root.findall("volInfo/volumes/volume")]


def _volume(element: Element) -> GlusterVolume:
    return GlusterVolume(
        name=_text(element, "name"),
        id=_text(element, "id"),
        status=_int(element, "status"),
        status_text=_text(element, "statusStr"),
        type_text=_text(element, "typeStr"),
        bricks=tuple(_text(brick, "name") for brick in element.findall("bricks/brick")),
        snapshot_count=_int(element, "snapshotCount"),
        dist_count=_int(element, "distCount"),
        replica_count=_int(element, "replicaCount"),
        arbiter_count=_int(element, "arbiterCount"),
        disperse_count=_int(element, "disperseCount"),
        redundancy_count=_int(element, "redundancyCount"),
        options={_text(option, "name"): _text(option, "value") for option in element.findall("options/option")},
    )


def read_peers(reply: Reply) -> list[Peer]:
    """Read the trusted pool of an answer. Raises ValueError where a number is none."""
    return [
        Peer(
            uuid=_text(peer, "uuid"),
            hostname=_text(peer, "hostname"),
            connected=_int(peer, "connected") == 1,
            hostnames=tuple((name.text or "").strip() for name in peer.findall("hostnames/hostname")),
        )
        for peer in reply.root.findall("peerStatus/peer")
    ]


def read_snapshot_count(reply: Reply) -> int:
    """Read how many snapshots a volume has. Raises ValueError where a number is none."""
    return _int(reply.root, "snapList/count")


def read_heal_info(reply: Reply) -> list[HealBrick]:
    """Read what is to be healed, brick by brick; what old versions could not name is left out. Raises ValueError."""
    return [
        HealBrick(
            name=name,
            connected=_text(brick, "status") == _CONNECTED,
            pending=None if _text(brick, "numberOfEntries").strip() == "-" else _int(brick, "numberOfEntries"),
        )
        for brick in reply.root.findall("healInfo/bricks/brick")
        if (name := _text(brick, "name")) != _NAMELESS
    ]


def read_clone_uuid(reply: Reply) -> str:
    """Read the uuid of a volume that was just cloned."""
    return _text(reply.root, "CloneCreate/volume/uuid")


def _text(element: Element, path: str) -> str:
    return element.findtext(path) or ""


def _int(element: Element, path: str) -> int:
    text = (element.findtext(path) or "").strip()
    if not text:
        return 0
    if _INT.fullmatch(text) is None:
        raise ValueError(f'strconv.ParseInt: parsing "{text}": invalid syntax')
    return int(text)


def is_busy(text: str) -> bool:
    """Tell whether gluster did nothing since another command held its locks: it may be asked again."""
    return _BUSY.search(text) is not None


def is_volume_missing(text: str) -> bool:
    """Tell whether gluster says that the volume does not exist."""
    return re.search(r"Volume (\S+ )?does not exist", text) is not None


def are_peers_down(text: str) -> bool:
    """Tell whether gluster deletes no volume now since a peer is down."""
    return "Some of the peers are down" in text


def blamed(text: str) -> str:
    """Return the host (a storage name) on whose account gluster refused to use a brick; "" where it blames none."""
    found = re.search(r"Host (\S+) (?:is )?not (?:connected|in 'Peer in Cluster' state)", text)
    return found[1] if found else ""


def already_exists(text: str) -> bool:
    """Tell whether a volume of the name is there already."""
    return re.search(r"Volume \S+ already exists", text) is not None


def is_brick_taken(text: str) -> bool:
    """Tell whether a brick belongs to a volume already, which may be the one it is to be added to."""
    return "Brick may be containing or be contained by an existing brick" in text


def already_started(text: str) -> bool:
    """Tell whether a volume was running before it was started."""
    return "already started" in text


def not_started(text: str) -> bool:
    """Tell whether a volume was stopped before it was to be stopped."""
    return "is not in the started state" in text


def not_a_peer(text: str) -> bool:
    """Tell whether a host was no peer when it was to be detached."""
    return "is not part of cluster" in text


def is_snapshot_there(text: str) -> bool:
    """Tell whether a snapshot of the name was there before it was to be taken."""
    return re.search(r"Snapshot \S+ already exists", text) is not None


def is_snapshot_missing(text: str) -> bool:
    """Tell whether gluster says that there is no such snapshot."""
    return re.search(r"Snapshot \(\S+\) does not exist", text) is not None


def already_activated(text: str) -> bool:
    """Tell whether a snapshot was usable before."""
    return "is already activated" in text


def nothing_to_rebalance(text: str) -> bool:
    """Tell whether a rebalance has nothing to do, or runs already."""
    return re.search(r"contains only 1 brick|[Rr]ebalance on \S+ is already started", text) is not None


def is_daemon_away(result: Result) -> bool:
    """Tell whether the command found no running gluster daemon; it says so on stdout, and nothing was done."""
    return not result.ok and DAEMON_AWAY in result.stdout + result.stderr

"""`heketi-cli volume`."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from heketipy.cli import texts
from heketipy.cli.commands import command, first, flag, group
from heketipy.cli.persistent_volume import persistent_volume
from heketipy.cli.session import CommandError, Session
from heketipy.cli.values import BOOLEAN, FLOAT, INTEGER, TEXT
from heketipy.client import RefusedError
from heketipy.client.connection import Json
from heketipy.wire.encode import encode
from heketipy.wire.float32 import shortest, to_float32

VOLUME = group("volume", about="Volumes")
ENDPOINT = group("endpoint", about="Kubernetes' endpoints of volumes")
VOLUME.add_command(ENDPOINT)

_MISSING_ID = "Volume id missing"
_NOT_FOUND = 404
_MAX_FLOAT32 = (2 - 2**-23) * 2.0**127
_DEFAULT_REPLICA = 2
"""What a server takes where a replicated volume says nothing of its replicas."""


@command(
    VOLUME,
    "create",
    about="Make a volume",
    flags=[
        flag("size", INTEGER, 0, "Size in GiB"),
        flag("name", TEXT, "", "Name; by default made of the id"),
        flag("durability", TEXT, "replicate", "none, replicate or disperse"),
        flag("replica", INTEGER, 3, "Copies, for replicate"),
        flag("disperse-data", INTEGER, 4, "Data parts, for disperse", key="data"),
        flag("redundancy", INTEGER, 2, "Redundant parts, for disperse"),
        flag(
            "snapshot-factor",
            FLOAT,
            1.0,
            "Room for snapshots: above 1.0, the size of a brick's thin pool by the brick's",
        ),
        flag("clusters", TEXT, "", "Ids, separated by commas, of the clusters that may host it; by default all"),
        flag(
            "gluster-volume-options",
            TEXT,
            "",
            'Options of gluster, separated by commas, each "name value"',
            key="options",
        ),
        flag("gid", INTEGER, 0, "Group that may write"),
        flag("block", BOOLEAN, False, "Make a volume that hosts block volumes"),
        flag("persistent-volume", BOOLEAN, False, "Print a PersistentVolume of Kubernetes", key="print_pv"),
        flag("persistent-volume-file", TEXT, "", "Write a PersistentVolume of Kubernetes to a file", key="pv_file"),
        flag("persistent-volume-endpoint", TEXT, "", "Endpoints that the PersistentVolume names", key="endpoint"),
        flag("dry-run", BOOLEAN, False, "Only show what would be made, and the largest size that fits"),
    ],
)
async def create(
    session: Session,
    _arguments: Sequence[str],
    *,
    size: int,
    print_pv: bool,
    pv_file: str,
    endpoint: str,
    dry_run: bool,
    **members: Any,
) -> None:
    """Make a volume and show it, or show what would be made."""
    if not size:
        raise CommandError("Missing volume size")
    if print_pv and not endpoint:
        session.complain("--persistent-volume-endpoint must be provided when using --persistent-volume\n")
        raise CommandError("Missing endpoint")
    wanted = _wanted(**members)
    if dry_run:
        async with session.client() as client:
            outlook = await client.volumes.dry_run(size, **wanted)
        _show_outlook(session, outlook)
        return
    async with session.client() as client:
        volume = await client.volumes.create(size, **wanted)
    if print_pv:
        session.say(persistent_volume(volume, endpoint) + "\n")
    elif pv_file:
        _write(session, pv_file, persistent_volume(volume, endpoint))
    else:
        _show(session, volume)


@command(VOLUME, "info", about="Show a volume")
async def info(session: Session, arguments: Sequence[str]) -> None:
    """Show a volume."""
    volume_id = first(arguments, _MISSING_ID)
    async with session.client() as client:
        volume = await client.volumes.info(volume_id)
    _show(session, volume)


@command(VOLUME, "delete", about="Delete a volume and its data")
async def delete(session: Session, arguments: Sequence[str]) -> None:
    """Delete a volume."""
    volume_id = first(arguments, _MISSING_ID)
    async with session.client() as client:
        await client.volumes.delete(volume_id)
    session.say(f"Volume {volume_id} deleted\n")


@command(
    VOLUME,
    "expand",
    about="Let a volume grow",
    flags=[
        flag("expand-size", INTEGER, 0, "GiB to be added", key="by_gib"),
        flag("volume", TEXT, "", "Id of the volume"),
    ],
)
async def expand(session: Session, arguments: Sequence[str], *, by_gib: int, volume: str) -> None:
    """Let a volume grow and show it."""
    if not by_gib:
        raise CommandError("Missing volume amount to expand")
    volume_id = volume or first(arguments, "Missing volume id")
    async with session.client() as client:
        grown = await client.volumes.expand(volume_id, by_gib=by_gib)
    _show(session, grown)


@command(VOLUME, "list", about="List the volumes")
async def list_all(session: Session, _arguments: Sequence[str]) -> None:
    """List the volumes. One that is deleted meanwhile is left out."""
    async with session.client() as client:
        ids = await client.volumes.ids()
        if session.json:
            session.say_json({"volumes": ids})
            return
        for volume_id in ids:
            try:
                volume = await client.volumes.info(volume_id)
            except RefusedError as error:
                if error.status != _NOT_FOUND:
                    raise
                continue
            block = " [block]" if volume.get("block") else ""
            session.say(f"Id:{volume_id:<35} Cluster:{volume['cluster']:<35} Name:{volume['name']}{block}\n")


@command(ENDPOINT, "patch", about="Print the addresses of a volume's nodes, to patch an Endpoints object with")
async def endpoint_patch(session: Session, arguments: Sequence[str]) -> None:
    """Print a patch. There is no other form."""
    volume_id = first(arguments, _MISSING_ID)
    async with session.client() as client:
        volume = await client.volumes.info(volume_id)
    subsets = [{"addresses": [{"ip": host}], "ports": [{"port": 1}]} for host in volume["mount"]["glusterfs"]["hosts"]]
    session.say(f'{{"subsets": {encode(subsets).decode().rstrip()}}}')


def _wanted(
    *,
    name: str,
    durability: str,
    replica: int,
    data: int,
    redundancy: int,
    snapshot_factor: float,
    clusters: str,
    options: str,
    gid: int,
    block: bool,
) -> dict[str, Any]:
    """Return the members of a VolumeCreateRequest but the size; numbers of all types of durability are sent."""
    wanted: dict[str, Any] = {
        "name": name,
        "durability": {
            "type": durability,
            "replicate": {"replica": replica},
            "disperse": {"data": data, "redundancy": redundancy},
        },
    }
    if snapshot_factor > 1.0:
        wanted["snapshot"] = {"enable": True, "factor": _float32(snapshot_factor)}
    if clusters:
        wanted["clusters"] = clusters.split(",")
    if options:
        wanted["glustervolumeoptions"] = options.split(",")
    if gid:
        wanted["gid"] = gid
    if block:
        wanted["block"] = True
    return wanted


def _float32(number: float) -> float:
    if number > _MAX_FLOAT32:
        raise CommandError("json: unsupported value: +Inf")
    return shortest(to_float32(number))


def _write(session: Session, path: str, document: str) -> None:
    try:
        Path(path).write_text(document, encoding="utf-8")
    except OSError as error:
        session.complain(f"Unable to write to file {path}\n")
        raise CommandError(f"open {path}: {(error.strerror or str(error)).lower()}") from error


def _show(session: Session, volume: Json) -> None:
    if session.json:
        session.say_json(volume)
    else:
        session.say(_block(volume))


def _show_outlook(session: Session, outlook: Json) -> None:
    if session.json:
        session.say_json(outlook)
    else:
        session.say(_outlook(outlook))


def _outlook(outlook: Json) -> str:
    bricks = "".join(
        f"    Host: {brick['host']}   Device: {brick['name']}   Zone: {brick['zone']}   "
        f"Size (GiB): {brick['size'] / texts.KIB_PER_GIB:.2f}{'   Arbiter' if brick.get('arbiter') else ''}\n"
        for brick in outlook["bricks"]
    )
    return (
        "Dry run: nothing was made\n"
        f"Name: {outlook.get('name', '(made of the id)')}\n"
        f"Size: {outlook['size']}\n"
        f"Cluster Id: {outlook['cluster']}\n"
        f"Block: {str(outlook.get('block', False)).lower()}\n"
        f"{_durability(outlook)}"
        f"{_snapshot(outlook['snapshot'])}"
        f"Bricks:\n{bricks}"
        f"Largest size that fits: {outlook['largest_size_gib']}\n"
    )


def _block(volume: Json) -> str:
    mount = volume["mount"]["glusterfs"]
    info = volume["blockinfo"]
    return (
        f"Name: {volume['name']}\n"
        f"Size: {volume['size']}\n"
        f"Volume Id: {volume['id']}\n"
        f"Cluster Id: {volume['cluster']}\n"
        f"Mount: {mount['device']}\n"
        f"Mount Options: {texts.options(mount['options'])}\n"
        f"Block: {str(volume.get('block', False)).lower()}\n"
        f"Free Size: {info.get('freesize', 0)}\n"
        f"Reserved Size: {info.get('reservedsize', 0)}\n"
        f"Block Hosting Restriction: {_restriction(info.get('restriction', ''))}\n"
        f"Block Volumes: [{' '.join(info.get('blockvolume', []))}]\n"
        f"{_durability(volume)}"
        f"{_snapshot(volume['snapshot'])}"
    )


def _restriction(name: str) -> str:
    if not name:
        return "(none)"
    return name if name in ("locked", "locked-by-update") else "unknown"


def _durability(volume: Json) -> str:
    durability = volume["durability"]
    kind = durability.get("type", "")
    bricks = len(volume["bricks"])
    numbers = ""
    match kind:
        case "none":
            sets = bricks
        case "replicate":
            replica = durability["replicate"].get("replica", 0) or _DEFAULT_REPLICA
            sets = bricks // replica
            numbers = f"Replica Count: {replica}\n"
        case "disperse":
            data = durability["disperse"].get("data", 0)
            redundancy = durability["disperse"].get("redundancy", 0)
            sets = bricks // max(1, data + redundancy)
            numbers = f"Disperse Data Count: {data}\nDisperse Redundancy Count: {redundancy}\n"
        case _:
            sets = 0
    return f"Durability Type: {kind}\nDistribute Count: {sets}\n{numbers}"


def _snapshot(snapshot: Json) -> str:
    return f"Snapshot Factor: {snapshot['factor']:.2f}\n\n" if snapshot["enable"] else ""

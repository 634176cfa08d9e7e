"""The gluster-block command: block volumes, which are files on a hosting volume, exported by its hosts over iSCSI.

gluster-block was never at hand to compare with: what this prints follows what is known of its sources and recordings of
what heketi was given. Answers are JSON (only `--json` is simulated), on stdout, with status 0 or that of the failure.
"""

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from heketipy.executors.simulator.context import Context, Tool
from heketipy.executors.simulator.gluster_cli import Call
from heketipy.executors.simulator.state import BlockVolume, GlusterVolume, Node
from heketipy.executors.transport import Result

NO_DAEMON = "Connection failed. Please check if gluster-block daemon is operational.\n"
IQN_PREFIX = "iqn.2016-12.org.gluster-block:"
PASSWORDS_BEGIN = "5ec2e700"
"""Simulated passwords are uuids as the real ones, and yet can be told wherever they leak."""
FAILED = 255
NO_ENTRY = 2
EXISTS = 17
NO_SPACE = 28
UNREACHABLE = 107
KIB = {"": 1 / 1024, "B": 1 / 1024, "KIB": 1, "MIB": 1 << 10, "GIB": 1 << 20, "TIB": 1 << 30, "PIB": 1 << 40}


class Refusal(Exception):
    """gluster-block says no."""

    def __init__(self, text: str, *, errno: int = FAILED, **members: object) -> None:
        super().__init__(text)
        self.text = text
        self.errno = errno
        self.members = members


@dataclass(slots=True)
class Asked:
    """One gluster-block command: where it runs, and its words without options."""

    context: Context
    words: list[str]

    @property
    def call(self) -> Call:
        """The node's trusted pool, as gluster commands see it."""
        return Call(self.context, self.words, False)

    @property
    def subject(self) -> tuple[str, str]:
        """The names of the hosting volume and of the block volume."""
        hosting, slash, name = (self.words[1] if len(self.words) > 1 else "").partition("/")
        if not slash or not hosting or not re.fullmatch(r"[a-zA-Z0-9_-]+", name):
            raise Refusal("Inadequate arguments for the command", errno=FAILED)
        return hosting, name

    def hosting(self, name: str) -> GlusterVolume:
        """Return a hosting volume that is started, or refuse."""
        volume = self.call.pool.volumes.get(name)
        if volume is None:
            raise Refusal(f"Volume {name} does not exist", errno=NO_ENTRY)
        if volume.status != "Started":
            raise Refusal(f"Volume {name} is not started", errno=FAILED)
        return volume

    def block(self) -> tuple[GlusterVolume, BlockVolume]:
        """Return the block volume that the command is about, and its hosting volume, or refuse."""
        hosting, name = self.subject
        volume = self.hosting(hosting)
        block = volume.blocks.get(name)
        if block is None:
            raise Refusal(f"block {hosting}/{name} doesn't exist", errno=NO_ENTRY)
        return volume, block

    def serves(self, host: str) -> Node | None:
        """Return the machine that exports block volumes under a name; None if there is none, or if it is away."""
        member = self.call.member(host)
        node = self.call.node_of(member) if member else None
        return node if node is not None and (node is self.context.node or node.up) and node.blockd else None


def gluster_block(context: Context) -> Result:
    """Run one gluster-block command."""
    asked = Asked(context, [word for word in context.args if not word.startswith("--json")])
    if asked.words == ["version"]:
        return Result(0, "gluster-block (0.5.1)\n")
    if not context.node.blockd or not context.node.glusterd:
        return Result(FAILED, "", NO_DAEMON)
    command = COMMANDS.get(asked.words[0] if asked.words else "")
    if command is None:
        return Result(FAILED, "", f"Unknown option: {' '.join(asked.words)}\n")
    try:
        return answer(command(asked))
    except Refusal as refusal:
        told = {**refusal.members, "RESULT": "FAIL", "errCode": refusal.errno, "errMsg": refusal.text}
        return answer(told, status=NO_ENTRY if refusal.errno == NO_ENTRY else FAILED)


def answer(members: Mapping[str, object], *, status: int = 0) -> Result:
    """Return an answer."""
    return Result(status, json.dumps(members) + "\n")


def create(asked: Asked) -> Mapping[str, object]:
    """Answer `create VOLUME/NAME ha N auth enable|disable prealloc full|no HOST,HOST,… SIZE`."""
    hosting, name = asked.subject
    options = dict(zip(asked.words[2:-2:2], asked.words[3:-2:2], strict=False))
    hosts, size = asked.words[-2].split(","), size_kib(asked.words[-1])
    volume = asked.hosting(hosting)
    if name in volume.blocks:
        raise Refusal(f"BLOCK with name: '{name}' already EXIST", errno=EXISTS)
    if options.get("ha") != str(len(hosts)):
        raise Refusal("Insufficient number of hosts for the given multi path", errno=FAILED)
    refuse_full(asked, volume, size)
    away = [host for host in hosts if asked.serves(host) is None]
    if away:
        raise Refusal("failed to configure on " + " ".join(away), errno=UNREACHABLE)
    uuid = asked.context.world.uuid
    auth = options.get("auth") == "enable"
    password = PASSWORDS_BEGIN + uuid()[len(PASSWORDS_BEGIN) :] if auth else ""
    block = BlockVolume(name=name, gbid=uuid(), size_kib=size, hosts=hosts, password=password)
    volume.blocks[name] = block
    secrets = {"USERNAME": block.gbid, "PASSWORD": block.password} if auth else {}
    portals = [f"{host}:3260" for host in hosts]
    return {"IQN": IQN_PREFIX + block.gbid, **secrets, "PORTAL(S)": portals, "RESULT": "SUCCESS"}


def refuse_full(asked: Asked, volume: GlusterVolume, more_kib: int) -> None:
    """Refuse what the bricks of a hosting volume have no room for; where anything is accepted, the books decide."""
    if asked.context.world.accept_anything:
        return
    smallest: dict[int, int] = {}
    for at, brick in enumerate(volume.bricks):
        node = asked.call.host_of(brick)
        mount = node.covering(brick.path) if node is not None else None
        device = node.device(mount.device) if node is not None and mount is not None else None
        if device is None or brick.arbiter:
            continue
        group = at // volume.set_size
        smallest[group] = min(smallest.get(group, device.size_kib), device.size_kib)
    room = sum(smallest.values()) * (volume.set_size - volume.redundancy if volume.kind == "disperse" else 1)
    taken = sum(block.size_kib for block in volume.blocks.values())
    if smallest and taken + more_kib > room:
        raise Refusal("Not enough space on the block hosting volume", errno=NO_SPACE)


def delete(asked: Asked) -> Mapping[str, object]:
    """Answer `delete VOLUME/NAME`. Hosts that are away keep it from being deleted."""
    volume, block = asked.block()
    away = [host for host in block.hosts if asked.serves(host) is None]
    there = [host for host in block.hosts if host not in away]
    if away:
        members = {"FAILED ON": away, "SUCCESSFUL ON": there}
        raise Refusal(f"failed to delete block on {' '.join(away)}", errno=UNREACHABLE, **members)
    del volume.blocks[block.name]
    return {"SUCCESSFUL ON": block.hosts, "RESULT": "SUCCESS"}


def modify(asked: Asked) -> Mapping[str, object]:
    """Answer `modify VOLUME/NAME size SIZE`. Hosts that are away keep the former size, until it is asked for again."""
    volume, block = asked.block()
    words = asked.words[2:]
    if words[:1] != ["size"] or len(words) != 2:
        raise Refusal("Inadequate arguments for modify", errno=FAILED)
    size = size_kib(words[1])
    if size < block.size_kib:
        raise Refusal(f"Shrink size ?, use 'force' option [current size {text_of(block.size_kib)}]", errno=FAILED)
    if size == block.size_kib and not block.refused:
        raise Refusal(f"cannot change size, it is {text_of(size)} already", errno=FAILED)
    refuse_full(asked, volume, size - block.size_kib)
    away = [host for host in block.hosts if asked.serves(host) is None]
    there = [host for host in block.hosts if host not in away]
    block.refused = {host: block.refused.get(host, block.size_kib) for host in away}
    block.size_kib = size
    members: dict[str, object] = {"IQN": IQN_PREFIX + block.gbid, "SIZE": text_of(size)}
    if away:
        sizes = ", ".join(f"{host}:[{text_of(kib)}]" for host, kib in block.refused.items())
        members |= {"FAILED ON": away, "SUCCESSFUL ON": there}
        raise Refusal(f"block volume resize failed: {sizes}", errno=FAILED, **members)
    return {**members, "SUCCESSFUL ON": there, "RESULT": "SUCCESS"}


def info(asked: Asked) -> Mapping[str, object]:
    """Answer `info VOLUME/NAME`."""
    volume, block = asked.block()
    members: dict[str, object] = {
        "NAME": block.name,
        "VOLUME": volume.name,
        "GBID": block.gbid,
        "SIZE": text_of(block.size_kib),
        "HA": len(block.hosts),
        "PASSWORD": block.password,
        "EXPORTED ON": block.hosts,
    }
    if block.refused:
        members["RESIZE FAILED ON"] = {host: text_of(kib) for host, kib in block.refused.items()}
    return members


def list_(asked: Asked) -> Mapping[str, object]:
    """Answer `list VOLUME`."""
    volume = asked.hosting(asked.words[1] if len(asked.words) > 1 else "")
    return {"blocks": list(volume.blocks), "RESULT": "SUCCESS"}


def size_kib(text: str) -> int:
    """Return a size as gluster-block takes it, in KiB, or refuse."""
    found = re.fullmatch(r"([0-9]+)([a-zA-Z]*)", text)
    if found is None or found[2].upper() not in KIB:
        raise Refusal(f"'<size>'({text}) is incorrect", errno=FAILED)
    return int(int(found[1]) * KIB[found[2].upper()])


def text_of(kib: int) -> str:
    """Return a size as gluster-block prints it."""
    return f"{kib / (1 << 20):.1f} GiB"


def names_of(volumes: Sequence[GlusterVolume]) -> list[str]:
    """Return the block volumes on some volumes, as `VOLUME/NAME`."""
    return [f"{volume.name}/{name}" for volume in volumes for name in volume.blocks]


COMMANDS = {"create": create, "delete": delete, "modify": modify, "info": info, "list": list_}
TOOLS: dict[str, Tool] = {"gluster-block": gluster_block}

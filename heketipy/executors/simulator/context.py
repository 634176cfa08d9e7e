"""What a tool gets: the node it runs on, the cluster around it, its argv and its stdin; how it reads its options."""

import getopt
import random
import uuid
from base64 import b64encode
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cache

from heketipy.executors.simulator.state import Disk, Node, State, fresh_root
from heketipy.executors.transport import Result


@dataclass(slots=True)
class World:
    """The cluster's state, and what the tools need beside it: chance, a clock, and whether anything is accepted.

    With `accept_anything` hosts and disks appear on first sight; a volume group on such a disk has exactly
    `device_size_gib`, and its pools make no spare: what the books say fits, fits.
    """

    state: State = field(default_factory=State)
    accept_anything: bool = False
    device_size_gib: int = 500
    chance: random.Random = field(default_factory=random.SystemRandom)
    now: Callable[[], datetime] = lambda: datetime.now(UTC)

    def uuid(self) -> str:
        """Return a new uuid as gluster and mkfs print them."""
        return str(uuid.UUID(int=self.chance.getrandbits(128), version=4))

    def lvm_uuid(self) -> str:
        """Return a new uuid as LVM prints them."""
        text = b64encode(self.chance.randbytes(24), b"Aa").decode()
        return "-".join((text[:6], text[6:10], text[10:14], text[14:18], text[18:22], text[22:26], text[26:]))

    def add_node(self, manage: str, storage: str) -> Node:
        """Add a fresh machine with a root disk and no other."""
        node = Node(manage=manage, storage=storage, uuid=self.uuid(), root=fresh_root())
        node.disks["/dev/vda"] = Disk(
            path="/dev/vda", size_kib=8 << 20, signature="ext4", links=["/dev/disk/by-diskseq/1"]
        )
        self.state.nodes[manage] = node
        return node

    def by_storage(self, storage: str) -> Node | None:
        """Return the node with a storage name; with `accept_anything` there always is one."""
        node = self.state.by_storage(storage)
        if node is None and self.accept_anything:
            node = self.add_node(storage, storage)
        return node


@dataclass(slots=True)
class Context:
    """One process about to run on a node."""

    world: World
    node: Node
    argv: tuple[str, ...]
    stdin: str = ""

    @property
    def args(self) -> tuple[str, ...]:
        """Its arguments."""
        return self.argv[1:]

    def disk(self, path: str) -> Disk | None:
        """Return a disk; with `accept_anything` there always is one, unless LVM or udev give names of this form."""
        found = self.node.disk(path)
        made = path.startswith(("/dev/mapper/", "/dev/disk/by-id/lvm-pv-uuid-"))
        if found is None and self.world.accept_anything and path.startswith("/") and not made:
            size = self.world.device_size_gib << 20
            found = self.node.disks[path] = Disk(path=path, size_kib=size + ROOM_FOR_METADATA_KIB)
        return found


ROOM_FOR_METADATA_KIB = 256 << 10
"""By how much a disk that appears on first sight is larger than asked for; its volume group is cut to that."""

Tool = Callable[[Context], Result]


@dataclass(slots=True)
class Options:
    """Parsed options: the values of each long name in order, and what is left over."""

    values: dict[str, list[str]]
    rest: list[str]

    def __contains__(self, name: str) -> bool:
        return name in self.values

    def last(self, name: str, default: str = "") -> str:
        """Return the last value given for an option."""
        return self.values.get(name, [default])[-1]


class BadOption(Exception):
    """An option that the tool does not know."""


def read_options(args: Sequence[str], flags: str, valued: str) -> Options:
    """Parse options as GNU tools do: anywhere, abbreviated, joined or apart.

    `flags` and `valued` list options as `q|quiet` or `all`, separated by blanks; the long name (the last) is the key.
    """
    names, short, long = _forms(flags, valued)
    try:
        found, rest = getopt.gnu_getopt(list(args), short, long)
    except getopt.GetoptError as error:
        raise BadOption(str(error)) from error
    values: dict[str, list[str]] = {}
    for name, value in found:
        values.setdefault(names[name], []).append(value)
    return Options(values, rest)


@cache
def _forms(flags: str, valued: str) -> tuple[dict[str, str], str, list[str]]:
    """Return the key of every form of these options, and the options as getopt wants them."""
    names: dict[str, str] = {}
    short = ""
    long: list[str] = []
    for group, colon, equals in ((flags, "", ""), (valued, ":", "=")):
        for item in group.split():
            forms = item.split("|")
            for form in forms:
                names[f"-{form}" if len(form) == 1 else f"--{form}"] = forms[-1]
                if len(form) == 1:
                    short += form + colon
                else:
                    long.append(form + equals)
    return names, short, long


def done(stdout: str = "", stderr: str = "") -> Result:
    """Return a success."""
    return Result(0, stdout, stderr)


def failed(status: int, stderr: str, stdout: str = "") -> Result:
    """Return a failure."""
    return Result(status, stdout, stderr)

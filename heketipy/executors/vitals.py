"""Looking whether a node can serve: one batch that changes nothing, and what its answers mean."""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final, TypeVar

from heketipy.domain.model import NodeAddress
from heketipy.executors import daemon, disks, gluster, lvm
from heketipy.executors.disks import BlockDevice
from heketipy.executors.gluster import Gluster, Peer
from heketipy.executors.lvm import Lvm
from heketipy.executors.options import NodeOptions
from heketipy.executors.transport import Batch, Command, Result, Transport

LIMIT: Final = 30.0
THIN_MODULE: Final = "dm_thin_pool"
BLOCK_MODULE: Final = "target_core_user"

_OP_VERSION = re.compile(r"^cluster\.op-version\s+([0-9]+)", re.MULTILINE)
_SECONDS = re.compile(r"[0-9]+(\.[0-9]+)?")
_NO_FILE = ("command not found", "No such file or directory")

V = TypeVar("V")


@dataclass(frozen=True, slots=True)
class Vitals:
    """What a node says of itself. `failures` has, by the name of what could not be had, why: `user`, `time`,
    `glusterd`, `gluster-blockd`, `op_version`, `peers`, `root`, `groups`, `tree`, and names of tools and of kernel
    modules.

    `user` is the number of the user as whom commands run, `time` in seconds since 1970, `root_free_kib` the free space
    of the root file system, `groups` the volume groups that LVM sees, `tree` the block devices that the kernel sees.
    """

    user: int | None = None
    time: float | None = None
    tools: Mapping[str, str] = field(default_factory=dict)
    modules: tuple[str, ...] = ()
    glusterd: bool = False
    blockd: bool = False
    op_version: int | None = None
    peers: tuple[Peer, ...] | None = None
    root_free_kib: int | None = None
    groups: frozenset[str] | None = None
    tree: tuple[BlockDevice, ...] | None = None
    filters: tuple[str, ...] = ()
    failures: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Checkup:
    """The verb that looks at a node's vitals."""

    transport: Transport
    options: NodeOptions

    async def vitals(self, node: NodeAddress, *, block: bool = False) -> Vitals:
        """Ask a node, in one round trip. `block`: also for what block volumes need. Raises NodeUnreachable."""
        tools, modules = self._tools(block), [THIN_MODULE, *([BLOCK_MODULE] if block else [])]
        asked = {
            "user": user(),
            "time": clock(),
            "glusterd": daemon.status(),
            "op_version": Gluster(self.options).op_version(),
            "peers": Gluster(self.options).pool_list(),
            "root": free_space("/"),
            "groups": Lvm(self.options).vgs_all(),
            "tree": disks.tree(),
            "filters": Lvm(self.options).device_settings(),
            **tools,
            **({"gluster-blockd": daemon.status("gluster-blockd")} if block else {}),
            **{name: module(name) for name in modules},
        }
        commands = tuple(Command(argv, timeout=LIMIT, tolerated=True) for argv in asked.values())
        results = await self.transport.run(node, Batch(commands))
        answers = dict(zip(asked, results, strict=True))
        failures: dict[str, str] = {}

        def read(name: str, reader: Callable[[str], V]) -> V | None:
            result = answers[name]
            if not result.ok:
                failures[name] = _reason(result)
                return None
            try:
                return reader(result.stdout)
            except ValueError as error:
                failures[name] = f"unintelligible answer: {error}"
                return None

        return Vitals(
            user=read("user", int),
            time=read("time", read_clock),
            tools={name: text for name in tools if (text := read(name, _first_line)) is not None},
            blockd=block and read("gluster-blockd", str) is not None,
            modules=tuple(name for name in modules if read(name, str) is not None),
            glusterd=read("glusterd", str) is not None,
            op_version=read("op_version", read_op_version),
            peers=read("peers", _peers),
            root_free_kib=read("root", read_free_space),
            groups=read("groups", lvm.read_group_names),
            tree=read("tree", disks.read_tree),
            # LVM says no where nothing is set.
            filters=lvm.read_filters(answers["filters"].stdout),
            failures=failures,
        )

    def _tools(self, block: bool) -> dict[str, tuple[str, ...]]:
        return {
            "lvm": Lvm(self.options).version(),
            "udevadm": Lvm(self.options).udev_version(),
            "thin_check": ("thin_check", "--version"),
            "mkfs.xfs": ("mkfs.xfs", "-V"),
            "wipefs": ("wipefs", "--version"),
            "gluster": ("gluster", "--version"),
            **({"gluster-block": ("gluster-block", "version")} if block else {}),
        }


def user() -> tuple[str, ...]:
    """Ask for the number of the user as whom commands run."""
    return ("id", "-u")


def clock() -> tuple[str, ...]:
    """Ask what time it is; read the answer with `read_clock`."""
    return ("date", "+%s.%N")


def free_space(path: str) -> tuple[str, ...]:
    """Ask how much is free in a file system; read the answer with `read_free_space`."""
    return ("df", "-P", "-k", path)


def module(name: str) -> tuple[str, ...]:
    """Ask whether a kernel module is loaded, or could be; it is not loaded by that."""
    return ("modprobe", "--dry-run", "--quiet", name)


def read_clock(text: str) -> float:
    """Read a time, seconds since 1970. Raises ValueError."""
    if _SECONDS.fullmatch(text.strip()) is None:
        raise ValueError(text.strip())
    return float(text)


def read_free_space(text: str) -> int:
    """Read how much is free, KiB. Raises ValueError."""
    fields = text.strip().rpartition("\n")[2].split()
    if len(fields) < 6:
        raise ValueError(text.strip())
    return int(fields[3])


def read_op_version(text: str) -> int:
    """Read the version of the protocol that a pool speaks. Raises ValueError."""
    found = _OP_VERSION.search(text)
    if found is None:
        raise ValueError(text.strip())
    return int(found[1])


def _peers(text: str) -> tuple[Peer, ...]:
    reply = gluster.read_reply(text)
    if reply.error:
        raise ValueError(reply.error)
    return tuple(gluster.read_peers(reply))


def _first_line(text: str) -> str:
    """Return the first line of what a tool says of its version: its spaces are LVM's."""
    return " ".join(text.strip().partition("\n")[0].split())


def _reason(result: Result) -> str:
    words: Sequence[str] = (result.stderr or result.stdout).strip().splitlines()
    text = words[0].strip() if words else result.ending
    return "not found" if any(missing in text for missing in _NO_FILE) else text

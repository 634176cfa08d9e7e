"""Which tool answers to which name, and the commands that only run other commands."""

import re
from collections.abc import Sequence

from heketipy.executors.simulator import files, gluster, gluster_block, lvm, mounts, services, xfs
from heketipy.executors.simulator.context import Context, Tool
from heketipy.executors.simulator.state import words
from heketipy.executors.transport import Result

TOOLS: dict[str, Tool] = {
    **files.TOOLS,
    **lvm.TOOLS,
    **xfs.TOOLS,
    **mounts.TOOLS,
    **gluster.TOOLS,
    **gluster_block.TOOLS,
    **services.TOOLS,
}

DIRECTORIES = ("/bin/", "/sbin/", "/usr/bin/", "/usr/sbin/", "/usr/local/bin/", "/usr/local/sbin/")


def unwrapped(argv: Sequence[str]) -> tuple[str, ...]:
    """Return a command without sudo, timeout, env, nice and the wrapper of LVM commands in containers."""
    rest = list(argv)
    while rest:
        name = rest[0].rpartition("/")[2]
        if name == "sudo":
            rest = skip_options(rest[1:], valued={"-u", "-g"})
        elif name in {"nice", "ionice", "exec-on-host", "nohup", "setsid"}:
            rest = skip_options(rest[1:], valued={"-n", "-c"})
        elif name == "timeout":
            rest = skip_options(rest[1:], valued={"-s", "-k"})[1:]
        elif name == "env":
            rest = rest[1:]
            while rest and re.match(r"\w+=|-i$", rest[0]):
                rest = rest[1:]
        else:
            break
    return tuple(rest)


def skip_options(rest: list[str], valued: set[str]) -> list[str]:
    """Return what follows the leading options."""
    while rest and rest[0].startswith("-"):
        option = rest.pop(0)
        if option == "--":
            break
        if option in valued and rest:
            rest.pop(0)
    return rest


LOOKING = frozenset(
    words(
        """
        blkid cat date df findmnt getfattr grep ls lsblk lsof lvmconfig lvs mountpoint pvs readlink stat test udevadm
        vgdisplay vgs
        """
    )
)
ASKING = frozenset({("--version",), ("-V",), ("version",), ("-u",)})
"""Arguments by which any command only tells something."""

LOOKING_AT_GLUSTER = frozenset({"info", "list", "status", "get"})


def only_looks(argv: Sequence[str]) -> bool:
    """Return whether a command surely changes nothing."""
    plain = unwrapped(argv)
    name = plain[0].rpartition("/")[2] if plain else ""
    if name == "lvm" and len(plain) > 1:
        name = plain[1]
    if name in {"gluster", "gluster-block"}:
        return bool(LOOKING_AT_GLUSTER & set(plain))
    return name in LOOKING or plain == ("mount",) or plain[1:] in ASKING


def run(context: Context) -> Result:
    """Run one command on a node; an unknown one ends with 127, as in a shell."""
    argv = unwrapped(context.argv)
    if not argv:
        return Result(0)
    name = argv[0]
    for directory in DIRECTORIES:
        if name.startswith(directory) and "/" not in name[len(directory) :]:
            name = name[len(directory) :]
            break
    tool = TOOLS.get(name) if name not in context.node.missing else None
    if tool is None:
        missing = "No such file or directory" if "/" in argv[0] else "command not found"
        return Result(127, "", f"/bin/sh: line 1: {argv[0]}: {missing}\n")
    return tool(Context(context.world, context.node, (name, *argv[1:]), context.stdin))

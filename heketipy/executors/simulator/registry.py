"""Which tool answers to which name, and the commands that only run other commands."""

import re
from collections.abc import Sequence

from heketipy.executors.simulator import files, gluster, lvm, mounts, services, xfs
from heketipy.executors.simulator.context import Context, Tool
from heketipy.executors.transport import Result

TOOLS: dict[str, Tool] = {
    **files.TOOLS,
    **lvm.TOOLS,
    **xfs.TOOLS,
    **mounts.TOOLS,
    **gluster.TOOLS,
    **services.TOOLS,
}

DIRECTORIES = ("/bin/", "/sbin/", "/usr/bin/", "/usr/sbin/", "/usr/local/bin/", "/usr/local/sbin/")


def unwrapped(argv: Sequence[str]) -> tuple[str, ...]:
    """Return a command without sudo, timeout, env, nice and the wrapper of LVM commands in containers."""
    words = list(argv)
    while words:
        name = words[0].rpartition("/")[2]
        if name in {"sudo", "nice", "ionice", "exec-on-host", "nohup", "setsid"}:
            words = skip_options(words[1:], valued={"-u", "-g", "-n", "-c"} - ({"-n"} if name == "sudo" else set()))
        elif name == "timeout":
            words = skip_options(words[1:], valued={"-s", "-k"})[1:]
        elif name == "env":
            words = words[1:]
            while words and re.match(r"\w+=|-i$", words[0]):
                words = words[1:]
        else:
            break
    return tuple(words)


def skip_options(words: list[str], valued: set[str]) -> list[str]:
    """Return what follows the leading options."""
    while words and words[0].startswith("-"):
        word = words.pop(0)
        if word == "--":
            break
        if word in valued and words:
            words.pop(0)
    return words


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
    tool = TOOLS.get(name)
    if tool is None:
        missing = "No such file or directory" if "/" in argv[0] else "command not found"
        return Result(127, "", f"/bin/sh: line 1: {argv[0]}: {missing}\n")
    return tool(Context(context.world, context.node, (name, *argv[1:]), context.stdin))

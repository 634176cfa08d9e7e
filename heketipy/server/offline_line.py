"""The command line of `heketi offline`, read as heketi reads it."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from heketipy.server.heketi_line import WrongLineError

DATABASE_VOLUME: Final = "heketidbstorage"

HELP: Final = """\
heketi commands for while no server runs

Usage:
  heketi offline [command]

Available Commands:
  cleanup-operations     takes back or finishes all pending operations
  state examine gluster  compares the database with what the nodes have
  update-dbvol           sets the options of the volume that holds heketi's database

Flags of commands:
      --config string             Configuration file
      --force-volume-name string  Name of the database's volume (default "heketidbstorage")
  -h, --help                      help for offline
"""

_COMMANDS: Final = {
    ("cleanup-operations",): "cleanup-operations",
    ("state", "examine", "gluster"): "examine",
    ("update-dbvol",): "update-dbvol",
}
_FLAGS: Final = {"--config": "config", "--force-volume-name": "volume"}


@dataclass(slots=True)
class OfflineLine:
    """What was asked for. Without a command it is help."""

    command: str = ""
    config: str = ""
    volume: str = DATABASE_VOLUME


def parse(arguments: Sequence[str]) -> OfflineLine:
    """Read what follows `offline`. Raises WrongLineError."""
    line = OfflineLine()
    words: list[str] = []
    rest = list(arguments)
    while rest:
        word = rest.pop(0)
        name, equals, value = word.partition("=")
        if name in ("-h", "--help"):
            return OfflineLine()
        if name in _FLAGS:
            if not equals and not rest:
                raise WrongLineError(f"flag needs an argument: {name}")
            setattr(line, _FLAGS[name], value if equals else rest.pop(0))
        elif word.startswith("--"):
            raise WrongLineError(f"unknown flag: {name}")
        elif word.startswith("-") and word != "-":
            raise WrongLineError(f"unknown shorthand flag: '{word[1]}' in {word}")
        else:
            words.append(word)
    line.command = _COMMANDS.get(tuple(words), "")
    return line

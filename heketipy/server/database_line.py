"""The command line of `heketi db`, read as heketi reads it: flags anywhere, `--flag=value` and `--flag value`."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

from heketipy.server.heketi_line import WrongLineError

HELP: Final = """\
heketi database file management

Usage:
  heketi db [command]

Available Commands:
  consistency-check             checks the database and prints what disagrees
  delete-bricks-with-empty-path removes bricks that are on no node
  export                        exports a database to a JSON file
  import                        makes a database of a JSON file

Flags of commands:
      --dbfile string      Path of the database
      --jsonfile string    Path of the JSON file; - is standard output for export
      --all                Look at all devices for bricks without a path
      --clusters strings   Look at the devices of these clusters, separated by commas
      --nodes strings      Look at the devices of these nodes
      --devices strings    Look at these devices
      --debug              Tell more on standard error
  -h, --help               help for db
"""

_COMMANDS: Final = frozenset({"consistency-check", "delete-bricks-with-empty-path", "export", "import"})


@dataclass(slots=True)
class DatabaseLine:
    """What was asked for. Without a command it is help."""

    command: str = ""
    dbfile: str = ""
    jsonfile: str = ""
    debug: bool = False
    all: bool = False
    clusters: list[str] = field(default_factory=list)
    nodes: list[str] = field(default_factory=list)
    devices: list[str] = field(default_factory=list)


def parse(arguments: Sequence[str]) -> DatabaseLine:
    """Read what follows `db`. Raises WrongLineError."""
    line = DatabaseLine()
    rest = list(arguments)
    asked_for_help = False
    while rest:
        word = rest.pop(0)
        name, equals, value = word.partition("=")
        match name:
            case "-h" | "--help":
                asked_for_help = True
            case "--debug":
                line.debug = True
            case "--all":
                line.all = True
            case "--dbfile" | "--jsonfile" | "--clusters" | "--nodes" | "--devices":
                if not equals and not rest:
                    raise WrongLineError(f"flag needs an argument: {name}")
                _set(line, name.removeprefix("--"), value if equals else rest.pop(0))
            case _ if name.startswith("--"):
                raise WrongLineError(f"unknown flag: {name}")
            case _ if word.startswith("-") and word != "-":
                raise WrongLineError(f"unknown shorthand flag: '{word[1]}' in {word}")
            case _ if not line.command:
                line.command = word
    if asked_for_help or line.command not in _COMMANDS:
        line.command = ""
    return line


def _set(line: DatabaseLine, name: str, value: str) -> None:
    """Set a text, or add to a list."""
    if isinstance(known := getattr(line, name), list):
        known += value.split(",")
    else:
        setattr(line, name, value)

"""The command line of `heketi db`, read as heketi reads it: flags anywhere, `--flag=value` and `--flag value`."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from heketipy.server.heketi_line import WrongLineError

HELP: Final = """\
heketi database file management

Usage:
  heketi db [command]

Available Commands:
  consistency-check checks the database and prints what disagrees
  export            exports a database to a JSON file
  import            makes a database of a JSON file

Flags of commands:
      --dbfile string     Path of the database
      --jsonfile string   Path of the JSON file; - is standard output for export
      --debug             Tell more on standard error
  -h, --help              help for db
"""

_COMMANDS: Final = frozenset({"consistency-check", "export", "import"})


@dataclass(slots=True)
class DatabaseLine:
    """What was asked for. Without a command it is help."""

    command: str = ""
    dbfile: str = ""
    jsonfile: str = ""
    debug: bool = False


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
            case "--dbfile" | "--jsonfile":
                if not equals and not rest:
                    raise WrongLineError(f"flag needs an argument: {name}")
                setattr(line, name.removeprefix("--"), value if equals else rest.pop(0))
            case _ if name.startswith("--"):
                raise WrongLineError(f"unknown flag: {name}")
            case _ if word.startswith("-") and word != "-":
                raise WrongLineError(f"unknown shorthand flag: '{word[1]}' in {word}")
            case _ if not line.command:
                line.command = word
    if asked_for_help or line.command not in _COMMANDS:
        line.command = ""
    return line

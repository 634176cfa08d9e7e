"""The command line of `heketi doctor`."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

from heketipy.server.heketi_line import WrongLineError

HELP: Final = """\
looks whether the storage nodes can serve, and says what to do where not; changes nothing, also beside a server

Usage:
  heketi doctor [flags]

Flags:
      --config string   Configuration file
      --node strings    Also look at these hosts, which are to become nodes
  -h, --help            help for doctor

It prints a line for each thing, and ends with status 1 if one of them is FAIL.
"""


@dataclass(slots=True)
class DoctorLine:
    """What was asked for."""

    config: str = ""
    nodes: list[str] = field(default_factory=list)
    help: bool = False


def parse(arguments: Sequence[str]) -> DoctorLine:
    """Read what follows `doctor`. Raises WrongLineError."""
    line = DoctorLine()
    rest = list(arguments)
    while rest:
        word = rest.pop(0)
        name, equals, value = word.partition("=")
        match name:
            case "-h" | "--help":
                line.help = True
            case "--config" | "--node":
                if not equals and not rest:
                    raise WrongLineError(f"flag needs an argument: {name}")
                given = value if equals else rest.pop(0)
                if name == "--config":
                    line.config = given
                else:
                    line.nodes += [host for host in given.split(",") if host]
            case _ if name.startswith("--"):
                raise WrongLineError(f"unknown flag: {name}")
            case _ if word.startswith("-") and word != "-":
                raise WrongLineError(f"unknown shorthand flag: '{word[1]}' in {word}")
            case _:
                raise WrongLineError(f'unknown command "{word}" for "heketi doctor"')
    return line

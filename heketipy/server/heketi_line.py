"""The command line of the program `heketi`, read as heketi reads it.

`heketi --config=FILE [--disable-auth]`, `--version`, `--help`. Mistakes are told twice, as there: with
`Error: ` on standard error, and without it on standard output.
"""

from collections.abc import Sequence
from dataclasses import dataclass

USAGE = """\
Usage:
  heketi [flags]
  heketi db [command]
  heketi offline [command]
  heketi doctor [flags]

Flags:
      --config string   Configuration file
      --disable-auth    Disable JWT authentication
  -h, --help            help for heketi
  -v, --version         Show version
"""
HELP = f"heketipy as heketi: volumes on your own disks by one HTTP call\n\n{USAGE}"

_TRUE = frozenset({"1", "t", "T", "TRUE", "true", "True"})
_FALSE = frozenset({"0", "f", "F", "FALSE", "false", "False"})
_BOOLEANS = {"disable-auth": "disable_auth", "version": "version", "help": "help"}
_LETTERS = {"v": "version", "h": "help"}


@dataclass(slots=True)
class HeketiLine:
    """What was asked for."""

    config: str = ""
    disable_auth: bool = False
    version: bool = False
    help: bool = False


class WrongLineError(Exception):
    """The line cannot be understood. `usage_hint`: whether heketi points to `--help` after it."""

    def __init__(self, text: str, *, usage_hint: bool = False) -> None:
        super().__init__(text)
        self.usage_hint = usage_hint


def parse(arguments: Sequence[str]) -> HeketiLine:
    """Read the arguments (without the program's name). Raises WrongLineError."""
    line = HeketiLine()
    words: list[str] = []
    rest = list(arguments)
    while rest:
        word = rest.pop(0)
        if word == "--":
            words += rest
            break
        if word.startswith("--"):
            _long(line, word[2:], rest)
        elif word.startswith("-") and word != "-":
            _short(line, word)
        else:
            words.append(word)
    if words and not line.help:
        raise WrongLineError(f'unknown command "{words[0]}" for "heketi"', usage_hint=True)
    return line


def _long(line: HeketiLine, word: str, rest: list[str]) -> None:
    name, equals, value = word.partition("=")
    if not name or name.startswith("-"):
        raise WrongLineError(f"bad flag syntax: --{word}")
    if name == "config":
        if not equals:
            if not rest:
                raise WrongLineError("flag needs an argument: --config")
            value = rest.pop(0)
        line.config = value
    elif name in _BOOLEANS:
        setattr(line, _BOOLEANS[name], _boolean(name, value) if equals else True)
    else:
        raise WrongLineError(f"unknown flag: --{name}")


def _short(line: HeketiLine, word: str) -> None:
    for position, letter in enumerate(word[1:], 1):
        if letter not in _LETTERS:
            raise WrongLineError(f"unknown shorthand flag: '{letter}' in -{word[position:]}")
        if word[position + 1 : position + 2] == "=":
            full = _LETTERS[letter]
            setattr(line, full, _boolean(f"-{letter}, --{full}", word[position + 2 :], shown=True))
            return
        setattr(line, _LETTERS[letter], True)


def _boolean(name: str, text: str, *, shown: bool = False) -> bool:
    if text in _TRUE:
        return True
    if text in _FALSE:
        return False
    flag = name if shown else f"--{name}"
    raise WrongLineError(
        f'invalid argument "{text}" for "{flag}" flag: strconv.ParseBool: parsing "{text}": invalid syntax'
    )

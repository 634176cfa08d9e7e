"""Reading a command line as heketi-cli reads it: by the rules of Go's cobra and pflag instead of click's.

click's groups, commands and options say what there is; its own parser is not used. The traps: flags may stand
before the command word, where a flag that the root does not know swallows the next word; `-size=1` is `-s`
with the value `ize=1`; a truth value is only ever given behind `=`.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import click

from heketipy.cli.values import BOOLEAN, TEXTS, BadValueError, quoted

_NEAR = 2
"""How many letters may differ in a command that is suggested."""


class WrongLineError(Exception):
    """The line cannot be understood."""


class UnknownCommandError(WrongLineError):
    """The first word is no command."""

    def __init__(self, word: str, root: click.Group) -> None:
        near = [f"\t{name}\n" for name in root.commands if name != "help" and _near(word, name)]
        suggestions = f"\n\nDid you mean this?\n{''.join(near)}" if near else ""
        super().__init__(f'unknown command {quoted(word)} for "{root.name}"{suggestions}')


@dataclass(frozen=True, slots=True)
class Line:
    """A line that was understood.

    `path` are the names of the program, the groups and the command; `flags` the values of all flags that it
    may have, by the names of their parameters.
    """

    command: click.Command
    path: tuple[str, ...]
    arguments: tuple[str, ...]
    flags: Mapping[str, Any]
    help: bool
    version: bool


@dataclass(slots=True)
class Flags:
    """The flags that a command knows: its own, the root's that they do not hide, and `--help`."""

    options: list[click.Option]
    letters: dict[str, click.Option] = field(init=False)
    names: dict[str, click.Option] = field(init=False)

    def __post_init__(self) -> None:
        self.letters = {flag[1:]: option for option in self.options for flag in option.opts if flag[:2] != "--"}
        self.names = {flag[2:]: option for option in self.options for flag in option.opts if flag[:2] == "--"}

    def takes_next(self, word: str) -> bool:
        """Tell whether, while the command is looked for, the word after this one counts as its value."""
        if "=" in word:
            return False
        if word.startswith("--"):
            option = self.names.get(word[2:])
        elif len(word) == 2:
            option = self.letters.get(word[1:])
        else:
            return False
        return option is None or option.type is not BOOLEAN


HELP = click.Option(["--help", "-h"], type=BOOLEAN, default=False, help="help")
VERSION = click.Option(["--version", "-v"], type=BOOLEAN, default=False, help="Print version")


def own_flags(command: click.Command, root: click.Group) -> list[click.Option]:
    """Return what a usage text shows as the command's own flags."""
    more = [HELP, VERSION] if command is root else [HELP]
    return [*_options(command), *more]


def inherited_flags(command: click.Command, root: click.Group) -> list[click.Option]:
    """Return the root's flags that a command has too."""
    if command is root:
        return []
    hidden = {flag for option in _options(command) for flag in option.opts if flag.startswith("--")}
    return [option for option in _options(root) if not hidden.intersection(option.opts)]


def read(root: click.Group, words: Sequence[str]) -> Line:
    """Find the command and read its flags. Raises WrongLineError."""
    command, path, rest = find(root, words)
    flags = Flags(own_flags(command, root) + inherited_flags(command, root))
    values = {str(option.name): option.default for option in flags.options}
    arguments = _parse(flags, rest, values)
    return Line(
        command,
        path,
        tuple(arguments),
        {name: value for name, value in values.items() if name not in ("help", "version")},
        help=bool(values["help"]),
        version=bool(values.get("version")),
    )


def find(root: click.Group, words: Sequence[str]) -> tuple[click.Command, tuple[str, ...], list[str]]:
    """Return the command that a line names, the names that lead to it, and the words that are left.

    Raises UnknownCommandError where the first word is none; further words are arguments then.
    """
    command: click.Command = root
    path = [str(root.name)]
    rest = list(words)
    while isinstance(command, click.Group):
        flags = Flags(own_flags(command, root) + inherited_flags(command, root))
        position = _first_word(rest, flags)
        if position is None:
            break
        following = command.commands.get(rest[position])
        if following is None:
            if command is root:
                raise UnknownCommandError(rest[position], root)
            break
        command = following
        path.append(rest.pop(position))
    return command, (*path[:-1], str(command.name)), rest


def _options(command: click.Command) -> list[click.Option]:
    return [option for option in command.params if isinstance(option, click.Option)]


def _first_word(words: Sequence[str], flags: Flags) -> int | None:
    """Return where the first word stands that is neither a flag nor, as far as can be told, a flag's value."""
    position = 0
    while position < len(words) and (word := words[position]) != "--":
        if word and not word.startswith("-"):
            return position
        if len(word) > 1 and flags.takes_next(word):
            position += 1
        position += 1
    return None


def _parse(flags: Flags, words: Sequence[str], values: dict[str, Any]) -> list[str]:
    """Put the values of the flags into a dict, and return the other words."""
    arguments: list[str] = []
    rest = list(words)
    given: set[str] = set()
    while rest:
        word = rest.pop(0)
        if word == "--":
            return arguments + rest
        if len(word) < 2 or not word.startswith("-"):
            arguments.append(word)
            continue
        for option, text in _long(flags, word, rest) if word.startswith("--") else _short(flags, word[1:], rest):
            _set(option, text, values, given)
    return arguments


def _long(flags: Flags, word: str, rest: list[str]) -> Iterable[tuple[click.Option, str]]:
    name, equals, text = word[2:].partition("=")
    if word[2] == "-" or not name:
        raise WrongLineError(f"bad flag syntax: {word}")
    option = flags.names.get(name)
    if option is None:
        raise WrongLineError(f"unknown flag: --{name}")
    if not equals:
        if option.type is BOOLEAN:
            text = "true"
        elif rest:
            text = rest.pop(0)
        else:
            raise WrongLineError(f"flag needs an argument: {word}")
    yield option, text


def _short(flags: Flags, letters: str, rest: list[str]) -> Iterable[tuple[click.Option, str]]:
    while letters:
        option = flags.letters.get(letters[0])
        if option is None:
            raise WrongLineError(f"unknown shorthand flag: '{letters[0]}' in -{letters}")
        if len(letters) > 2 and letters[1] == "=":
            yield option, letters[2:]
            return
        if option.type is BOOLEAN:
            yield option, "true"
            letters = letters[1:]
        elif len(letters) > 1:
            yield option, letters[1:]
            return
        elif rest:
            yield option, rest.pop(0)
            return
        else:
            raise WrongLineError(f"flag needs an argument: '{letters[0]}' in -{letters}")


def _set(option: click.Option, text: str, values: dict[str, Any], given: set[str]) -> None:
    name = str(option.name)
    try:
        value = option.type.convert(text, option, None)
    except BadValueError as error:
        letters = [flag for flag in option.opts if not flag.startswith("--")]
        shown = ", ".join([*letters, *(flag for flag in option.opts if flag.startswith("--"))])
        raise WrongLineError(f'invalid argument {quoted(text)} for "{shown}" flag: {error}') from None
    values[name] = [*values[name], *value] if option.type is TEXTS and name in given else value
    given.add(name)


def _near(typed: str, name: str) -> bool:
    typed = typed.lower()
    return name.startswith(typed) or _distance(typed, name) <= _NEAR


def _distance(one: str, other: str) -> int:
    """Return how many letters must be put in, taken out or replaced to make one text the other."""
    row = list(range(len(other) + 1))
    for i, letter in enumerate(one, 1):
        diagonal, row[0] = row[0], i
        for j, wanted in enumerate(other, 1):
            diagonal, row[j] = row[j], min(row[j] + 1, row[j - 1] + 1, diagonal + (letter != wanted))
    return row[-1]

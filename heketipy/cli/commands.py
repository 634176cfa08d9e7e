"""Declaring groups and commands.

A command's function takes the Session, the arguments (words that are no flags), and its own flags by keyword.
"""

from collections.abc import Awaitable, Callable, Sequence
from typing import Any

import click

from heketipy.cli.session import CommandError
from heketipy.cli.usage import ARGUMENTS
from heketipy.cli.values import FlagType

Function = Callable[..., Awaitable[None]]


def group(name: str, *, about: str, alone: Function | None = None) -> click.Group:
    """Declare a group. `about` is one line, `alone` what it does without a command of its own (else: show its help)."""
    return click.Group(name, help=about, short_help=about, callback=alone)


def command(
    parent: click.Group, name: str, *, about: str, arguments: str = "", flags: Sequence[click.Option] = ()
) -> Callable[[Function], Function]:
    """Declare a function to be a command of a group. `arguments` are what its usage line shows for them."""

    def declare(function: Function) -> Function:
        settings: dict[str, Any] = {ARGUMENTS: arguments}
        parent.add_command(
            click.Command(
                name, callback=function, params=list(flags), help=about, short_help=about, context_settings=settings
            )
        )
        return function

    return declare


def flag(name: str, kind: FlagType, default: object, about: str, *, letter: str = "", key: str = "") -> click.Option:
    """Declare a flag. `key` is the name of the function's parameter, if it is not the flag's."""
    names = [f"--{name}", *([f"-{letter}"] if letter else []), *([key] if key else [])]
    return click.Option(names, type=kind, default=default, help=about)


def first(arguments: Sequence[str], missing: str) -> str:
    """Return the first argument. An empty one is none: it would lead to the list of all. Raises CommandError."""
    if not arguments or not arguments[0]:
        raise CommandError(missing)
    return arguments[0]

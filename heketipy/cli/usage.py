"""Help and usage texts, laid out as heketi-cli's are."""

from collections.abc import Sequence

import click

from heketipy.cli.line import inherited_flags, own_flags
from heketipy.cli.values import BOOLEAN

_NAME_WIDTH = 11
ARGUMENTS = "arguments"
"""Key, in `context_settings`, of the words that a usage line shows for a command's arguments."""


def help_text(command: click.Command, path: Sequence[str], root: click.Group) -> str:
    """Return what a command's `--help` prints."""
    return f"{command.help}\n\n{usage_text(command, path, root)}"


def usage_text(command: click.Command, path: Sequence[str], root: click.Group) -> str:
    """Return how a command is used, its subcommands and its flags."""
    name = " ".join(path)
    sections = [_usage(command, name, root)]
    if aliases := command.context_settings.get("aliases"):
        sections.append(f"Aliases:\n  {', '.join([str(command.name), *aliases])}\n")
    if command.epilog:
        sections.append(f"Examples:\n{command.epilog}\n")
    if isinstance(command, click.Group):
        sections.append("Available Commands:\n" + _commands(command))
    sections.append("Flags:\n" + _flags(own_flags(command, root), path[-1]))
    if inherited := inherited_flags(command, root):
        sections.append("Global Flags:\n" + _flags(inherited, path[-1]))
    if isinstance(command, click.Group):
        sections.append(f'Use "{name} [command] --help" for more information about a command.\n')
    return "\n".join(sections)


def _usage(command: click.Command, name: str, root: click.Group) -> str:
    lines = []
    if not isinstance(command, click.Group):
        words = command.context_settings.get(ARGUMENTS, "")
        lines.append(f"  {name} {words} [flags]\n" if words else f"  {name} [flags]\n")
    if command is root or (isinstance(command, click.Group) and command.callback is not None):
        lines.append(f"  {name} [flags]\n")
    if isinstance(command, click.Group):
        lines.append(f"  {name} [command]\n")
    return "Usage:\n" + "".join(lines)


def _commands(group: click.Group) -> str:
    width = max(_NAME_WIDTH, *map(len, group.commands))
    # Aliases are entries of their own that lead to the same command.
    own = sorted(name for name, command in group.commands.items() if command.name == name)
    return "".join(f"  {name:<{width}} {group.commands[name].short_help}\n" for name in own)


def _flags(options: Sequence[click.Option], command: str) -> str:
    shown = {_flag(option): _description(option, command) for option in sorted(options, key=_long_name)}
    width = max(map(len, shown)) + 3
    return "".join(f"{flag:<{width}}{text}\n" for flag, text in shown.items())


def _long_name(option: click.Option) -> str:
    return next(flag[2:] for flag in option.opts if flag.startswith("--"))


def _flag(option: click.Option) -> str:
    letter = next((flag for flag in option.opts if not flag.startswith("--")), "")
    before = f"  {letter}, " if letter else "      "
    kind = f" {option.type.name}" if option.type is not BOOLEAN else ""
    return f"{before}--{_long_name(option)}{kind}"


def _description(option: click.Option, command: str) -> str:
    text = f"help for {command}" if _long_name(option) == "help" else str(option.help)
    match option.default:
        case "" | False | 0 | []:
            return text
        case str() as default:
            return f'{text} (default "{default}")'
        case True:
            return f"{text} (default true)"
        case float() as default:
            return f"{text} (default {default:g})"
    return f"{text} (default {option.default})"

"""The program `heketi-cli`."""

import asyncio
import os
import signal
import sys
from collections.abc import Mapping, Sequence
from io import TextIOWrapper
from typing import Final

import click

from heketipy import __version__
from heketipy.cli.cluster import CLUSTER
from heketipy.cli.commands import flag
from heketipy.cli.device import DEVICE
from heketipy.cli.line import Line, UnknownCommandError, WrongLineError, find, read
from heketipy.cli.node import NODE
from heketipy.cli.server import SERVER
from heketipy.cli.session import CommandError, Session, Streams
from heketipy.cli.topology import TOPOLOGY
from heketipy.cli.usage import help_text, usage_text
from heketipy.cli.values import BOOLEAN, TEXT, TEXTS
from heketipy.cli.volume import VOLUME

FAILURE: Final = 255

_HELP: Final = click.Command(
    "help",
    help="Show the help of any command",
    short_help="Show the help of any command",
    context_settings={"arguments": "[command]"},
)

ROOT: Final = click.Group(
    "heketi-cli",
    help="Command line of heketipy, a drop-in heketi: volumes on your own disks",
    params=[
        flag(
            "server", TEXT, "", "Address of the server; or HEKETI_CLI_SERVER. Default http://localhost:8080", letter="s"
        ),
        flag("user", TEXT, "", "Who asks, admin or user; or HEKETI_CLI_USER"),
        flag("secret", TEXT, "", "Key of who asks; or HEKETI_CLI_KEY"),
        flag("json", BOOLEAN, False, "Print JSON"),
        flag("insecure-tls", BOOLEAN, False, "Do not verify the server's certificate", letter="I"),
        flag("tls-cert", TEXTS, [], "Files of certificates to trust instead of the system's", letter="C"),
    ],
    # The order is that of suggestions for a word that is no command.
    commands={str(part.name): part for part in (CLUSTER, DEVICE, NODE, SERVER, TOPOLOGY, VOLUME, _HELP)},
)


def main() -> None:
    """Be heketi-cli."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, TextIOWrapper):
            stream.reconfigure(encoding="utf-8", errors="surrogateescape")
    try:
        status = asyncio.run(run(sys.argv[1:], Streams(sys.stdout, sys.stderr), os.environ))
        sys.stdout.flush()
    except KeyboardInterrupt:
        status = 128 + signal.SIGINT
    except BrokenPipeError:
        # Whoever read our output has gone. What is still buffered must not complain at the exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        status = 128 + signal.SIGPIPE
    sys.exit(status)


async def run(words: Sequence[str], streams: Streams, environment: Mapping[str, str]) -> int:
    """Run one command line (without the program's name), and return the exit status."""
    try:
        line = read(ROOT, words)
        if line.help:
            streams.out.write(help_text(line.command, line.path, ROOT))
        elif line.version:
            streams.out.write(f"heketi-cli v10 (heketipy {__version__})\n")
        elif line.command is _HELP:
            _help(line.arguments, streams)
        elif line.command is ROOT:
            streams.err.write(usage_text(ROOT, line.path, ROOT))
        elif isinstance(line.command, click.Group) and line.command.callback is None:
            streams.out.write(help_text(line.command, line.path, ROOT))
        else:
            await _call(line, streams, environment)
    except UnknownCommandError as error:
        streams.err.write(f"Error: {error}\nRun 'heketi-cli --help' for usage.\n")
        return FAILURE
    except (WrongLineError, CommandError) as error:
        streams.err.write(f"Error: {error}\n")
        return FAILURE
    return 0


async def _call(line: Line, streams: Streams, environment: Mapping[str, str]) -> None:
    own = {str(option.name): line.flags[str(option.name)] for option in line.command.params}
    function = line.command.callback
    if function is not None:
        await function(Session.of(streams, line.flags, environment), line.arguments, **own)


def _help(words: Sequence[str], streams: Streams) -> None:
    try:
        command, path, _ = find(ROOT, words)
    except UnknownCommandError:
        topics = " ".join(f"`{word}`" for word in words)
        streams.err.write(f"Unknown help topic [{topics}]\n{usage_text(ROOT, (str(ROOT.name),), ROOT)}")
    else:
        streams.out.write(help_text(command, path, ROOT))


if __name__ == "__main__":
    main()

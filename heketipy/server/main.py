"""The programs `heketipy` and `heketi`: the same server behind two command lines.

What is heavy is imported only when it is needed: a start that must be refused is refused at once.
"""

import gc
import platform
import signal
import sys
from collections.abc import Callable, Sequence
from types import FrameType
from typing import NoReturn, TextIO, TypeVar

import click

from heketipy import __version__
from heketipy.config import ConfigurationError, ExecutorName, Settings, load
from heketipy.server import database_line, doctor_line, heketi_line, offline_line, preflight
from heketipy.server.database_line import DatabaseLine
from heketipy.server.doctor_line import DoctorLine
from heketipy.server.offline_line import OfflineLine
from heketipy.server.options import ServerOptions

Line = TypeVar("Line")

BANNER = f"Heketi v10 (heketipy {__version__}, using python: {platform.python_version()})"


@click.group(name="heketipy", context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, "-v", "--version", message="heketipy %(version)s")
def main() -> None:
    """Volumes on your own disks by one HTTP call: a drop-in, better heketi for GlusterFS."""


@main.command()
@click.option("--config", required=True, metavar="FILE", help="Configuration: heketi's heketi.json.")
@click.option("--topology", default="", metavar="FILE", help="Topology file to load at the start.")
@click.option("--disable-auth", is_flag=True, help="Ask nobody for a token.")
@click.option("--port", default="", metavar="PORT", help="Port to listen on, instead of the configured one.")
def serve(config: str, topology: str, disable_auth: bool, port: str) -> None:
    """Run the server."""
    _leave_quietly_when_told_to()
    try:
        settings, warnings = _settings(config)
        if port:
            settings = settings.model_copy(update={"port": port})
        executor = preflight.executor_of(settings, default=None)
        preflight.check(settings, executor, authenticate=not disable_auth)
    except ConfigurationError as error:
        _fail(f"ERROR: {error}")
    options = ServerOptions(settings, executor, warnings=warnings, authenticate=not disable_auth, topology=topology)
    sys.exit(_run(options))


@main.command()
@click.option("--serve", "keep", is_flag=True, help="Go on serving after the story, until interrupted.")
@click.option("--port", default=8080, show_default=True, help="Port of --serve; without it some free one.")
def demo(keep: bool, port: int) -> None:
    """Show on a simulator what heketipy does."""
    from heketipy.server.demo import run_demo

    sys.exit(run_demo(keep=keep, port=port))


_HEKETIS_LINE = {"ignore_unknown_options": True, "help_option_names": []}
"""For commands that heketi has too: their lines are read by its rules."""


@main.command(context_settings=_HEKETIS_LINE)
@click.argument("words", nargs=-1, type=click.UNPROCESSED)
def db(words: tuple[str, ...]) -> None:
    """Export, import and check databases: see `heketipy db --help`."""
    _obey(words, database_line.parse, _database)


@main.command(context_settings=_HEKETIS_LINE)
@click.argument("words", nargs=-1, type=click.UNPROCESSED)
def offline(words: tuple[str, ...]) -> None:
    """Clean up, examine and update without a server: see `heketipy offline --help`."""
    _obey(words, offline_line.parse, _offline)


@main.command(context_settings=_HEKETIS_LINE)
@click.argument("words", nargs=-1, type=click.UNPROCESSED)
def doctor(words: tuple[str, ...]) -> None:
    """Look whether the nodes can serve: see `heketipy doctor --help`."""
    _obey(words, doctor_line.parse, _doctor)


def _obey(words: Sequence[str], parse: Callable[[Sequence[str]], Line], command: Callable[[Line], int]) -> None:
    """Read a line and do what it says."""
    try:
        sys.exit(command(parse(words)))
    except heketi_line.WrongLineError as error:
        _write(sys.stderr, f"Error: {error}\n")
        sys.exit(2)


def heketi() -> None:
    """Be heketi: `heketi --config=FILE [--disable-auth]`, `heketi db …`, `heketi offline …`; and `heketi doctor …`."""
    try:
        if sys.argv[1:2] == ["doctor"]:
            sys.exit(_doctor(doctor_line.parse(sys.argv[2:])))
        if sys.argv[1:2] == ["offline"]:
            sys.exit(_offline(offline_line.parse(sys.argv[2:])))
        _leave_quietly_when_told_to()
        if sys.argv[1:2] == ["db"]:
            sys.exit(_database(database_line.parse(sys.argv[2:])))
        line = heketi_line.parse(sys.argv[1:])
    except heketi_line.WrongLineError as error:
        hint = "Run 'heketi --help' for usage.\n" if error.usage_hint else ""
        _write(sys.stderr, f"Error: {error}\n{hint}")
        _write(sys.stdout, f"{error}\n")
        sys.exit(255)
    if line.help:
        _write(sys.stdout, heketi_line.HELP)
        sys.exit(0)
    _write(sys.stdout, f"{BANNER}\n")
    if line.version:
        sys.exit(0)
    if not line.config:
        _fail("Please provide configuration file")
    try:
        settings, warnings = _settings(line.config)
        executor = preflight.executor_of(settings, default=ExecutorName.SSH)
        preflight.check(settings, executor, authenticate=not line.disable_auth)
    except ConfigurationError as error:
        _fail(f"ERROR: {error}")
    sys.exit(
        _run(ServerOptions(settings, executor, warnings=warnings, authenticate=not line.disable_auth, drop_in=True))
    )


def _database(line: DatabaseLine) -> int:
    if not line.command:
        _write(sys.stdout, database_line.HELP)
        return 0
    from heketipy.server import database
    from heketipy.telemetry.logging import configure

    configure("debug" if line.debug else "error", stream=sys.stderr)
    match line.command:
        case "delete-bricks-with-empty-path":
            return database.delete_pathless_bricks(
                line.dbfile, everywhere=line.all, clusters=line.clusters, nodes=line.nodes, devices=line.devices
            )
        case "export":
            return database.export_database(line.dbfile, line.jsonfile)
        case "import":
            return database.import_database(line.dbfile, line.jsonfile)
        case _:
            return database.check_database(line.dbfile)


def _offline(line: OfflineLine) -> int:
    if not line.command:
        _write(sys.stdout, offline_line.HELP)
        return 0
    _write(sys.stdout, f"{BANNER}\n")
    if not line.config:
        _fail("Configuration file is required")
    try:
        settings, warnings = _settings(line.config)
        executor = preflight.executor_of(settings, default=ExecutorName.SSH)
        preflight.check_nodes(settings, executor)
    except ConfigurationError as error:
        _fail(f"ERROR: {error}")
    from heketipy.server import offline as work

    options = ServerOptions(settings, executor, warnings=warnings, authenticate=False)
    match line.command:
        case "cleanup-operations":
            return work.clean_up(options)
        case "examine":
            return work.examine(options)
        case _:
            return work.update_database_volume(options, line.volume)


def _doctor(line: DoctorLine) -> int:
    if line.help:
        _write(sys.stdout, doctor_line.HELP)
        return 0
    if not line.config:
        _fail("Please provide configuration file")
    try:
        settings, warnings = _settings(line.config)
        executor = preflight.executor_of(settings, default=ExecutorName.SSH)
        preflight.check_nodes(settings, executor)
    except ConfigurationError as error:
        _fail(f"ERROR: {error}")
    from heketipy.server import doctor as work

    return work.examine(ServerOptions(settings, executor, warnings=warnings, authenticate=False), line.nodes)


def _settings(path: str) -> tuple[Settings, tuple[str, ...]]:
    loaded = load(path)
    return loaded.settings, loaded.warnings


def _run(options: ServerOptions) -> int:
    if not options.authenticate:
        _write(sys.stderr, "WARNING: Heketi started with --disable-auth\n")
    # Nearly all that a start makes is there to stay. To look through it for garbage again and again would take a good
    # part of the start; `run` has it done again when the server listens.
    gc.disable()
    from heketipy.server.run import run

    return run(options)


def _leave_quietly_when_told_to() -> None:
    """End on SIGTERM also before the server handles it, and as process 1, which the system's default does not
    end.
    """

    def leave(_number: int, _frame: FrameType | None) -> None:
        _write(sys.stdout, "Shutting down...\n")
        sys.exit(0)

    signal.signal(signal.SIGTERM, leave)
    signal.signal(signal.SIGINT, leave)
    # By default this one would kill. Later it sets the normal admin mode, with which a server begins anyway.
    signal.signal(signal.SIGUSR2, signal.SIG_IGN)


def _write(stream: TextIO, text: str) -> None:
    stream.write(text)
    stream.flush()


def _fail(text: str) -> NoReturn:
    _write(sys.stderr, f"{text}\n")
    sys.exit(1)


if __name__ == "__main__":
    main()

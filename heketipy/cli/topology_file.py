"""`heketi-cli topology load`. It alone needs pydantic, without which all other commands start a good deal faster."""

from pathlib import Path

from heketipy.cli.session import CommandError, Session
from heketipy.client.topology import load
from heketipy.wire.topology import Topology, TopologyError, read_topology


async def load_file(session: Session, file: str) -> None:
    """Load a topology file. What cannot be added is told, and is no failure of the command."""
    topology = _read(session, file)
    async with session.client() as client:
        async for event in load(client, topology):
            session.say(str(event))


def _read(session: Session, file: str) -> Topology:
    """Read a file. heketi-cli says no more than that it cannot; a person at a terminal is told what is wrong in it."""
    try:
        text = Path(file).read_bytes()
    except IsADirectoryError:
        text = b""
    except OSError as error:
        raise CommandError("Unable to open config file") from error
    try:
        topology = read_topology(text)
    except TopologyError as error:
        details = f"\n{error}" if session.streams.err.isatty() else ""
        raise CommandError(f"Unable to parse config file{details}") from error
    if session.streams.err.isatty():
        session.complain("".join(f"Warning: {problem}\n" for problem in topology.problems()))
    return topology

"""`heketi-cli server`."""

from collections.abc import Sequence
from typing import Final

from heketipy.cli.commands import command, flag, group
from heketipy.cli.session import CommandError, Session
from heketipy.cli.values import BOOLEAN
from heketipy.client.connection import Json

SERVER = group("server", about="The server, and what it knows of the nodes")
STATE = group("state", about="What nodes have, beside the books")
EXAMINE = group("examine", about="All that was found, as JSON")

SERVER.add_command(STATE)
STATE.add_command(EXAMINE)

_COLUMNS: Final = ("Id", "Kind", "Host", "Name", "Clean-up")


@command(EXAMINE, "gluster", about="Show the books and what every node has, as JSON")
async def examine_gluster(session: Session, _arguments: Sequence[str]) -> None:
    """Print the server's answer as it is."""
    async with session.client() as client:
        session.say(await client.state.examine_gluster())


async def drift_table(session: Session, _arguments: Sequence[str]) -> None:
    """Show all findings: what is lost, what nobody knows, and what is in quarantine."""
    async with session.client() as client:
        drift = await client.state.drift()
    if session.json:
        session.say_json(drift)
    else:
        session.say(_table(drift))


DRIFT = group("drift", about="Show in what the books, the nodes and gluster differ", alone=drift_table)
STATE.add_command(DRIFT)


@command(
    DRIFT,
    "clean-up",
    about="Put what nobody knows into quarantine; without --yes: show what would be done",
    arguments="[finding_id...]",
    flags=[flag("yes", BOOLEAN, False, "Do it", letter="y")],
)
async def clean_up(session: Session, arguments: Sequence[str], *, yes: bool) -> None:
    """Show what is done with these findings (none: all orphans), and do it if that is wanted."""
    async with session.client() as client:
        proposal = await client.state.propose_clean_up(arguments)
        if session.json and not yes:
            session.say_json(proposal)
            return
        if not session.json:
            session.say(_proposal(proposal))
        if yes and proposal["leftovers"]:
            wanted = [id for leftover in proposal["leftovers"] for id in leftover["findings"]]
            await client.state.clean_up(wanted)
            if not session.json:
                session.say("Done\n")
        elif proposal["leftovers"]:
            session.say("Nothing was done. Use --yes to do it\n")


@command(DRIFT, "release", about="Give what is in quarantine its former name", arguments="[finding_id...]")
async def release(session: Session, arguments: Sequence[str]) -> None:
    """Release these findings."""
    if not any(arguments):
        raise CommandError("Finding id missing")
    async with session.client() as client:
        await client.state.release(arguments)
    session.say("Released\n")


def _table(drift: Json) -> str:
    rows = [(one["id"], one["kind"], one["host"], one["name"], _outlook(one)) for one in drift["findings"]]
    unseen = "".join(f"Not seen: {one['host']}: {one['reason']}\n" for one in drift["unseen"])
    if not rows:
        return unseen or "Books, nodes and gluster agree\n"
    table = [_COLUMNS, *rows]
    widths = [max(len(row[at]) for row in table) for at in range(len(_COLUMNS))]
    lines = ("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in table)
    return "".join(f"{line}\n" for line in lines) + unseen


def _outlook(finding: Json) -> str:
    """Say in a word what a clean-up does with a finding, or why nothing."""
    if finding["until"]:
        return f"until {finding['until']}"
    if finding["cleanable"]:
        return "yes"
    return f"no: {finding['hindrance']}" if finding["hindrance"] else "no"


def _proposal(proposal: Json) -> str:
    if not proposal["leftovers"] and not proposal["refused"]:
        return "There is nothing to clean up\n"
    lines = []
    for one in proposal["leftovers"]:
        lines.append(f"Host: {one['host']}    Brick: {one['brick']}")
        lines += [f"    {step}" for step in one["steps"]]
    lines += [f"Left alone: {one['id']}: {one['reason']}" for one in proposal["refused"]]
    return "".join(f"{line}\n" for line in lines)

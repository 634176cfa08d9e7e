"""Command lines recorded from heketi-cli, repeated in their order against a server of ours."""

import json
from pathlib import Path
from typing import Any

from tests.cli.command_line import CommandLine, Outcome
from tests.cli.labels import Labels, recorded

VECTORS: list[dict[str, Any]] = json.loads((Path(__file__).parent / "vectors" / "cli.json").read_text())

NOT_YET = {
    ("blockvolume",),
    ("server", "mode"),
    ("server", "operations"),
    ("loglevel",),
    ("device", "settags"),
    ("device", "removetags"),
    ("volume", "set-block-hosting-restriction"),
}
"""First words of command lines that are not there yet."""

NEEDS_READ_ONLY = {"refused in read-only"}
"""Entries that need what a command that is not there yet has done."""

MORE_ABOUT_IT = {"create too large"}
"""Entries whose first line we print, and then why (docs/differences.md)."""

FACTS_OF_HELP = {"group alone"}


def runs(entry: dict[str, Any]) -> bool:
    words = tuple(entry["argv"])
    return entry["name"] not in NEEDS_READ_ONLY and not any(words[: len(first)] == first for first in NOT_YET)


async def test_recorded_command_lines_print_what_they_printed(cli: CommandLine, tmp_path: Path) -> None:
    labels = Labels()
    differences = []
    for entry in filter(runs, VECTORS):
        for name, content in entry.get("files", {}).items():
            (tmp_path / name).write_text(content)
        outcome = await cli(*map(labels.ids, entry["argv"]))
        async with cli.http() as http:
            await labels.look(http)
            await labels.look_at_clusters(outcome.out + outcome.err, http)
        wanted = Outcome(recorded(entry["stdout"]), entry["stderr"], entry["exit"])
        found = _found(entry["name"], outcome, labels)
        if found != wanted:
            differences.append((entry["name"], found, wanted))
    assert not differences


async def test_commands_that_are_not_there_yet_do_nothing(cli: CommandLine) -> None:
    for first in NOT_YET:
        outcome = await cli(*first)
        if len(first) == 1:
            assert outcome.err.startswith(f'Error: unknown command "{first[0]}" for "heketi-cli"\n')
            assert outcome.status == 255
        else:
            assert outcome.out.startswith(await cli.ok(first[0]))


def _found(name: str, outcome: Outcome, labels: Labels) -> Outcome:
    out, err = labels.labelled(outcome.out), labels.labelled(outcome.err)
    if name in MORE_ABOUT_IT:
        err = err.partition("\n")[0] + "\n"
    if name in FACTS_OF_HELP:
        out = facts(out)
    return Outcome(out, err, outcome.status)


def facts(help_text: str) -> str:
    """Reduce a help text to titles, usage lines, names of commands, flags with the words for their types."""
    usage = help_text[help_text.index("Usage:") :]
    kept = []
    for line in filter(None, usage.splitlines()):
        words = line if line.startswith("  heketi-cli") else line.split("   ")[0] if line[0] == " " else line
        if line.startswith("      --"):
            words = "      " + line.strip().split("   ")[0]
        kept.append(words)
    return "".join(f"{line}\n" for line in kept)

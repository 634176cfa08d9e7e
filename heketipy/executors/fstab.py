"""The fstab of a node: one line a brick, appended when the brick is made and removed when it goes.

The removal matches a line's second field exactly, and leaves the former file beside it as `<fstab>.save`. Both are
safe only when one of them runs at a time: that is what the lane of bricks is for.
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

_APPEND = "BEGIN {print line >> file}"
_BLANK = "[ \t]"
_WORD = "[^ \t]"
_LINE_WITH = f"\\,^{_BLANK}*[^# \t]{_WORD}*{_BLANK}{_BLANK}*"
_GOES = f"{_BLANK},d"


@dataclass(frozen=True, slots=True)
class Entry:
    """One line that mounts something."""

    device: str
    mount_point: str
    type: str
    options: str


def line(device: str, mount_point: str, *, options: str) -> str:
    """Return the line that mounts a brick's file system at boot."""
    return f"{device} {mount_point} xfs {options} 1 2"


def append(entry: str, *, fstab: str) -> tuple[str, ...]:
    """Append a line. awk opens the file itself, so `sudo awk` is enough; its program is fixed, the line is data."""
    return ("awk", "-v", f"line={_escaped(entry)}", "-v", f"file={_escaped(fstab)}", _APPEND)


def end_last_line(fstab: str) -> tuple[str, ...]:
    """End the last line where somebody's editor did not, or the next line would be appended to it. GNU sed's idiom."""
    return ("sed", "-i", "-e", "$a\\", fstab)


def _escaped(text: str) -> str:
    """Protect a text from the escapes that awk reads in assignments."""
    return text.replace("\\", "\\\\")


def remove(mount_points: Iterable[str], *, fstab: str) -> tuple[str, ...]:
    """Remove the lines with these mount points, and no others."""
    edits = (part for mount_point in mount_points for part in ("-e", f"{_LINE_WITH}{_literal(mount_point)}{_GOES}"))
    return ("sed", "-i.save", *edits, fstab)


def _literal(text: str) -> str:
    """Return a text as a POSIX basic regular expression that matches just it, with `,` as the delimiter."""
    return re.sub(r"([.*\[\]\\^$,])", r"\\\1", text)


def appended(argv: Sequence[str]) -> tuple[str, str] | None:
    """Read a command of `append`: return line and file, None for another command."""
    match argv:
        case ("awk", "-v", line, "-v", file, program) if program == _APPEND:
            return _assigned(line), _assigned(file)
    return None


def _assigned(assignment: str) -> str:
    return assignment.partition("=")[2].replace("\\\\", "\\")


def removed(argv: Sequence[str]) -> tuple[list[str], str] | None:
    """Read a command of `remove`: return mount points and file, None for another command."""
    match argv:
        case ("sed", "-i.save", "-e", *edits, file):
            literals = [edit.removeprefix(_LINE_WITH).removesuffix(_GOES) for edit in edits if edit != "-e"]
            return [re.sub(r"\\(.)", r"\1", literal) for literal in literals], file
    return None


def show(fstab: str) -> tuple[str, ...]:
    """Print the file; read it with `read`."""
    return ("cat", fstab)


def read(text: str) -> list[Entry]:
    """Read the lines that mount something; comments, blank and cut-off lines are passed over."""
    entries = []
    for row in text.split("\n"):
        fields = row.split()
        if len(fields) >= 4 and not fields[0].startswith("#"):
            entries.append(Entry(*fields[:4]))
    return entries


def is_missing(text: str) -> bool:
    """Tell whether the file could not be read or edited since there is none: then it holds no line either."""
    return re.search(r"(can't read |cat: ).*: No such file or directory", text) is not None

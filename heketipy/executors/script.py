"""A batch as one shell script, and the reading of what the script reports. Pure: no I/O here.

The script travels over stdin of `/bin/sh`, so no login shell gets to quote or log it; all of it is one function that
the last line calls, so a script that was cut off does nothing. On the node it

* takes the operation's lock, waiting so long as a survivor of a dead server may still be at work, and refuses if that
  operation was served with a higher epoch (kept in the lock file);
* takes the node's lock for bricks, where the batch belongs into that lane: lanes of different servers do not meet;
* runs command by command, each under its limit, and reports status and outputs after each one;
* stops when a report cannot be delivered: the connection is gone then. The command at work has ended by then, under the
  lock; those after it are not begun.

Commands get no descriptor of ours but their own three (LVM complains of others, and a daemon would keep the lock).
Ignored signals are HUP and PIPE alone: limits work by TERM. Our own tools are looked up on the system's default path.

With `sudo`, `sudo -n` stands before each command, never before a shell. The limit is enforced by `timeout`: under
sudo where sudoers allows that, so that it may end root's processes; where sudoers lists single commands without
`timeout`, it stands before sudo and cannot end them: such a command keeps the lock until it ends by itself.
"""

import base64
import binascii
import re
import shlex
from collections.abc import Iterator
from dataclasses import dataclass, field
from enum import StrEnum

from heketipy.executors.transport import Batch, Command, Fence, Lane, Result

SHELL = "/bin/sh"
KILL_AFTER = 10
MAX_OUTPUT = 8 * 1024 * 1024
_MAX_LINE = 1024 * 1024
_DAYS_KEPT = 14
_SWEEPING = "0"
"""One operation in sixteen, by the first digit of its id, clears away old locks: every process on a node costs time."""
_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]*")

_PROLOGUE = r"""
heketipy() {
mark=@MARK@
LC_ALL=C
export LC_ALL
PATH=${PATH:-/usr/bin:/bin}:/usr/local/sbin:/usr/sbin:/sbin
export PATH
trap '' HUP PIPE
say() { printf '\n%s %s\n' "$mark" "$*" || exit 99; }
fail() { say broken "$*"; exit 1; }
set -- $(for tool in timeout base64 head mktemp mkdir rm flock; do
command -pv "$tool" || command -v "$tool" || { printf 'missing %s' "$tool"; break; }
done)
found=" $*"
case $found in *" missing "*) fail "${found##*missing } is missing" ;; esac
timeout=$1 base64=$2 head=$3 mktemp=$4 mkdir=$5 rm=$6 flock=$7
directory=@DIRECTORY@
if [ -z "$directory" ]; then
if [ -O /run ]; then directory=/run/heketipy; else directory=$HOME/.heketipy; fi
fi
[ -d "$directory" ] || "$mkdir" -m 700 "$directory" 2>/dev/null
{ [ -d "$directory" ] && [ ! -L "$directory" ] && [ -O "$directory" ]; } || fail "no directory of our own: $directory"
work=$("$mktemp" -d "$directory/run.XXXXXXXXXX") || fail "cannot write to $directory"
trap '"$rm" -rf "$work"' EXIT
stream() {
[ ! -s "$1" ] || "$head" -c @MAX@ <"$1" | "$base64" || exit 99
}
run() {
number=$1 limit=$2 tolerated=$3 input=$4
shift 4
start "$@"
status=$?
say result "$number" "$status"
stream "$work/out"
say error
stream "$work/err"
say end
[ "$status" = 0 ] || [ "$tolerated" = 1 ] || { say done; exit 0; }
}
"""

_PLAIN = r"""
start() ( "$timeout" -k @KILL@ "$limit" "$@" @STREAMS@ )
"""

_SUDO = r"""
if sudo -n -l "$timeout" >/dev/null 2>&1; then
start() ( sudo -n "$timeout" -k @KILL@ "$limit" "$@" @STREAMS@ )
else
start() ( "$timeout" -k @KILL@ "$limit" sudo -n "$@" @STREAMS@ )
fi
"""

_STREAMS = '<"$input" >"$work/out" 2>"$work/err" 8>&- 9>&-'
"""Of the command alone, in a subshell: what our shell says when a signal ends the command is none of its output."""

_SWEEP = r"""
if [ ! -e "$directory"/@LOCK@ ] && find=$(command -pv find); then {
"$find" "$directory" -maxdepth 1 -type f -name '*.lock' -mtime +@DAYS@ -exec "$flock" -n {} "$rm" -f {} \;
"$find" "$directory" -maxdepth 1 -type d -name 'run.*' -mtime +@DAYS@ -exec "$rm" -rf {} \;
} >/dev/null 2>&1; fi
"""

_TAKE = r"""
lock="$directory"/@LOCK@
while :; do
exec @FD@>>"$lock"
"$flock" -w @WAIT@ @FD@ || { [ $? = 1 ] || fail "flock failed"; say busy; exit 1; }
[ ! "$lock" -ef /proc/self/fd/@FD@ ] || break
done
"""

_EPOCH = r"""
seen=
read -r seen <"$lock"
case $seen in '' | *[!0-9]*) seen=0 ;; esac
if [ "$seen" -gt @EPOCH@ ]; then say superseded "$seen"; exit 1; fi
printf '%s\n' @EPOCH@ >"$lock" || fail "cannot write to $directory"
"""

_EPILOGUE = r"""
say done
exit 0
}
heketipy </dev/null
"""


def script(
    batch: Batch,
    *,
    mark: str,
    lock_wait: float,
    node: str = "",
    sudo: bool = False,
    directory: str = "",
) -> str:
    """Return the script that runs a batch.

    `mark` is a word that no output holds (random), `lock_wait` the seconds to wait for a lock, `node` an id that sets
    this node's locks apart from others on the same machine, `directory` where locks and outputs are kept (by default
    /run/heketipy for root and ~/.heketipy for others; it has to belong to the user).
    """
    values = {
        "MARK": shlex.quote(mark),
        "DIRECTORY": shlex.quote(directory),
        "MAX": str(MAX_OUTPUT),
        "KILL": str(KILL_AFTER),
        "STREAMS": _STREAMS,
        "WAIT": f"{lock_wait:g}",
        "DAYS": str(_DAYS_KEPT),
    }
    parts = [_fill(_PROLOGUE, values), _fill(_SUDO if sudo else _PLAIN, values)]
    suffix = f".{_name(node)}" if node else ""
    if batch.fence is not None:
        lock = f"{_name(batch.fence.operation)}{suffix}.lock"
        if batch.fence.operation.startswith(_SWEEPING):
            parts.append(_fill(_SWEEP, values | {"LOCK": lock}))
        parts.append(_fill(_TAKE, values | {"LOCK": lock, "FD": "9"}))
        parts.append(_fill(_EPOCH, {"EPOCH": _epoch(batch.fence)}))
    if batch.lane is Lane.BRICKS:
        parts.append(_fill(_TAKE, values | {"LOCK": f"bricks{suffix}.lock", "FD": "8"}))
    parts.append("say begin\n")
    for number, command in enumerate(batch.commands):
        parts.extend(_run(number, command))
    parts.append(_EPILOGUE.lstrip("\n"))
    return "".join(part.lstrip("\n") for part in parts)


def _fill(template: str, values: dict[str, str]) -> str:
    return re.sub(r"@([A-Z]+)@", lambda found: values[found[1]], template)


def _name(text: str) -> str:
    if _NAME.fullmatch(text) is None:
        raise ValueError(f"no name for a lock: {text!r}")
    return text


def _epoch(fence: Fence) -> str:
    if fence.epoch < 0:
        raise ValueError(f"no epoch: {fence.epoch}")
    return str(fence.epoch)


def _run(number: int, command: Command) -> Iterator[str]:
    words = (*command.argv, command.stdin)
    if not command.argv or any("\0" in word for word in words):
        raise ValueError("a command needs a name, and no NUL in its words")
    source = "/dev/null"
    if command.stdin:
        source = '"$work/in"'
        yield f"printf '%s' {shlex.quote(command.stdin)} >{source}\n"
    yield f"run {number} {command.timeout:g} {int(command.tolerated)} {source} {shlex.join(command.argv)}\n"


class Refusal(StrEnum):
    """Why a node did not begin with a batch."""

    BUSY = "busy"
    """A lock could not be had in time."""
    SUPERSEDED = "superseded"
    """The operation was served with a higher epoch."""
    BROKEN = "broken"
    """The script cannot work there; the reason says why."""


@dataclass(slots=True)
class Report:
    """What a script has reported so far. Feed it what comes; whatever is not ours (greetings of login shells) is passed
    over.

    `began` is true once the locks are taken, `done` once the batch has ended. `results` are those of the commands that
    have ended. Raises ValueError if what comes cannot be a report.
    """

    mark: str
    began: bool = False
    done: bool = False
    refusal: Refusal | None = None
    reason: str = ""
    results: list[Result] = field(default_factory=list)
    _rest: bytearray = field(default_factory=bytearray)
    _status: int | None = None
    _stdout: bytearray = field(default_factory=bytearray)
    _stderr: bytearray = field(default_factory=bytearray)
    _in_stderr: bool = False

    def feed(self, data: bytes) -> None:
        """Take more of the script's output."""
        self._rest += data
        *lines, rest = self._rest.split(b"\n")
        if len(rest) > _MAX_LINE:
            raise ValueError("a line without end")
        self._rest = bytearray(rest)
        for line in lines:
            self._take(bytes(line))

    def _take(self, line: bytes) -> None:
        word, _, rest = line.partition(b" ")
        if word == self.mark.encode():
            self._obey(rest.decode(errors="replace"))
        elif self._status is not None:
            target = self._stderr if self._in_stderr else self._stdout
            target += line.strip()
            if len(target) > 2 * MAX_OUTPUT:
                raise ValueError("an output without end")

    def _obey(self, text: str) -> None:
        match text.split(" "):
            case ["begin"]:
                self.began = True
            case ["result", _, status]:
                self._status = int(status)
                self._in_stderr = False
            case ["error"]:
                self._in_stderr = True
            case ["end"]:
                self._finish()
            case ["done"]:
                self.done = True
            case [refusal, *reason]:
                self.refusal = Refusal(refusal)
                self.reason = " ".join(reason)

    def _finish(self) -> None:
        self.results.append(
            Result(
                status=self._status if self._status is not None else 1,
                stdout=_decoded(self._stdout),
                stderr=_decoded(self._stderr),
            )
        )
        self._status = None
        self._stdout.clear()
        self._stderr.clear()


def _decoded(text: bytearray) -> str:
    try:
        return base64.b64decode(bytes(text), validate=True).decode(errors="replace")
    except binascii.Error as error:
        raise ValueError(f"an output that is not readable: {error}") from error

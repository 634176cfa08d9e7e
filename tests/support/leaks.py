"""Looking for secrets in everything that a run of the tests leaves.

A test fails if a secret stands in what it printed or logged. At the end of the run all files below pytest's folder are
looked through, those of server processes and of other workers too; only configurations and keys may hold secrets, and
books the passwords of block volumes.
"""

import base64
import re
from collections.abc import Generator, Iterable, Mapping
from pathlib import Path
from typing import Final

import pytest

from tests.support.secrets import CHAP_MARKER, MARKER

GIVEN: Final = "a secret that was given"
IN_BASE64: Final = "a secret in base64"
PRIVATE_KEY: Final = "a private key"
TOKEN: Final = "a token"
CHAP: Final = "the password of a block volume"


def _encoded(text: str) -> list[bytes]:
    """Return what base64 makes of a text, wherever it begins, without what neighbours have a part in."""
    whole = [base64.b64encode(b"\0" * before + text.encode()) for before in range(3)]
    return [code[4 * bool(before) : -4] for before, code in enumerate(whole)]


KINDS: Final[Mapping[str, tuple[list[bytes], re.Pattern[bytes]]]] = {
    GIVEN: ([MARKER.encode()], re.compile(f"{MARKER}-[a-z]".encode())),
    IN_BASE64: (_encoded(MARKER), re.compile(b"|".join(_encoded(MARKER)))),
    PRIVATE_KEY: (
        [b"PRIVATE KEY-----", b"b3BlbnNzaC1rZXktdjEA"],
        re.compile(rb"-----BEGIN [A-Z ]*PRIVATE KEY-----|b3BlbnNzaC1rZXktdjEA"),
    ),
    TOKEN: ([b".eyJ"], re.compile(rb"eyJ[\w-]{8,}\.eyJ[\w-]{8,}\.[\w-]{8,}")),
    CHAP: ([f"{CHAP_MARKER}-".encode()], re.compile(f"{CHAP_MARKER}-[0-9a-f]{{4}}-".encode())),
}
"""How secrets look: by words that are found fast, and exactly."""

_AROUND: Final = 60
_BOOKS: Final = re.compile(r"\.db(-wal|-shm|-journal)?$|\.db\.|\.gz$")


def secrets_in(content: bytes | str, *, allowed: Iterable[str] = ()) -> list[str]:
    """Say what secrets stand in a content, and after what; not what they are."""
    raw = content.encode(errors="surrogateescape") if isinstance(content, str) else content
    found = []
    for kind in KINDS.keys() - set(allowed):
        words, pattern = KINDS[kind]
        if any(word in raw for word in words) and (match := pattern.search(raw)) is not None:
            before = raw[max(0, match.start() - _AROUND) : match.start()].decode(errors="replace")
            found.append(f"{kind} after {before!r}")
    return sorted(found)


def without_passwords(content: bytes) -> bytes:
    """Return what the API shows, as it may be printed."""
    return KINDS[CHAP][1].sub(b"(a password)", content)


def secrets_below(folder: Path) -> list[str]:
    """Say what secrets stand in files in which they do not belong."""
    found = []
    for path in sorted(folder.rglob("*")):
        if path.is_file() and not path.is_symlink():
            found += [f"{path}: {what}" for what in secrets_in(path.read_bytes(), allowed=_allowed(path))]
    return found


def _allowed(path: Path) -> frozenset[str]:
    """Return what may stand in a file: its name says what it is."""
    name = path.name
    if name.endswith("heketi.json") or name.startswith("config"):
        return frozenset({GIVEN})
    if name in ("key", "id_ed25519") or name.endswith((".pem", ".key")):
        return frozenset({PRIVATE_KEY, GIVEN})
    if _BOOKS.search(name) or "nodes.json" in name:
        return frozenset({CHAP})
    return frozenset()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Fail a test that printed or logged a secret."""
    report = yield
    if report.passed:
        found = [f"{name}: {what}" for name, text in report.sections for what in secrets_in(text)]
        if found:
            report.outcome = "failed"
            report.longrepr = "\n".join(["secrets in what was printed or logged:", *found])
            report.sections = []  # pytest would show them
    return report


_LEFT: Final = pytest.StashKey[list[str]]()


@pytest.hookimpl(tryfirst=True)
def pytest_sessionfinish(session: pytest.Session) -> None:
    """Look through all files that are left. Of several workers, the one who began them looks."""
    factory = getattr(session.config, "_tmp_path_factory", None)
    if hasattr(session.config, "workerinput") or factory is None:
        return
    session.config.stash[_LEFT] = found = secrets_below(factory.getbasetemp())
    if found and session.exitstatus == pytest.ExitCode.OK:
        session.exitstatus = pytest.ExitCode.TESTS_FAILED


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    """Tell what was found in files."""
    if found := config.stash.get(_LEFT, []):
        terminalreporter.section("secrets in files", red=True, bold=True)
        for line in found:
            terminalreporter.write_line(line)

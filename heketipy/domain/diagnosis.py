"""What a look at nodes has found: for each thing that was looked at, whether it is right, and if not what to do."""

from dataclasses import dataclass
from enum import StrEnum


class Verdict(StrEnum):
    """How bad it is."""

    OK = "OK"
    WARN = "WARN"
    """It works, and may not for long."""
    FAIL = "FAIL"
    """Something will not work on this node."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was looked at on a node. `remedy` says what to do, "" where nothing is."""

    verdict: Verdict
    host: str
    subject: str
    text: str
    remedy: str = ""

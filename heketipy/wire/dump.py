"""The dump of everything, and what a check of it found, in heketi's form."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from heketipy.domain.consistency import Finding, Report
from heketipy.wire.indented import indented, pieces

Sections = Iterable[tuple[str, Iterable[tuple[str, Mapping[str, Any]]]]]


class DumpResponse(BaseModel):
    """Everything in the books: objects by id (attributes by name), with the members of heketi's own records."""

    model_config = ConfigDict(extra="forbid")

    clusterentries: dict[str, Any]
    volumeentries: dict[str, Any]
    brickentries: dict[str, Any]
    nodeentries: dict[str, Any]
    deviceentries: dict[str, Any]
    blockvolumeentries: dict[str, Any]
    dbattributeentries: dict[str, Any]
    pendingoperations: dict[str, Any]


class CheckedEntries(BaseModel):
    """How one kind of objects is."""

    model_config = ConfigDict(extra="forbid")

    total: int
    pending: int = Field(description="Marked by an operation.")
    ok: int
    notok: int
    inconsistencies: list[str] | None = Field(description="null when there are none.")


class CheckResponse(BaseModel):
    """How everything in the books is."""

    model_config = ConfigDict(extra="forbid")

    clusters: CheckedEntries
    volumes: CheckedEntries
    bricks: CheckedEntries
    nodes: CheckedEntries
    devices: CheckedEntries
    blockvolumes: CheckedEntries
    dbattributes: CheckedEntries
    pendingoperations: CheckedEntries
    totalinconsistencies: int


def dumped(sections: Sections) -> Iterator[bytes]:
    """Write all records, in pieces."""
    yield from pieces(sections)
    yield b"\n"


def checked(report: Report) -> bytes:
    """Write a report."""
    found: dict[str, object] = {name: _finding(finding) for name, finding in report.findings.items()}
    return (indented({**found, "totalinconsistencies": report.total}) + "\n").encode()


def _finding(finding: Finding) -> dict[str, object]:
    return {
        "total": finding.total,
        "pending": finding.pending,
        "ok": finding.ok,
        "notok": finding.not_ok,
        "inconsistencies": list(finding.inconsistencies) or None,
    }

"""Bodies of the routes of drift. Times are UTC, as `2026-11-24T19:20:00Z`."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime

from pydantic import BaseModel, ConfigDict, Field

from heketipy.domain.comparison import Finding, Kind, Leftover
from heketipy.domain.ids import is_id
from heketipy.wire import checks
from heketipy.wire.encode import Json

_EMPTY = "Empty where that is not known."
_TIME = "UTC, RFC 3339; empty for none."


class DriftFinding(BaseModel):
    """One difference between the books, a node and gluster."""

    model_config = ConfigDict(extra="forbid")

    id: str = Field(description="The same at every look.")
    kind: str = Field(json_schema_extra={"enum": [str(kind) for kind in Kind]})
    node: str
    host: str = Field(description="The node's manage name.")
    device: str = Field(description=f"Id of the device. {_EMPTY}")
    name: str = Field(description="What the node or gluster calls it.")
    brick: str = Field(description=f"Id of the brick. {_EMPTY}")
    volume: str = Field(description=f"Id of the volume. {_EMPTY}")
    certain: bool = Field(description="False where somebody who could know better did not answer.")
    cleanable: bool = Field(description="Whether a clean-up may put it into quarantine.")
    hindrance: str = Field(description="Why it is not cleaned up.")
    since: str = Field(description=f"When this server met it first; of what is in quarantine, its begin. {_TIME}")
    until: str = Field(description=f"When a quarantine is over. {_TIME}")


class UnseenNode(BaseModel):
    """A node about which nothing can be said."""

    model_config = ConfigDict(extra="forbid")

    node: str
    host: str
    reason: str


class DriftResponse(BaseModel):
    """All differences."""

    model_config = ConfigDict(extra="forbid")

    findings: list[DriftFinding]
    unseen: list[UnseenNode]


class DriftCleanUpRequest(BaseModel):
    """What is to be put into quarantine."""

    findings: list[str] | None = Field(default=None, description="Ids of findings; none: all that may be cleaned up.")
    dry_run: bool = Field(default=True, description="Say what would be done, and do nothing.")

    def check(self) -> None:
        """Raise InvalidRequest where the form is wrong."""
        checks.refuse({"findings": _ids_failure(self.findings or ())})

    def ids(self) -> Sequence[str] | None:
        """Return the ids; None for all."""
        return self.findings or None


class DriftReleaseRequest(BaseModel):
    """What is to come out of quarantine."""

    findings: list[str] = Field(default_factory=list, description="Ids of findings, one at least.")

    def check(self) -> None:
        """Raise InvalidRequest where the form is wrong."""
        checks.refuse({"findings": _ids_failure(self.findings) if self.findings else checks.BLANK})


class LeftoverProposed(BaseModel):
    """All that is left of a brick on a node, and what would be done with it."""

    model_config = ConfigDict(extra="forbid")

    node: str
    host: str
    device: str
    brick: str
    findings: list[str] = Field(description="Ids of the findings that it consists of.")
    steps: list[str] = Field(description="What would be done, in words.")


class FindingRefused(BaseModel):
    """A finding with which nothing would be done."""

    model_config = ConfigDict(extra="forbid")

    id: str
    reason: str


class DriftCleanUpResponse(BaseModel):
    """What a clean-up would do."""

    model_config = ConfigDict(extra="forbid")

    until: str = Field(description=f"When the quarantine would be over. {_TIME}")
    leftovers: list[LeftoverProposed]
    refused: list[FindingRefused]


def drift_info(
    findings: Iterable[Finding], hosts: Mapping[str, str], unseen: Mapping[str, str], seen: Mapping[str, float]
) -> Json:
    """Return the members of a DriftResponse."""
    return {
        "findings": [_finding(one, hosts, seen.get(one.id)) for one in findings],
        "unseen": [
            {"node": node, "host": hosts.get(node, ""), "reason": reason} for node, reason in sorted(unseen.items())
        ],
    }


def clean_up_info(
    leftovers: Iterable[Leftover], refused: Mapping[str, str], hosts: Mapping[str, str], until: float
) -> Json:
    """Return the members of a DriftCleanUpResponse."""
    return {
        "until": time_text(until),
        "leftovers": [
            {
                "node": one.node,
                "host": hosts.get(one.node, ""),
                "device": one.device,
                "brick": one.brick,
                "findings": list(one.findings),
                "steps": list(_steps(one, until)),
            }
            for one in leftovers
        ],
        "refused": [{"id": id, "reason": reason} for id, reason in refused.items()],
    }


def time_text(time: float | None) -> str:
    """Write a time (seconds since 1970)."""
    return "" if time is None else datetime.fromtimestamp(time, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _finding(one: Finding, hosts: Mapping[str, str], met: float | None) -> Json:
    return {
        "id": one.id,
        "kind": str(one.kind),
        "node": one.node,
        "host": hosts.get(one.node, ""),
        "device": one.device,
        "name": one.name,
        "brick": one.brick,
        "volume": one.volume,
        "certain": one.certain,
        "cleanable": one.kind.is_orphan and not one.hindrance,
        "hindrance": one.hindrance,
        "since": time_text(met if one.since is None else one.since),
        "until": time_text(one.until),
    }


def _steps(one: Leftover, until: float) -> Iterable[str]:
    if one.mounted:
        yield f"unmount {one.point}"
    if one.in_fstab:
        yield f"take {one.point} out of the fstab"
    if one.lv:
        yield f"rename {one.group}/{one.lv}, and remove it after {time_text(until)}"
    if one.folder:
        yield f"remove the folder {one.point}"


def _ids_failure(ids: Sequence[str]) -> str:
    return next((f"{id} is not a valid UUID" for id in ids if not is_id(id)), "")

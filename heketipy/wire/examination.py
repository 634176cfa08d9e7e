"""What the examiner found, together with the dump, in heketi's form."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from heketipy.wire.dump import DumpResponse, Sections
from heketipy.wire.indented import indented, pieces


class NodeExamined(BaseModel):
    """What a node has. A part that could not be had is null, and the report says why."""

    model_config = ConfigDict(extra="forbid")

    NodeHeketiID: str
    VolumeInfo: dict[str, Any] | None = Field(description="gluster's volumes.")
    LVMPVInfo: dict[str, Any] | None
    LVMVGInfo: dict[str, Any] | None
    LVMLVInfo: dict[str, Any] | None
    BricksMountStatus: dict[str, Any] | None = Field(description="Every line of fstab, and whether it is mounted.")
    BlockVolumeNames: list[str] | None = Field(description="As `<hosting volume>/<block volume>`.")


class ClusterExamined(BaseModel):
    """What the nodes of a cluster have."""

    model_config = ConfigDict(extra="forbid")

    ClusterHeketiID: str
    NodesData: list[NodeExamined] | None


class ExaminationResponse(BaseModel):
    """The books, what the nodes have, and in what they differ."""

    model_config = ConfigDict(extra="forbid")

    heketidb: DumpResponse
    report: list[str]
    clusters: list[ClusterExamined] | None


def books(sections: Sections) -> Iterator[bytes]:
    """Write the first part, in pieces: all records."""
    yield b'{\n    "heketidb": '
    yield from pieces(sections, level=1)


def examined(report: Sequence[str] | None, clusters: Sequence[Mapping[str, Any]] | None) -> bytes:
    """Write what follows it."""
    rest = f'    "report": {indented(report, level=1)},\n    "clusters": {indented(clusters, level=1)}\n}}\n'
    return f",\n{rest}".encode()

"""The whole site in one body, cluster by cluster in the form of `heketi-cli topology info --json`.

It is written object by object: to write thousands at once would let every other request wait.
"""

from collections.abc import Iterable, Iterator

from pydantic import BaseModel, ConfigDict, Field

from heketipy.domain.details import ClusterContents
from heketipy.wire.encode import Json, encode
from heketipy.wire.nodes import NodeInfoResponse, node_info
from heketipy.wire.volumes import VolumeInfoResponse, volume_info


class ClusterTopology(BaseModel):
    """A cluster with all that belongs to it, but for block volumes."""

    model_config = ConfigDict(extra="forbid")

    volumes: list[VolumeInfoResponse] = Field(
        description="Ascending by id; those being created or deleted are left out."
    )
    nodes: list[NodeInfoResponse] = Field(description="Ascending by id.")
    id: str
    block: bool
    file: bool


class TopologyResponse(BaseModel):
    """The whole site, as it is at one moment."""

    model_config = ConfigDict(extra="forbid")

    clusters: list[ClusterTopology] = Field(description="Ascending by id.")


def written(clusters: Iterable[ClusterContents]) -> Iterator[bytes]:
    """Write the members of a TopologyResponse, in pieces."""
    yield b'{"clusters":['
    for number, cluster in enumerate(clusters):
        yield b',{"volumes":[' if number else b'{"volumes":['
        yield from _cluster(cluster)
    yield b"]}\n"


def _cluster(contents: ClusterContents) -> Iterator[bytes]:
    yield from _separated(_line(volume_info(volume)) for volume in contents.volumes)
    yield b'],"nodes":['
    yield from _separated(_line(node_info(node)) for node in contents.nodes)
    cluster = contents.cluster
    rest = _line({"id": cluster.id, "block": cluster.block, "file": cluster.file})
    yield b"]," + rest[1:]


def _line(value: Json) -> bytes:
    return encode(value).rstrip()


def _separated(pieces: Iterable[bytes]) -> Iterator[bytes]:
    for number, piece in enumerate(pieces):
        yield b"," + piece if number else piece

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


def written(clusters: Iterable[ClusterContents]) -> list[bytes]:
    """Write the members of a TopologyResponse, in pieces."""
    return [b'{"clusters":[', *_separated(map(_cluster, clusters)), b"]}\n"]


def _cluster(contents: ClusterContents) -> bytes:
    cluster = contents.cluster
    volumes = b"".join(_separated(_line(volume_info(volume)) for volume in contents.volumes))
    nodes = b"".join(_separated(_line(node_info(node)) for node in contents.nodes))
    rest = _line({"id": cluster.id, "block": cluster.block, "file": cluster.file})
    return b'{"volumes":[%b],"nodes":[%b],%b' % (volumes, nodes, rest[1:])


def _line(value: Json) -> bytes:
    return encode(value).rstrip()


def _separated(pieces: Iterable[bytes]) -> Iterator[bytes]:
    for number, piece in enumerate(pieces):
        yield b"," + piece if number else piece

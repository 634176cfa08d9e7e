"""Bodies of the cluster routes."""

from pydantic import BaseModel, ConfigDict, Field

from heketipy.domain.details import ClusterDetails
from heketipy.wire.encode import Json


class ClusterFlags(BaseModel):
    """What a cluster may host, on create and on set-flags. What is left out is false."""

    file: bool = Field(default=False, description="Whether it may host file volumes.")
    block: bool = Field(default=False, description="Whether it may host block volumes.")


class ClusterInfoResponse(BaseModel):
    """A cluster. Volumes that are being created or deleted are not listed."""

    model_config = ConfigDict(extra="forbid")

    id: str
    nodes: list[str] = Field(description="Ids, ascending.")
    volumes: list[str] = Field(description="Ids, ascending.")
    block: bool
    file: bool
    blockvolumes: list[str] = Field(description="Ids, ascending.")


class ClusterListResponse(BaseModel):
    """All clusters."""

    model_config = ConfigDict(extra="forbid")

    clusters: list[str] = Field(description="Ids, ascending.")


def cluster_info(details: ClusterDetails) -> Json:
    """Return the members of a ClusterInfoResponse."""
    return {
        "id": details.cluster.id,
        "nodes": list(details.nodes),
        "volumes": list(details.volumes),
        "block": details.cluster.block,
        "file": details.cluster.file,
        "blockvolumes": list(details.block_volumes),
    }

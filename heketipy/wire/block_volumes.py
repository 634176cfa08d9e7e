"""Bodies of the block volume routes, and of the route that restricts a hosting volume."""

import re

from pydantic import BaseModel, ConfigDict, Field

from heketipy.domain.blockhosting import LOCKED, UNRESTRICTED
from heketipy.domain.model import BlockVolume, BlockVolumeSpec
from heketipy.wire import checks
from heketipy.wire.encode import Json

_NAME = re.compile(r"[a-zA-Z0-9_-]+")


class BlockVolumeCreateRequest(BaseModel):
    """A block volume to be made."""

    size: int = Field(default=0, ge=1, description="GiB. Required.")
    clusters: list[str] = Field(default_factory=list, description="Ids of the clusters that may host it; none: all.")
    name: str = Field(
        default="",
        pattern="^[a-zA-Z0-9_-]*$",
        description="Letters, digits, `_` and `-`; by default made of the id.",
    )
    hacount: int = Field(
        default=0, ge=0, description="How many hosts export it; 0, or more than there are: every node of the cluster."
    )
    auth: bool = Field(default=False, description="Whether initiators need a user and a password (CHAP).")

    def check(self) -> None:
        """Raise InvalidRequest where the form is wrong. The books are not asked."""
        checks.refuse(
            {
                "name": "" if not self.name or _NAME.fullmatch(self.name) else checks.BAD_FORMAT,
                "size": checks.positive(self.size),
                "hacount": checks.positive(self.hacount) if self.hacount else "",
            }
        )

    def spec(self) -> BlockVolumeSpec:
        """Return what is asked for. A list of clusters with nothing but empty texts must not come to mean all."""
        clusters = tuple(cluster.strip() for cluster in self.clusters)
        return BlockVolumeSpec(
            size_gib=self.size,
            name=self.name,
            clusters=tuple(cluster for cluster in clusters if cluster) or clusters[:1],
            ha_count=self.hacount,
            auth=self.auth,
        )


class BlockVolumeExpandRequest(BaseModel):
    """How large a block volume is to become."""

    new_size: int = Field(default=0, ge=1, description="GiB, in all. Required.")

    def check(self) -> None:
        """Raise InvalidRequest where the form is wrong."""
        checks.refuse({"new_size": checks.positive(self.new_size)})


class VolumeBlockRestrictionRequest(BaseModel):
    """Whether a hosting volume takes more block volumes."""

    restriction: str = Field(
        default=UNRESTRICTED,
        json_schema_extra={"enum": [UNRESTRICTED, LOCKED]},
        description="`locked`: no more; empty: as many as fit.",
    )

    def check(self) -> None:
        """Raise InvalidRequest where the form is wrong."""
        known = self.restriction in (UNRESTRICTED, LOCKED)
        checks.refuse({"restriction": "" if known else "must be a valid value"})


class _Answer(BaseModel):
    model_config = ConfigDict(extra="forbid")


class BlockTargetAnswer(_Answer):
    """How an iSCSI initiator reaches a block volume."""

    hosts: list[str] = Field(description="Portals; any will do.")
    iqn: str
    lun: int = Field(description="Always 0.")
    username: str = Field(description="Empty where none is asked for.")
    password: str = Field(description="Empty where none is asked for.")


class BlockVolumeInfoResponse(_Answer):
    """A block volume."""

    size: int = Field(description="GiB.")
    name: str
    hacount: int = Field(default=0, description="How many hosts export it. Left out when 0.")
    id: str
    blockvolume: BlockTargetAnswer
    cluster: str = ""
    blockhostingvolume: str = Field(default="", description="Id of the volume that it lies on.")
    usablesize: int = Field(default=0, description="GiB that every host provides.")


class BlockVolumeListResponse(_Answer):
    """All block volumes; those being created or deleted are left out."""

    blockvolumes: list[str] = Field(description="Ids, ascending.")


def block_volume_info(block_volume: BlockVolume) -> Json:
    """Return the members of a BlockVolumeInfoResponse."""
    target = block_volume.target
    result: dict[str, object] = {"size": block_volume.size_gib, "name": block_volume.name}
    if block_volume.ha_count:
        result["hacount"] = block_volume.ha_count
    result["id"] = block_volume.id
    result["blockvolume"] = {
        "hosts": list(target.hosts),
        "iqn": target.iqn,
        "lun": 0,
        "username": target.username,
        "password": target.password,
    }
    result["cluster"] = block_volume.cluster
    result["blockhostingvolume"] = block_volume.hosting_volume
    usable_gib = block_volume.usable_gib or block_volume.size_gib
    if usable_gib:
        result["usablesize"] = usable_gib
    return result

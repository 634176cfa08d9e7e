"""Bodies of the device routes, and bricks as devices, nodes and volumes show them. Sizes are KiB."""

from collections.abc import Sequence

from pydantic import BaseModel, ConfigDict, Field

from heketipy.domain.details import DeviceDetails
from heketipy.domain.model import Brick, DeviceSpec
from heketipy.domain.states import HealCheck, State
from heketipy.wire import checks
from heketipy.wire.encode import Json


class DeviceAddRequest(BaseModel):
    """A disk to be taken over."""

    node: str = Field(default="", pattern=checks.ID, description="Id of its node. Required.")
    name: str = Field(
        default="", pattern=checks.DEVICE, description="Path of the device on the node, as `/dev/sdb`. Required."
    )
    tags: dict[str, str] = Field(default_factory=dict, json_schema_extra=checks.TAGS)
    destroydata: bool = Field(
        default=False, description="Wipe what is on the device, unless it belongs to a known device."
    )

    def check(self) -> None:
        """Raise InvalidRequest where the form is wrong."""
        checks.refuse(
            {
                "name": checks.device_name(self.name),
                "node": checks.reference(self.node),
                "tags": checks.tags(self.tags),
            }
        )

    def spec(self) -> DeviceSpec:
        """Return what is asked for."""
        return DeviceSpec(node=self.node, name=self.name, tags=self.tags, destroy_data=self.destroydata)


class DeviceDeleteOptions(BaseModel):
    """How a device is deleted."""

    forceforget: bool = Field(default=False, description="Forget the device; leave the node as it is.")


class StateRequest(BaseModel):
    """A new state of a node or a device."""

    state: str = Field(
        default="", json_schema_extra={"enum": [*State]}, description="`online`, `offline` or `failed`. Required."
    )
    healcheck: str = Field(
        default="",
        json_schema_extra={"enum": ["", *HealCheck]},
        description="`enable` (also if empty) or `disable`: look at heal information before moving bricks.",
    )

    def check(self) -> None:
        """Raise InvalidRequest where the form is wrong. The heal check is looked at first and alone."""
        checks.refuse({"healcheck": checks.heal_check(self.healcheck)})
        checks.refuse({"state": checks.state(self.state)})

    def new_state(self) -> State:
        """Return the state that is asked for."""
        return State(self.state)

    def heal_check(self) -> HealCheck:
        """Return whether heal information counts."""
        return HealCheck(self.healcheck or HealCheck.ENABLE)


class BrickInfo(BaseModel):
    """A brick."""

    model_config = ConfigDict(extra="forbid")

    id: str
    path: str
    device: str
    node: str
    volume: str
    size: int = Field(description="KiB.")


class StorageSize(BaseModel):
    """Space of a device in KiB: total = free + used."""

    model_config = ConfigDict(extra="forbid")

    total: int
    free: int
    used: int


class DeviceInfoResponse(BaseModel):
    """A device and its bricks."""

    model_config = ConfigDict(extra="forbid")

    name: str
    tags: dict[str, str] = Field(default_factory=dict, description="Left out when there are none.")
    storage: StorageSize
    id: str
    paths: list[str] = Field(default_factory=list, description="Other names; left out when unknown.")
    pv_uuid: str = Field(default="", description="LVM's id of the disk; left out when unknown.")
    state: str
    bricks: list[BrickInfo] = Field(description="Ascending by id.")
    drift: str = Field(
        default="",
        description="In what LVM differed from the books at the last resync; left out when in nothing.",
    )


def brick_infos(bricks: Sequence[Brick]) -> list[Json]:
    """Return the members of each brick's BrickInfo."""
    return [
        {
            "id": brick.id,
            "path": brick.path,
            "device": brick.device,
            "node": brick.node,
            "volume": brick.volume,
            "size": brick.size_kib,
        }
        for brick in bricks
    ]


def device_info(details: DeviceDetails) -> Json:
    """Return the members of a DeviceInfoResponse."""
    device = details.device
    result: dict[str, object] = {"name": device.name}
    if device.tags:
        result["tags"] = dict(sorted(device.tags.items()))
    result["storage"] = {"total": device.total_kib, "free": device.free_kib, "used": device.used_kib}
    result["id"] = device.id
    if device.paths:
        result["paths"] = list(device.paths)
    if device.pv_uuid:
        result["pv_uuid"] = device.pv_uuid
    result["state"] = device.state
    result["bricks"] = brick_infos(details.bricks)
    if details.drift:
        result["drift"] = details.drift
    return result

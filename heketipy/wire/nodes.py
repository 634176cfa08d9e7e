"""Bodies of the node routes. Changes of state are in `devices`: nodes and devices share them."""

from pydantic import BaseModel, ConfigDict, Field

from heketipy.domain.details import NodeDetails
from heketipy.domain.model import NodeSpec
from heketipy.wire import checks
from heketipy.wire.devices import DeviceInfoResponse, device_info
from heketipy.wire.encode import Json


class HostNames(BaseModel):
    """How a node is reached. The first name of each list is used; all are reserved for this node."""

    manage: list[str] = Field(default_factory=list, min_length=1, description="For commands. Required.")
    storage: list[str] = Field(default_factory=list, min_length=1, description="For gluster and its clients. Required.")

    def failures(self) -> dict[str, str]:
        """Say what is wrong with each list."""
        return {
            "manage": checks.hosts(self.manage, kind="manage"),
            "storage": checks.hosts(self.storage, kind="storage"),
        }


class NodeAddRequest(BaseModel):
    """A storage server to be taken in."""

    zone: int = Field(default=0, ge=1, description="Failure domain. Required.")
    hostnames: HostNames = Field(default_factory=HostNames)
    cluster: str = Field(default="", pattern=checks.ID, description="Id of its cluster. Required.")
    tags: dict[str, str] = Field(default_factory=dict, json_schema_extra=checks.TAGS)

    def check(self) -> None:
        """Raise InvalidRequest where the form is wrong."""
        checks.refuse(
            {
                "cluster": checks.reference(self.cluster),
                "hostnames": checks.nested(self.hostnames.failures()),
                "tags": checks.tags(self.tags),
                "zone": checks.positive(self.zone),
            }
        )

    def spec(self) -> NodeSpec:
        """Return what is asked for."""
        return NodeSpec(
            cluster=self.cluster,
            zone=self.zone,
            manage=tuple(self.hostnames.manage),
            storage=tuple(self.hostnames.storage),
            tags=self.tags,
        )


class NodeInfoResponse(BaseModel):
    """A node and its devices."""

    model_config = ConfigDict(extra="forbid")

    zone: int
    hostnames: HostNames
    cluster: str
    tags: dict[str, str] = Field(default_factory=dict, description="Left out when there are none.")
    id: str
    state: str
    devices: list[DeviceInfoResponse] = Field(description="Ascending by id.")


def node_info(details: NodeDetails) -> Json:
    """Return the members of a NodeInfoResponse."""
    node = details.node
    result: dict[str, object] = {
        "zone": node.zone,
        "hostnames": {"manage": list(node.manage), "storage": list(node.storage)},
        "cluster": node.cluster,
    }
    if node.tags:
        result["tags"] = dict(sorted(node.tags.items()))
    result["id"] = node.id
    result["state"] = node.state
    result["devices"] = [device_info(device) for device in details.devices]
    return result

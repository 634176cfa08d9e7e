"""Tags of nodes and devices: placement reads them. All of it is a matter of the books alone."""

from heketipy.db.database import Database, Tx
from heketipy.domain.model import Tags as TagMap
from heketipy.domain.tags import TagsChange, changed
from heketipy.services.admission import Admission


class Tags:
    """Use cases about tags. Each returns all tags that are there after the change."""

    def __init__(self, db: Database, admission: Admission) -> None:
        self._db = db
        self._admission = admission

    async def of_node(self, node_id: str, change: TagsChange, given: TagMap) -> dict[str, str]:
        """Change the tags of a node. Raises NotFound."""
        self._admission.check_open()
        return await self._db.write(_of_node, node_id, change, given)

    async def of_device(self, device_id: str, change: TagsChange, given: TagMap) -> dict[str, str]:
        """Change the tags of a device. Raises NotFound."""
        self._admission.check_open()
        return await self._db.write(_of_device, device_id, change, given)


def _of_node(tx: Tx, node_id: str, change: TagsChange, given: TagMap) -> dict[str, str]:
    tags = changed(tx.nodes.get(node_id).tags, change, given)
    tx.nodes.set_tags(node_id, tags)
    return tags


def _of_device(tx: Tx, device_id: str, change: TagsChange, given: TagMap) -> dict[str, str]:
    tags = changed(tx.devices.get(device_id).tags, change, given)
    tx.devices.set_tags(device_id, tags)
    return tags

"""Routes of devices."""

from collections.abc import Mapping

from heketipy.client.connection import Connection, Json, segment


class Devices:
    """Disks of nodes. An answer has the members of DeviceInfoResponse; sizes are KiB."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    async def add(self, node: str, name: str, *, tags: Mapping[str, str] = {}, destroy_data: bool = False) -> None:
        """Take over a disk, given its path on the node."""
        body: Json = {"node": node, "name": name}
        if tags:
            body["tags"] = dict(tags)
        if destroy_data:
            body["destroydata"] = True
        await self._connection.work("POST", "/devices", body)

    async def info(self, id: str) -> Json:
        """Show a device and its bricks."""
        return await self._connection.get(f"/devices/{segment(id)}")

    async def set_state(self, id: str, state: str, *, heal_check: bool = True) -> None:
        """Change a device's state to `online`, `offline` or `failed`.

        `heal_check`: look at heal information before bricks are moved.
        """
        body = {"state": state} if heal_check else {"state": state, "healcheck": "disable"}
        await self._connection.work("POST", f"/devices/{segment(id)}/state", body)

    async def resync(self, id: str) -> None:
        """Look at the size of a device again."""
        await self._connection.work("GET", f"/devices/{segment(id)}/resync")

    async def delete(self, id: str, *, forget: bool = False) -> None:
        """Let a device go that has no bricks. With `forget` the node is left as it is."""
        await self._connection.work("DELETE", f"/devices/{segment(id)}", {"forceforget": forget})

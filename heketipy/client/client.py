"""The client of a heketipy or heketi server."""

import ssl
from types import TracebackType
from typing import Self

import httpx

from heketipy.client.clusters import Clusters
from heketipy.client.connection import Connection, Json
from heketipy.client.devices import Devices
from heketipy.client.nodes import Nodes
from heketipy.client.state import State
from heketipy.client.volumes import Volumes


class Client:
    """A server's API, one method a route, by resource.

        async with Client("http://heketi:8080", user="admin", secret=key) as client:
            volume = await client.volumes.create(10)

    What takes a while returns when it is done. Errors are ClientErrors. `verify` is as httpx's, the default
    being the system's certificates; `transport` stands for the network, as `httpx.ASGITransport(app)` does.
    """

    def __init__(
        self,
        server: str,
        *,
        user: str = "",
        secret: str = "",
        verify: ssl.SSLContext | bool = True,
        transport: httpx.AsyncBaseTransport | None = None,
    ) -> None:
        self._connection = Connection(server, user=user, secret=secret, verify=verify, transport=transport)
        self.clusters = Clusters(self._connection)
        self.nodes = Nodes(self._connection)
        self.devices = Devices(self._connection)
        self.volumes = Volumes(self._connection)
        self.state = State(self._connection)

    async def hello(self) -> str:
        """Return the server's greeting, for which it asks no token."""
        return await self._connection.text("/hello")

    async def topology(self) -> list[Json]:
        """Show the whole site: the members of TopologyResponse's clusters. heketi refuses it with status 404."""
        clusters: list[Json] = (await self._connection.get("/topology"))["clusters"]
        return clusters

    async def close(self) -> None:
        """Close what is open."""
        await self._connection.close()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()

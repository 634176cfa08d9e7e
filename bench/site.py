"""A site on a server, by heketi's routes: loaded, asked, filled."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from bench.http import Answer, Connection, RequestError
from bench.load import each
from bench.process import Server

POLL_SECONDS = 0.02
"""Between two polls that were answered "pending" at once."""


@dataclass(slots=True)
class Clients:
    """So many connections to one server."""

    server: Server
    count: int
    connections: list[Connection] = field(init=False)

    def __post_init__(self) -> None:
        self.connections = [Connection(self.server.port) for _ in range(self.count)]

    def __getitem__(self, number: int) -> Connection:
        return self.connections[number]

    def __enter__(self) -> "Clients":
        return self

    def __exit__(self, *_: object) -> None:
        for connection in self.connections:
            connection.close()


async def job(connection: Connection, method: str, path: str, body: object = None) -> str:
    """Start work and poll until it is done; return the path of its result. Raises RequestError."""
    accepted = await connection.request(method, path, body)
    if accepted.status != 202:
        raise RequestError(f"{method} {path}: {accepted.status} {accepted.body[:300]!r}")
    return await followed(connection, accepted)


async def followed(connection: Connection, accepted: Answer) -> str:
    """Poll the work that a server has accepted until it is done. Raises RequestError."""
    queue = accepted.headers["location"]
    while True:
        answer = await connection.request("GET", queue)
        match answer.status:
            case 200 if answer.headers.get("x-pending") == "true":
                await asyncio.sleep(POLL_SECONDS)
            case 200 | 204:
                return ""
            case 303:
                return answer.headers["location"]
            case _:
                raise RequestError(f"GET {queue}: {answer.status} {answer.body[:300]!r}")


async def load(server: Server, *, nodes: int, devices: int, clients: int = 8, prefix: str = "n") -> str:
    """Add a cluster with so many nodes and so many devices on each, every node a zone of three; return its id."""
    with Clients(server, clients) as pool:
        answer = await pool[0].request("POST", "/clusters", {"file": True, "block": True})
        cluster: str = answer.json()["id"]
        ids: list[str] = []

        async def add_node(number: int, index: int) -> None:
            name = f"{prefix}{index}"
            body = {
                "cluster": cluster,
                "zone": index % 3 + 1,
                "hostnames": {"manage": [f"{name}.manage"], "storage": [_address(prefix, index)]},
            }
            path = await job(pool[number], "POST", "/nodes", body)
            ids.append(path.removeprefix("/nodes/"))

        async def add_device(number: int, what: tuple[str, int]) -> None:
            node, index = what
            await job(pool[number], "POST", "/devices", {"node": node, "name": f"/dev/disk{index}"})

        await each(1, [0], add_node)
        await each(clients, range(1, nodes), add_node)
        await each(clients, [(node, index) for index in range(devices) for node in ids], add_device)
    return cluster


def volume_request(size_gib: int = 1, *, clusters: Sequence[str] = (), replica: int = 3) -> dict[str, Any]:
    """Return the body that asks for a replicated volume."""
    durability = {"type": "replicate", "replicate": {"replica": replica}}
    return {"size": size_gib, "durability": durability, "clusters": list(clusters)}


async def walk(connection: Connection) -> int:
    """Ask for everything, one after the other, as `heketi-cli topology info` does; return the number of requests."""
    count = 1
    for cluster in (await connection.get("/clusters"))["clusters"]:
        shown = await connection.get(f"/clusters/{cluster}")
        for volume in shown["volumes"]:
            await connection.get(f"/volumes/{volume}")
        for node in shown["nodes"]:
            await connection.get(f"/nodes/{node}")
        count += 1 + len(shown["volumes"]) + len(shown["nodes"])
    return count


def _address(prefix: str, index: int) -> str:
    """Return an address for a storage name, as Kubernetes wants it; different prefixes give different networks."""
    return f"10.{sum(prefix.encode()) % 200}.{index // 250}.{index % 250 + 1}"

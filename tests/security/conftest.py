"""A site whose nodes are reached by ssh through a real shell, in which canaries wait."""

import json
from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import httpx
import pytest

from heketipy.api.application import create_api
from heketipy.executors.simulator import Simulator
from tests.operations.conftest import _quiet
from tests.support.canary import Canaries
from tests.support.sshnode import ssh_nodes
from tests.support.system import System
from tests.support.system_over_ssh import LOOPBACKS, SystemOverSsh

__all__ = ["Shell", "_quiet"]

REPLICA_3 = {"type": "replicate", "replicate": {"replica": 3}}
HOSTS = LOOPBACKS[:3]
SPARE = LOOPBACKS[3]
"""A host that is no node yet."""


class Api:
    """A client of a system, which follows work to its end."""

    def __init__(self, system: System) -> None:
        self.transport = httpx.ASGITransport(create_api(system.services, authenticator=None))
        self._http = httpx.AsyncClient(transport=self.transport, base_url="http://server")

    async def ask(self, method: str, path: str, body: Any = None, **more: Any) -> httpx.Response:
        """Send a request, and return its answer or what came of the work that it started."""
        content = None if body is None else json.dumps(body)
        answer = await self._http.request(method, path, content=content, **more)
        if answer.status_code != 202:
            return answer
        while "x-pending" in (poll := await self._http.get(answer.headers["location"])).headers:
            pass
        return await self._http.get(poll.headers["location"]) if poll.status_code == 303 else poll

    async def close(self) -> None:
        """Close what is open."""
        await self._http.aclose()


@dataclass(frozen=True, slots=True)
class Shell:
    """A running system with a real shell between it and its nodes. `ids` are those of one object of every kind;
    `host` is the manage name of its node."""

    system: SystemOverSsh
    api: Api
    canaries: Canaries
    ids: dict[str, str]
    host: str


async def _furnish(system: System) -> dict[str, str]:
    """Make a site, and return the ids of one object of every kind."""
    await system.start()
    cluster = await system.cluster(nodes=len(HOSTS), devices=2)
    api = Api(system)
    volume = (await api.ask("POST", "/volumes", {"size": 10, "durability": REPLICA_3})).json()
    hosting = (await api.ask("POST", "/volumes", {"size": 100, "durability": REPLICA_3, "block": True})).json()
    block_volume = (await api.ask("POST", "/blockvolumes", {"size": 1, "auth": True})).json()
    await api.close()
    await system.stop()
    brick = volume["bricks"][0]
    return {
        "cluster": cluster.cluster.id,
        "node": cluster.nodes[0],
        "device": brick["device"],
        "brick": brick["id"],
        "volume": volume["id"],
        "hosting": hosting["id"],
        "blockvolume": block_volume["id"],
    }


@pytest.fixture
async def shell(tmp_path: Path) -> AsyncIterator[Shell]:
    simulator = Simulator(accept_anything=True, device_size_gib=500, seed=1)
    for host in LOOPBACKS:
        simulator.add_node(host)
    canaries = Canaries(tmp_path / "canaries")
    without_shell = System(tmp_path / "heketi.db", simulator, hosts=LOOPBACKS)  # which is faster
    ids = await _furnish(without_shell)
    async with ssh_nodes(simulator, tmp_path) as nodes:
        canaries.install(nodes.bin)
        system = SystemOverSsh(tmp_path / "heketi.db", nodes)
        system.new_id = without_shell.new_id
        system.policy = replace(system.policy, retries=0)
        await system.start()
        api = Api(system)
        yield Shell(system, api, canaries, ids, LOOPBACKS[0])
        await api.close()
        await system.stop()

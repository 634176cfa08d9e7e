"""A site with something of every kind on it, made once, of which every test may have a copy."""

import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import httpx

from tests.support.live_server import LIMIT, LiveServer, live_server
from tests.support.server_process import add_nodes, work
from tests.support.signed import JWT, Signed

REPLICA_3: Final = {"type": "replicate", "replicate": {"replica": 3}}
DEVICES: Final = ("/dev/sdb", "/dev/sdc")


@dataclass(frozen=True, slots=True)
class Site:
    """Books of a site, and the ids of what there is, by the names that objects have in paths."""

    books: Path
    ids: Mapping[str, tuple[str, ...]]

    @contextmanager
    def served(self, folder: Path) -> Iterator[LiveServer]:
        """Serve a copy of the site, with tokens, from an empty folder."""
        shutil.copy(self.books, folder / "heketi.db")
        with live_server(folder, jwt=JWT) as server:
            yield server


def furnished(folder: Path) -> Site:
    """Make a site: a cluster of four nodes with two devices each, a volume, a hosting volume, and a block volume."""
    with (
        live_server(folder, jwt=JWT) as server,
        httpx.Client(base_url=server.url, timeout=LIMIT, auth=Signed()) as http,
    ):
        cluster = add_nodes(http, 4, devices=DEVICES)
        volume = work(http, "POST", "/volumes", {"size": 10, "durability": REPLICA_3})
        hosting = work(http, "POST", "/volumes", {"size": 100, "durability": REPLICA_3, "block": True})
        block_volume = work(http, "POST", "/blockvolumes", {"size": 1, "auth": True})
        nodes = http.get(f"/clusters/{cluster}").json()["nodes"]
        devices = [device["id"] for node in nodes for device in http.get(f"/nodes/{node}").json()["devices"]]
    ids = {
        "clusters": (cluster,),
        "nodes": tuple(nodes),
        "devices": tuple(devices),
        "bricks": tuple(brick["id"] for brick in volume["bricks"]),
        "volumes": (volume["id"], hosting["id"]),
        "blockvolumes": (block_volume["id"],),
    }
    return Site(folder / "heketi.db", ids)

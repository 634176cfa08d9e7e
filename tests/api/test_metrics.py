"""`GET /metrics`, on the whole server."""

import gzip
import time
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from pathlib import Path

import httpx
from prometheus_client.parser import text_string_to_metric_families

from heketipy.db.database import Database, Tx
from heketipy.domain.model import Cluster, Device, Node
from heketipy.domain.pending import PendingCounts
from heketipy.wire.metrics import exposition
from tests.api.test_whole_server import KEYS, furnished

Server = Callable[..., AbstractAsyncContextManager[httpx.AsyncClient]]


def samples(text: str) -> dict[str, list[tuple[dict[str, str], float]]]:
    """Return labels and values by the name of the metric."""
    found: dict[str, list[tuple[dict[str, str], float]]] = {}
    for family in text_string_to_metric_families(text):
        for sample in family.samples:
            found.setdefault(sample.name, []).append((sample.labels, sample.value))
    return found


async def test_the_gauges_equal_the_topology(server: Server) -> None:
    async with server() as client:
        cluster, _, device = await furnished(client)
        started = await client.post("/volumes", json={"size": 1})
        while "x-pending" in (await client.get(started.headers["location"])).headers:
            pass
        shown = (await client.get(f"/devices/{device}")).json()
        found = samples((await client.get("/metrics")).text)
        assert found["heketi_up"] == found["heketi_cluster_count"] == [({}, 1)]
        assert found["heketi_volumes_count"] == found["heketi_nodes_count"] == [({"cluster": cluster}, 1)]
        assert found["heketi_block_volumes_count"] == [({"cluster": cluster}, 0)]
        host = {"cluster": cluster, "hostname": "n1", "storage_hostname": "10.0.0.1"}
        assert found["heketi_device_count"] == [(host, 1)]
        labels = {**host, "id": device, "device": "/dev/sdb", "pv_uuid": shown["pv_uuid"]}
        for name, member in (("size", "total"), ("free", "free"), ("used", "used")):
            assert found[f"heketi_device_{name}"] == [(labels, shown["storage"][member])]
            assert found[f"heketi_device_{name}_bytes"] == [(labels, shown["storage"][member] * 1024)]
        assert found["heketi_device_brick_count"] == [(labels, 1)]
        for status in ("stale", "failed", "new", "total", "inFlight"):
            assert found[f"heketi_operations_{status}_count"] == [({}, 0)]


async def test_no_token_is_needed_and_our_own_numbers_are_there(server: Server) -> None:
    async with server(jwt={role: {"key": key} for role, key in KEYS.items()}) as client:
        answer = await client.get("/metrics")
        assert answer.headers["content-type"] == "text/plain; version=0.0.4; charset=utf-8"
        found = samples(answer.text)
        assert "heketipy_operations_running" in found
        assert "heketipy_debts" in found
        assert "process_resident_memory_bytes" in found
        assert (await client.post("/metrics")).status_code == 401
        assert (await client.get("/metrics/")).status_code == 401


async def test_it_is_compressed_for_whom_that_is_good(server: Server) -> None:
    async with server() as client:
        plain = await client.get("/metrics", headers={"Accept-Encoding": "identity"})
        compressed = await client.get("/metrics", headers={"Accept-Encoding": "gzip"})
        assert "content-encoding" not in plain.headers
        assert compressed.headers["content-encoding"] == "gzip"
        assert "heketi_up 1\n" in compressed.text


def _large_site(tx: Tx) -> None:
    tx.clusters.add(Cluster("c" * 32, True, True))
    for node in range(600):
        tx.nodes.add(Node(f"{node:032x}", "c" * 32, 1, (f"node{node}.example.com",), (f"10.0.{node}",)))
        for device in range(24):
            id = f"{node:016x}{device:016x}"
            tx.devices.add(Device(id, f"{node:032x}", f"/dev/sd{device}", 2**31, 2**31, 0, 4096, pv_uuid=id))


async def test_a_site_of_14400_devices_is_counted_within_a_second(tmp_path: Path) -> None:
    """The time is that of this process, so that others on the machine do not count."""
    db = Database.open(tmp_path / "heketi.db")
    await db.write(_large_site)
    seconds = []
    for _ in range(3):
        begun = time.process_time()
        site = await db.read(lambda tx: tx.gauges.site())
        text = "".join(exposition(site, PendingCounts(0, 0, 0, 0, 0)))
        gzip.compress(text.encode(), compresslevel=1)
        seconds.append(time.process_time() - begun)
    db.close()
    assert text.count("heketi_device_free{") == 14400
    assert min(seconds) < 1, seconds

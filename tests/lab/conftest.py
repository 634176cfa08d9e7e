"""One site for the whole run: three real nodes, one server, one topology.

The tests run in the order of their modules' names and share the site: booting nodes costs minutes. Each leaves the site
as it found it, and says so by an assertion.
"""

import json
import os
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import traces
from figures import Figures
from machines import Lab, Node, Settings
from service import Service

FIGURES = Figures()
POOL_DISKS = ("/dev/vdb", "/dev/vdc")


@dataclass
class Site:
    """Nodes, server and ids. `nodes[i]` is the machine of `node_ids[i]`."""

    lab: Lab
    nodes: list[Node]
    service: Service
    cluster: str = ""
    node_ids: list[str] = field(default_factory=list)
    devices: dict[str, list[str]] = field(default_factory=dict)

    def machine(self, node_id: str) -> Node:
        """The machine of a node in the books."""
        return self.nodes[self.node_ids.index(node_id)]

    def node_request(self, node: Node) -> dict[str, Any]:
        """The body that adds a machine as a node."""
        names = {"manage": [node.manage_host], "storage": [node.storage_host]}
        return {"cluster": self.cluster, "zone": node.number, "hostnames": names}

    def used_kib(self) -> int:
        """What all devices have given away, by the books."""
        return sum(
            device["storage"]["used"]
            for node_id in self.node_ids
            for device in self.service.get(f"/nodes/{node_id}")["devices"]
        )

    def settled(self, seconds: float = 120) -> None:
        """Wait until the books have no space taken: whatever was going on is finished or taken back."""
        end = time.monotonic() + seconds
        while (used := self.used_kib()) and time.monotonic() < end:
            time.sleep(1)
        assert used == 0, f"{used} KiB are still taken:\n{self.service.log_tail()}"


@pytest.fixture(scope="session")
def figures() -> Figures:
    """Where tests note what they measured."""
    return FIGURES


@pytest.fixture(scope="session")
def site(tmp_path_factory: pytest.TempPathFactory, figures: Figures) -> Iterator[Site]:
    """Three nodes as new, and a running server that knows none of them yet."""
    lab = Lab(Settings.from_environment())
    assert not lab.running(), "nodes run already: `lab down` first, the tests want them as new"
    begin = time.monotonic()
    nodes = lab.up(3)
    figures.add("three nodes up", time.monotonic() - begin)
    folder = tmp_path_factory.mktemp("service")
    record = os.environ.get("LAB_RECORD")
    service = Service(folder, keyfile=lab.root / "key", record=Path(record) if record else None)
    try:
        figures.add("server start", service.start())
        yield Site(lab, nodes, service)
    finally:
        service.close()
        (lab.root / "server.log").write_bytes(service.log_file.read_bytes())
        (lab.root / "figures.json").write_text(json.dumps(figures.rows, indent=1))
        if not os.environ.get("LAB_KEEP"):
            lab.down()


@pytest.fixture(scope="session")
def loaded(site: Site, figures: Figures) -> Site:
    """The site with a cluster, its nodes and two devices of each, added by heketi's routes one after another."""
    begin = time.monotonic()
    answer = site.service.request("POST", "/clusters", {"file": True, "block": True})
    assert answer.status_code == 201, answer.text
    site.cluster = answer.json()["id"]
    for node in site.nodes:
        job = site.service.do("POST", "/nodes", site.node_request(node))
        assert job.ok, f"{node!r}: {job.error}\n{site.service.log_tail()}"
        figures.add("node add", job.seconds)
        site.node_ids.append(job.location.removeprefix("/nodes/"))
    for node_id in site.node_ids:
        for disk in POOL_DISKS:
            job = site.service.do("POST", "/devices", {"node": node_id, "name": disk})
            assert job.ok, f"{disk}: {job.error}\n{site.service.log_tail()}"
            figures.add("device add", job.seconds)
        devices = site.service.get(f"/nodes/{node_id}")["devices"]
        site.devices[node_id] = [device["id"] for device in devices]
    figures.add("topology loaded (3 nodes, 6 devices)", time.monotonic() - begin)
    return site


@pytest.fixture
def clean(loaded: Site) -> Iterator[Site]:
    """The loaded site, without volumes; afterwards the nodes and the books must be as before."""
    service = loaded.service
    before = traces.on_all(loaded.nodes)
    yield loaded
    if not service.running:
        service.start()
    left = service.get("/volumes")["volumes"]
    for volume in left:
        # One test's failure must not be the next one's.
        service.do("DELETE", f"/volumes/{volume}")
    assert left == []
    assert traces.lasting_changes(loaded.nodes, before, 60) == [{}, {}, {}]
    loaded.settled()


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Give the tests the time that emulated machines need."""
    for item in items:
        item.add_marker(pytest.mark.timeout(1500))


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Print the table of figures."""
    if FIGURES.rows:
        terminalreporter.section("figures")
        for line in FIGURES.table():
            terminalreporter.write_line(line)

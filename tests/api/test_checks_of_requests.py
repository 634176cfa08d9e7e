"""What a request's form must be, in heketi's words and order: one case for each rule of the routes."""

from typing import Any

import httpx
import pytest

from tests.api.fake_services import CLUSTER, DEVICE, NODE, VOLUME, FakeServices

BLANK = "cannot be blank"
FORMAT = "must be in a valid format"

HOSTS = {"manage": ["m1"], "storage": ["10.0.0.1"]}
GOOD_NODE = {"cluster": CLUSTER, "zone": 1, "hostnames": HOSTS}
GOOD_DEVICE = {"node": NODE, "name": "/dev/sdb"}
GOOD_VOLUME = {"size": 1}


def node(**changes: Any) -> dict[str, Any]:
    return {**GOOD_NODE, **changes}


def hosts(**changes: Any) -> dict[str, Any]:
    return node(hostnames={**HOSTS, **changes})


def device(**changes: Any) -> dict[str, Any]:
    return {**GOOD_DEVICE, **changes}


def volume(**changes: Any) -> dict[str, Any]:
    return {**GOOD_VOLUME, **changes}


def durability(type: str, **numbers: int) -> dict[str, Any]:
    return volume(durability={"type": type, "replicate": numbers, "disperse": numbers})


def snapshot(**members: Any) -> dict[str, Any]:
    return volume(snapshot={"enable": True, **members})


INVALID = [
    ("/nodes", {}, f"cluster: {BLANK}; hostnames: (manage: {BLANK}; storage: {BLANK}.); zone: {BLANK}"),
    ("/nodes", node(zone=0), f"zone: {BLANK}"),
    ("/nodes", node(zone=-1), "zone: must be no less than 1"),
    ("/nodes", node(cluster=""), f"cluster: {BLANK}"),
    ("/nodes", node(cluster="123"), "cluster: 123 is not a valid UUID"),
    ("/nodes", node(cluster="g" * 32), f"cluster: {'g' * 32} is not a valid UUID"),
    ("/nodes", node(cluster=f"{CLUSTER}\n"), f"cluster: {CLUSTER}\n is not a valid UUID"),
    ("/nodes", hosts(manage=[]), f"hostnames: (manage: {BLANK}.)"),
    ("/nodes", hosts(storage=None), f"hostnames: (storage: {BLANK}.)"),
    ("/nodes", hosts(manage=[""]), "hostnames: (manage: [] is not a valid manage hostname.)"),
    ("/nodes", hosts(manage=["a", "b c", "d"]), "hostnames: (manage: [a b c d] is not a valid manage hostname.)"),
    ("/nodes", hosts(storage=["-a"]), "hostnames: (storage: [-a] is not a valid storage hostname.)"),
    ("/nodes", hosts(storage=["a..b"]), "hostnames: (storage: [a..b] is not a valid storage hostname.)"),
    ("/nodes", hosts(storage=["a;reboot"]), "hostnames: (storage: [a;reboot] is not a valid storage hostname.)"),
    (
        "/nodes",
        hosts(storage=["fe80::1%eth0"]),
        "hostnames: (storage: [fe80::1%eth0] is not a valid storage hostname.)",
    ),
    ("/nodes", hosts(storage=["a:24007"]), "hostnames: (storage: [a:24007] is not a valid storage hostname.)"),
    ("/nodes", hosts(storage=["a\n"]), "hostnames: (storage: [a\n] is not a valid storage hostname.)"),
    ("/nodes", hosts(storage=["é"]), "hostnames: (storage: [é] is not a valid storage hostname.)"),
    ("/nodes", hosts(storage=["a" * 64]), f"hostnames: (storage: [{'a' * 64}] is not a valid storage hostname.)"),
    ("/nodes", node(tags={"": "x"}), "tags: tag names may not be empty"),
    ("/nodes", node(tags={"a" * 33: "x"}), f"tags: tag name {'a' * 33}: the length must be between 1 and 32"),
    ("/nodes", node(tags={"a": "x" * 65}), "tags: value of tag a: the length must be no more than 64"),
    ("/nodes", node(tags={"a b": "x"}), "tags: invalid characters in tag name a b"),
    (
        "/nodes",
        node(tags={str(n): "" for n in range(33)}),
        "tags: too many tags specified (33), up to 32 supported",
    ),
    ("/devices", {}, f"name: {BLANK}; node: {BLANK}"),
    ("/devices", device(name=""), f"name: {BLANK}"),
    ("/devices", device(name="/"), f"name: {FORMAT}"),
    ("/devices", device(name="sdb"), f"name: {FORMAT}"),
    ("/devices", device(name="/dev/sdb;reboot"), f"name: {FORMAT}"),
    ("/devices", device(name="/dev/$(reboot)"), f"name: {FORMAT}"),
    ("/devices", device(name="/dev/sdb\n"), f"name: {FORMAT}"),
    ("/devices", device(name="/dev/sd b"), f"name: {FORMAT}"),
    ("/devices", device(node="x"), "node: x is not a valid UUID"),
    ("/devices", device(tags={"a/b": "x"}), "tags: invalid characters in tag name a/b"),
    (f"/nodes/{NODE}/state", {}, f"state: {BLANK}"),
    (f"/nodes/{NODE}/state", {"state": "Online"}, "state: Online is not valid state"),
    (
        f"/nodes/{NODE}/state",
        {"state": "bad", "healcheck": "maybe"},
        "healcheck: maybe is not valid heal info check",
    ),
    (f"/devices/{DEVICE}/state", {"state": "bad"}, "state: bad is not valid state"),
    ("/volumes", {}, f"size: {BLANK}"),
    ("/volumes", volume(size=0), f"size: {BLANK}"),
    ("/volumes", volume(size=-1), "size: must be no less than 1"),
    ("/volumes", volume(size=-(2**63)), "size: must be no less than 1"),
    ("/volumes", volume(size=0, name="a b"), f"name: {FORMAT}; size: {BLANK}"),
    ("/volumes", volume(name="a;b"), f"name: {FORMAT}"),
    ("/volumes", volume(name="$(reboot)"), f"name: {FORMAT}"),
    ("/volumes", volume(name="a\n"), f"name: {FORMAT}"),
    ("/volumes", volume(name="ä"), f"name: {FORMAT}"),
    ("/volumes", volume(name="a/b"), f"name: {FORMAT}"),
    ("/volumes", volume(name="."), f"name: {FORMAT}"),
    (f"/volumes/{VOLUME}/expand", {}, f"expand_size: {BLANK}"),
    (f"/volumes/{VOLUME}/expand", {"expand_size": -1}, "expand_size: must be no less than 1"),
]


@pytest.mark.parametrize(("path", "body", "text"), INVALID)
async def test_a_wrong_form_is_a_400_that_lists_what_fails(
    client: httpx.AsyncClient, services: FakeServices, path: str, body: object, text: str
) -> None:
    response = await client.post(path, json=body)
    assert (response.status_code, response.text) == (400, f"validation failed: {text}.\n")
    assert response.headers["x-heketipy-code"] == "invalid-request"
    assert services.calls == []


IMPOSSIBLE = [
    (volume(gid=-1), "Bad group id less than zero"),
    (volume(gid=2147483647), "Bad group id equal or greater than 2**32"),
    (volume(gid=2**63 - 1), "Bad group id equal or greater than 2**32"),
    (durability("mirror"), "Unknown durability type"),
    (durability("Replicate"), "Unknown durability type"),
    (snapshot(), "Invalid snapshot factor"),
    (snapshot(factor=0.5), "Invalid snapshot factor"),
    (snapshot(factor=100.5), "Invalid snapshot factor"),
    (snapshot(factor=-1), "Invalid snapshot factor"),
    (durability("replicate", replica=4), "Invalid replica value"),
    (durability("replicate", replica=-1), "Invalid replica value"),
    (durability("disperse", data=3, redundancy=1), "Invalid dispersion combination: 3+1"),
    (durability("disperse"), "Invalid dispersion combination: 0+0"),
    (durability("disperse", data=-2, redundancy=-1), "Invalid dispersion combination: -2+-1"),
    (volume(gid=-1, durability={"type": "x"}), "Bad group id less than zero"),
    (volume(durability={"type": "x"}, snapshot={"enable": True}), "Unknown durability type"),
    (
        volume(durability={"type": "replicate", "replicate": {"replica": 9}}, snapshot={"enable": True}),
        "Invalid snapshot factor",
    ),
]


@pytest.mark.parametrize(("body", "text"), IMPOSSIBLE)
async def test_an_impossible_volume_is_a_400_and_the_first_check_wins(
    client: httpx.AsyncClient, services: FakeServices, body: object, text: str
) -> None:
    response = await client.post("/volumes", json=body)
    assert (response.status_code, response.text) == (400, f"{text}\n")
    assert services.calls == []


ALLOWED = [
    ("/nodes", GOOD_NODE),
    ("/nodes", node(cluster=CLUSTER.upper(), zone=2**63 - 1)),
    ("/nodes", hosts(storage=["300.1.1.1", "192.168.010.1", "a_b", "a-", "a.", "_x", "123", "::1", "a" * 63])),
    ("/nodes", node(tags={"a.b-c_D": "", "x" * 32: "y" * 64})),
    ("/nodes", node(tags={"a": None})),
    ("/devices", device(name="/dev/disk/by-path/pci-0000:00:1f.2-ata-1")),
    ("/devices", device(node=NODE.upper())),
    (f"/nodes/{NODE}/state", {"state": "online", "healcheck": ""}),
    (f"/devices/{DEVICE}/state", {"state": "failed", "healcheck": "disable"}),
    ("/volumes", volume(size=2**63 - 1)),
    ("/volumes", volume(gid=2147483646)),
    ("/volumes", volume(name="-")),
    ("/volumes", volume(name="a" * 128)),
    ("/volumes", volume(clusters=["zzz"])),
    ("/volumes", durability("none", replica=9, data=9)),
    ("/volumes", durability("replicate")),
    ("/volumes", durability("disperse", data=8, redundancy=4)),
    ("/volumes", snapshot(factor=0.99999999999)),
    ("/volumes", snapshot(factor=100)),
    ("/volumes", volume(snapshot={"factor": 0.1})),
    ("/volumes", volume(glustervolumeoptions=["a;b $(c)", "x y"])),
    (f"/volumes/{VOLUME}/expand", {"expand_size": 2**63 - 1}),
]


@pytest.mark.parametrize(("path", "body"), ALLOWED)
async def test_what_heketi_allows_is_accepted(client: httpx.AsyncClient, path: str, body: object) -> None:
    response = await client.post(path, json=body)
    assert response.status_code == 202, response.text

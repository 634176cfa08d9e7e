"""The topology file: what is read, and what is said of one that cannot be right."""

import copy
import json
from pathlib import Path
from typing import Any

import pytest

from heketipy.wire.topology import Topology, TopologyError, load_topology, read_topology

FOLDER = Path(__file__).parents[2] / "topology"
SAMPLES = sorted(set(FOLDER.glob("*.json")) - set(FOLDER.glob("*schema.json")))


def node(number: int, *, devices: list[Any] | None = None, **changes: Any) -> dict[str, Any]:
    hostnames = {"manage": [f"m{number}"], "storage": [f"10.0.0.{number}"]}
    return {"node": {"hostnames": hostnames, "zone": 1, **changes}, "devices": devices or ["/dev/sdb"]}


def load(*nodes: dict[str, Any]) -> Topology:
    return load_topology(json.dumps({"clusters": [{"nodes": list(nodes)}]}).encode())


def problems(*nodes: dict[str, Any]) -> list[str]:
    with pytest.raises(TopologyError) as caught:
        load(*nodes)
    return str(caught.value).split("\n")


@pytest.mark.parametrize("path", SAMPLES, ids=lambda path: path.name)
def test_the_samples_load(path: Path) -> None:
    topology = load_topology(path.read_bytes())
    assert all(cluster.nodes for cluster in topology.clusters)


def test_both_forms_of_a_device_are_read() -> None:
    topology = load(node(1, devices=["/dev/sdb", {"name": "/dev/sdc", "tags": {"a": "b"}, "destroydata": True}]))
    first, second = topology.clusters[0].nodes[0].device_specs("n" * 32)
    assert (first.name, first.tags, first.destroy_data, first.node) == ("/dev/sdb", {}, False, "n" * 32)
    assert (second.name, second.tags, second.destroy_data) == ("/dev/sdc", {"a": "b"}, True)


def test_a_node_becomes_something_to_add() -> None:
    spec = load(node(1, zone=3, tags={"a": "b"})).clusters[0].nodes[0].spec("c" * 32)
    assert (spec.cluster, spec.zone, spec.manage, spec.storage) == ("c" * 32, 3, ("m1",), ("10.0.0.1",))
    assert spec.tags == {"a": "b"}


def test_flags_are_true_unless_said_otherwise() -> None:
    topology = load_topology(b'{"clusters":[{},{"file":false,"BLOCK":false}]}')
    assert [(cluster.file, cluster.block) for cluster in topology.clusters] == [(True, True), (False, False)]


@pytest.mark.parametrize(
    "text", [b"null", b"{}", b'{"clusters":null}', b'{"_comment":"x"} trailing', b'{"clusters":[]}']
)
def test_nothing_to_do_is_no_error(text: bytes) -> None:
    assert load_topology(text).clusters == []


def test_names_match_in_any_case_and_unknown_ones_are_skipped() -> None:
    text = json.dumps({"clusters": [{"nodes": [node(1)], "x": 1}]}).replace("clusters", "Clusters")
    assert load_topology(text.replace("manage", "MANAGE").encode()).clusters[0].nodes[0].manage == "m1"


@pytest.mark.parametrize(
    ("changed", "expected"),
    [
        (node(1, zone=0), "clusters[0].nodes[0].node.zone: is missing or 0; write a whole number from 1"),
        (node(1, zone=-1), "clusters[0].nodes[0].node.zone: is -1; write a whole number from 1"),
        (
            node(1, hostnames={"storage": ["10.0.0.1"]}),
            "clusters[0].nodes[0].node.hostnames.manage: is missing or empty; write [",
        ),
        (
            node(1, hostnames={"manage": ["m1"], "storage": []}),
            "clusters[0].nodes[0].node.hostnames.storage: is missing or empty; write [",
        ),
        (
            node(1, hostnames={"manage": ["m1:22"], "storage": ["10.0.0.1"]}),
            "clusters[0].nodes[0].node.hostnames.manage: 'm1:22' is no host name and no IP address; write one",
        ),
        (node(1, tags={"a b": ""}), "clusters[0].nodes[0].node.tags: invalid characters in tag name a b; "),
        (node(1, devices=["sdb"]), "clusters[0].nodes[0].devices[0]: 'sdb' is no device; write an absolute path"),
        (node(1, devices=["/dev/sdb", {}]), "clusters[0].nodes[0].devices[1]: '' is no device; write an absolute"),
        (
            node(1, devices=["/dev/sdb", {"name": "/dev/sdb"}]),
            "clusters[0].nodes[0].devices[1]: /dev/sdb stands twice on this node; remove one of them",
        ),
        (
            node(1, devices=[{"name": "/dev/sdb", "tags": {"": ""}}]),
            "clusters[0].nodes[0].devices[0].tags: tag names may not be empty; ",
        ),
    ],
)
def test_what_cannot_be_right_is_named_with_its_place_and_its_remedy(changed: dict[str, Any], expected: str) -> None:
    (found,) = problems(changed)
    assert found.startswith(expected)


def test_a_node_that_stands_twice_is_named_with_both_places() -> None:
    (manage, storage) = problems(node(1), node(2), copy.deepcopy(node(1)))
    assert manage.startswith(
        "clusters[0].nodes[2].node.hostnames.manage: 'm1' already names the node at clusters[0].nodes[0]; "
    )
    assert "hostnames.storage: '10.0.0.1' already names" in storage


def test_a_name_repeated_within_one_node_is_allowed() -> None:
    load(node(1, hostnames={"manage": ["a", "a"], "storage": ["10.0.0.1", "10.0.0.1"]}))


def test_all_problems_are_listed_in_the_order_of_the_file() -> None:
    found = problems(node(1, zone=0), node(2, devices=["x"]), node(3, hostnames={}))
    assert [line.partition(":")[0] for line in found] == [
        "clusters[0].nodes[0].node.zone",
        "clusters[0].nodes[1].devices[0]",
        "clusters[0].nodes[2].node.hostnames.manage",
        "clusters[0].nodes[2].node.hostnames.storage",
    ]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (b"", "line 1, column 1: unexpected end; the file must be one JSON object"),
        (b'{\n  "clusters": [,]\n}', "line 2, column 16: unexpected ','; "),
        (b"[]", "the whole file: an object is needed here, not a list; write an object there"),
        (b'{"clusters":[{"block":"true"}]}', "clusters[0].block: true or false is needed here, not the text 'true'; "),
        (
            b'{"clusters":[{"nodes":[{"node":{"zone":"1"}}]}]}',
            "clusters[0].nodes[0].node.zone: a whole number of 64 bits is needed here, not the text '1'; ",
        ),
        (
            b'{"clusters":[{"nodes":[{"devices":["/dev/sdb",5]}]}]}',
            "clusters[0].nodes[0].devices[1]: a text or an object is needed here, not the number 5; ",
        ),
        (
            b'{"clusters":[{"nodes":[{"devices":[null]}]}]}',
            "clusters[0].nodes[0].devices[0]: something is needed here, not null; ",
        ),
        (
            b'{"clusters":[{"nodes":[{"node":{"tags":{"a":1}}}]}]}',
            "clusters[0].nodes[0].node.tags.a: a text is needed here, not the number 1; ",
        ),
    ],
)
def test_a_file_of_a_wrong_form_is_refused_with_the_place(text: bytes, expected: str) -> None:
    with pytest.raises(TopologyError) as caught:
        read_topology(text)
    assert str(caught.value).startswith(expected)

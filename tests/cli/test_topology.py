"""`topology load` and `topology info`."""

import json
from pathlib import Path
from typing import Any

import httpx
import pytest

from heketipy.cli.topology_text import topology_text
from tests.cli.command_line import CommandLine

Json = dict[str, Any]


def node(name: str, *devices: str | Json, zone: int = 1, **more: Any) -> Json:
    hostnames = {"manage": [name], "storage": [f"192.0.2.{sum(name.encode()) % 250}"]}
    return {"node": {"hostnames": hostnames, "zone": zone, **more}, "devices": list(devices)}


def write(name: str, *clusters: list[Json] | Json) -> str:
    made = [cluster if isinstance(cluster, dict) else {"nodes": cluster} for cluster in clusters]
    Path(name).write_text(json.dumps({"clusters": made}))
    return name


async def load(cli: CommandLine, file: str) -> list[str]:
    return (await cli.ok("topology", "load", f"--json={file}")).splitlines()


async def test_loading_again_changes_nothing_and_says_so(cli: CommandLine) -> None:
    file = write(
        "site.json", [node("one", "/dev/sdb", "/dev/sdc"), node("two", {"name": "/dev/sdb", "tags": {"a": "b"}})]
    )
    first = await load(cli, file)
    assert [line.partition("ID: ")[0] for line in first] == [
        "Creating cluster ... ",
        "\tAllowing file volumes on cluster.",
        "\tAllowing block volumes on cluster.",
        "\tCreating node one ... ",
        "\t\tAdding device /dev/sdb ... OK",
        "\t\tAdding device /dev/sdc ... OK",
        "\tCreating node two ... ",
        "\t\tAdding device /dev/sdb ... OK",
    ]
    before = await cli.json("topology", "info")
    cluster = before["clusters"][0]["id"]
    again = [
        f"\tFound node one on cluster {cluster}",
        "\t\tFound device /dev/sdb",
        "\t\tFound device /dev/sdc",
        f"\tFound node two on cluster {cluster}",
        "\t\tFound device /dev/sdb",
    ]
    for _ in range(2):
        assert await load(cli, file) == again
    assert await cli.json("topology", "info") == before


@pytest.mark.parametrize("position", [0, 1, 2])
async def test_one_node_and_one_device_more_are_all_that_is_added(cli: CommandLine, position: int) -> None:
    await load(cli, write("site.json", [node("one", "/dev/sdb"), node("two", "/dev/sdb")]))
    before = await cli.json("topology", "info")
    nodes = [node("one", "/dev/sdb"), node("two", "/dev/sdb", "/dev/sdc")]
    nodes.insert(position, node("new", "/dev/sdb"))
    lines = await load(cli, write("more.json", nodes))
    assert sorted(line.partition(" on cluster")[0].partition("ID:")[0] for line in lines) == [
        "\t\tAdding device /dev/sdb ... OK",
        "\t\tAdding device /dev/sdc ... OK",
        "\t\tFound device /dev/sdb",
        "\t\tFound device /dev/sdb",
        "\tCreating node new ... ",
        "\tFound node one",
        "\tFound node two",
    ]
    after = await cli.json("topology", "info")
    assert [cluster["id"] for cluster in after["clusters"]] == [before["clusters"][0]["id"]]
    assert {found["hostnames"]["manage"][0]: len(found["devices"]) for found in after["clusters"][0]["nodes"]} == {
        "one": 1,
        "two": 2,
        "new": 1,
    }
    old = {found["id"] for found in before["clusters"][0]["nodes"]}
    assert old < {found["id"] for found in after["clusters"][0]["nodes"]}


async def test_what_is_there_is_not_compared_with_the_file(cli: CommandLine) -> None:
    await load(cli, write("site.json", [node("one", "/dev/sdb", zone=1, tags={"a": "1"})]))
    before = await cli.json("topology", "info")
    changed = node("one", {"name": "/dev/sdb", "tags": {"x": "y"}}, zone=7, tags={"a": "2"})
    await load(cli, write("changed.json", {"file": False, "nodes": [changed]}))
    assert await cli.json("topology", "info") == before


async def test_what_is_refused_is_told_and_does_not_keep_the_rest_from_being_added(cli: CommandLine) -> None:
    nameless = {"node": {"hostnames": {"storage": ["192.0.2.9"]}, "zone": 1}, "devices": ["/dev/sdb"]}
    nodes = [
        node("one", "sdb", "/dev/sdb", "/dev/sdb"),
        node("one", "/dev/sdc"),
        node("zoneless", "/dev/sdb", zone=0),
        node("below", "/dev/sdb", zone=-1),
        nameless,
        node("last", "/dev/sdb"),
    ]
    lines = await load(cli, write("site.json", nodes))
    one = next(line for line in lines if line.startswith("\tCreating node one ... ID: ")).rpartition(" ")[2]
    assert [line for line in lines[3:] if "ID: " not in line] == [
        "\t\tAdding device sdb ... Unable to add device: validation failed: name: must be in a valid format.",
        "\t\tAdding device /dev/sdb ... OK",
        "\t\tFound device /dev/sdb",
        f"\tCreating node one ... Unable to create node: Hostname one already used by node with id {one}",
        "\tCreating node zoneless ... Unable to create node: validation failed: zone: cannot be blank.",
        "\tCreating node below ... Unable to create node: validation failed: zone: must be no less than 1.",
        "\tCreating node  ... Unable to create node: validation failed: hostnames: (manage: cannot be blank.).",
        "\t\tAdding device /dev/sdb ... OK",
    ]
    names = [found["hostnames"]["manage"] for found in (await cli.json("topology", "info"))["clusters"][0]["nodes"]]
    assert sorted(names) == [["last"], ["one"]]


async def test_a_cluster_into_which_no_node_came_is_taken_back(cli: CommandLine) -> None:
    lines = await load(cli, write("site.json", [node("zoneless", zone=0)], [node("one")]))
    assert len([line for line in lines if line.startswith("Creating cluster ... ID: ")]) == 2
    assert len((await cli.json("cluster", "list"))["clusters"]) == 1


async def test_the_flags_of_a_cluster_count_when_it_is_made(cli: CommandLine) -> None:
    lines = await load(cli, write("site.json", {"file": False, "block": False, "nodes": [node("one")]}))
    assert len(lines) == 2
    cluster = (await cli.json("topology", "info"))["clusters"][0]
    assert (cluster["file"], cluster["block"]) == (False, False)


@pytest.mark.parametrize(
    "content",
    ["{}", "null", '{"clusters":[]}', '{"clusters":null}', '{"clusters":[{}]} and more', '{"CLUSTERS":[{"nodes":[]}]}'],
)
async def test_a_file_may_hold_nothing_to_do(cli: CommandLine, content: str) -> None:
    Path("site.json").write_text(content)
    assert await cli.ok("topology", "load", "-j", "site.json") == ""


@pytest.mark.parametrize(
    "content",
    [
        "",
        "[]",
        '{"clusters": [ }',
        '{"clusters":[{"block":"true"}]}',
        '{"clusters":[{"nodes":[{"node":{"zone":"1"}}]}]}',
        '{"clusters":[{"nodes":[{"devices":[7]}]}]}',
        '{"clusters":[{"nodes":[{"node":{"tags":{"a":1}}}]}]}',
    ],
)
async def test_a_file_of_another_form_is_not_loaded(cli: CommandLine, content: str) -> None:
    Path("site.json").write_text(content)
    assert await cli.error("topology", "load", "-j", "site.json") == "Error: Unable to parse config file\n"


async def test_a_file_must_be_given_and_be_one(cli: CommandLine, tmp_path: Path) -> None:
    assert await cli.error("topology", "load") == "Error: Missing configuration file\n"
    assert await cli.error("topology", "load", "site.json") == "Error: Missing configuration file\n"
    assert await cli.error("topology", "load", "-j", "none.json") == "Error: Unable to open config file\n"
    assert await cli.error("topology", "load", "-j", str(tmp_path)) == "Error: Unable to parse config file\n"
    write("f", [])
    assert await cli.error("--json", "topology", "load", "-j", "f") == "Error: Unable to open config file\n"


async def test_a_person_at_a_terminal_is_told_what_is_wrong_in_a_file(cli: CommandLine) -> None:
    cli.at_terminal = True
    Path("site.json").write_text('{"clusters": [\n  }')
    assert (await cli.error("topology", "load", "-j", "site.json")).startswith(
        "Error: Unable to parse config file\nline 2, column 3: "
    )
    outcome = await cli("topology", "load", "-j", write("site.json", [node("one"), node("one")]))
    assert "Warning: clusters[0].nodes[1].node.hostnames.manage: 'one' already names the node at" in outcome.err


async def test_a_load_reads_the_site_even_if_there_is_nothing_to_do(guarded: CommandLine, tmp_path: Path) -> None:
    (tmp_path / "site.json").write_text("{}")
    assert await guarded.error("topology", "load", "-j", str(tmp_path / "site.json")) == (
        "Error: Unable to get topology information: Invalid JWT token: Token missing iss claim\n"
    )


async def test_a_volume_makes_no_difference_to_a_load(cli: CommandLine) -> None:
    file = write("site.json", [node("one", "/dev/sdb")])
    await load(cli, file)
    await cli.ok("volume", "create", "--size=1", "--durability=none")
    assert len(await load(cli, file)) == 2


def test_the_text_of_a_topology_is_the_references() -> None:
    path = "/var/lib/heketi/mounts/vg_d0000000000000000000000000000001/brick_b0000000000000000000000000000001/brick"
    brick = {
        "id": "b0000000000000000000000000000001",
        "path": path,
        "device": "d0000000000000000000000000000001",
        "node": "20000000000000000000000000000001",
        "volume": "a0000000000000000000000000000001",
        "size": 2 << 20,
    }
    volume = {
        "size": 2,
        "name": "v1",
        "durability": {"type": "none", "replicate": {}, "disperse": {}},
        "snapshot": {"enable": False, "factor": 1},
        "id": "a0000000000000000000000000000001",
        "cluster": "c0000000000000000000000000000001",
        "mount": {"glusterfs": {"device": "10.0.0.1:v1", "options": {"backup-volfile-servers": ""}}},
        "bricks": [brick],
    }
    device = {
        "name": "/dev/sdb",
        "tags": {"arbiter": "supported"},
        "storage": {"total": 100 << 20, "free": (86 << 20) + 1, "used": (14 << 20) - 1},
        "id": "d0000000000000000000000000000001",
        "paths": ["/dev/sdb", "/dev/disk/by-id/x"],
        "state": "online",
        "bricks": [brick],
    }
    site = {
        "zone": 1,
        "hostnames": {"manage": ["node1"], "storage": ["10.0.0.1"]},
        "cluster": "c0000000000000000000000000000001",
        "tags": {"rack": "r1"},
        "id": "20000000000000000000000000000001",
        "state": "online",
        "devices": [device],
    }
    cluster = {
        "volumes": [volume],
        "nodes": [site],
        "id": "c0000000000000000000000000000001",
        "block": True,
        "file": True,
    }
    wanted = (Path(__file__).parent / "vectors" / "topology.txt").read_text()
    assert topology_text([cluster]) == wanted


async def test_a_site_is_shown_the_same_by_a_server_that_has_no_route_for_it(cli: CommandLine) -> None:
    await load(cli, write("site.json", [node("one", "/dev/sdb", "/dev/sdc")], [node("two", "/dev/sdb")]))
    await cli.ok("volume", "create", "--size=1", "--durability=none")
    asked: list[str] = []

    class Heketi(httpx.AsyncBaseTransport):
        async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
            asked.append(request.url.path)
            if request.url.path == "/topology":
                return httpx.Response(404, text="Invalid path or request\n")
            assert cli.transport is not None
            return await cli.transport.handle_async_request(request)

    heketi = CommandLine(Heketi())
    for flags in ([], ["--json"]):
        assert await heketi.ok(*flags, "topology", "info") == await cli.ok(*flags, "topology", "info")
    assert len(asked) == 2 * (1 + 1 + 2 + 2 + 1)

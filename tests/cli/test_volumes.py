"""`volume`: what is asked for, and how a volume is shown."""

import json
import re
from pathlib import Path

import httpx
import pytest

from tests.cli.command_line import CommandLine

NODES = 6


@pytest.fixture(autouse=True)
async def site(cli: CommandLine) -> str:
    nodes = [
        {"node": {"hostnames": {"manage": [f"n{i}"], "storage": [f"192.0.2.{i}"]}, "zone": i}, "devices": ["/dev/sdb"]}
        for i in range(1, NODES + 1)
    ]
    Path("site.json").write_text(json.dumps({"clusters": [{"nodes": nodes}]}))
    await cli.ok("topology", "load", "--json=site.json")
    cluster: str = (await cli.json("cluster", "list"))["clusters"][0]
    return cluster


async def test_every_flag_reaches_the_volume(cli: CommandLine, site: str) -> None:
    volume = await cli.json(
        "volume",
        "create",
        "--size=3",
        "--name=all",
        "--durability=replicate",
        "--replica=2",
        "--disperse-data=8",
        "--redundancy=3",
        "--snapshot-factor=1.1",
        f"--clusters={site}",
        "--gid=40001",
        "--gluster-volume-options=performance.readdir-ahead on,nfs.disable on",
    )
    assert volume["durability"] == {
        "type": "replicate",
        "replicate": {"replica": 2},
        "disperse": {"data": 8, "redundancy": 3},
    }
    assert volume["snapshot"] == {"enable": True, "factor": 1.1}
    assert volume["gid"] == 40001
    assert volume["glustervolumeoptions"] == ["", "performance.readdir-ahead on", "nfs.disable on", ""]
    assert await cli.json("volume", "info", volume["id"]) == volume


async def test_a_dispersed_volume_shows_its_numbers(cli: CommandLine) -> None:
    text = await cli.ok("volume", "create", "--size=8", "--durability=disperse", "--name=d")
    assert text.endswith(
        "Durability Type: disperse\nDistribute Count: 1\nDisperse Data Count: 4\nDisperse Redundancy Count: 2\n"
    )


async def test_a_volume_for_snapshots_shows_its_factor_and_an_empty_line(cli: CommandLine) -> None:
    text = await cli.ok("volume", "create", "--size=1", "--replica=2", "--snapshot-factor=1.5")
    assert text.endswith("Replica Count: 2\nSnapshot Factor: 1.50\n\n")


async def test_no_number_of_replicas_is_shown_as_the_number_in_force(cli: CommandLine) -> None:
    text = await cli.ok("volume", "create", "--size=1", "--replica=0")
    assert text.endswith("Durability Type: replicate\nDistribute Count: 1\nReplica Count: 2\n")


async def test_a_hosting_volume_is_marked_in_the_list(cli: CommandLine, site: str) -> None:
    made = await cli.json("volume", "create", "--size=100", "--block", "--name=host")
    plain = await cli.json("volume", "create", "--size=1", "--name=plain")
    lines = [
        f"Id:{made['id']}    Cluster:{site}    Name:host [block]\n",
        f"Id:{plain['id']}    Cluster:{site}    Name:plain\n",
    ]
    assert await cli.ok("volume", "list") == "".join(sorted(lines))
    text = await cli.ok("volume", "info", made["id"])
    assert (
        "Block: true\nFree Size: 98\nReserved Size: 2\nBlock Hosting Restriction: (none)\nBlock Volumes: []\n" in text
    )


async def test_expanding_takes_the_volume_from_the_flag_before_the_argument(cli: CommandLine) -> None:
    one, two = [(await cli.json("volume", "create", "--size=1"))["id"] for _ in range(2)]
    assert "Size: 3\n" in await cli.ok("volume", "expand", two, "--expand-size=2", f"--volume={one}")
    assert "Size: 2\n" in await cli.ok("volume", "expand", "--expand-size", "1", two)


async def test_a_deleted_volume_is_gone(cli: CommandLine) -> None:
    made = (await cli.json("volume", "create", "--size=1"))["id"]
    assert await cli.ok("volume", "delete", made, "--json") == f"Volume {made} deleted\n"
    assert await cli.error("volume", "info", made) == "Error: Id not found\n"
    assert await cli.ok("volume", "list") == ""
    assert await cli.ok("volume", "list", "--json") == '{"volumes":[]}'


async def test_a_persistent_volume_is_written_to_a_file(cli: CommandLine) -> None:
    words = ["volume", "create", "--size=1", "--gid=500", "--name=v"]
    assert await cli.ok(*words, "--persistent-volume-file=pv.json") == ""
    text = Path("pv.json").read_text()
    assert text == json.dumps(json.loads(text), indent=2)
    document = json.loads(text)
    assert document["spec"]["glusterfs"] == {"endpoints": "TYPE ENDPOINT HERE", "path": "v"}
    assert document["metadata"]["annotations"] == {"pv.beta.kubernetes.io/gid": "500"}


async def test_a_persistent_volume_is_rather_printed_than_written(cli: CommandLine) -> None:
    words = ["volume", "create", "--size=1", "--persistent-volume-file=pv.json", "--persistent-volume"]
    text = await cli.ok(*words, "--persistent-volume-endpoint=<e&p>")
    assert '"endpoints": "\\u003ce\\u0026p\\u003e",\n' in text
    assert text.endswith('  "status": {}\n}\n')
    assert not Path("pv.json").exists()


async def test_a_persistent_volume_needs_an_endpoint_before_anything_is_made(cli: CommandLine) -> None:
    assert await cli.error("volume", "create", "--size=1", "--persistent-volume") == (
        "--persistent-volume-endpoint must be provided when using --persistent-volume\nError: Missing endpoint\n"
    )
    assert await cli.ok("volume", "list") == ""


async def test_a_file_that_cannot_be_written_is_told_after_the_volume_was_made(cli: CommandLine) -> None:
    assert await cli.error("volume", "create", "--size=1", "--persistent-volume-file=none/pv.json") == (
        "Unable to write to file none/pv.json\nError: open none/pv.json: no such file or directory\n"
    )
    assert await cli.ok("volume", "list") != ""


async def test_a_percent_sign_and_markup_are_printed_as_they_are(cli: CommandLine) -> None:
    option = "user.note 100%done <&>"
    text = await cli.ok("volume", "create", "--size=1", f"--gluster-volume-options={option}", "--json")
    assert '"user.note 100%done \\u003c\\u0026\\u003e"' in text
    assert not text.endswith("\n")
    assert json.loads(text)["glustervolumeoptions"][1] == option


async def test_a_name_in_use_is_refused_in_heketis_words(cli: CommandLine) -> None:
    await cli.ok("volume", "create", "--size=1", "--name=twice")
    text = await cli.error("volume", "create", "--size=1", "--name=twice")
    assert text == "Error: Failed to allocate new volume: Volume name 'twice' already in use\n"


async def test_a_cluster_that_is_not_there_is_named(cli: CommandLine) -> None:
    text = await cli.error("volume", "create", "--size=1", "--clusters=nowhere")
    assert text.startswith("Error: Cluster id nowhere not found\n")


async def test_a_dry_run_shows_what_would_be_made_and_makes_nothing(cli: CommandLine, site: str) -> None:
    text = await cli.ok("volume", "create", "--size=10", "--replica=3", "--name=v", "--dry-run")
    head, bricks = text.split("Bricks:\n")
    assert head == (
        "Dry run: nothing was made\n"
        "Name: v\n"
        "Size: 10\n"
        f"Cluster Id: {site}\n"
        "Block: false\n"
        "Durability Type: replicate\n"
        "Distribute Count: 1\n"
        "Replica Count: 3\n"
    )
    *lines, last = bricks.splitlines()
    assert len(lines) == 3
    for line in lines:
        assert re.fullmatch(r"    Host: n(\d)   Device: /dev/sdb   Zone: \1   Size \(GiB\): 10\.00", line)
    assert last == "Largest size that fits: 995"
    assert await cli.ok("volume", "list") == ""


async def test_the_largest_size_of_a_dry_run_can_be_made_and_no_larger_one(cli: CommandLine) -> None:
    outlook = await cli.json("volume", "create", "--size=1", "--dry-run")
    largest = outlook["largest_size_gib"]
    refused = await cli.error("volume", "create", f"--size={largest + 1}", "--dry-run")
    assert refused.startswith("Error: Failed to allocate new volume: No space\n")
    assert refused.endswith(f"\nThe largest that fits is {largest} GiB\n")
    await cli.ok("volume", "create", f"--size={largest}")


async def test_a_heketi_is_not_asked_for_a_dry_run_since_it_would_make_the_volume() -> None:
    asked = []

    def heketi(request: httpx.Request) -> httpx.Response:
        asked.append(str(request.url))
        return httpx.Response(200, text="Hello from Heketi")

    text = await CommandLine(httpx.MockTransport(heketi)).error("volume", "create", "--size=1", "--dry-run")
    assert text == "Error: the server is a heketi that knows no dry run; nothing was asked of it\n"
    assert asked == ["http://server/hello"]

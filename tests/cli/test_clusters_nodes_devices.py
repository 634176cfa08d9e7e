"""`cluster`, `node` and `device`: what the recorded command lines do not show."""

import pytest

from heketipy.cli import device
from tests.cli.command_line import CommandLine


@pytest.fixture
async def cluster(cli: CommandLine) -> str:
    return (await cli.ok("cluster", "create")).removeprefix("Cluster id: ").strip()


@pytest.fixture
async def node(cli: CommandLine, cluster: str) -> str:
    words = ["node", "add", "--zone=1", f"--cluster={cluster}", "--management-host-name=m", "--storage-host-name=s"]
    made: str = (await cli.json(*words))["id"]
    return made


@pytest.fixture
async def disk(cli: CommandLine, node: str) -> str:
    assert await cli.ok("device", "add", f"--node={node}", "--name=/dev/sdb") == "Device added successfully\n"
    made: str = (await cli.json("node", "info", node))["devices"][0]["id"]
    return made


async def test_a_flag_that_is_not_given_stays_as_it_is(cli: CommandLine, cluster: str) -> None:
    assert await cli.ok("cluster", "setflags", cluster, "--file=F") == ""
    assert await cli.ok("cluster", "list") == f"Clusters:\nId:{cluster} [block]\n"
    assert await cli.ok("cluster", "setflags", cluster, "--block=0") == ""
    assert await cli.ok("cluster", "list") == f"Clusters:\nId:{cluster} []\n"


async def test_a_node_goes_offline_and_online(cli: CommandLine, node: str) -> None:
    assert await cli.ok("node", "disable", node) == f"Node {node} is now offline\n"
    assert "State: offline\n" in await cli.ok("node", "info", node)
    assert await cli.ok("node", "enable", node, "--json") == f"Node {node} is now online\n"


async def test_a_node_with_devices_is_not_deleted(cli: CommandLine, node: str, disk: str) -> None:
    assert (await cli.error("node", "delete", node)).startswith("Error: Unable to delete node")
    assert await cli.ok("device", "disable", disk) == f"Device {disk} is now offline\n"
    assert await cli.ok("device", "remove", disk) == f"Device {disk} is now removed\n"
    assert await cli.ok("device", "delete", disk, "--force-forget") == f"Device {disk} deleted\n"
    assert await cli.ok("node", "delete", node) == f"Node {node} deleted\n"


async def test_whoever_skips_the_heal_check_is_warned_and_waits(
    cli: CommandLine, disk: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(device, "SECOND_THOUGHTS", 0.0)
    await cli.ok("device", "disable", disk)
    assert await cli.ok("device", "remove", disk, "--expert-option-disable-heal-check") == (
        "Skipping the heal check may be dangerous and increase the risk of data loss.\n"
        " Press CTRL-C within 0 seconds to cancel this action.\n"
        f"Device {disk} is now removed\n"
    )


async def test_a_resync_tells_whether_it_worked(cli: CommandLine, cluster: str, node: str, disk: str) -> None:
    assert await cli.ok("device", "resync", disk) == f"Device {disk} updated\n"
    assert await cli.error("device", "resync", "00") == "Error: Id not found\n"
    assert await cli.ok("device", "resync", "--cluster", cluster) == (
        "Cluster-wide resync operation requested. Using object_id as cluster_id.\n"
        f"Now resyncing device {disk}..\n"
        f"Device {disk} (node {node}) in cluster {cluster} updated\n"
    )


async def test_a_flag_of_a_cluster_must_be_a_truth_value(cli: CommandLine, cluster: str) -> None:
    assert await cli.error("cluster", "setflags", cluster, "--file=maybe") == (
        'Error: strconv.ParseBool: parsing "maybe": invalid syntax\n'
    )

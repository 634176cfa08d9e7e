"""The examiner, on simulated nodes."""

import json
from typing import Any

from heketipy.domain.model import BlockVolumeSpec, VolumeSpec
from heketipy.executors.simulator import Effect, Fault, on
from heketipy.wire.examination import books, examined
from tests.operations.scenarios import REPLICA_3
from tests.support.system import HOSTS, System


async def looked(system: System) -> dict[str, Any]:
    found = await system.services.examiner.examine()
    written = await system.services.dump.through(lambda sections: list(books(sections)))
    answer: dict[str, Any] = json.loads(b"".join([*written, examined(found.report, found.clusters)]))
    return answer


async def test_all_of_a_node_is_shown_in_heketis_form(system: System) -> None:
    cluster = await system.cluster(devices=1)
    volume = await system.volume(5, REPLICA_3, name="vol")
    answer = await looked(system)
    assert list(answer) == ["heketidb", "report", "clusters"]
    assert volume in answer["heketidb"]["volumeentries"]
    assert answer["report"] == [
        "OnDemand Examiner invoked while 0 ops are in flight",
        "heketi volume list matches with volume list of all nodes",
    ]
    (examined_cluster,) = answer["clusters"]
    assert examined_cluster["ClusterHeketiID"] == cluster.cluster.id
    assert [node["NodeHeketiID"] for node in examined_cluster["NodesData"]] == list(cluster.nodes)
    node = examined_cluster["NodesData"][0]
    assert list(node) == [
        "NodeHeketiID",
        "VolumeInfo",
        "LVMPVInfo",
        "LVMVGInfo",
        "LVMLVInfo",
        "BricksMountStatus",
        "BlockVolumeNames",
    ]
    assert node["BlockVolumeNames"] is None
    assert node["VolumeInfo"]["XMLName"] == {"Space": "", "Local": "volInfo"}
    volumes = node["VolumeInfo"]["Volumes"]
    assert (volumes["Count"], volumes["XMLName"]["Local"]) == (1, "volumes")
    (shown,) = volumes["VolumeList"]
    assert list(shown) == [
        "XMLName",
        "VolumeName",
        "ID",
        "Status",
        "StatusStr",
        "BrickCount",
        "DistCount",
        "StripeCount",
        "ReplicaCount",
        "ArbiterCount",
        "DisperseCount",
        "RedundancyCount",
        "Type",
        "TypeStr",
        "Transport",
        "Bricks",
        "OptCount",
        "Options",
    ]
    assert (shown["VolumeName"], shown["StatusStr"], shown["BrickCount"], shown["ReplicaCount"]) == (
        "vol",
        "Started",
        3,
        3,
    )
    details = await system.services.volumes.info(volume)
    bricks = {brick["Name"].partition(":")[2] for brick in shown["Bricks"]["BrickList"]}
    assert bricks == {brick.path for brick in details.bricks}
    assert {"Name": "user.heketi.id", "Value": volume} in shown["Options"]["OptionList"]
    assert list(node["LVMPVInfo"]["report"][0]["pv"][0]) == [
        "pv_name",
        "vg_name",
        "pv_fmt",
        "pv_attr",
        "pv_size",
        "pv_free",
    ]
    assert "pv_count:" in node["LVMVGInfo"]["report"][0]["vg"][0]
    assert {lv["lv_name"][:3] for lv in node["LVMLVInfo"]["report"][0]["lv"]} == {"tp_", "bri"}
    (status,) = [one for one in node["BricksMountStatus"]["Statuses"] if "/heketi/" in one["MountPoint"]]
    assert list(status) == ["Device", "MountPoint", "Type", "MountOptions", "Mounted"]
    assert status["Mounted"] is True


async def test_a_cluster_without_nodes_and_no_cluster_at_all(system: System) -> None:
    assert (await looked(system))["clusters"] is None
    cluster = (await system.services.clusters.create(file=True, block=True)).cluster.id
    answer = await looked(system)
    assert answer["clusters"] == [{"ClusterHeketiID": cluster, "NodesData": None}]
    assert answer["report"][1:] == [
        f"not able to fetch any data from cluster {cluster}",
        "heketi volume list matches with volume list of all nodes",
    ]


async def test_what_a_node_does_not_tell_is_said_and_the_rest_is_there(system: System) -> None:
    cluster = await system.cluster(devices=1)
    away = cluster.nodes[0]
    host = {node.id: node.manage[0] for node in await system.db.read(lambda tx: tx.nodes.all())}[away]
    system.simulator.faults.add(Fault(Effect.FAIL, on("vgs", node=host), times=0))
    report = (await looked(system))["report"]
    assert report[1] == f"could not fetch LVM vgs data from node {host} : Unable to get data for LVM VGs"
    system.simulator.faults.clear()
    system.simulator.node_down(host)
    answer = await looked(system)
    assert answer["report"][1:5] == [
        f"could not fetch data from node {host}",
        f"could not fetch LVM pvs data from node {host} : Unable to get data for LVM PVs",
        f"could not fetch LVM vgs data from node {host} : Unable to get data for LVM VGs",
        f"could not fetch LVM lvs data from node {host} : Unable to get data for LVM LVs",
    ]
    assert answer["report"][5].startswith(
        f"could not fetch brick mount status from node {host} : Unable to get mount status for bricks : "
    )
    assert answer["report"][6:] == [
        f"heketi volume list could not be compared with volume list of node {away} due to missing info"
    ]
    data = answer["clusters"][0]["NodesData"][0]
    assert data == {**dict.fromkeys(data), "NodeHeketiID": away}


async def test_a_volume_that_the_books_do_not_know_is_noticed(system: System) -> None:
    cluster = await system.cluster(devices=1)
    volume = await system.volume(5, REPLICA_3)
    bricks = (await system.services.volumes.info(volume)).bricks
    await system.db.write(lambda tx: (tx.bricks.remove([brick.id for brick in bricks]), tx.volumes.remove(volume)))
    assert (await looked(system))["report"][1:] == [
        f"heketi volume list does not match with volume list of node {node}" for node in cluster.nodes
    ]


async def test_block_volumes_are_listed_with_their_hosting_volume(system: System) -> None:
    await system.cluster(devices=1)
    hosting = VolumeSpec(size_gib=20, name="hosting", durability=REPLICA_3, block=True)
    await system.done(await system.services.volumes.create(hosting))
    await system.done(await system.services.block_volumes.create(BlockVolumeSpec(size_gib=1, name="disk")))
    answer = await looked(system)
    assert [node["BlockVolumeNames"] for node in answer["clusters"][0]["NodesData"]] == [["hosting/disk"]] * 3
    assert HOSTS[0] not in " ".join(answer["report"])

"""What is shown of clusters, nodes, devices and volumes: bodies recorded from heketi, member by member."""

import json
from dataclasses import replace

import pytest
from pydantic import BaseModel

from heketipy.domain.details import ClusterDetails, DeviceDetails, NodeDetails, VolumeDetails
from heketipy.domain.durability import Durability, DurabilityType
from heketipy.domain.model import BlockInfo, Brick, BrickType, Cluster, Device, Node, Snapshot, Volume
from heketipy.wire.clusters import ClusterInfoResponse, cluster_info
from heketipy.wire.devices import DeviceInfoResponse, device_info
from heketipy.wire.encode import Json, encode
from heketipy.wire.float32 import to_float32
from heketipy.wire.nodes import NodeInfoResponse, node_info
from heketipy.wire.volumes import VolumeInfoResponse, volume_info

CLUSTER = "cdece0002fdc359b80d14d82a970fb92"
NODE = "457afff4744827fbc43477e86e406720"
DEVICE = "b5a37c12920ec5d603df1eba69a82d56"
VOLUME = "9a5ca9a8ef1a76c222712748af590c4e"
BRICK = "554609fa5d71381fb75a1ea28235dcf3"

A_BRICK = Brick(
    BRICK,
    VOLUME,
    DEVICE,
    NODE,
    0,
    f"/var/lib/heketi/mounts/vg_{DEVICE}/brick_{BRICK}/brick",
    1048576,
    1048576,
    8192,
    BrickType.NORMAL,
)
A_VOLUME = Volume(VOLUME, "appvol", CLUSTER, 1, Durability(), options=("", ""))
A_DEVICE = Device(
    DEVICE,
    NODE,
    "/dev/meta",
    104857600,
    103800832,
    1056768,
    4096,
    tags={"tier": "ssd"},
    paths=("/dev/meta", "/dev/disk/by-id/x"),
    pv_uuid="PV-/dev/meta",
)
A_NODE = Node(NODE, CLUSTER, 1, ("node1-manage",), ("10.0.0.1",))

BRICK_TEXT = (
    '{"id":"554609fa5d71381fb75a1ea28235dcf3","path":"/var/lib/heketi/mounts/vg_b5a37c12920ec5d603df1eba69a82d56/'
    'brick_554609fa5d71381fb75a1ea28235dcf3/brick","device":"b5a37c12920ec5d603df1eba69a82d56",'
    '"node":"457afff4744827fbc43477e86e406720","volume":"9a5ca9a8ef1a76c222712748af590c4e","size":1048576}'
)
VOLUME_TEXT = (
    '{"size":1,"name":"appvol","durability":{"type":"none","replicate":{},"disperse":{}},'
    '"glustervolumeoptions":["",""],"snapshot":{"enable":false,"factor":1},"id":"9a5ca9a8ef1a76c222712748af590c4e",'
    '"cluster":"cdece0002fdc359b80d14d82a970fb92","mount":{"glusterfs":{"hosts":["10.0.0.1"],'
    '"device":"10.0.0.1:appvol","options":{"backup-volfile-servers":""}}},"blockinfo":{},"bricks":[' + BRICK_TEXT + "]}"
)
DEVICE_TEXT = (
    '{"name":"/dev/meta","tags":{"tier":"ssd"},"storage":{"total":104857600,"free":103800832,"used":1056768},'
    '"id":"b5a37c12920ec5d603df1eba69a82d56","paths":["/dev/meta","/dev/disk/by-id/x"],"pv_uuid":"PV-/dev/meta",'
    '"state":"online","bricks":[' + BRICK_TEXT + "]}"
)
NODE_TEXT = (
    '{"zone":1,"hostnames":{"manage":["node1-manage"],"storage":["10.0.0.1"]},'
    '"cluster":"cdece0002fdc359b80d14d82a970fb92","id":"457afff4744827fbc43477e86e406720","state":"online",'
    '"devices":[' + DEVICE_TEXT + "]}"
)


def of_volume(*, hosts: tuple[str, ...] = ("10.0.0.1",), **changes: object) -> Json:
    return volume_info(VolumeDetails(replace(A_VOLUME, **changes), (A_BRICK,), hosts))  # type: ignore[arg-type]


def test_a_volume_is_shown_byte_for_byte_as_heketi_shows_it() -> None:
    assert encode(of_volume()).decode() == VOLUME_TEXT + "\n"


def test_a_node_is_shown_byte_for_byte_as_heketi_shows_it() -> None:
    details = NodeDetails(A_NODE, (DeviceDetails(A_DEVICE, (A_BRICK,)),))
    assert encode(node_info(details)).decode() == NODE_TEXT + "\n"


def test_a_cluster_is_shown_byte_for_byte_as_heketi_shows_it() -> None:
    details = ClusterDetails(Cluster("c1", file=True, block=False), ("n1", "n2"), ("v1",), ("b1",))
    assert encode(cluster_info(details)) == (
        b'{"id":"c1","nodes":["n1","n2"],"volumes":["v1"],"block":false,"file":true,"blockvolumes":["b1"]}\n'
    )


def test_a_bare_device_leaves_out_what_it_has_not() -> None:
    bare = replace(A_DEVICE, tags={}, paths=(), pv_uuid="")
    assert list(device_info(DeviceDetails(bare))) == ["name", "storage", "id", "state", "bricks"]
    assert device_info(DeviceDetails(bare))["bricks"] == []


def test_tags_are_sorted_and_shown_before_the_id() -> None:
    shown = node_info(NodeDetails(replace(A_NODE, tags={"b": "2", "a": "1"})))
    assert list(shown) == ["zone", "hostnames", "cluster", "tags", "id", "state", "devices"]
    assert list(shown["tags"]) == ["a", "b"]


@pytest.mark.parametrize(
    ("durability", "shown"),
    [
        (Durability(), {"type": "none", "replicate": {}, "disperse": {}}),
        (Durability(DurabilityType.REPLICATE), {"type": "replicate", "replicate": {}, "disperse": {}}),
        (Durability(DurabilityType.REPLICATE, 3), {"type": "replicate", "replicate": {"replica": 3}, "disperse": {}}),
        (Durability(replica=9), {"type": "none", "replicate": {"replica": 9}, "disperse": {}}),
        (
            Durability(DurabilityType.DISPERSE, data=4, redundancy=2),
            {"type": "disperse", "replicate": {}, "disperse": {"data": 4, "redundancy": 2}},
        ),
    ],
)
def test_durability_is_shown_as_it_was_asked_for(durability: Durability, shown: Json) -> None:
    assert of_volume(durability=durability)["durability"] == shown


def test_all_hosts_but_the_first_are_backups() -> None:
    mount = of_volume(hosts=("h1", "h2", "h3"))["mount"]["glusterfs"]
    assert mount == {"hosts": ["h1", "h2", "h3"], "device": "h1:appvol", "options": {"backup-volfile-servers": "h2,h3"}}


def test_a_block_hosting_volume_shows_its_books() -> None:
    details = VolumeDetails(
        replace(A_VOLUME, block=True, block_info=BlockInfo(188, 4, "locked")), (), ("h",), block_volumes=("b1", "b2")
    )
    shown = volume_info(details)
    assert shown["block"] is True
    assert encode(shown["blockinfo"]) == (
        b'{"freesize":188,"reservedsize":4,"blockvolume":["b1","b2"],"restriction":"locked"}\n'
    )


def test_gid_and_factor_are_shown_where_they_are_set() -> None:
    shown = of_volume(gid=1000, snapshot=Snapshot(True, to_float32(1.1)))
    assert b'"gid":1000' in encode(shown)
    assert b'"snapshot":{"enable":true,"factor":1.1}' in encode(shown)


FULL = [
    (ClusterInfoResponse, cluster_info(ClusterDetails(Cluster("c", True, True)))),
    (DeviceInfoResponse, device_info(DeviceDetails(A_DEVICE, (A_BRICK,), drift="differs"))),
    (NodeInfoResponse, node_info(NodeDetails(replace(A_NODE, tags={"a": "b"}), (DeviceDetails(A_DEVICE),)))),
    (VolumeInfoResponse, of_volume(gid=1, block=True)),
]


@pytest.mark.parametrize(("model", "shown"), FULL)
def test_the_documented_models_have_the_members_that_are_shown_in_their_order(
    model: type[BaseModel], shown: Json
) -> None:
    assert list(model.model_fields) == list(shown)
    model.model_validate_json(json.dumps(shown), strict=True)

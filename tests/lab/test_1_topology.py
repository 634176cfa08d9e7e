"""Nodes and devices: taken in, found as they are, and refused when they hold something."""

import json

import traces
from conftest import POOL_DISKS, Site
from figures import Figures


def test_topology_is_loaded_and_the_nodes_form_one_pool(loaded: Site) -> None:
    cluster = loaded.service.get(f"/clusters/{loaded.cluster}")
    assert sorted(cluster["nodes"]) == sorted(loaded.node_ids)
    for node_id, machine in zip(loaded.node_ids, loaded.nodes, strict=True):
        found = traces.on(machine)
        assert len(found.peers) == 2
        groups = {f"vg_{device}" for device in loaded.devices[node_id]}
        assert sorted(line.split()[0] for line in found.physical) == sorted(POOL_DISKS)
        assert {line.split()[1] for line in found.physical} == groups
        assert not found.logical_volumes


def test_devices_are_in_the_books_as_lvm_has_them(loaded: Site) -> None:
    for node_id, machine in zip(loaded.node_ids, loaded.nodes, strict=True):
        for device in loaded.service.get(f"/nodes/{node_id}")["devices"]:
            fields = machine.out(f"lvm vgdisplay -c vg_{device['id']}").split(":")
            extent, total = int(fields[12]), int(fields[13])
            assert device["storage"] == {"total": total * extent, "free": total * extent, "used": 0}
            uuid = machine.out(f"lvm pvs --noheadings -o pv_uuid {device['name']}")
            assert device["pv_uuid"] == uuid
            assert device["name"] in device["paths"]
            # 128 MB of metadata, and data that starts where a RAID likes it.
            offset = float(machine.out(f"lvm pvs --noheadings --units k --nosuffix -o pe_start {device['name']}"))
            assert offset >= 128 * 1024
            assert offset % 256 == 0


def test_resync_of_an_untouched_device_changes_nothing(loaded: Site, figures: Figures) -> None:
    device = loaded.devices[loaded.node_ids[0]][0]
    before = loaded.service.get(f"/devices/{device}")
    job = loaded.service.do("GET", f"/devices/{device}/resync")
    assert job.ok, job.error
    figures.add("device resync", job.seconds)
    assert loaded.service.get(f"/devices/{device}") == before


def test_a_topology_file_that_is_loaded_already_changes_nothing(loaded: Site, figures: Figures) -> None:
    nodes = [
        {
            "node": {
                "hostnames": {"manage": [machine.manage_host], "storage": [machine.storage_host]},
                "zone": machine.number,
            },
            "devices": list(POOL_DISKS),
        }
        for machine in loaded.nodes
    ]
    file = loaded.service.folder / "topology.json"
    file.write_text(json.dumps({"clusters": [{"nodes": nodes}]}))
    before, on_nodes = loaded.service.get(f"/clusters/{loaded.cluster}"), traces.on_all(loaded.nodes)
    figures.add("server stop", loaded.service.stop())
    figures.add("server start, topology known", loaded.service.start("--topology", str(file)))
    assert loaded.service.get("/clusters") == {"clusters": [loaded.cluster]}
    assert loaded.service.get(f"/clusters/{loaded.cluster}") == before
    assert traces.changes(loaded.nodes, on_nodes) == [{}, {}, {}]


def test_a_device_with_a_file_system_is_refused_and_left_alone(clean: Site, figures: Figures) -> None:
    machine, node = clean.nodes[0], clean.node_ids[0]
    machine.ssh("wipefs -aq /dev/vde && mkfs.xfs -q /dev/vde")
    signature = machine.out("wipefs --noheadings /dev/vde; blkid -p -o value -s UUID /dev/vde")
    job = clean.service.do("POST", "/devices", {"node": node, "name": "/dev/vde"})
    assert job.status == 500
    assert "already initialized or contains data" in job.error
    assert "xfs signature detected" in job.error
    figures.add("device with a file system refused", job.seconds)
    assert machine.out("wipefs --noheadings /dev/vde; blkid -p -o value -s UUID /dev/vde") == signature
    assert len(clean.service.get(f"/nodes/{node}")["devices"]) == len(POOL_DISKS)


def test_a_device_is_wiped_only_on_request_and_leaves_nothing_when_removed(clean: Site, figures: Figures) -> None:
    machine, node = clean.nodes[0], clean.node_ids[0]
    machine.ssh("wipefs -aq /dev/vde && mkfs.xfs -q /dev/vde")
    job = clean.service.do("POST", "/devices", {"node": node, "name": "/dev/vde", "destroydata": True})
    assert job.ok, job.error
    figures.add("device add, wiped", job.seconds)
    assert any(line.startswith("/dev/vde ") for line in traces.on(machine).physical)
    added = {device["id"]: device["name"] for device in clean.service.get(f"/nodes/{node}")["devices"]}
    (device,) = (id_ for id_, name in added.items() if name == "/dev/vde")
    for state in ("offline", "failed"):
        assert clean.service.do("POST", f"/devices/{device}/state", {"state": state}).ok
    figures.add("device delete", clean.service.delete(f"/devices/{device}"))
    assert machine.out("wipefs --noheadings /dev/vde") == ""


def test_a_volume_group_made_by_hand_is_refused_and_untouched(clean: Site) -> None:
    machine, node = clean.nodes[0], clean.node_ids[0]
    machine.ssh(
        "wipefs -aq /dev/vde; lvm vgcreate -qq handmade /dev/vde && lvm lvcreate -qq -Wn -L 64M -n data handmade"
    )
    try:
        before = machine.out("lvm vgs --noheadings -o vg_uuid,vg_seqno,lv_count handmade")
        for body in ({}, {"destroydata": True}):
            job = clean.service.do("POST", "/devices", {"node": node, "name": "/dev/vde", **body})
            assert job.status == 500
            assert job.error
        assert machine.out("lvm vgs --noheadings -o vg_uuid,vg_seqno,lv_count handmade") == before
    finally:
        machine.ssh("lvm vgremove -qq -f handmade; lvm pvremove -qq /dev/vde", check=False)


def test_a_device_that_does_not_exist_is_refused(clean: Site) -> None:
    job = clean.service.do("POST", "/devices", {"node": clean.node_ids[1], "name": "/dev/vdz"})
    assert job.status == 500
    assert "/dev/vdz" in job.error


def test_adding_a_node_that_is_a_peer_already_succeeds_and_keeps_the_peer(clean: Site) -> None:
    # The same machine under another manage name is refused by its storage name, before anything is done.
    body = clean.node_request(clean.nodes[2])
    answer = clean.service.request(
        "POST", "/nodes", {**body, "hostnames": {**body["hostnames"], "manage": ["127.0.0.19"]}}
    )
    assert answer.status_code == 409
    assert len(traces.on(clean.nodes[0]).peers) == 2

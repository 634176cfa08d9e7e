"""The end of the story: devices, nodes and cluster are deleted, and the nodes are as new."""

import traces
from conftest import Site
from figures import Figures


def test_after_everything_is_deleted_nothing_is_left_on_any_node(loaded: Site, figures: Figures) -> None:
    service = loaded.service
    assert service.get("/volumes") == {"volumes": []}
    for node_id in list(loaded.node_ids):
        for device in loaded.devices[node_id]:
            for state in ("offline", "failed"):
                job = service.do("POST", f"/devices/{device}/state", {"state": state})
                assert job.ok, job.error
            figures.add("device delete", service.delete(f"/devices/{device}"))
        figures.add("node delete", service.delete(f"/nodes/{node_id}"))
    answer = service.request("DELETE", f"/clusters/{loaded.cluster}")
    assert answer.status_code == 200, answer.text
    assert service.get("/clusters") == {"clusters": []}
    for machine in loaded.nodes:
        found = traces.on(machine)
        assert not found.logical_volumes
        assert not found.physical
        assert not found.mounted
        assert not found.fstab
        assert not found.directories
        assert not found.gluster
        assert not found.peers

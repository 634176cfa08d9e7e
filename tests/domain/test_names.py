"""Names on nodes are heketi's."""

from heketipy.domain import names


def test_names_follow_from_ids() -> None:
    assert names.volume_group("d1") == "vg_d1"
    assert names.thin_pool("b1") == "tp_b1"
    assert names.lv("b1") == "brick_b1"
    assert names.mount_point("d1", "b1") == "/var/lib/heketi/mounts/vg_d1/brick_b1"
    assert names.brick_path("d1", "b1") == "/var/lib/heketi/mounts/vg_d1/brick_b1/brick"
    assert names.default_volume_name("v1") == "vol_v1"

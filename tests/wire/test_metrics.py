"""heketi's gauges in Prometheus' text format."""

from pathlib import Path

import pytest
from prometheus_client.parser import text_string_to_metric_families

from heketipy.domain.gauges import ClusterGauge, DeviceGauge, NodeGauge, SiteGauges
from heketipy.domain.pending import PendingCounts
from heketipy.wire.metrics import exposition, number

CLUSTER = "cdece0002fdc359b80d14d82a970fb92"
DEVICE = DeviceGauge(
    0, "b5a37c12920ec5d603df1eba69a82d56", "/dev/meta", "PV-/dev/meta", 104857600, 103800832, 1056768, 1
)
SITE = SiteGauges((ClusterGauge(CLUSTER, 1, 0, 1),), (NodeGauge(CLUSTER, "node1-manage", "10.0.0.1", 1),), (DEVICE,))
NOTHING_PENDING = PendingCounts(0, 0, 0, 0, 0)
RECORDED = (Path(__file__).parent / "golden" / "metrics.txt").read_text()


def test_the_gauges_are_byte_for_byte_those_that_were_recorded() -> None:
    written = "".join(exposition(SITE, NOTHING_PENDING)).splitlines()
    assert [line for line in written if "heketipy_" not in line] == RECORDED.splitlines()


def test_without_books_only_heketi_up_is_left() -> None:
    assert "".join(exposition(None, None)).splitlines() == [
        "# HELP heketi_up Is heketi running?",
        "# TYPE heketi_up gauge",
        "heketi_up 0",
    ]


def test_without_operations_the_rest_is_kept() -> None:
    written = "".join(exposition(SITE, None))
    assert "heketi_operations" not in written
    assert "heketi_cluster_count 1\n" in written


@pytest.mark.parametrize("value", [0, 1, 999_999, 1_000_000, 1_000_001, 104857600, 2**40, 123456789012])
def test_numbers_are_read_back_as_what_they_are(value: int) -> None:
    assert float(number(value)) == value


def test_labels_hold_any_text() -> None:
    odd = 'a"b\\c\nd'
    site = SiteGauges(SITE.clusters, SITE.nodes, (DEVICE._replace(name=odd),))
    families = text_string_to_metric_families("".join(exposition(site, None)))
    names = {sample.labels["device"] for family in families for sample in family.samples if "device" in sample.labels}
    assert names == {odd}

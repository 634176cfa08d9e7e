"""The check of the books, by reports of heketi about its own databases."""

import json
from pathlib import Path
from typing import Any

import pytest

from heketipy.domain.consistency import Records, Report, check

VECTORS = Path(__file__).parent / "vectors"
REPORTS: dict[str, dict[str, Any]] = json.loads((VECTORS / "db-checks.json").read_text())


def as_recorded(report: Report) -> dict[str, Any]:
    """Return a report in the vectors' form: texts in alphabetical order."""
    found: dict[str, Any] = {
        name: {
            "total": finding.total,
            "pending": finding.pending,
            "ok": finding.ok,
            "notok": finding.not_ok,
            "inconsistencies": sorted(finding.inconsistencies) or None,
        }
        for name, finding in report.findings.items()
    }
    return {**found, "totalinconsistencies": report.total}


def database(name: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((VECTORS / "db" / f"{name}.json").read_text())
    return found


def checked(dump: dict[str, Any]) -> list[str]:
    report = check(Records.of((name, entries.items()) for name, entries in dump.items()))
    return [text for finding in report.findings.values() for text in finding.inconsistencies]


@pytest.mark.parametrize("name", REPORTS)
def test_the_report_is_that_of_heketi(name: str) -> None:
    dump = database(name)
    report = check(Records.of((section, entries.items()) for section, entries in dump.items()))
    assert as_recorded(report) == REPORTS[name]


def test_every_kind_of_inconsistency_is_found() -> None:
    dump = database("block")
    cluster_id, cluster = next(iter(dump["clusterentries"].items()))
    node_id, node = next(iter(dump["nodeentries"].items()))
    device_id, device = next((id, one) for id, one in dump["deviceentries"].items() if one["Bricks"])
    volume_id, volume = next((id, one) for id, one in dump["volumeentries"].items() if one["Info"].get("block"))
    brick_id, brick = dump["brickentries"].copy().popitem()
    block_id, block = dump["blockvolumeentries"].copy().popitem()
    del volume["Info"]["block"]
    volume["Pending"]["Id"] = block["Pending"]["Id"] = brick["Pending"]["Id"] = "gone"
    volume["Info"]["mount"]["glusterfs"]["hosts"] = ["h1", "h2"]
    device["Info"]["storage"]["total"] += 1
    cluster["Info"]["nodes"] = ["no"]
    cluster["Info"]["volumes"] = ["no"]
    cluster["Info"]["blockvolumes"] = ["no"]
    node["Devices"].append("no")
    device["Bricks"].append("no")
    volume["Bricks"].append("no")
    volume["Info"]["blockinfo"]["blockvolume"].append("no")
    brick["Info"].update(node="no", volume="no", device="no")
    block["Info"].update(cluster="no", blockhostingvolume="no")
    texts = checked(dump)
    for text in (
        f"Cluster {cluster_id} unknown node no",
        f"Cluster {cluster_id} unknown volume no",
        f"Cluster {cluster_id} unknown blockvolume no",
        f"Volume {volume_id} marked pending but no pending op gone",
        f"Volume {volume_id} no link back to volume from cluster {cluster_id}",
        f"Volume {volume_id} mount hosts list([h1 h2]) is not same as list of all nodes of the cluster([no])",
        f"Volume {volume_id} unknown brick no",
        f"Volume {volume_id} unknown blockvolume no",
        f"Volume {volume_id} has blockvolumes but not block flag",
        f"Brick {brick_id} marked pending but no pending op gone",
        f"Brick {brick_id} unknown node no",
        f"Brick {brick_id} unknown volume no",
        f"Brick {brick_id} unknown device no",
        f"Node {node_id} unknown device no",
        f"Node {node_id} no link back to node from cluster {cluster_id}",
        f"Device {device_id} unknown brick no",
        f"BlockVolume {block_id} marked pending but no pending op gone",
        f"BlockVolume {block_id} unknown cluster no",
        f"BlockVolume {block_id} unknown volume no",
    ):
        assert text in texts, text
    assert any(text.startswith(f"Device {device_id} size values differ Total(") for text in texts)

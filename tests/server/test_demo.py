"""The demo tells its story and ends by itself."""

from pathlib import Path

from tests.support.server_process import finished


def test_the_demo_shows_placement_refusal_growth_and_a_clean_end(tmp_path: Path) -> None:
    done = finished("heketipy", "demo", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    for text in (
        "SIMULATOR",
        "3 nodes and 15 devices",
        "├─ 192.168.254.110  zone 1",
        "Capacity before: 7,500.0 of 7,500.0 GiB free",
        "photos: 100 GiB, three copies, in ",
        "archive: 100 GiB, erasure-coded 2 + 1, in ",
        "scratch: 100 GiB, distributed, no redundancy, in ",
        "volume create photos replica 3",
        "POST /volumes answers 500:\n  Failed to allocate new volume: No space",
        "needs 6 nodes",
        "backups: 100 GiB, erasure-coded 4 + 2, in ",
        "photos: 100 → 150 GiB",
        "Capacity of the three nodes: 7,500.0 of 7,500.0 GiB free",
        "no logical volume, no mount, no fstab line",
        "curl ",
    ):
        assert text in done.stdout
    assert "\x1b" not in done.stdout
    assert done.stderr == ""
    assert not list(tmp_path.iterdir())

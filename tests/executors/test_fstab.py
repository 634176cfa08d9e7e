"""The edits of fstab, made by the real awk and sed."""

import subprocess
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from heketipy.executors import fstab

MINE = "/var/lib/heketi/mounts/vg_a/brick_b"
OTHERS = [
    "/dev/vda / ext4 defaults 0 1",
    "# /dev/mapper/x /var/lib/heketi/mounts/vg_a/brick_b xfs rw 1 2",
    "",
    "/dev/mapper/x /var/lib/heketi/mounts/vg_a/brick_bb xfs rw 1 2",
    "/dev/mapper/x /var/lib/heketi/mounts/vg_a/brick_b/brick xfs rw 1 2",
    "/dev/mapper/x /elsewhere/var/lib/heketi/mounts/vg_a/brick_b xfs rw 1 2",
    "/var/lib/heketi/mounts/vg_a/brick_b /mnt none bind 0 0",
    "  /var/lib/heketi/mounts/vg_a/brick_b /mnt none bind 0 0",
    "/dev/mapper/x /mnt xfs rw 1 2 # was /var/lib/heketi/mounts/vg_a/brick_b once",
]


def run(argv: tuple[str, ...]) -> None:
    subprocess.run(argv, check=True)


def test_a_line_is_appended_as_it_is(tmp_path: Path) -> None:
    file = tmp_path / "fstab"
    line = fstab.line("/dev/mapper/a", MINE, options="rw,x=\\040\"'$HOME`id`%s&")
    run(fstab.append(line, fstab=str(file)))
    run(fstab.append("second", fstab=str(file)))
    assert file.read_text() == f"{line}\nsecond\n"


def test_only_lines_with_just_this_mount_point_are_removed(tmp_path: Path) -> None:
    file = tmp_path / "fstab"
    mine = [
        fstab.line("/dev/mapper/a", MINE, options="rw"),
        f"\t/dev/mapper/a\t  {MINE}\txfs rw 1 2",
    ]
    text = "".join(f"{line}\n" for line in [*OTHERS[:4], mine[0], *OTHERS[4:], mine[1]])
    file.write_text(text)
    run(fstab.remove([MINE, "/not/there"], fstab=str(file)))
    assert file.read_text() == "".join(f"{line}\n" for line in OTHERS)
    assert Path(f"{file}.save").read_text() == text


def test_several_bricks_leave_by_one_edit(tmp_path: Path) -> None:
    file = tmp_path / "fstab"
    points = [f"/var/lib/heketi/mounts/vg_a/brick_{number}" for number in range(200)]
    file.write_text("".join(f"{fstab.line('/dev/x', point, options='rw')}\n" for point in points))
    run(fstab.remove(points[1:], fstab=str(file)))
    assert [entry.mount_point for entry in fstab.read(file.read_text())] == points[:1]


@given(st.text(st.characters(min_codepoint=33, max_codepoint=126), min_size=1, max_size=20))
def test_a_mount_point_of_any_characters_matches_itself_alone(
    tmp_path_factory: pytest.TempPathFactory, name: str
) -> None:
    file = tmp_path_factory.mktemp("fstab") / "fstab"
    kept = fstab.line("/dev/x", "/mnt/abc", options="rw")
    file.write_text(f"{kept}\n{fstab.line('/dev/x', f'/mnt/+{name}', options='rw')}\n")
    run(fstab.remove([f"/mnt/+{name}"], fstab=str(file)))
    assert file.read_text() == f"{kept}\n"


def test_a_missing_file_is_told_from_a_missing_tool(tmp_path: Path) -> None:
    argv = fstab.remove([MINE], fstab=str(tmp_path / "none"))
    done = subprocess.run(argv, check=False, capture_output=True, text=True)
    assert done.returncode != 0
    assert fstab.is_missing(done.stderr)

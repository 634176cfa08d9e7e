"""What nodes say of themselves, as the real tools print it (coreutils 9.1, GlusterFS 10.3)."""

from collections.abc import Callable

import pytest

from heketipy.executors import lvm, vitals

DF = """Filesystem     1024-blocks    Used Available Capacity Mounted on
/dev/vda1         10218772 2187832   7490140      23% /
"""
OP_VERSION = """Option                                   Value                                   
------                                   -----                                   
cluster.op-version                       100000                                  
"""  # noqa: W291 - gluster pads its columns
GROUPS = """  {
      "report": [
          {
              "vg": [
                  {"vg_name":"vg_a", "pv_count":"1", "lv_count":"2", "vg_size":"104722432.00k"},
                  {"vg_name":"root", "pv_count":"1", "lv_count":"1", "vg_size":"1048576.00k"}
              ]
          }
      ]
  }
"""


def test_answers_of_real_tools_are_read() -> None:
    assert vitals.read_free_space(DF) == 7490140
    assert vitals.read_clock("1795549382.107462123\n") == pytest.approx(1795549382.107462)
    assert vitals.read_op_version(OP_VERSION) == 100000
    assert lvm.read_group_names(GROUPS) == {"vg_a", "root"}


@pytest.mark.parametrize(
    ("read", "text"),
    [
        (vitals.read_free_space, ""),
        (vitals.read_free_space, "df: /: Permission denied"),
        (vitals.read_clock, "1795549382.%N\n"),
        (vitals.read_op_version, "volume get option: failed: Volume all does not exist"),
        (lvm.read_group_names, ""),
    ],
)
def test_what_makes_no_sense_is_refused(read: Callable[[str], object], text: str) -> None:
    with pytest.raises(ValueError):
        read(text)


def test_asking_changes_nothing() -> None:
    assert vitals.module("dm_thin_pool") == ("modprobe", "--dry-run", "--quiet", "dm_thin_pool")
    assert vitals.user() == ("id", "-u")
    assert vitals.clock() == ("date", "+%s.%N")
    assert vitals.free_space("/") == ("df", "-P", "-k", "/")

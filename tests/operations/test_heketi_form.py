"""Every command that we send is recognised by those who know heketi's."""

import re
from collections.abc import Sequence

import pytest

from heketipy.executors import fstab
from heketipy.executors.block import Block
from heketipy.executors.gluster import Gluster
from heketipy.executors.heketi_form import heketi_form
from heketipy.executors.lvm import Lvm
from heketipy.executors.options import NodeOptions
from tests.operations.scenarios import SCENARIOS, Scenario
from tests.support.system import System

WRAPPED = NodeOptions(lvm_wrapper="/usr/sbin/exec-on-host", gluster_cli_timeout=42)

G = "gluster --mode=script --timeout=600"
LVM = "/usr/sbin/lvm"
BRICK = "/var/lib/heketi/mounts/vg_#/brick_#"
NODE = "/dev/mapper/vg_#-brick_#"
THIN = "--virtualsize #K --name brick_#"
HEKETIS = (
    "systemctl status glusterd",
    f"{G} peer (probe|detach) #",
    "wipefs --all #",
    f"{LVM} pvcreate -qq --metadatasize=128M --dataalignment=256K '#'",
    f"{LVM} vgcreate -qq --physicalextentsize=4M --autobackup=n vg_# #",
    f"{LVM} pvs -o pv_name,pv_uuid,vg_name --reportformat=json #",
    f"{LVM} vgs -o pv_name,pv_uuid,vg_name --reportformat=json vg_#",
    f"{LVM} vgdisplay -c vg_#",
    f"{LVM} vgremove -qq vg_#",
    f"{LVM} pvremove -qq '#'",
    "/usr/bin/udevadm info --query=symlink --name=#",
    f"(mkdir -p|rmdir|umount) {BRICK}",
    f"mkdir {BRICK}/brick",
    "rmdir /var/lib/heketi/mounts/vg_#",
    f"{LVM} lvcreate -qq --autobackup=n --poolmetadatasize #K --chunksize 256K --size #K --thin vg_#/tp_# {THIN}",
    f"mkfs.xfs -i (size=512|maxpct=100) -n size=8192 {NODE}",
    f'awk "BEGIN {{print \\"{NODE} {BRICK} xfs rw,inode64,noatime,nouuid 1 2\\" >> \\"/etc/fstab\\"}}"',
    f"mount -o rw,inode64,noatime,nouuid {NODE} {BRICK}",
    f"chown :# {BRICK}/brick",
    f"chmod 2775 {BRICK}/brick",
    'sed -i.save "/brick_#/d" /etc/fstab',
    f"{LVM} lvremove --autobackup=n -f vg_#/#",
    f"{LVM} lvs --noheadings --options=thin_count vg_#/tp_#",
    f"{LVM} (pvs|vgs|lvs) --reportformat json --units k",
    "mount",
    "cat /etc/fstab",
    "(umount|rmdir) /run/gluster/snaps/#/brick#",
    f"{G} volume create # (replica 3 |disperse-data 2 redundancy 1 |)(#:# )+",
    f"{G} volume add-brick # (#:# )+",
    f"{G} volume set # # #( #)*",
    f"{G} volume (start|delete) #",
    f"{G} volume stop # force",
    f"{G} volume rebalance # start",
    f"{G} volume info (# )?--xml",
    f"{G} volume heal # info --xml",
    f"{G} volume replace-brick # #:# #:# commit force",
    f"{G} --xml snapshot create tmpsnap_# # no-timestamp",
    f"{G} --xml snapshot (activate|deactivate|delete) tmpsnap_#",
    f"{G} --xml snapshot clone # tmpsnap_#",
    f"{G} --xml volume start #",
    "gluster-block create #/# ha # auth (enable|disable) prealloc full # #GiB --json",
    "gluster-block modify #/#  size #GiB --json",
    "gluster-block (delete|info) #/# --json",
)
"""What heketi was recorded to send; `#` is a word."""

OURS = (
    f"{G} pool list --xml",
    f"{G} snapshot list # --xml",
    f"{LVM} lvs -a --reportformat json --units k -o # vg_#",
    "sed -i -e $a\\ /etc/fstab",
    f"{LVM} (vgs|lvs) --reportformat json -o #",
    f"{LVM} lvrename -qq --autobackup=n vg_# # #",
    "ls -1( /var/lib/heketi/mounts(/vg_#)?)+",
    "rmdir /run/gluster/snaps/#",
    "gluster-block list # --json",
)
"""What heketi has no use for, or asks for at other times."""


def expression(forms: Sequence[str]) -> re.Pattern[str]:
    literal = str.maketrans({char: f"\\{char}" for char in "$\\.{}[^"})
    patterns = [form.translate(literal).replace("#", "[^ '\"]+") for form in forms]
    return re.compile("|".join(f"(?:{pattern})" for pattern in patterns))


KNOWN = expression(HEKETIS + OURS)


@pytest.mark.parametrize("scenario", SCENARIOS, ids=str)
async def test_what_an_operation_sends_has_the_form_of_heketis_commands(scenario: Scenario, system: System) -> None:
    subject = await scenario.prepare(system)
    await system.done(await scenario.ask(system, subject))
    texts = {text for ran in system.simulator.history for text in heketi_form(ran.argv)}
    assert [text for text in sorted(texts) if KNOWN.fullmatch(text) is None] == []


@pytest.mark.parametrize(
    ("argv", "texts"),
    [
        (
            Lvm(WRAPPED).pvcreate("/dev/vdb"),
            ["/usr/sbin/exec-on-host /usr/sbin/lvm pvcreate -qq --metadatasize=128M --dataalignment=256K '/dev/vdb'"],
        ),
        (Lvm(NodeOptions()).pvremove("/dev/vdb"), ["/usr/sbin/lvm pvremove -qq '/dev/vdb'"]),
        (
            fstab.append("/dev/mapper/a /m\\x/brick_a xfs rw 1 2", fstab="/etc/fs\\tab"),
            ['awk "BEGIN {print \\"/dev/mapper/a /m\\x/brick_a xfs rw 1 2\\" >> \\"/etc/fs\\tab\\"}"'],
        ),
        (
            fstab.remove(["/m/vg_a/brick_a", "/m/vg.b/brick[b]*"], fstab="/etc/fstab"),
            ['sed -i.save "/brick_a/d" /etc/fstab', 'sed -i.save "/brick[b]*/d" /etc/fstab'],
        ),
        (
            Gluster(WRAPPED).set_option("v", "auth.allow", "10.0.0.1, 10.0.0.2"),
            ["gluster --mode=script --timeout=42 volume set v auth.allow 10.0.0.1, 10.0.0.2"],
        ),
        (
            Block(NodeOptions()).modify("bhv", "bv", size_gib=7),
            ["gluster-block modify bhv/bv  size 7GiB --json"],
        ),
    ],
)
def test_what_heketi_writes_differently_is_put_in_its_words(argv: tuple[str, ...], texts: list[str]) -> None:
    assert list(heketi_form(argv)) == texts

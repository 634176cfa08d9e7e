"""Nodes as a whole: files, mounts, reboots, what is left over, and hosts that appear on first sight."""

import shlex

import pytest

from heketipy.domain.model import NodeAddress
from heketipy.executors.simulator import Simulator, SimulatorTransport
from heketipy.executors.transport import Batch, Command

HOST = "manage1"
POINT = "/var/lib/heketi/mounts/vg_d/brick_b"
DEVICE = "/dev/mapper/vg_d-brick_b"
BRICK = [
    "lvm pvcreate -qq --metadatasize=128M --dataalignment=256K /dev/vdb",
    "lvm vgcreate -qq vg_d /dev/vdb",
    f"mkdir -p {POINT}",
    "lvcreate -qq --poolmetadatasize 12M --chunksize 256K --size 2G --thin vg_d/tp_b --virtualsize 2G --name brick_b",
    f"mkfs.xfs -q {DEVICE}",
    f"awk -v line='{DEVICE} {POINT} xfs rw,inode64,nouuid 1 2' -v file=/etc/fstab 'BEGIN {{print line >> file}}'",
    f"mount -o rw,inode64,noatime,nouuid {DEVICE} {POINT}",
    f"mkdir {POINT}/brick",
]
VOLUME = f"storage1:{POINT}/brick"


def run(simulator: Simulator, *lines: str, host: str = HOST) -> str:
    out = ""
    for line in lines:
        result = simulator.execute(host, shlex.split(line))
        assert result.ok, (line, result)
        out = result.stdout
    return out


@pytest.fixture
def brick(simulator: Simulator) -> Simulator:
    run(simulator, *BRICK)
    return simulator


def test_what_is_left_over_is_named(simulator: Simulator) -> None:
    fresh = simulator.leftovers()
    assert fresh == ["peer storage1", "peer storage2"]
    run(simulator, *BRICK, f"gluster --mode=script volume create v {VOLUME}", "mkdir -p /srv/mine")
    assert [text for text in simulator.leftovers() if text not in fresh] == [
        "manage1: physical volume /dev/vdb",
        "manage1: volume group vg_d",
        "manage1: logical volume vg_d/brick_b",
        "manage1: logical volume vg_d/tp_b",
        f"manage1: mount {POINT}",
        f"manage1: fstab line {DEVICE} {POINT}",
        "manage1: directory /srv/mine",
        "gluster volume v (Created)",
    ]


def test_nothing_is_left_over_when_all_was_undone(brick: Simulator) -> None:
    run(
        brick,
        f"umount {POINT}",
        f"sed -i.save '\\,{POINT},d' /etc/fstab",
        "lvremove -f vg_d/brick_b vg_d/tp_b",
        f"rmdir {POINT}",
    )
    assert not [text for text in brick.leftovers() if "brick" in text or "directory" in text]
    run(brick, "vgremove -qq vg_d", "pvremove -qq /dev/vdb", "rmdir /var/lib/heketi/mounts/vg_d")
    assert brick.leftovers() == ["peer storage1", "peer storage2"]


def test_a_directory_made_before_the_mount_is_below_it(brick: Simulator) -> None:
    run(brick, f"umount {POINT}")
    assert not brick.execute(HOST, ["test", "-e", f"{POINT}/brick"]).ok
    run(brick, f"mkdir {POINT}/other", f"mount {POINT}")
    assert run(brick, f"ls {POINT}") == "brick\n"
    run(brick, f"umount {POINT}")
    assert brick.execute(HOST, ["rmdir", POINT]).stderr.endswith("Directory not empty\n")


def test_a_reboot_mounts_what_fstab_names_and_no_more(brick: Simulator) -> None:
    run(brick, "mkdir /mnt/x", f"mount {DEVICE} /mnt/x")
    brick.node_down(HOST)
    brick.reboot(HOST)
    node = brick.node(HOST)
    assert [mount.point for mount in node.mount_list] == [POINT]
    assert node.up
    run(brick, f"test -d {POINT}/brick")


def test_a_brick_without_its_file_system_keeps_a_volume_from_starting(brick: Simulator) -> None:
    run(brick, f"gluster --mode=script volume create v {VOLUME}", f"umount {POINT}")
    refused = brick.execute(HOST, shlex.split("gluster --mode=script volume start v"))
    assert refused.stderr.startswith(f"volume start: v: failed: Failed to find brick directory {POINT}/brick")
    run(brick, f"mount {POINT}", "gluster --mode=script volume start v")


def test_a_brick_stays_marked_when_its_volume_is_deleted(brick: Simulator) -> None:
    create = f"gluster --mode=script volume create v {VOLUME}"
    run(brick, create, "gluster --mode=script volume delete v")
    assert "already part of a volume" in brick.execute(HOST, create.split()).stderr
    run(brick, f"setfattr -x trusted.glusterfs.volume-id {POINT}/brick", create)


def test_clones_live_on_when_their_node_was_rebooted(brick: Simulator) -> None:
    gluster = "gluster --mode=script"
    run(
        brick,
        f"{gluster} volume create v {VOLUME}",
        f"{gluster} volume start v",
        f"{gluster} snapshot create s v no-timestamp",
        f"{gluster} snapshot activate s",
        f"{gluster} snapshot clone c s",
        f"{gluster} snapshot delete s",
    )
    clone = brick.volumes["c"].bricks[0].path.removesuffix("/brick")
    brick.reboot(HOST)
    assert {mount.point for mount in brick.node(HOST).mount_list} == {POINT, clone}


def test_nothing_is_set_on_a_copy_that_heals_itself_before_it_has_started(brick: Simulator) -> None:
    gluster, more = "gluster --mode=script", f"storage1:{POINT}/more"
    run(
        brick,
        f"mkdir {POINT}/more",
        f"{gluster} volume create v replica 2 {VOLUME} {more} force",
        f"{gluster} volume start v",
        f"{gluster} snapshot create s v no-timestamp",
        f"{gluster} snapshot activate s",
        f"{gluster} snapshot clone c s",
    )
    mark = f"{gluster} volume set c user.heketi.id 1"
    refused = brick.execute(HOST, mark.split())
    assert refused.status == 1
    assert refused.stderr == (
        "volume set: failed: Commit failed on localhost. Please check the log file for more details.\n"
    )
    run(brick, f"{gluster} volume start c", mark)


@pytest.mark.parametrize(
    ("mib", "options", "made"),
    [
        (296, "", False),
        (300, "", True),
        (512, "-d su=262144,sw=10", False),
        (516, "-d su=262144,sw=10", True),
    ],
)
def test_small_file_systems_are_refused(simulator: Simulator, mib: int, options: str, made: bool) -> None:
    run(simulator, *BRICK[:2], f"lvcreate -qq --size 1G --thin vg_d/tp --virtualsize {mib}M --name small")
    result = simulator.execute(HOST, shlex.split(f"mkfs.xfs {options} /dev/vg_d/small"))
    assert result.ok is made, result


@pytest.mark.parametrize(
    "line",
    ["nosuch --x", "/usr/sbin/nosuch", "sudo -n nosuch", "timeout -k 5 10 nosuch", "sh -c true", "/opt/bin/lvs"],
)
def test_an_unknown_command_ends_with_127(simulator: Simulator, line: str) -> None:
    assert simulator.execute(HOST, line.split()).status == 127


@pytest.mark.parametrize(
    "wrapper", ["sudo -n", "timeout -k 5 10", "/usr/sbin/exec-on-host", "env LC_ALL=C", "sudo timeout 9"]
)
def test_wrappers_run_what_follows_them(simulator: Simulator, wrapper: str) -> None:
    assert run(simulator, f"{wrapper} /usr/sbin/lvm vgs --noheadings") == ""


@pytest.mark.parametrize(
    ("lines", "out"),
    [
        (["mkdir -m 2775 /d", "chown root:2000 /d", "stat -c '%a %U %g %F' /d"], "2775 root 2000 directory\n"),
        (["mkdir /d", "chmod g+ws,o-rx /d", "stat -c %a /d"], "2770\n"),
        (["printf 'a\\nb\\n'"], "a\nb\n"),
        (["touch /f", "sed -i '$a x y' /f", "cat /f"], ""),
        (["cp /etc/fstab /f", "sed -i 's/ext4/xfs/' /f", "grep -c xfs /f"], "1\n"),
        (["cp /etc/fstab /f", "mv /f /g", "cat /g"], "/dev/vda / ext4 defaults 0 1\n"),
        (["mkdir -p /a/b/c", "rm -rf /a", "ls -d /tmp"], "/tmp\n"),
        (["mountpoint /sys"], "/sys is a mountpoint\n"),
        (["readlink -f /dev/disk/by-diskseq/4"], "/dev/vdb\n"),
        (["lsblk -b -n -o NAME,SIZE /dev/vdc"], "vdc 107374182400\n"),
        (["systemctl is-active glusterd"], "active\n"),
    ],
)
def test_files_and_disks_answer(simulator: Simulator, lines: list[str], out: str) -> None:
    assert run(simulator, *lines) == out


async def test_hosts_and_disks_appear_on_first_sight() -> None:
    simulator = Simulator(accept_anything=True, device_size_gib=500)
    transport = SimulatorTransport(simulator)
    first, second = (NodeAddress(f"id{n}", f"m{n}", f"s{n}") for n in (1, 2))
    lines = [*BRICK[:2], "vgdisplay -c vg_d", "gluster --mode=script peer probe s2"]
    results = await transport.run(first, Batch(tuple(Command(tuple(line.split())) for line in lines)))
    assert [result.status for result in results] == [0, 0, 0, 0]
    assert results[2].stdout.split(":")[11:16] == ["524288000", "4096", "128000", "0", "128000"]
    await transport.run(second, Batch((Command(("true",)),)))
    assert sorted(simulator.nodes) == ["m1", "m2"]
    assert simulator.node("s2").manage == "m2"
    assert sorted(simulator.state.pool_of("m1").members) == ["m1", "m2"]


def test_books_of_mock_nodes_fit_to_the_last_extent() -> None:
    simulator = Simulator(accept_anything=True, device_size_gib=10)
    simulator.add_node(HOST)
    run(simulator, *BRICK[:2])
    run(simulator, "lvcreate -qq --poolmetadatasize 52M --size 10188M --thin vg_d/tp --virtualsize 1G --name t")
    assert simulator.node(HOST).vgs["vg_d"].free_extents == 0

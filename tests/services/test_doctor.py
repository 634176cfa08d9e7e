"""The doctor finds what is wrong with a node, says what to do, and changes nothing."""

import shlex

import pytest

from heketipy.domain.diagnosis import Finding, Verdict
from heketipy.executors.nodes import StorageNodes
from heketipy.executors.simulator.faults import Effect, Fault, on
from heketipy.executors.simulator.state import Node
from heketipy.services.doctor import Doctor
from tests.operations.scenarios import REPLICA_3
from tests.support.system import HOSTS, System


@pytest.fixture
async def doctor(system: System) -> Doctor:
    await system.cluster()
    await system.volume(5, REPLICA_3)
    nodes = StorageNodes(system.reach(), system.options, patience=())
    return Doctor(system.db, nodes, sudo=False, clock=lambda: system.simulator.world.now().timestamp())


@pytest.fixture
def first(system: System, doctor: Doctor) -> Node:
    """The first node, after the site was made."""
    return system.simulator.node(HOSTS[0])


async def wrong(doctor: Doctor, *hosts: str) -> list[Finding]:
    return [finding for finding in await doctor.examine(hosts) if finding.verdict is not Verdict.OK]


async def only(doctor: Doctor) -> Finding:
    (finding,) = await wrong(doctor)
    assert finding.host == HOSTS[0]
    assert finding.remedy
    return finding


async def test_healthy_nodes_are_all_right_in_one_round_trip_each(system: System, doctor: Doctor) -> None:
    before = len(system.simulator.history)
    findings = await doctor.examine()
    assert [finding for finding in findings if finding.verdict is not Verdict.OK] == []
    assert [(finding.subject, finding.text) for finding in findings if finding.host == HOSTS[0]] == [
        ("ssh", "reachable"),
        ("user", "commands run as root"),
        ("lvm", "LVM version: 2.03.16(2) (2022-05-18)"),
        ("udevadm", "252"),
        ("thin_check", "0.9.0"),
        ("mkfs.xfs", "mkfs.xfs version 6.1.0"),
        ("wipefs", "wipefs from util-linux 2.38.1"),
        ("gluster", "glusterfs 10.3"),
        ("dm_thin_pool", "kernel module is there"),
        ("glusterd", "runs, op-version 100000"),
        ("pool", "agrees with the books: 3 nodes"),
        ("clock", "agrees with ours"),
        ("free space of /", "10.0 GiB"),
        ("devices", "LVM sees all 2"),
    ]
    ran = list(system.simulator.history)[before:]
    assert {item.node for item in ran} == set(HOSTS[:3])
    assert len({len([item for item in ran if item.node == host]) for host in HOSTS[:3]}) == 1
    assert await system.discrepancies() == []


async def test_a_node_that_cannot_be_reached_is_one_failure(system: System, doctor: Doctor) -> None:
    system.simulator.node_down(HOSTS[0])
    found = [finding for finding in await wrong(doctor) if finding.host == HOSTS[0]]
    assert [(finding.verdict, finding.subject) for finding in found] == [(Verdict.FAIL, "ssh")]
    assert "sshd" in found[0].remedy


@pytest.mark.parametrize(
    ("tool", "remedy"),
    [
        ("thin_check", "install thin-provisioning-tools (Debian) or device-mapper-persistent-data"),
        ("mkfs.xfs", "install xfsprogs"),
        ("wipefs", "install util-linux"),
    ],
)
async def test_a_missing_tool_is_named_with_its_package(doctor: Doctor, first: Node, tool: str, remedy: str) -> None:
    first.missing = (tool,)
    assert await only(doctor) == Finding(Verdict.FAIL, HOSTS[0], tool, "not found", remedy)


async def test_a_kernel_without_thin_pools_is_a_failure(doctor: Doctor, first: Node) -> None:
    first.missing = ("dm_thin_pool",)
    found = await only(doctor)
    assert (found.verdict, found.subject, found.text) == (
        Verdict.FAIL,
        "dm_thin_pool",
        "kernel module cannot be loaded",
    )


async def test_what_block_volumes_need_is_looked_at_only_where_there_are_some(
    system: System, doctor: Doctor, first: Node
) -> None:
    first.missing = ("target_core_user",)
    first.blockd = True
    assert await wrong(doctor) == []
    await system.block_volume()
    assert (await only(doctor)).subject == "target_core_user"
    first.missing, first.blockd = (), False
    assert (await only(doctor)).remedy == "systemctl enable --now gluster-blockd"


async def test_a_stopped_glusterd_is_a_failure_of_its_node_and_seen_by_the_others(doctor: Doctor, first: Node) -> None:
    first.glusterd = False
    found = await wrong(doctor)
    assert [finding.text for finding in found if finding.host == HOSTS[0]] == ["does not run"]
    assert [finding.remedy for finding in found if finding.host == HOSTS[0]] == ["systemctl enable --now glusterd"]
    assert {(finding.host, finding.text) for finding in found[1:]} == {
        (host, f"{HOSTS[0]} is not connected") for host in HOSTS[1:3]
    }


async def test_another_op_version_than_that_of_most_nodes_is_a_warning(doctor: Doctor, first: Node) -> None:
    first.op_version = 90000
    found = await only(doctor)
    assert (found.verdict, found.text) == (
        Verdict.WARN,
        "runs, op-version 90000; most nodes of the cluster have 100000",
    )


async def test_a_pool_that_differs_from_the_books_is_told_by_host(system: System, doctor: Doctor) -> None:
    system.simulator.add_node("stranger")
    assert system.simulator.execute(HOSTS[0], tuple(shlex.split("gluster peer probe stranger"))).ok
    del system.simulator.state.pool_of(HOSTS[0]).members[HOSTS[2]]
    found = [(finding.verdict, finding.text) for finding in await wrong(doctor) if finding.host == HOSTS[0]]
    assert found == [
        (Verdict.FAIL, f"{HOSTS[2]} is in the books, and not in the pool"),
        (Verdict.WARN, "stranger is in the pool, and not in the books"),
    ]


async def test_a_clock_that_is_wrong_by_more_than_five_seconds_is_a_warning(doctor: Doctor, first: Node) -> None:
    first.clock_ahead = 4.0
    assert await wrong(doctor) == []
    for ahead, text in ((7.25, "7.2 s ahead of ours"), (-90.0, "90.0 s behind ours")):
        first.clock_ahead = ahead
        found = await only(doctor)
        assert found.verdict is Verdict.WARN
        assert found.text in (text, text.replace("7.2", "7.3"))


async def test_a_full_root_is_warned_of_and_then_a_failure(system: System, doctor: Doctor, first: Node) -> None:
    for free_kib, verdict in ((900 << 10, Verdict.WARN), (90 << 10, Verdict.FAIL)):
        first.root_free_kib = free_kib
        assert (await only(doctor)).verdict is verdict


async def test_devices_that_a_filter_hides_or_that_are_gone_are_told_apart(doctor: Doctor, first: Node) -> None:
    first.lvm_filter = ("r|^/dev/sdb$|",)
    found = await only(doctor)
    assert found.verdict is Verdict.FAIL
    assert found.subject.endswith("(/dev/sdb)")
    assert found.text == 'the disk is there, and LVM does not look at it: filter=["r|^/dev/sdb$|"]'
    first.lvm_filter = ()
    disk = first.disks.pop("/dev/sdb")
    group = first.vgs.pop(disk.vg)
    assert (await only(doctor)).text == f"no volume group {group.name}"


async def test_sudo_that_asks_for_a_password_is_the_only_failure_that_is_told(system: System, doctor: Doctor) -> None:
    system.simulator.faults.add(
        Fault(Effect.FAIL, lambda node, argv: node == HOSTS[0], times=0, stderr="sudo: a password is required\n")
    )
    nodes = StorageNodes(system.reach(), system.options, patience=())
    found = await only(Doctor(system.db, nodes, sudo=True, clock=lambda: system.simulator.world.now().timestamp()))
    assert (found.subject, found.text) == ("sudo", "sudo: a password is required")
    assert "NOPASSWD" in found.remedy


async def test_sudo_may_be_restricted_to_the_commands_that_are_needed(system: System, doctor: Doctor) -> None:
    refused = "Sorry, user heketi is not allowed to execute '/usr/bin/id -u' as root on n1.\n"
    system.simulator.faults.add(Fault(Effect.FAIL, lambda node, argv: argv[0] == "id", times=0, stderr=refused))
    nodes = StorageNodes(system.reach(), system.options, patience=())
    found = await Doctor(system.db, nodes, sudo=True, clock=lambda: system.simulator.world.now().timestamp()).examine()
    assert {finding.verdict for finding in found} == {Verdict.OK}


async def test_a_host_that_is_to_become_a_node_must_be_in_no_pool(system: System, doctor: Doctor) -> None:
    assert await wrong(doctor, HOSTS[4]) == []
    assert any(finding.text == "in no pool yet" for finding in await doctor.examine([HOSTS[4]]))
    system.simulator.execute(HOSTS[4], tuple(shlex.split(f"gluster peer probe {HOSTS[5]}")))
    found = [finding for finding in await wrong(doctor, HOSTS[4]) if finding.host == HOSTS[4]]
    assert [(one.verdict, one.text) for one in found] == [(Verdict.WARN, f"is in a pool already, with {HOSTS[5]}")]


async def test_an_answer_without_sense_is_told_and_not_believed(system: System, doctor: Doctor) -> None:
    for word, garbage in (("date", "noon"), ("df", "much"), ("vgs", "{"), ("lsblk", "{"), ("op-version", "?")):
        system.simulator.faults.add(Fault(Effect.GARBAGE, on(word), stdout=garbage, times=0))
    verdicts = {finding.subject: finding.verdict for finding in await wrong(doctor)}
    assert verdicts == {
        "clock": Verdict.WARN,
        "free space of /": Verdict.WARN,
        "glusterd": Verdict.WARN,
        "devices": Verdict.FAIL,
    }

"""The rules of the doctor: what is wrong with what a node answered, and what to do."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from heketipy.domain.diagnosis import Finding, Verdict
from heketipy.domain.model import Device, NodeAddress
from heketipy.domain.names import volume_group
from heketipy.domain.units import KIB_PER_GIB, KIB_PER_MIB
from heketipy.executors.vitals import BLOCK_MODULE, THIN_MODULE, Vitals

CLOCKS_APART_SECONDS: Final = 5.0
ROOT_SCARCE_KIB: Final = KIB_PER_GIB
ROOT_FULL_KIB: Final = 100 * KIB_PER_MIB

_PACKAGES: Final = {
    "lvm": "lvm2",
    "udevadm": "udev (Debian) or systemd-udev",
    "thin_check": "thin-provisioning-tools (Debian) or device-mapper-persistent-data",
    "mkfs.xfs": "xfsprogs",
    "wipefs": "util-linux",
    "gluster": "glusterfs-server",
    "gluster-block": "gluster-block",
}


@dataclass(frozen=True, slots=True)
class Patient:
    """A node that is looked at, and what the books say of it. `cluster` is "" for one that is not in them; `peers` are
    the other nodes of its cluster: their hosts, and all their names.
    """

    address: NodeAddress
    cluster: str = ""
    peers: tuple[tuple[str, frozenset[str]], ...] = ()
    devices: tuple[Device, ...] = ()
    block: bool = False

    @property
    def host(self) -> str:
        """The name by which it is reached."""
        return self.address.manage


@dataclass(frozen=True, slots=True)
class Answer:
    """What a node answered, and when by our clock it was asked and had answered, seconds since 1970."""

    patient: Patient
    asked: float
    answered: float
    vitals: Vitals | None
    error: str = ""


def usual_versions(answers: Iterable[Answer]) -> dict[str, int]:
    """Return the op-version that most nodes of each cluster have."""
    found: dict[str, Counter[int]] = {}
    for answer in answers:
        if answer.vitals is not None and answer.vitals.op_version is not None:
            found.setdefault(answer.patient.cluster, Counter())[answer.vitals.op_version] += 1
    return {cluster: counter.most_common(1)[0][0] for cluster, counter in found.items() if cluster}


def findings(answer: Answer, usual: Mapping[str, int], *, sudo: bool) -> Iterator[Finding]:
    """Judge what a node answered. `usual` are the op-versions of the clusters; `sudo`: whether commands run by it."""
    patient, vitals = answer.patient, answer.vitals
    if vitals is None:
        yield _fail(
            patient,
            "ssh",
            answer.error,
            "see that the host is up, that its sshd listens at the configured port, and that its user has our"
            " public key in ~/.ssh/authorized_keys",
        )
        return
    yield _ok(patient, "ssh", "reachable")
    user = _user(patient, vitals, sudo)
    yield user
    if user.verdict is Verdict.FAIL:
        return  # all else would fail for the same reason
    yield from _tools(patient, vitals)
    yield from _modules(patient, vitals)
    yield from _glusterd(patient, vitals, usual)
    if vitals.glusterd:
        yield from _pool(patient, vitals)
    yield _clocks(answer, vitals)
    yield _root(patient, vitals)
    yield from _devices(patient, vitals)


def _user(patient: Patient, vitals: Vitals, sudo: bool) -> Finding:
    how = "sudo" if sudo else "user"
    if vitals.user == 0:
        return _ok(patient, how, "commands run as root")
    if vitals.user is None and sudo and "lvm" in vitals.tools:
        return _ok(patient, how, "works, if not for every command")
    if vitals.user is None:
        remedy = (
            "allow the ssh user in sudoers to run commands without a password (NOPASSWD), and no terminal"
            if sudo
            else "see that the ssh user has a working shell"
        )
        return _fail(patient, how, vitals.failures.get("user", "unknown"), remedy)
    return _fail(
        patient,
        how,
        f"commands run as user {vitals.user}",
        'set "sudo": true in the section sshexec, or let root log in',
    )


def _tools(patient: Patient, vitals: Vitals) -> Iterator[Finding]:
    for name, package in _PACKAGES.items():
        if name in vitals.tools:
            yield _ok(patient, name, vitals.tools[name])
        elif name in vitals.failures:
            yield _fail(patient, name, vitals.failures[name], f"install {package}")


def _modules(patient: Patient, vitals: Vitals) -> Iterator[Finding]:
    for name in (THIN_MODULE, *([BLOCK_MODULE] if patient.block else [])):
        if name in vitals.modules:
            yield _ok(patient, name, "kernel module is there")
        else:
            yield _fail(
                patient,
                name,
                "kernel module cannot be loaded",
                f"install the kernel's modules (linux-modules-extra, kernel-modules); modprobe {name}",
            )


def _glusterd(patient: Patient, vitals: Vitals, usual: Mapping[str, int]) -> Iterator[Finding]:
    if not vitals.glusterd:
        yield _fail(patient, "glusterd", "does not run", "systemctl enable --now glusterd")
    elif vitals.op_version is None:
        reason = vitals.failures.get("op_version", "unknown")
        yield _warn(patient, "glusterd", f"runs, op-version: {reason}", "see its log in /var/log/glusterfs")
    elif vitals.op_version != usual.get(patient.cluster, vitals.op_version):
        yield _warn(
            patient,
            "glusterd",
            f"runs, op-version {vitals.op_version}; most nodes of the cluster have {usual[patient.cluster]}",
            "bring GlusterFS to the same version everywhere, then set cluster.op-version",
        )
    else:
        yield _ok(patient, "glusterd", f"runs, op-version {vitals.op_version}")
    if patient.block:
        if vitals.blockd:
            yield _ok(patient, "gluster-blockd", "runs")
        else:
            yield _fail(patient, "gluster-blockd", "does not run", "systemctl enable --now gluster-blockd")


def _pool(patient: Patient, vitals: Vitals) -> Iterator[Finding]:
    if vitals.peers is None:
        yield _fail(patient, "pool", vitals.failures.get("peers", "unknown"), "see its log in /var/log/glusterfs")
        return
    others = [peer for peer in vitals.peers if peer.hostname != "localhost"]
    if not patient.cluster:
        if others:
            names = ", ".join(peer.hostname for peer in others)
            yield _warn(
                patient, "pool", f"is in a pool already, with {names}", "detach it there, or add it to their cluster"
            )
        else:
            yield _ok(patient, "pool", "in no pool yet")
        return
    wrong = False
    known: set[str] = set()
    for host, aliases in patient.peers:
        found = [peer for peer in others if aliases & {peer.hostname, *peer.hostnames}]
        known.update(peer.hostname for peer in found)
        if not found:
            wrong = True
            yield _fail(
                patient, "pool", f"{host} is in the books, and not in the pool", f"gluster peer probe {min(aliases)}"
            )
        elif not any(peer.connected for peer in found):
            wrong = True
            yield _fail(
                patient, "pool", f"{host} is not connected", f"see that glusterd runs on {host}, and port 24007 is open"
            )
    for peer in others:
        if peer.hostname not in known:
            wrong = True
            yield _warn(
                patient,
                "pool",
                f"{peer.hostname} is in the pool, and not in the books",
                f"add it as a node of the cluster, or: gluster peer detach {peer.hostname}",
            )
    if not wrong:
        yield _ok(patient, "pool", f"agrees with the books: {len(patient.peers) + 1} nodes")


def _clocks(answer: Answer, vitals: Vitals) -> Finding:
    patient = answer.patient
    if vitals.time is None:
        return _warn(patient, "clock", vitals.failures.get("time", "unknown"), "see what `date +%s.%N` says there")
    if answer.asked <= vitals.time <= answer.answered:
        return _ok(patient, "clock", "agrees with ours")
    apart = max(answer.asked - vitals.time, vitals.time - answer.answered)
    text = f"{apart:.1f} s {'behind' if vitals.time < answer.asked else 'ahead of'} ours"
    if apart > CLOCKS_APART_SECONDS:
        return _warn(patient, "clock", text, "set it, and let chrony or another NTP client run")
    return _ok(patient, "clock", text)


def _root(patient: Patient, vitals: Vitals) -> Finding:
    free = vitals.root_free_kib
    if free is None:
        return _warn(patient, "free space of /", vitals.failures.get("root", "unknown"), "see what `df /` says there")
    text = f"{free / KIB_PER_GIB:.1f} GiB"
    if free >= ROOT_SCARCE_KIB:
        return _ok(patient, "free space of /", text)
    judge = _warn if free >= ROOT_FULL_KIB else _fail
    return judge(
        patient, "free space of /", text, "make room: glusterd keeps its state in /var, and everybody logs there"
    )


def _devices(patient: Patient, vitals: Vitals) -> Iterator[Finding]:
    if not patient.devices:
        return
    if vitals.groups is None:
        yield _fail(patient, "devices", vitals.failures.get("groups", "unknown"), "see what `lvm vgs` says there")
        return
    missing = [device for device in patient.devices if volume_group(device.id) not in vitals.groups]
    disks = {disk.uuid for top in vitals.tree or () for disk in (top, *top.below()) if disk.uuid}
    for device in missing:
        subject = f"device {device.id} ({device.name})"
        if device.pv_uuid and device.pv_uuid in disks:
            setting = "; ".join(vitals.filters) or "devices/filter, global_filter, or the devices file"
            yield _fail(
                patient,
                subject,
                f"the disk is there, and LVM does not look at it: {setting}",
                "let it in lvm.conf through",
            )
        else:
            yield _fail(
                patient,
                subject,
                f"no volume group {volume_group(device.id)}",
                "connect its disk again, or evict what it held: heketi-cli device disable, then device remove",
            )
    if not missing:
        yield _ok(patient, "devices", f"LVM sees all {len(patient.devices)}")


def _ok(patient: Patient, subject: str, text: str) -> Finding:
    return Finding(Verdict.OK, patient.host, subject, text)


def _warn(patient: Patient, subject: str, text: str, remedy: str) -> Finding:
    return Finding(Verdict.WARN, patient.host, subject, text, remedy)


def _fail(patient: Patient, subject: str, text: str, remedy: str) -> Finding:
    return Finding(Verdict.FAIL, patient.host, subject, text, remedy)

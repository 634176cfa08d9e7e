"""Virtual machines that are real GlusterFS nodes: QEMU in software emulation, so neither KVM nor a network is needed.

Everything lives in one folder, `$LAB`. Node K (1 to 9) answers ssh at 127.0.0.1K port 2222 (user root, key
`$LAB/key`); the nodes reach each other at 10.77.0.1K, on a link that exists between the machines only. Each has empty
disks /dev/vdb, /dev/vdc, … Only the standard library is used: this file also serves the command `lab`, which runs
before any virtual environment exists.

The trap: a machine resumed from the saved state has the clock and the connections of the moment it was saved; a machine
that was started cold has its disks as they were left.
"""

import json
import os
import shlex
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

HOST_PACKAGES = ("qemu-system-x86", "qemu-utils", "debootstrap", "openssh-client", "e2fsprogs")
NODE_PACKAGES = (
    *("linux-image-cloud-amd64", "systemd", "systemd-sysv", "udev", "dbus", "kmod", "iproute2", "procps"),
    *("lvm2", "thin-provisioning-tools", "xfsprogs", "attr", "glusterfs-server", "glusterfs-client"),
    *("openssh-server", "sudo"),
)
MASKED_UNITS = (
    *("apt-daily.timer", "apt-daily-upgrade.timer", "e2scrub_all.timer", "fstrim.timer", "dpkg-db-backup.timer"),
    *("logrotate.timer", "man-db.timer", "systemd-timesyncd.service"),
)
BOOT_SECONDS = 400
SNAPSHOT = "ready"


class LabError(Exception):
    """The lab itself does not work; says nothing about what is tested in it."""


@dataclass(frozen=True)
class Settings:
    """What the nodes are made of; each field can be set by an environment variable of the command `lab`."""

    root: Path
    disks: int = 4
    disk_size: str = "100G"
    memory_mb: int = 640
    niceness: int = 0

    @classmethod
    def from_environment(cls) -> "Settings":
        """Read LAB, DISKS, DISK_SIZE, MEM and LAB_NICE."""
        env = os.environ
        return cls(
            root=Path(env.get("LAB") or Path(env.get("TMPDIR", "/tmp")) / "heketipy-lab"),
            disks=int(env.get("DISKS", "4")),
            disk_size=env.get("DISK_SIZE", "100G"),
            memory_mb=int(env.get("MEM", "640")),
            niceness=int(env.get("LAB_NICE", "0")),
        )


class Node:
    """One machine. Its disks outlive its process."""

    def __init__(self, settings: Settings, number: int) -> None:
        if not 1 <= number <= 9:
            raise LabError(f"node {number}: a lab has nodes 1 to 9")
        self.settings = settings
        self.number = number
        self.manage_host = f"127.0.0.1{number}"
        self.storage_host = f"10.77.0.1{number}"

    def __repr__(self) -> str:
        return f"node {self.number}"

    def _file(self, name: str) -> Path:
        return self.settings.root / name

    @property
    def _qmp(self) -> Path:
        return self._file(f"qmp{self.number}")

    @property
    def _pid_file(self) -> Path:
        return self._file(f"pid{self.number}")

    @property
    def pid(self) -> int | None:
        """The process of the running machine."""
        with suppress(FileNotFoundError, ValueError, ProcessLookupError):
            pid = int(self._pid_file.read_text())
            os.kill(pid, 0)
            # A recycled pid must not be taken, and then killed, for a machine of ours.
            if f"gnode={self.number} ".encode() in Path(f"/proc/{pid}/cmdline").read_bytes():
                return pid
        return None

    def start(self, *, fresh: bool = False, resume: bool = False) -> None:
        """Start the machine: with new disks, from the saved state, or (neither) cold with the disks it has."""
        if self.pid is not None:
            raise LabError(f"{self!r} runs already")
        n = self.number
        system = self._file(f"n{n}.qcow2")
        disks = [self._file(f"d{n}-{i}.qcow2") for i in range(1, self.settings.disks + 1)]
        if fresh:
            _image(system, "-b", "base.img", "-F", "raw")
            for disk in disks:
                _image(disk, self.settings.disk_size)
        kernel = f"root=/dev/vda rw console=ttyS0 gnode={n} mitigations=off quiet"
        argv = ["nice", "-n", str(self.settings.niceness), "qemu-system-x86_64"]
        argv += ["-daemonize", "-pidfile", str(self._pid_file)]
        argv += ["-accel", "tcg,thread=multi,tb-size=192", "-cpu", "max", "-smp", "1"]
        argv += ["-m", str(self.settings.memory_mb), "-display", "none"]
        argv += ["-serial", f"file:{self._file(f'con{n}.log')}", "-qmp", f"unix:{self._qmp},server=on,wait=off"]
        argv += ["-kernel", str(self._file("vmlinuz")), "-initrd", str(self._file("initrd.img")), "-append", kernel]
        for file in (system, *disks):
            # What the machine writes need not reach this host's disk: a lab lives no longer than its host.
            argv += ["-drive", f"file={file},if=virtio,format=qcow2,cache=unsafe,discard=unmap"]
        # restrict=on: a node reaches nothing outside; only its sshd is forwarded, to the loopback.
        argv += ["-netdev", f"user,id=u0,restrict=on,hostfwd=tcp:{self.manage_host}:2222-:22"]
        argv += ["-device", f"virtio-net-pci,netdev=u0,mac=52:54:00:aa:00:0{n}"]
        argv += ["-netdev", "socket,id=s0,mcast=230.77.0.1:17777,localaddr=127.0.0.1"]
        argv += ["-device", f"virtio-net-pci,netdev=s0,mac=52:54:00:bb:00:0{n}"]
        argv += ["-device", "virtio-rng-pci"]
        if resume:
            argv += ["-loadvm", SNAPSHOT]
        self._pid_file.unlink(missing_ok=True)
        _run(*argv)

    def wait_up(self, seconds: float = BOOT_SECONDS) -> None:
        """Wait until sshd and glusterd of the machine answer."""
        end = time.monotonic() + seconds
        while True:
            with suppress(subprocess.TimeoutExpired):
                if self.ssh("systemctl is-active -q glusterd", check=False, timeout=15).returncode == 0:
                    return
            if self.pid is None:
                raise LabError(f"{self!r} ended; its console is in {self._file(f'con{self.number}.log')}")
            if time.monotonic() > end:
                raise LabError(f"{self!r} did not come up in {seconds:.0f} s")
            time.sleep(0.5)

    def monitor(self, command: str) -> str:
        """Give QEMU's monitor one command and return what it prints."""
        with socket.socket(socket.AF_UNIX) as link:
            link.settimeout(300)
            link.connect(str(self._qmp))
            answers = _answers(link)
            next(answers)
            for request in (
                {"execute": "qmp_capabilities"},
                {"execute": "human-monitor-command", "arguments": {"command-line": command}},
            ):
                link.sendall(json.dumps(request).encode() + b"\n")
                # QEMU ends the connection without an answer after `quit`.
                answer = next((a for a in answers if "return" in a or "error" in a), {"return": ""})
            if "error" in answer:
                raise LabError(f"{self!r}: {command}: {answer['error']}")
            return str(answer["return"]).strip()

    def ssh_argv(self) -> list[str]:
        """The ssh command line up to, and without, the command; one connection is kept open for all."""
        options = ["BatchMode=yes", "StrictHostKeyChecking=no", "UserKnownHostsFile=/dev/null", "ConnectTimeout=5"]
        options += ["LogLevel=ERROR", "ServerAliveInterval=5", "ServerAliveCountMax=3"]
        options += ["ControlMaster=auto", f"ControlPath={self._control}", "ControlPersist=600"]
        argv = ["ssh", "-i", str(self._file("key")), "-p", "2222"]
        for option in options:
            argv += ["-o", option]
        return [*argv, f"root@{self.manage_host}"]

    @property
    def _control(self) -> Path:
        return self._file(f"cm-{self.number}")

    def ssh(
        self, command: str, *, check: bool = True, timeout: float = 300, stdin: str = ""
    ) -> subprocess.CompletedProcess[str]:
        """Run a line of shell on the node."""
        done = subprocess.run(
            [*self.ssh_argv(), command], capture_output=True, text=True, timeout=timeout, input=stdin, check=False
        )
        if check and done.returncode:
            raise LabError(f"{self!r}: {command!r} ended with {done.returncode}: {done.stderr or done.stdout}")
        return done

    def out(self, command: str, *, timeout: float = 300) -> str:
        """The trimmed output of a line of shell that succeeds."""
        return self.ssh(command, timeout=timeout).stdout.strip()

    def forget_connection(self) -> None:
        """Close the kept connection, which leads nowhere once the machine is gone."""
        if self._control.exists():
            argv = ["ssh", "-q", "-o", f"ControlPath={self._control}", "-O", "exit", self.manage_host]
            subprocess.run(argv, capture_output=True, check=False, timeout=20)
            self._control.unlink(missing_ok=True)

    def reboot(self) -> float:
        """Reboot in an orderly way, wait until glusterd answers again, and return the seconds it took."""
        begin = time.monotonic()
        before = self.out("cat /proc/sys/kernel/random/boot_id")
        self.ssh("systemctl reboot", check=False, timeout=60)
        self.forget_connection()
        while True:
            self.wait_up()
            if self.out("cat /proc/sys/kernel/random/boot_id") != before:
                return time.monotonic() - begin
            # Still going down: the kept connection would be cut in the middle of the next question.
            self.forget_connection()
            if time.monotonic() - begin > BOOT_SECONDS:
                raise LabError(f"{self!r} did not reboot")
            time.sleep(1)

    def hard_stop(self) -> None:
        """Cut the power: what the guest had not flushed is lost, its disks stay."""
        self.forget_connection()
        pid = self.pid
        if pid is not None:
            try:
                self.monitor("quit")
            except OSError:
                os.kill(pid, signal.SIGTERM)
            end = time.monotonic() + 30
            while self.pid is not None:
                if time.monotonic() > end:
                    os.kill(pid, signal.SIGKILL)
                time.sleep(0.05)
        self._pid_file.unlink(missing_ok=True)
        self._qmp.unlink(missing_ok=True)


class Lab:
    """A number of nodes in one folder."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.root = settings.root
        self.root.mkdir(parents=True, exist_ok=True)

    def node(self, number: int) -> Node:
        """The node of that number, whether it runs or not."""
        return Node(self.settings, number)

    def running(self) -> list[Node]:
        """The nodes whose machines run."""
        return [node for node in map(self.node, range(1, 10)) if node.pid is not None]

    @property
    def saved(self) -> int:
        """How many nodes have a saved state (made with these disks and this memory)."""
        with suppress(FileNotFoundError, ValueError):
            count, *rest = (self.root / "saved").read_text().split()
            if rest == self._shape():
                return int(count)
        return 0

    def _shape(self) -> list[str]:
        return [str(self.settings.disks), self.settings.disk_size, str(self.settings.memory_mb)]

    def fresh(self, count: int) -> list[Node]:
        """Boot nodes with new disks."""
        self.build()
        (self.root / "saved").unlink(missing_ok=True)
        return self._start(count, fresh=True)

    def up(self, count: int) -> list[Node]:
        """Start nodes from the saved state, which takes seconds; boot and save them first where there is none."""
        if self.saved < count:
            nodes = self.fresh(count)
            self.save()
            return nodes
        return self._start(count, resume=True)

    def _start(self, count: int, *, fresh: bool = False, resume: bool = False) -> list[Node]:
        nodes = [self.node(number) for number in range(1, count + 1)]
        for node in nodes:
            node.start(fresh=fresh, resume=resume)
        for node in nodes:
            node.wait_up()
        return nodes

    def save(self) -> None:
        """Save memory and disks of all running nodes as the state that `up` starts from."""
        nodes = self.running()
        if [node.number for node in nodes] != list(range(1, len(nodes) + 1)) or not nodes:
            raise LabError("to be saved, nodes 1 to N must run")
        for node in nodes:
            node.forget_connection()
        # All stand still while each is saved, else gluster sees its peers vanish and come back.
        for node in nodes:
            node.monitor("stop")
        failures = [text for node in nodes if (text := node.monitor(f"savevm {SNAPSHOT}"))]
        for node in nodes:
            node.monitor("cont")
        if failures:
            raise LabError("; ".join(failures))
        (self.root / "saved").write_text(" ".join([str(len(nodes)), *self._shape()]))

    def down(self) -> None:
        """Cut the power of all nodes."""
        for node in self.running():
            node.hard_stop()

    def build(self) -> None:
        """Make the image that all nodes start from, once; installs what it needs. Must be root, on Debian."""
        if not all(map(shutil.which, ("qemu-system-x86_64", "qemu-img", "debootstrap", "ssh", "mkfs.ext4"))):
            _run("apt-get", "update", "-qq")
            _run("apt-get", "install", "-y", "-qq", "--no-install-recommends", *HOST_PACKAGES)
        key = self.root / "key"
        if not key.exists():
            _run("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(key))
        image = self.root / "base.img"
        if image.exists():
            return
        tree = self.root / "rootfs"
        shutil.rmtree(tree, ignore_errors=True)
        site, suite = _mirror()
        print(f"building the nodes' image (Debian {suite}): a minute or two", file=sys.stderr)
        with (self.root / "debootstrap.log").open("wb") as log:
            argv = ["debootstrap", "--variant=minbase", f"--include={','.join(NODE_PACKAGES)}"]
            done = subprocess.run([*argv, suite, str(tree), site], stdout=log, stderr=log, check=False)
        if done.returncode:
            raise LabError(f"debootstrap failed: see {self.root}/debootstrap.log")
        _furnish(tree, key.with_suffix(".pub").read_text())
        for name in ("vmlinuz", "initrd.img"):
            (found,) = (tree / "boot").glob(f"{name}-*")
            shutil.copyfile(found, self.root / name)
        draft = self.root / "base.img.new"
        draft.unlink(missing_ok=True)
        _run("truncate", "-s", "3G", str(draft))
        _run("mkfs.ext4", "-q", "-F", "-d", str(tree), str(draft))
        shutil.rmtree(tree)
        draft.rename(image)


NODE_INIT = """\
#!/bin/sh
# Name and addresses of this node come from its number, which the kernel was given.
N=$(sed -n 's/.*gnode=\\([0-9]*\\).*/\\1/p' /proc/cmdline)
echo "gluster$N" >/etc/hostname
hostname "gluster$N"
{ echo '127.0.0.1 localhost'; for i in 1 2 3 4 5 6 7 8 9; do echo "10.77.0.1$i gluster$i"; done; } >/etc/hosts
ip link set lo up
for dev in /sys/class/net/*; do
  case $(cat "$dev/address") in
    52:54:00:aa:*) ip addr add 10.0.2.15/24 dev "${dev##*/}"; ip link set "${dev##*/}" up ;;
    52:54:00:bb:*) ip addr add "10.77.0.1$N/24" dev "${dev##*/}"; ip link set "${dev##*/}" up ;;
  esac
done
"""

NODE_INIT_UNIT = """\
[Unit]
DefaultDependencies=no
After=systemd-udevd.service local-fs.target
Before=network.target ssh.service glusterd.service
[Service]
Type=oneshot
RemainAfterExit=yes
ExecStart=/usr/local/sbin/nodeinit
[Install]
WantedBy=multi-user.target
"""

SUDOERS = "storage ALL=(root) NOPASSWD: ALL\n"


def _furnish(tree: Path, public_key: str) -> None:
    """Turn a bare Debian tree into that of a node."""
    init = tree / "usr/local/sbin/nodeinit"
    init.write_text(NODE_INIT)
    init.chmod(0o755)
    (tree / "etc/systemd/system/nodeinit.service").write_text(NODE_INIT_UNIT)
    chroot = ("chroot", str(tree))
    _run(*chroot, "useradd", "-m", "-s", "/bin/bash", "storage")
    (tree / "etc/sudoers.d/storage").write_text(SUDOERS)
    for home, owner in ((tree / "root", "root"), (tree / "home/storage", "storage")):
        (home / ".ssh").mkdir(mode=0o700, exist_ok=True)
        (home / ".ssh/authorized_keys").write_text(public_key)
        _run(*chroot, "chown", "-R", f"{owner}:{owner}", f"/{home.relative_to(tree)}")
    _run(*chroot, "systemctl", "-q", "enable", "nodeinit", "glusterd", "ssh")
    subprocess.run([*chroot, "systemctl", "-q", "mask", *MASKED_UNITS], check=False, stderr=subprocess.DEVNULL)
    # Made at the first start, or all nodes would be the same peer.
    (tree / "var/lib/glusterd/glusterd.info").unlink(missing_ok=True)
    (tree / "etc/fstab").write_text("/dev/vda / ext4 defaults 0 1\n")
    for waste in ("usr/share/doc", "usr/share/man", "usr/share/locale", "var/cache/apt"):
        shutil.rmtree(tree / waste, ignore_errors=True)
    (tree / "var/cache/apt/archives/partial").mkdir(parents=True)


def _mirror() -> tuple[str, str]:
    """Address and suite of the first Debian archive that this machine's apt is configured with."""
    done = subprocess.run(
        ["apt-get", "indextargets", "--format", "$(SITE) $(CODENAME)"], capture_output=True, text=True, check=True
    )
    for line in done.stdout.splitlines():
        site, suite = line.split()
        if "-" not in suite:  # neither security nor updates, which hold no whole system
            return site, suite
    raise LabError("apt on this machine knows no archive")


def _image(path: Path, *options: str) -> None:
    path.unlink(missing_ok=True)
    first = [*options] if options[0].startswith("-") else []
    last = [] if first else [*options]
    _run("qemu-img", "create", "-q", "-f", "qcow2", *first, path.name, *last, cwd=path.parent)


def _run(*argv: str, cwd: Path | None = None) -> None:
    done = subprocess.run(argv, cwd=cwd, capture_output=True, text=True, check=False)
    if done.returncode:
        raise LabError(f"{shlex.join(argv)} ended with {done.returncode}: {done.stderr or done.stdout}")


def _answers(link: socket.socket) -> Iterator[dict[str, object]]:
    buffer = b""
    while True:
        while b"\n" in buffer:
            line, buffer = buffer.split(b"\n", 1)
            yield json.loads(line)
        piece = link.recv(65536)
        if not piece:
            return
        buffer += piece


def main(arguments: Sequence[str]) -> int:
    """Serve the command `lab`; the usage text is that file's own."""
    lab = Lab(Settings.from_environment())
    match list(arguments):
        case ["build"]:
            lab.build()
        case ["fresh" | "up" as how, *rest] if len(rest) <= 1:
            begin = time.monotonic()
            count = int(rest[0]) if rest else 3
            nodes = lab.fresh(count) if how == "fresh" else lab.up(count)
            print(f"{len(nodes)} nodes up in {time.monotonic() - begin:.0f} s")
        case ["save"]:
            lab.save()
        case ["ssh", number, *command]:
            argv = lab.node(int(number)).ssh_argv()
            return subprocess.run([*argv, *command], check=False).returncode
        case ["reboot", number]:
            print(f"node {number} back after {lab.node(int(number)).reboot():.0f} s")
        case ["hard-stop", number]:
            lab.node(int(number)).hard_stop()
        case ["start", number]:
            node = lab.node(int(number))
            node.start()
            node.wait_up()
        case ["monitor", number, *command]:
            print(lab.node(int(number)).monitor(" ".join(command)))
        case ["down"]:
            lab.down()
        case _:
            return 2
    return 0

"""Settings of the executors: how storage is laid out on nodes, and how nodes are reached (commands §3.3, §3.4)."""

from dataclasses import dataclass

DEFAULT_GLUSTER_TIMEOUT = 600
LONG_COMMAND = 600.0
SHORT_COMMAND = 300.0


@dataclass(frozen=True, slots=True)
class NodeOptions:
    """How bricks, devices and volumes are made. The defaults are heketi's; texts are handed to the tools as they are.

    `gluster_cli_timeout` is in seconds, 0 means 600. `snapshot_limit` 0 leaves gluster's own limit. `xfs_su` (bytes)
    and `xfs_sw` (disks) count only together. `lvm_wrapper` stands before every call of `lvm` and `udevadm`.
    `block_prealloc` is how block volumes are allocated (`full`, `no`); an impossible word counts as `full`.
    """

    fstab: str = "/etc/fstab"
    mountopts: str = "rw,inode64,noatime,nouuid"
    snapshot_limit: int = 0
    rebalance: bool = True
    backup_lvm_metadata: bool = False
    gluster_cli_timeout: int = 0
    pv_data_alignment: str = "256K"
    vg_physicalextentsize: str = "4M"
    lv_chunksize: str = "256K"
    xfs_sw: int = 0
    xfs_su: int = 0
    debug_umount_failures: bool = False
    lvm_wrapper: str = ""
    block_prealloc: str = "full"
    lvm: str = "/usr/sbin/lvm"
    udevadm: str = "/usr/bin/udevadm"

    @property
    def gluster_timeout(self) -> int:
        """The limit that the gluster command sets itself, in seconds."""
        return self.gluster_cli_timeout or DEFAULT_GLUSTER_TIMEOUT

    @property
    def gluster_exec_timeout(self) -> float:
        """The limit that we set a gluster command, in seconds: a little more than its own, 10 minutes at least."""
        return 60.0 * max(10, 1 + (self.gluster_timeout + 1) // 60)

    @property
    def longest_command(self) -> float:
        """The longest limit of any command, in seconds: so long a survivor may hold an operation's lock."""
        return max(LONG_COMMAND, self.gluster_exec_timeout)


@dataclass(frozen=True, slots=True)
class SshOptions:
    """How nodes are reached over ssh. `known_hosts` is a list of files, separated by `:`; empty means to trust a host's
    key at first use and to pin it. Times are in seconds."""

    keyfile: str
    user: str = "heketi"
    port: int = 22
    sudo: bool = False
    known_hosts: str = ""
    connect_timeout: float = 10.0
    handshake_timeout: float = 20.0
    keepalive_interval: float = 15.0
    keepalive_count: int = 3
    channels: int = 8

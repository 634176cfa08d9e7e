"""Every setting, once: key, type, default, environment variable, description. Pure values: `load` reads them.

Keys, types and defaults are heketi's, down to `port` being a text. heketi takes 0, "" and null for "not set",
so for its keys those mean the default; our own keys (marked `OURS`) take a 0 as it stands.
"""

from enum import StrEnum
from typing import Annotated, Final, Literal

from pydantic import BaseModel, ConfigDict, Field, SecretStr

from heketipy.config.variables import (
    Variable,
    any_text,
    boolean,
    exactly_true,
    first_letter,
    integer,
    limit,
    natural,
    positive,
    seconds,
)

INJECT: Final = "inject/"
"""What the names of executors begin with that inject faults."""

OURS: Final = "a setting that heketi does not have"

Natural = Annotated[int, Field(ge=0, lt=2**63)]
Uint32 = Annotated[int, Field(ge=0, lt=2**32)]
Integer = Annotated[int, Field(ge=-(2**63), lt=2**63)]
Seconds = Annotated[float, Field(ge=0, le=10**9, allow_inf_nan=False)]


class ExecutorName(StrEnum):
    """How the storage nodes are reached."""

    SSH = "ssh"
    KUBERNETES = "kubernetes"
    SIMULATOR = "mock"


class _Group(BaseModel):
    model_config = ConfigDict(strict=True, extra="forbid", frozen=True)


class JwtKey(_Group):
    """The key of one of the two principals."""

    key: SecretStr = Field(SecretStr(""), description="Shared secret that tokens are signed with.")


class AdminKey(JwtKey):
    """The administrator's key."""

    key: Annotated[SecretStr, Variable("HEKETI_ADMIN_KEY")] = Field(
        SecretStr(""),
        description="Key of `admin`, who may do everything. Needed unless authentication is off.",
    )


class UserKey(JwtKey):
    """The user's key."""

    key: Annotated[SecretStr, Variable("HEKETI_USER_KEY")] = Field(
        SecretStr(""),
        description="Key of `user`, who may only create volumes, list them and follow that work. "
        "Needed unless authentication is off.",
    )


class JwtSettings(_Group):
    """Keys of tokens, and their clock."""

    admin: AdminKey = AdminKey()
    user: UserKey = UserKey()
    iat_leeway: Annotated[Natural, OURS, Variable("HEKETI_JWT_IAT_LEEWAY_SECONDS", natural)] = Field(
        120, description="Seconds by which the clock of a client may be ahead of ours."
    )


class NodeSettings(_Group):
    """What is the same for every way to reach nodes. heketi has these keys once for each way."""

    fstab: Annotated[str, Variable("HEKETI_FSTAB")] = Field(
        "/etc/fstab", description="File on the nodes that gets the mounts of bricks."
    )
    mountopts: Annotated[str, Variable("HEKETI_MOUNT_OPTS")] = Field(
        "rw,inode64,noatime,nouuid", description="Options that bricks are mounted with."
    )
    sudo: bool = Field(False, description="Put `sudo -n` before each command. ssh only.")
    snapshot_limit: Annotated[Integer, Variable("HEKETI_SNAPSHOT_LIMIT", integer)] = Field(
        0,
        description="Largest number of snapshots of a volume (gluster's `snap-max-hard-limit`); 0 leaves it alone.",
    )
    rebalance_on_expansion: Annotated[bool, Variable("HEKETI_GLUSTERAPP_REBALANCE_ON_EXPANSION", boolean)] = Field(
        True,
        description="Rebalance a volume that was expanded. As in heketi only the environment can "
        "switch it off: the file's value is not looked at.",
    )
    backup_lvm_metadata: bool = Field(False, description="Let LVM keep its own backups of metadata on the nodes.")
    gluster_cli_timeout: Annotated[Uint32, Variable("HEKETI_GLUSTER_CLI_TIMEOUT", natural)] = Field(
        600, description="Seconds that one gluster command may take."
    )
    pv_data_alignment: str = Field("256K", description="`--dataalignment` of pvcreate.")
    vg_physicalextentsize: str = Field("4M", description="`--physicalextentsize` of vgcreate.")
    lv_chunksize: str = Field("256K", description="`--chunksize` of thin pools.")
    xfs_sw: Integer = Field(0, description="Stripe width of mkfs.xfs, in units; 0 leaves it to mkfs.")
    xfs_su: Integer = Field(0, description="Stripe unit of mkfs.xfs, in bytes; 0 leaves it to mkfs.")
    debug_umount_failures: Annotated[bool, Variable("HEKETI_DEBUG_UMOUNT_FAILURES", boolean)] = Field(
        False, description="When a brick is busy at umount, log which processes use it."
    )
    block_prealloc: Annotated[str, Variable("HEKETI_BLOCK_VOLUME_DEFAULT_PREALLOC")] = Field(
        "full", description="Preallocation of block volumes."
    )
    lvm_wrapper: Annotated[str, Variable("HEKETI_LVM_WRAPPER")] = Field(
        "", description="Program put before LVM's commands, for instance `/usr/sbin/exec-on-host`."
    )


class SshSettings(NodeSettings):
    """Nodes reached by ssh."""

    keyfile: Annotated[str, Variable("HEKETI_SSH_KEYFILE")] = Field(
        "", description="Private key, without a passphrase. Needed for executor `ssh`."
    )
    user: Annotated[str, Variable("HEKETI_SSH_USER")] = Field("heketi", description="User on the nodes.")
    port: Annotated[str, Variable("HEKETI_SSH_PORT")] = Field("22", description="Port of sshd; a text, as in heketi.")
    known_hosts: Annotated[str, OURS, Variable("SSH_KNOWN_HOSTS")] = Field(
        "", description="Files with the nodes' host keys, separated by `:`. Empty: `host_key_policy` decides."
    )
    host_key_policy: Annotated[Literal["pin", "ignore"], OURS, Variable("HEKETIPY_SSH_HOST_KEY_POLICY")] = Field(
        "pin",
        description="Without `known_hosts`: `pin` trusts the key seen first, keeps it in the database "
        "and refuses another one; `ignore` accepts any key, as heketi does.",
    )
    connect_timeout: Annotated[Seconds, OURS] = Field(
        20.0, description="Seconds until a node that does not answer counts as unreachable."
    )
    keepalive_interval: Annotated[Seconds, OURS] = Field(
        15.0,
        description="Seconds between signs of life on a connection; a node that misses three is unreachable.",
    )
    sessions_per_node: Annotated[int, Field(ge=1, le=1000), OURS] = Field(
        8, description="Commands at the same time over one connection (sshd allows 10 unless told otherwise)."
    )


class KubernetesSettings(NodeSettings):
    """Nodes reached by exec into their pods."""

    namespace: Annotated[str, Variable("HEKETI_KUBE_NAMESPACE")] = Field(
        "", description="Namespace of the gluster pods. Empty: the one that heketipy runs in."
    )
    gluster_daemonset: Annotated[bool, Variable("HEKETI_KUBE_GLUSTER_DAEMONSET", first_letter)] = Field(
        False, description="The gluster pods belong to a DaemonSet: a node's name is that of its host."
    )
    use_pod_names: Annotated[bool, Variable("HEKETI_KUBE_USE_POD_NAMES", first_letter)] = Field(
        False, description="A node's manage name is the name of its pod."
    )
    max_connections: Integer = Field(64, description="Execs at the same time; negative: no limit.")
    disable_timeout_prefix: bool = Field(False, description="Do not put `timeout` before commands in pods.")


class SimulatorSettings(_Group):
    """The simulator, which is the executor `mock`: nodes in memory, no storage."""

    device_size_gb: Annotated[
        Annotated[int, Field(ge=1, lt=2**31)], OURS, Variable("HEKETI_MOCK_DEVICE_SIZE_GB", positive)
    ] = Field(500, description="Size of each device that appears, in GiB.")
    state_file: Annotated[str, OURS, Variable("HEKETIPY_SIMULATOR_STATE_FILE")] = Field(
        "",
        description="File that keeps the simulated nodes, so that a restarted server finds them as they "
        "were. Empty: they are rebuilt from the database at start.",
    )
    socket: Annotated[str, OURS, Variable("HEKETIPY_SIMULATOR_SOCKET")] = Field(
        "",
        description="Unix socket of a simulator that runs in a process of its own "
        "(`python -m heketipy.executors.simulator.daemon`); then the other settings are its own.",
    )
    latency_ms: Annotated[Seconds, OURS, Variable("HEKETIPY_SIMULATOR_LATENCY_MS", seconds)] = Field(
        0.0, description="Time that each simulated command takes, in milliseconds."
    )


class ReactionSettings(_Group):
    """What happens at an injected fault."""

    result: str = Field("", description="What the command prints.")
    err: str = Field("", description="Why it fails.")
    pause: Seconds = Field(0.0, description="Seconds to wait before.")
    panic: str = Field("", description="End the server at once, with this text.")
    exitstatus: Integer = Field(0, description="Its exit status; 0 where it fails: 1.")
    erroutput: str = Field("", description="What it prints as its error; where it fails, `err` unless it is set.")
    forceerr: bool = Field(False, description="It fails, also without `err`.")
    forceerroutput: bool = Field(False, description="What it prints as its error is `erroutput`, also an empty one.")


class CommandHookSettings(_Group):
    """A fault instead of a command."""

    cmd: str = Field("", description="Regular expression that is searched in the command.")
    condfile: str = Field("", description="File on the server; only while it exists.")
    reaction: ReactionSettings = ReactionSettings()


class ResultHookSettings(CommandHookSettings):
    """A fault behind a command."""

    result: str = Field("", description="Regular expression that is searched in what the command left.")


class CommandInjectionSettings(_Group):
    """Faults at commands on nodes. Keys as in heketi: `Cmd`, `Result`, `CondFile`, `Reaction`."""

    commands: list[CommandHookSettings] = Field(
        [],
        description="Faults instead of commands: `Cmd`, `CondFile`, `Reaction` (`Result`, `Err`, `Pause`, `Panic`, "
        "`ExitStatus`, `ErrOutput`, `ForceErr`, `ForceErrOutput`).",
    )
    results: list[ResultHookSettings] = Field(
        [], description="Faults in place of what commands left: as `commands`, and `Result`."
    )


class InjectionSettings(_Group):
    """Fault injection, which the executors `inject/ssh` and `inject/mock` look at."""

    command_injection: CommandInjectionSettings = CommandInjectionSettings()


class RetryLimits(_Group):
    """How often work that a node failed is tried elsewhere."""

    volume_create: Integer = Field(4, description="Further tries, on other nodes, of a volume create; below 1: 4.")


class GlusterSettings(_Group):
    """The service proper; heketi calls this section `glusterfs`."""

    db: Annotated[str, Variable("HEKETI_DB_PATH")] = Field(
        "heketi.db",
        description="The database: the path of a SQLite file (relative to the current directory, as "
        "in heketi), or `postgresql://user:password@host/name`.",
    )
    db_read_only: bool = Field(
        False,
        description="Only look at the database: GETs are served, changes are answered 500, nothing is cleaned up or "
        "backed up. The file may be in use by another server.",
    )
    executor: Annotated[str, Variable("HEKETI_EXECUTOR")] = Field(
        "",
        description="`ssh`, `kubernetes` (or `kube`), or `mock`: the simulator, which stores nothing. `inject/ssh` and "
        "`inject/mock` let commands fail as `injectexec` says. `heketipy serve` wants it to be set; the program "
        "`heketi` takes an empty one for `ssh`, as heketi does.",
    )
    allocator: str = Field("", description="Accepted and not used, as in heketi.")
    loglevel: Annotated[str, Variable("HEKETI_GLUSTERAPP_LOGLEVEL")] = Field(
        "info",
        description="`none`, `critical`, `error`, `warning`, `info` or `debug`; another text means `info`.",
    )
    brick_max_size_gb: Natural = Field(4096, description="Largest brick, in GiB.")
    brick_min_size_gb: Natural = Field(1, description="Smallest brick, in GiB.")
    max_bricks_per_volume: Natural = Field(32, description="Most bricks of one volume.")
    average_file_size_kb: Natural = Field(64, description="Expected size of files, in KiB; sizes arbiter bricks.")
    pre_request_volume_options: Annotated[str, Variable("HEKETI_PRE_REQUEST_VOLUME_OPTIONS")] = Field(
        "", description="Volume options, separated by commas, that stand before those of a request."
    )
    post_request_volume_options: Annotated[str, Variable("HEKETI_POST_REQUEST_VOLUME_OPTIONS")] = Field(
        "", description="Volume options, separated by commas, that stand after those of a request."
    )
    zone_checking: Annotated[str, Variable("HEKETI_ZONE_CHECKING")] = Field(
        "none",
        description="`strict`: the bricks of a set lie in different zones; anything else: they need not.",
    )
    max_volumes_per_cluster: Annotated[Integer, Variable("HEKETI_GLUSTER_MAX_VOLUMES_PER_CLUSTER", integer)] = Field(
        1000, description="Most volumes of one cluster; negative: no limit."
    )
    auto_create_block_hosting_volume: Annotated[
        bool, Variable("HEKETI_AUTO_CREATE_BLOCK_HOSTING_VOLUME", boolean, otherwise=False)
    ] = Field(False, description="Create a hosting volume when a block volume finds no room.")
    block_hosting_volume_size: Annotated[
        Integer, Variable("HEKETI_BLOCK_HOSTING_VOLUME_SIZE", integer, otherwise=1024)
    ] = Field(1024, description="Size of such a hosting volume, in GiB; below 1: 1024.")
    block_hosting_volume_options: Annotated[str, Variable("HEKETI_BLOCK_HOSTING_VOLUME_OPTIONS")] = Field(
        "group gluster-block",
        description="Volume options, separated by commas, of volumes that host block volumes.",
    )
    disable_monitor_gluster_nodes: Annotated[bool, Variable("HEKETI_DISABLE_HEALTH_MONITOR", exactly_true)] = Field(
        False,
        description="Do not look whether the nodes are up. Known-down nodes get no bricks and no commands.",
    )
    refresh_time_monitor_gluster_nodes: Uint32 = Field(120, description="Seconds between two such looks.")
    start_time_monitor_gluster_nodes: Uint32 = Field(10, description="Seconds from the start to the first look.")
    max_inflight_operations: Annotated[Natural, Variable("HEKETI_MAX_INFLIGHT_OPERATIONS", limit)] = Field(
        20,
        description="Operations that run at the same time (heketi: 8). Not set: further ones wait in line. Set: "
        "further ones are answered 429, as heketi does. Deletes are always accepted. A "
        "negative environment variable: no limit.",
    )
    max_queued_operations: Annotated[Natural, OURS, Variable("HEKETIPY_MAX_QUEUED_OPERATIONS", natural)] = Field(
        1000, description="Operations that wait in line; beyond them 429 with `Retry-After`."
    )
    disable_background_cleaner: Annotated[bool, Variable("HEKETI_DISABLE_BACKGROUND_CLEANER", exactly_true)] = Field(
        False, description="Do not try again, in the background, what is left to be cleaned up."
    )
    refresh_time_background_cleaner: Uint32 = Field(
        10,
        description="Seconds between two rounds of the cleaner (heketi: 3600). What fails is tried again with growing "
        "pauses, from 5 seconds to 10 minutes.",
    )
    start_time_background_cleaner: Uint32 = Field(
        10, description="Seconds from the start to its first round (heketi: 60)."
    )
    operation_retry_limits: RetryLimits = RetryLimits()
    journal_mode: Annotated[Literal["auto", "wal", "delete"], OURS, Variable("HEKETIPY_JOURNAL_MODE")] = Field(
        "auto",
        description="SQLite's journal. `wal` is fast; `delete` works on network mounts; `auto` takes "
        "WAL where the file system can do it.",
    )
    record_file: Annotated[str, OURS, Variable("HEKETIPY_RECORD")] = Field(
        "",
        description="File to which every batch of commands for nodes is appended, with its results: for people who "
        "look for an error. Empty: none.",
    )
    backup_directory: Annotated[str, OURS, Variable("HEKETIPY_BACKUP_DIRECTORY")] = Field(
        "", description="Where backups of the SQLite file go. Empty: a folder `<database>.backups` beside it."
    )
    backup_interval: Annotated[Seconds, OURS, Variable("HEKETIPY_BACKUP_INTERVAL", seconds)] = Field(
        3600.0,
        description="Seconds between two backups, made while the server runs and when something changed; 0: none.",
    )
    backup_count: Annotated[int, Field(ge=1, le=10_000), OURS, Variable("HEKETIPY_BACKUP_COUNT", positive)] = Field(
        24, description="Backups that are kept; older ones are removed."
    )
    job_retention: Annotated[Seconds, OURS, Variable("HEKETIPY_JOB_RETENTION", seconds)] = Field(
        86400.0, description="Seconds that the result at `/queue/<id>` stays readable after its end."
    )
    quarantine_time: Annotated[Seconds, OURS, Variable("HEKETIPY_QUARANTINE_TIME", seconds)] = Field(
        604800.0,
        description="Seconds that logical volumes which nobody knows are kept after a clean-up of the drift.",
    )
    poll_hold: Annotated[Seconds, OURS, Variable("HEKETIPY_POLL_HOLD", seconds)] = Field(
        2.0,
        description="Seconds that a poll of `/queue/<id>` is held while its operation runs; 0: answer at once.",
    )
    max_held_polls: Annotated[Natural, OURS] = Field(
        512, description="Polls held at the same time; further ones are answered `pending` at once."
    )
    storage_hostname_check: Annotated[
        Literal["off", "warn", "strict"], OURS, Variable("HEKETIPY_STORAGE_HOSTNAME_CHECK")
    ] = Field(
        "warn",
        description="Kubernetes can only use nodes whose storage name is a single IP address. `warn` "
        "logs others when they are added, `strict` refuses them.",
    )
    sshexec: SshSettings = SshSettings()
    kubeexec: KubernetesSettings = KubernetesSettings()
    injectexec: InjectionSettings = InjectionSettings()
    simulator: SimulatorSettings = SimulatorSettings()

    @property
    def injects(self) -> bool:
        """Whether faults are injected."""
        return self.executor.startswith(INJECT)

    @property
    def volume_create_retries(self) -> int:
        """How often a failed volume create is tried anew, heketi's rule for odd values applied."""
        limit = self.operation_retry_limits.volume_create
        return limit if limit > 0 else 4

    @property
    def refuses_beyond(self) -> int | None:
        """From how many running operations on new ones are refused; None where no configuration says so."""
        return self.max_inflight_operations if "max_inflight_operations" in self.model_fields_set else None


class Settings(_Group):
    """The whole configuration. Construct it with `load`."""

    port: Annotated[str, Variable("HEKETI_HTTP_PORT")] = Field(
        "", description="Port to listen on; a text, as in heketi. Empty: some free port."
    )
    listen_address: Annotated[str, OURS, Variable("HEKETIPY_LISTEN_ADDRESS")] = Field(
        "", description="Address to listen on. Empty: all interfaces."
    )
    use_auth: bool = Field(
        False,
        description="Not looked at, as in heketi: authentication is on unless `--disable-auth` is given.",
    )
    jwt: JwtSettings = JwtSettings()
    backup_db_to_kube_secret: Annotated[bool, Variable("HEKETI_BACKUP_DB_TO_KUBE_SECRET", any_text)] = Field(
        False, description="Keep a copy of the database in a Kubernetes secret. Not supported yet."
    )
    enable_tls: bool = Field(False, description="Serve HTTPS; needs `cert_file` and `key_file`.")
    cert_file: str = Field("", description="Certificate, with its chain, in PEM.")
    key_file: str = Field("", description="Private key of the certificate, in PEM.")
    profiling: Annotated[bool, Variable("HEKETI_PROFILING", any_text)] = Field(
        False, description="Accepted and not used: Go's profiles do not exist here."
    )
    default_state: Annotated[str, Variable("HEKETI_DEFAULT_STATE")] = Field(
        "normal",
        description="Admin mode at start: `normal`; `read-only`: only GET and HEAD are served; `local-client`: others "
        "only to the server's own host.",
    )
    shutdown_grace: Annotated[Seconds, OURS, Variable("HEKETIPY_SHUTDOWN_GRACE", seconds)] = Field(
        25.0,
        description="Seconds after SIGTERM or SIGINT for running operations to end. Polls and reads "
        "are served meanwhile. What has not ended is finished or taken back at the next "
        "start.",
    )
    log_format: Annotated[Literal["auto", "json", "console"], OURS, Variable("HEKETIPY_LOG_FORMAT")] = Field(
        "auto", description="`json`, `console`, or `auto`: console on a terminal, JSON elsewhere."
    )
    glusterfs: GlusterSettings

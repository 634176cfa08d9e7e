"""Options of gluster volumes: which names glusterd knows, what a new volume has, and what `group` sets."""

from heketipy.executors.simulator.state import words

KNOWN_PREFIXES = (
    "auth", "changelog", "client", "cloudsync", "cluster", "config", "ctime", "debug", "delay-gen", "dht",
    "diagnostics",
    "disperse", "features", "geo-replication", "ganesha", "locks", "network", "nfs", "performance", "rebal", "server",
    "ssl", "storage", "transport",
)  # fmt: skip
KNOWN_WHOLE = frozenset(words("bitrot client.ssl ctime group quota shard"))

GROUPS: dict[str, str] = {
    "gluster-block": """performance.quick-read=off
performance.read-ahead=off
performance.io-cache=off
performance.stat-prefetch=off
performance.open-behind=off
performance.readdir-ahead=off
performance.strict-o-direct=on
performance.client-io-threads=on
performance.io-thread-count=32
performance.high-prio-threads=32
performance.normal-prio-threads=32
performance.low-prio-threads=32
performance.least-prio-threads=4
client.event-threads=8
server.event-threads=8
network.remote-dio=disable
cluster.eager-lock=enable
cluster.quorum-type=auto
cluster.data-self-heal-algorithm=full
cluster.locking-scheme=granular
cluster.shd-max-threads=8
cluster.shd-wait-qlength=10000
features.shard=on
features.shard-block-size=64MB
user.cifs=off
server.allow-insecure=on
cluster.choose-local=off
cluster.lookup-optimize=off""",
    "metadata-cache": """features.cache-invalidation=on
features.cache-invalidation-timeout=600
performance.stat-prefetch=on
performance.cache-invalidation=on
performance.md-cache-timeout=600
network.inode-lru-limit=200000""",
    "nl-cache": """features.cache-invalidation=on
features.cache-invalidation-timeout=600
performance.nl-cache=on
performance.nl-cache-timeout=600
network.inode-lru-limit=200000""",
    "db-workload": """performance.open-behind=on
performance.write-behind=off
performance.stat-prefetch=off
performance.quick-read=off
performance.strict-o-direct=on
performance.read-ahead=off
performance.io-cache=off
performance.readdir-ahead=off
performance.client-io-threads=on
server.event-threads=4
client.event-threads=4
performance.read-after-open=yes""",
}


def group_options(name: str) -> dict[str, str] | None:
    """Return the options of a group file; None if there is no such file."""
    text = GROUPS.get(name)
    if text is None:
        return None
    return dict(line.split("=", 1) for line in text.splitlines())


def initial(kind: str) -> dict[str, str]:
    """Return the options that a new volume has."""
    common = {"storage.fips-mode-rchecksum": "on", "transport.address-family": "inet", "nfs.disable": "on"}
    if kind == "replicate":
        return {"cluster.granular-entry-heal": "on", **common, "performance.client-io-threads": "off"}
    return common


def known(name: str) -> bool:
    """Return whether glusterd takes an option."""
    prefix, dot, rest = name.partition(".")
    if prefix == "user":
        return bool(dot and rest)
    return name in KNOWN_WHOLE or bool(dot and rest and prefix in KNOWN_PREFIXES)


def put(options: dict[str, str], name: str, value: str) -> dict[str, str]:
    """Return options with one set: in its place if it was there, else in front."""
    if name in options:
        return {**options, name: value}
    return {name: value, **options}

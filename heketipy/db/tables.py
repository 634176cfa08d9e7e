"""The schema, as code wants it to be. A new database is made of it, and an older one brought to it by `migrations/`;
`heketipy.db.check` compares the two.

Every constraint has a name, since a migration can only change what it can name. Nothing is deleted by cascade: a row
that is still pointed at is in use. Ids order by bytes, also on PostgreSQL, whose own order depends on the locale.
"""

from sqlalchemy import (
    JSON,
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    Double,
    ForeignKeyConstraint,
    Index,
    Integer,
    MetaData,
    PrimaryKeyConstraint,
    Table,
    Text,
    UniqueConstraint,
)

metadata = MetaData()

Key = Text().with_variant(Text(collation="C"), "postgresql")
"""Ids and other texts that are listed in byte order."""

_STATES = "state IN ('online', 'offline', 'failed')"

clusters = Table(
    "clusters",
    metadata,
    Column("id", Key, nullable=False),
    Column("file", Boolean, nullable=False),
    Column("block", Boolean, nullable=False),
    # Raised by every transaction that changes what the allocator's view shows, so that another server drops its own.
    Column("generation", BigInteger, nullable=False, server_default="0"),
    # Raised when nodes come and go: the list of hosts of all its volumes depends on nothing else.
    Column("topology", BigInteger, nullable=False, server_default="0"),
    PrimaryKeyConstraint("id", name="pk_clusters"),
)

nodes = Table(
    "nodes",
    metadata,
    Column("id", Key, nullable=False),
    Column("cluster", Key, nullable=False),
    Column("zone", BigInteger, nullable=False),
    Column("manage", JSON, nullable=False),
    Column("storage", JSON, nullable=False),
    Column("state", Text, nullable=False),
    Column("tags", JSON, nullable=False),
    PrimaryKeyConstraint("id", name="pk_nodes"),
    ForeignKeyConstraint(["cluster"], ["clusters.id"], name="fk_nodes_cluster"),
    CheckConstraint(_STATES, name="ck_nodes_state"),
    Index("ix_nodes_cluster", "cluster", "id"),
)

# Who has which name. The names of a node, in its order, are in its own row.
hostnames = Table(
    "hostnames",
    metadata,
    Column("kind", Text, nullable=False),
    Column("name", Text, nullable=False),
    Column("node", Key, nullable=False),
    PrimaryKeyConstraint("kind", "name", name="pk_hostnames"),
    ForeignKeyConstraint(["node"], ["nodes.id"], name="fk_hostnames_node"),
    CheckConstraint("kind IN ('manage', 'storage')", name="ck_hostnames_kind"),
    Index("ix_hostnames_node", "node"),
)

devices = Table(
    "devices",
    metadata,
    Column("id", Key, nullable=False),
    Column("node", Key, nullable=False),
    Column("name", Text, nullable=False),
    Column("total_kib", BigInteger, nullable=False),
    Column("free_kib", BigInteger, nullable=False),
    Column("used_kib", BigInteger, nullable=False),
    Column("extent_kib", BigInteger, nullable=False),
    Column("state", Text, nullable=False),
    Column("tags", JSON, nullable=False),
    Column("paths", JSON, nullable=False),
    Column("pv_uuid", Text, nullable=False),
    PrimaryKeyConstraint("id", name="pk_devices"),
    ForeignKeyConstraint(["node"], ["nodes.id"], name="fk_devices_node"),
    CheckConstraint("free_kib >= 0", name="ck_devices_free"),
    CheckConstraint("used_kib >= 0", name="ck_devices_used"),
    CheckConstraint("total_kib = free_kib + used_kib", name="ck_devices_total"),
    CheckConstraint(_STATES, name="ck_devices_state"),
    Index("ix_devices_node", "node", "id"),
)

volumes = Table(
    "volumes",
    metadata,
    Column("id", Key, nullable=False),
    Column("name", Text, nullable=False),
    Column("cluster", Key, nullable=False),
    Column("size_gib", BigInteger, nullable=False),
    Column("durability", Text, nullable=False),
    Column("replica", BigInteger, nullable=False),
    Column("disperse_data", BigInteger, nullable=False),
    Column("disperse_redundancy", BigInteger, nullable=False),
    Column("gid", BigInteger, nullable=False),
    Column("snapshot_enable", Boolean, nullable=False),
    Column("snapshot_factor", Double, nullable=False),
    Column("options", JSON, nullable=False),
    Column("block", Boolean, nullable=False),
    Column("block_free_gib", BigInteger, nullable=False),
    Column("block_reserved_gib", BigInteger, nullable=False),
    Column("block_restriction", Text, nullable=False),
    Column("requested_clusters", JSON, nullable=False),
    Column("pending", Key, nullable=False),
    PrimaryKeyConstraint("id", name="pk_volumes"),
    ForeignKeyConstraint(["cluster"], ["clusters.id"], name="fk_volumes_cluster"),
    UniqueConstraint("cluster", "name", name="uq_volumes_cluster_name"),
    CheckConstraint("durability IN ('none', 'replicate', 'disperse')", name="ck_volumes_durability"),
    CheckConstraint("size_gib >= 0", name="ck_volumes_size"),
    Index("ix_volumes_cluster", "cluster", "id"),
)

bricks = Table(
    "bricks",
    metadata,
    Column("id", Key, nullable=False),
    Column("volume", Key, nullable=False),
    Column("device", Key, nullable=False),
    Column("node", Key, nullable=False),
    Column("position", Integer, nullable=False),
    Column("path", Text, nullable=False),
    Column("size_kib", BigInteger, nullable=False),
    Column("tp_size_kib", BigInteger, nullable=False),
    Column("pool_metadata_kib", BigInteger, nullable=False),
    Column("type", Integer, nullable=False),
    Column("thin_pool", Text, nullable=False),
    Column("lv", Text, nullable=False),
    Column("pending", Key, nullable=False),
    PrimaryKeyConstraint("id", name="pk_bricks"),
    ForeignKeyConstraint(["volume"], ["volumes.id"], name="fk_bricks_volume"),
    ForeignKeyConstraint(["device"], ["devices.id"], name="fk_bricks_device"),
    ForeignKeyConstraint(["node"], ["nodes.id"], name="fk_bricks_node"),
    CheckConstraint("tp_size_kib >= 0 AND pool_metadata_kib >= 0", name="ck_bricks_charge"),
    CheckConstraint("type IN (0, 1, 2)", name="ck_bricks_type"),
    # Not unique: a brick that is replaced and its replacement share a position until gluster has swapped them.
    Index("ix_bricks_volume", "volume", "position"),
    Index("ix_bricks_device", "device", "id"),
    Index("ix_bricks_node", "node"),
)

block_volumes = Table(
    "block_volumes",
    metadata,
    Column("id", Key, nullable=False),
    Column("name", Text, nullable=False),
    Column("cluster", Key, nullable=False),
    Column("hosting_volume", Key, nullable=False),
    Column("size_gib", BigInteger, nullable=False),
    Column("usable_gib", BigInteger, nullable=False),
    Column("ha_count", BigInteger, nullable=False),
    Column("auth", Boolean, nullable=False),
    Column("hosts", JSON, nullable=False),
    Column("iqn", Text, nullable=False),
    Column("username", Text, nullable=False),
    Column("password", Text, nullable=False),
    Column("requested_clusters", JSON, nullable=False),
    Column("pending", Key, nullable=False),
    PrimaryKeyConstraint("id", name="pk_block_volumes"),
    ForeignKeyConstraint(["cluster"], ["clusters.id"], name="fk_block_volumes_cluster"),
    ForeignKeyConstraint(["hosting_volume"], ["volumes.id"], name="fk_block_volumes_hosting_volume"),
    UniqueConstraint("hosting_volume", "name", name="uq_block_volumes_hosting_volume_name"),
    CheckConstraint("size_gib >= 0", name="ck_block_volumes_size"),
    Index("ix_block_volumes_cluster", "cluster", "id"),
)

operations = Table(
    "operations",
    metadata,
    Column("id", Key, nullable=False),
    Column("kind", Text, nullable=False),
    Column("status", Text, nullable=False),
    Column("created", Double, nullable=False),
    Column("epoch", BigInteger, nullable=False),
    Column("plan", JSON, nullable=False),
    Column("journal", JSON, nullable=False),
    Column("pivoted", Boolean, nullable=False),
    Column("attempt", Integer, nullable=False),
    Column("error", Text, nullable=False),
    PrimaryKeyConstraint("id", name="pk_operations"),
    CheckConstraint("status IN ('new', 'stale', 'failed')", name="ck_operations_status"),
)

# A job outlives its operation, so it does not refer to it by a foreign key.
jobs = Table(
    "jobs",
    metadata,
    Column("id", Key, nullable=False),
    Column("operation", Key, nullable=False),
    Column("created", Double, nullable=False),
    Column("ended", Double, nullable=True),
    Column("result", Text, nullable=False),
    Column("error", Text, nullable=False),
    Column("code", Text, nullable=False),
    PrimaryKeyConstraint("id", name="pk_jobs"),
    Index("ix_jobs_operation", "operation"),
    Index("ix_jobs_ended", "ended"),
)

# A debt may outlive its operation, and even the node's row; both are only named here.
debts = Table(
    "debts",
    metadata,
    Column("id", Key, nullable=False),
    Column("node", Key, nullable=False),
    Column("operation", Key, nullable=False),
    Column("created", Double, nullable=False),
    Column("work", JSON, nullable=False),
    Column("charges", JSON, nullable=False),
    Column("attempts", Integer, nullable=False),
    Column("error", Text, nullable=False),
    PrimaryKeyConstraint("id", name="pk_debts"),
    Index("ix_debts_node", "node"),
)

meta = Table(
    "meta",
    metadata,
    Column("key", Key, nullable=False),
    Column("value", Text, nullable=False),
    PrimaryKeyConstraint("key", name="pk_meta"),
)

# The ssh host keys that were seen first, each in the one-line form of known_hosts without the name.
host_keys = Table(
    "host_keys",
    metadata,
    Column("host", Key, nullable=False),
    Column("key", Text, nullable=False),
    PrimaryKeyConstraint("host", name="pk_host_keys"),
)

# Records of an imported database of heketi that our tables cannot say in the same way: a reference to something that is
# not there, say. `ours` is what the tables said of the same object when it was taken over, and empty where they do not
# know it at all: as long as they say that, the record still holds.
heketi_records = Table(
    "heketi_records",
    metadata,
    Column("section", Text, nullable=False),
    Column("id", Key, nullable=False),
    Column("entry", JSON, nullable=False),
    Column("ours", JSON(none_as_null=True), nullable=True),
    PrimaryKeyConstraint("section", "id", name="pk_heketi_records"),
)

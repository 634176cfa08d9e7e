"""The first schema: clusters, nodes, devices, volumes, bricks, and work in progress."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

key = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")
states = "state IN ('online', 'offline', 'failed')"


def upgrade() -> None:
    op.create_table(
        "clusters",
        sa.Column("id", key, nullable=False),
        sa.Column("file", sa.Boolean, nullable=False),
        sa.Column("block", sa.Boolean, nullable=False),
        sa.Column("generation", sa.BigInteger, nullable=False, server_default="0"),
        sa.Column("topology", sa.BigInteger, nullable=False, server_default="0"),
        sa.PrimaryKeyConstraint("id", name="pk_clusters"),
    )
    op.create_table(
        "nodes",
        sa.Column("id", key, nullable=False),
        sa.Column("cluster", key, nullable=False),
        sa.Column("zone", sa.BigInteger, nullable=False),
        sa.Column("manage", sa.JSON, nullable=False),
        sa.Column("storage", sa.JSON, nullable=False),
        sa.Column("state", sa.Text, nullable=False),
        sa.Column("tags", sa.JSON, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_nodes"),
        sa.ForeignKeyConstraint(["cluster"], ["clusters.id"], name="fk_nodes_cluster"),
        sa.CheckConstraint(states, name="ck_nodes_state"),
    )
    op.create_index("ix_nodes_cluster", "nodes", ["cluster", "id"])
    op.create_table(
        "hostnames",
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("node", key, nullable=False),
        sa.PrimaryKeyConstraint("kind", "name", name="pk_hostnames"),
        sa.ForeignKeyConstraint(["node"], ["nodes.id"], name="fk_hostnames_node"),
        sa.CheckConstraint("kind IN ('manage', 'storage')", name="ck_hostnames_kind"),
    )
    op.create_index("ix_hostnames_node", "hostnames", ["node"])
    op.create_table(
        "devices",
        sa.Column("id", key, nullable=False),
        sa.Column("node", key, nullable=False),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("total_kib", sa.BigInteger, nullable=False),
        sa.Column("free_kib", sa.BigInteger, nullable=False),
        sa.Column("used_kib", sa.BigInteger, nullable=False),
        sa.Column("extent_kib", sa.BigInteger, nullable=False),
        sa.Column("state", sa.Text, nullable=False),
        sa.Column("tags", sa.JSON, nullable=False),
        sa.Column("paths", sa.JSON, nullable=False),
        sa.Column("pv_uuid", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_devices"),
        sa.ForeignKeyConstraint(["node"], ["nodes.id"], name="fk_devices_node"),
        sa.CheckConstraint("free_kib >= 0", name="ck_devices_free"),
        sa.CheckConstraint("used_kib >= 0", name="ck_devices_used"),
        sa.CheckConstraint("total_kib = free_kib + used_kib", name="ck_devices_total"),
        sa.CheckConstraint(states, name="ck_devices_state"),
    )
    op.create_index("ix_devices_node", "devices", ["node", "id"])
    op.create_table(
        "volumes",
        sa.Column("id", key, nullable=False),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("cluster", key, nullable=False),
        sa.Column("size_gib", sa.BigInteger, nullable=False),
        sa.Column("durability", sa.Text, nullable=False),
        sa.Column("replica", sa.BigInteger, nullable=False),
        sa.Column("disperse_data", sa.BigInteger, nullable=False),
        sa.Column("disperse_redundancy", sa.BigInteger, nullable=False),
        sa.Column("gid", sa.BigInteger, nullable=False),
        sa.Column("snapshot_enable", sa.Boolean, nullable=False),
        sa.Column("snapshot_factor", sa.Double, nullable=False),
        sa.Column("options", sa.JSON, nullable=False),
        sa.Column("block", sa.Boolean, nullable=False),
        sa.Column("block_free_gib", sa.BigInteger, nullable=False),
        sa.Column("block_reserved_gib", sa.BigInteger, nullable=False),
        sa.Column("block_restriction", sa.Text, nullable=False),
        sa.Column("requested_clusters", sa.JSON, nullable=False),
        sa.Column("pending", key, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_volumes"),
        sa.ForeignKeyConstraint(["cluster"], ["clusters.id"], name="fk_volumes_cluster"),
        sa.UniqueConstraint("cluster", "name", name="uq_volumes_cluster_name"),
        sa.CheckConstraint("durability IN ('none', 'replicate', 'disperse')", name="ck_volumes_durability"),
        sa.CheckConstraint("size_gib >= 0", name="ck_volumes_size"),
    )
    op.create_index("ix_volumes_cluster", "volumes", ["cluster", "id"])
    op.create_table(
        "bricks",
        sa.Column("id", key, nullable=False),
        sa.Column("volume", key, nullable=False),
        sa.Column("device", key, nullable=False),
        sa.Column("node", key, nullable=False),
        sa.Column("position", sa.Integer, nullable=False),
        sa.Column("path", sa.Text, nullable=False),
        sa.Column("size_kib", sa.BigInteger, nullable=False),
        sa.Column("tp_size_kib", sa.BigInteger, nullable=False),
        sa.Column("pool_metadata_kib", sa.BigInteger, nullable=False),
        sa.Column("type", sa.Integer, nullable=False),
        sa.Column("thin_pool", sa.Text, nullable=False),
        sa.Column("lv", sa.Text, nullable=False),
        sa.Column("pending", key, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_bricks"),
        sa.ForeignKeyConstraint(["volume"], ["volumes.id"], name="fk_bricks_volume"),
        sa.ForeignKeyConstraint(["device"], ["devices.id"], name="fk_bricks_device"),
        sa.ForeignKeyConstraint(["node"], ["nodes.id"], name="fk_bricks_node"),
        sa.CheckConstraint("tp_size_kib >= 0 AND pool_metadata_kib >= 0", name="ck_bricks_charge"),
        sa.CheckConstraint("type IN (0, 1, 2)", name="ck_bricks_type"),
    )
    op.create_index("ix_bricks_volume", "bricks", ["volume", "position"])
    op.create_index("ix_bricks_device", "bricks", ["device", "id"])
    op.create_index("ix_bricks_node", "bricks", ["node"])
    op.create_table(
        "operations",
        sa.Column("id", key, nullable=False),
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("status", sa.Text, nullable=False),
        sa.Column("created", sa.Double, nullable=False),
        sa.Column("epoch", sa.BigInteger, nullable=False),
        sa.Column("plan", sa.JSON, nullable=False),
        sa.Column("journal", sa.JSON, nullable=False),
        sa.Column("pivoted", sa.Boolean, nullable=False),
        sa.Column("attempt", sa.Integer, nullable=False),
        sa.Column("error", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_operations"),
        sa.CheckConstraint("status IN ('new', 'stale', 'failed')", name="ck_operations_status"),
    )
    op.create_table(
        "jobs",
        sa.Column("id", key, nullable=False),
        sa.Column("operation", key, nullable=False),
        sa.Column("created", sa.Double, nullable=False),
        sa.Column("ended", sa.Double, nullable=True),
        sa.Column("result", sa.Text, nullable=False),
        sa.Column("error", sa.Text, nullable=False),
        sa.Column("code", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_jobs"),
    )
    op.create_index("ix_jobs_operation", "jobs", ["operation"])
    op.create_index("ix_jobs_ended", "jobs", ["ended"])
    op.create_table(
        "debts",
        sa.Column("id", key, nullable=False),
        sa.Column("node", key, nullable=False),
        sa.Column("operation", key, nullable=False),
        sa.Column("created", sa.Double, nullable=False),
        sa.Column("work", sa.JSON, nullable=False),
        sa.Column("charges", sa.JSON, nullable=False),
        sa.Column("attempts", sa.Integer, nullable=False),
        sa.Column("error", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_debts"),
    )
    op.create_index("ix_debts_node", "debts", ["node"])
    op.create_table(
        "meta",
        sa.Column("key", key, nullable=False),
        sa.Column("value", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("key", name="pk_meta"),
    )
    op.create_table(
        "host_keys",
        sa.Column("host", key, nullable=False),
        sa.Column("key", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("host", name="pk_host_keys"),
    )


def downgrade() -> None:
    for table in (
        "host_keys",
        "meta",
        "debts",
        "jobs",
        "operations",
        "bricks",
        "volumes",
        "devices",
        "hostnames",
        "nodes",
        "clusters",
    ):
        op.drop_table(table)

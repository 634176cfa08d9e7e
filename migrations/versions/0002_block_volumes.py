"""Block volumes: files on hosting volumes that gluster-block exports."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

key = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")


def upgrade() -> None:
    op.create_table(
        "block_volumes",
        sa.Column("id", key, nullable=False),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("cluster", key, nullable=False),
        sa.Column("hosting_volume", key, nullable=False),
        sa.Column("size_gib", sa.BigInteger, nullable=False),
        sa.Column("usable_gib", sa.BigInteger, nullable=False),
        sa.Column("ha_count", sa.BigInteger, nullable=False),
        sa.Column("auth", sa.Boolean, nullable=False),
        sa.Column("hosts", sa.JSON, nullable=False),
        sa.Column("iqn", sa.Text, nullable=False),
        sa.Column("username", sa.Text, nullable=False),
        sa.Column("password", sa.Text, nullable=False),
        sa.Column("requested_clusters", sa.JSON, nullable=False),
        sa.Column("pending", key, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_block_volumes"),
        sa.ForeignKeyConstraint(["cluster"], ["clusters.id"], name="fk_block_volumes_cluster"),
        sa.ForeignKeyConstraint(["hosting_volume"], ["volumes.id"], name="fk_block_volumes_hosting_volume"),
        sa.UniqueConstraint("hosting_volume", "name", name="uq_block_volumes_hosting_volume_name"),
        sa.CheckConstraint("size_gib >= 0", name="ck_block_volumes_size"),
    )
    op.create_index("ix_block_volumes_cluster", "block_volumes", ["cluster", "id"])


def downgrade() -> None:
    op.drop_table("block_volumes")

"""Records that were taken over from heketi, as far as our own tables cannot say the same."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

key = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")


def upgrade() -> None:
    op.create_table(
        "heketi_records",
        sa.Column("section", sa.Text, nullable=False),
        sa.Column("id", key, nullable=False),
        sa.Column("entry", sa.JSON, nullable=False),
        sa.Column("ours", sa.JSON(none_as_null=True), nullable=True),
        sa.PrimaryKeyConstraint("section", "id", name="pk_heketi_records"),
    )


def downgrade() -> None:
    op.drop_table("heketi_records")

"""Records of what was removed from the history."""

import sqlalchemy as sa
from alembic import op

from certwright.adapters.sql.columns import PlainText, UtcTime

revision = "0013"
down_revision = "0012"


def upgrade() -> None:
    """Add them."""
    op.create_table(
        "retention_records",
        sa.Column("number", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False, autoincrement=False),
        sa.Column("removed_at", UtcTime(), nullable=False),
        sa.Column("before", UtcTime(), nullable=False),
        sa.Column("operator", PlainText(), nullable=False),
        sa.Column("events", sa.BigInteger(), nullable=False),
        sa.Column("numbers", PlainText(), nullable=False),
        sa.Column("signature", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("number", name=op.f("pk_retention_records")),
    )

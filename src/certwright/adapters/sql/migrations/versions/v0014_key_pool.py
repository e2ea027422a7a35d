"""Keys made ahead."""

import sqlalchemy as sa
from alembic import op

from certwright.adapters.sql.columns import PlainText, UtcTime

revision = "0014"
down_revision = "0013"


def upgrade() -> None:
    """Add their table."""
    op.create_table(
        "pooled_keys",
        sa.Column("number", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), sa.Identity(), nullable=False),
        sa.Column("kind", PlainText(), nullable=False),
        sa.Column("name", PlainText(), nullable=False),
        sa.Column("public", sa.LargeBinary(), nullable=False),
        sa.Column("sealed", sa.LargeBinary(), nullable=False),
        sa.Column("created", UtcTime(), nullable=False),
        sa.PrimaryKeyConstraint("number", name=op.f("pk_pooled_keys")),
    )
    op.create_index("ix_pooled_keys_kind", "pooled_keys", ["kind", "number"])

"""Versions of the key-encryption key."""

import sqlalchemy as sa
from alembic import op

from certwright.adapters.sql.columns import UtcTime

revision = "0010"
down_revision = "0009"


def upgrade() -> None:
    """Add their table. What was sealed before is sealed by the passphrase itself, and says so."""
    op.create_table(
        "key_versions",
        sa.Column("number", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("wrapped", sa.LargeBinary(), nullable=False),
        sa.Column("created", UtcTime(), nullable=False),
        sa.PrimaryKeyConstraint("number", name=op.f("pk_key_versions")),
    )

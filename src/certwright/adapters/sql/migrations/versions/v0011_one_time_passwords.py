"""One-time passwords."""

import sqlalchemy as sa
from alembic import op

from certwright.adapters.sql.columns import UtcTime

revision = "0011"
down_revision = "0010"


def upgrade() -> None:
    """Add the table."""
    op.create_table(
        "one_time_passwords",
        sa.Column("request_id", sa.Uuid(), nullable=False),
        sa.Column("sealed_key", sa.LargeBinary(), nullable=False),
        sa.Column("digests", sa.LargeBinary(), nullable=False),
        sa.Column("distributed", UtcTime(), nullable=False),
        sa.Column("expires", UtcTime(), nullable=False),
        sa.Column("tries_left", sa.SmallInteger(), nullable=False),
        sa.Column("used", UtcTime(), nullable=True),
        sa.Column("is_expiry_told", sa.Boolean(), nullable=False),
        sa.ForeignKeyConstraint(["request_id"], ["requests.id"], name=op.f("fk_one_time_passwords_request_id")),
        sa.PrimaryKeyConstraint("request_id", name=op.f("pk_one_time_passwords")),
    )
    op.create_index("ix_one_time_passwords_expires", "one_time_passwords", ["expires"])

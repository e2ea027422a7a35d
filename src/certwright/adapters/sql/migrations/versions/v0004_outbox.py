"""The outbox."""

import sqlalchemy as sa
from alembic import op

from certwright.adapters.sql.columns import PlainText, UtcTime

revision = "0004"
down_revision = "0003"

counter_type = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    """Add it, empty: what happened before is told nobody."""
    op.create_table(
        "outbox",
        sa.Column("number", counter_type, sa.Identity(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("sink", PlainText(), nullable=False),
        sa.Column("recipient", PlainText(), nullable=False),
        sa.Column("notification", sa.String(60), nullable=False),
        sa.Column("subject_id", sa.Uuid(), nullable=False),
        sa.Column("request_id", sa.Uuid(), nullable=False),
        sa.Column("created", UtcTime(), nullable=False),
        sa.Column("due", UtcTime(), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("state", sa.String(10), nullable=False),
        sa.Column("error", PlainText(), nullable=False),
        sa.Column("payload", sa.LargeBinary()),
        sa.Column("sealed", sa.LargeBinary()),
        sa.Column("has_secret", sa.Boolean(), nullable=False),
        sa.CheckConstraint("state IN ('waiting', 'sent', 'dead')", name=op.f("ck_outbox_state")),
        sa.CheckConstraint("payload IS NULL OR sealed IS NULL", name=op.f("ck_outbox_form")),
        sa.PrimaryKeyConstraint("number", name=op.f("pk_outbox")),
        sa.UniqueConstraint("id", name=op.f("uq_outbox_id")),
        sqlite_autoincrement=True,
    )
    is_waiting = sa.text("state = 'waiting'")
    op.create_index(
        "ix_outbox_waiting",
        "outbox",
        ["sink", "subject_id", "number"],
        sqlite_where=is_waiting,
        postgresql_where=is_waiting,
    )
    op.create_index("ix_outbox_state", "outbox", ["state", "number"])

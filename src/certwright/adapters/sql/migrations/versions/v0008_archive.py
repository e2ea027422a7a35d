"""Recovery agents, and the keys that are archived for them."""

import sqlalchemy as sa
from alembic import op

from certwright.adapters.sql.columns import PlainText, Serial, UtcTime

revision = "0008"
down_revision = "0007"


def upgrade() -> None:
    """Add them. There are no agents yet: certwright keys agents add makes the first."""
    op.create_table(
        "recovery_agents",
        sa.Column("name", PlainText(), nullable=False),
        sa.Column("certificate", sa.LargeBinary(), nullable=False),
        sa.Column("key_name", PlainText(), nullable=True),
        sa.Column("added", UtcTime(), nullable=False),
        sa.Column("retired", UtcTime(), nullable=True),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_recovery_agents")),
        sa.UniqueConstraint("certificate", name=op.f("uq_recovery_agents_certificate")),
    )
    op.create_table(
        "archived_keys",
        sa.Column("serial", Serial(), nullable=False),
        sa.Column("enveloped", sa.LargeBinary(), nullable=False),
        sa.Column("agents", sa.LargeBinary(), nullable=False),
        sa.Column("archived", UtcTime(), nullable=False),
        sa.ForeignKeyConstraint(["serial"], ["certificates.serial"], name=op.f("fk_archived_keys_serial")),
        sa.PrimaryKeyConstraint("serial", name=op.f("pk_archived_keys")),
    )
    op.create_index("ix_archived_keys_agents", "archived_keys", ["agents", "serial"])

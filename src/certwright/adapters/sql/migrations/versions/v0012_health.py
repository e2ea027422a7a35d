"""What tells whether events can be written, and an index of the rare ones that are looked for at a start."""

import sqlalchemy as sa
from alembic import op

from certwright.adapters.sql.columns import UtcTime

revision = "0012"
down_revision = "0011"


def upgrade() -> None:
    """Add them."""
    op.create_table(
        "history_probe",
        sa.Column("id", sa.SmallInteger(), nullable=False, autoincrement=False),
        sa.Column("at", UtcTime(), nullable=False),
        sa.Column("ballast", sa.LargeBinary(), nullable=False),
        sa.CheckConstraint("id = 1", name=op.f("ck_history_probe_single")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_history_probe")),
    )
    of_settings = sa.text("type = 'settings.changed'")
    op.create_index("ix_events_of_settings", "events", ["sequence"], sqlite_where=of_settings, postgresql_where=of_settings)

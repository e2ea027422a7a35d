"""Requests are found by the card that they are for."""

import sqlalchemy as sa
from alembic import op

revision = "0015"
down_revision = "0014"


def upgrade() -> None:
    """Add the index."""
    is_for_card = sa.text("smartcard_id IS NOT NULL")
    op.create_index(
        "ix_requests_smartcard_id",
        "requests",
        ["smartcard_id", "number"],
        sqlite_where=is_for_card,
        postgresql_where=is_for_card,
    )

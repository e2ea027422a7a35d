"""Approvals keep what the answers were that they are for."""

import sqlalchemy as sa
from alembic import op

from certwright.adapters.sql.columns import PlainText

revision = "0025"
down_revision = "0024"


def upgrade() -> None:
    """Add the column; an approval from before is for the answers that its request has."""
    op.add_column("approvals", sa.Column("answers", PlainText(), nullable=True))

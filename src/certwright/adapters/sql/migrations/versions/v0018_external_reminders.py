"""When somebody was reminded that a certificate from elsewhere ends."""

import sqlalchemy as sa
from alembic import op

from certwright.adapters.sql.columns import UtcTime

revision = "0018"
down_revision = "0017"


def upgrade() -> None:
    """Add the time."""
    op.add_column("external_certificates", sa.Column("reminded_at", UtcTime(), nullable=True))

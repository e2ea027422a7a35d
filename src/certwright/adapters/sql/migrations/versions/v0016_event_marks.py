"""Events carry a mark; those that are there already have none."""

import sqlalchemy as sa
from alembic import op

revision = "0016"
down_revision = "0015"


def upgrade() -> None:
    """Add the column."""
    op.add_column("events", sa.Column("mark", sa.LargeBinary))

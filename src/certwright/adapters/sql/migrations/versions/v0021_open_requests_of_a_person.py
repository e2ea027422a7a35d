"""Open requests are counted by who opened them, for whom, under which template."""

import sqlalchemy as sa
from alembic import op

revision = "0021"
down_revision = "0020"


def upgrade() -> None:
    """Add the index."""
    is_open = sa.text("status IN (3, 16, 18)")
    columns = ["originator_id", "target_id", "template_id"]
    op.create_index("ix_requests_open_by", "requests", columns, sqlite_where=is_open, postgresql_where=is_open)

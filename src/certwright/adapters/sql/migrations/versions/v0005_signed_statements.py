"""Seals that sign their whole statement."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    """Say of each seal how it was made. What is there already is of version 1, and stays provable as that."""
    op.add_column("seals", sa.Column("version", sa.SmallInteger(), nullable=False, server_default=sa.text("1")))

"""Marks of rows that are used more rarely."""

import sqlalchemy as sa
from alembic import op

revision = "0024"
down_revision = "0023"

MARKED = (
    "smartcards",
    "one_time_passwords",
    "delayed_revocations",
    "external_certificates",
    "certificate_copies",
    "recovery_agents",
    "authorities",
)


def upgrade() -> None:
    """Add the columns; what fills them needs the key of the marks, which is there when the installation is opened."""
    for table in MARKED:
        op.add_column(table, sa.Column("mark", sa.LargeBinary(), nullable=True))

"""Marks of rows by which the product decides."""

import sqlalchemy as sa
from alembic import op

revision = "0020"
down_revision = "0019"

MARKED = (
    ("users", "mark"),
    ("user_groups", "mark"),
    ("group_members", "mark"),
    ("grants", "mark"),
    ("password_hashes", "mark"),
    ("profile_templates", "mark"),
    ("withdrawn_templates", "mark"),
    ("requests", "mark"),
    ("requests", "answers_mark"),
    ("approvals", "mark"),
    ("profiles", "mark"),
    ("certificates", "mark"),
    ("certificates", "revocation_mark"),
)


def upgrade() -> None:
    """Add the columns; what fills them needs a key, which is made when the installation is opened."""
    for table, column in MARKED:
        op.add_column(table, sa.Column(column, sa.LargeBinary(), nullable=True))

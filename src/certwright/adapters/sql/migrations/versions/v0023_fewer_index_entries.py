"""Indexes of actors and subjects of events have no entry that another of them makes needless."""

import sqlalchemy as sa
from alembic import op

revision = "0023"
down_revision = "0022"

_INDEXES = (
    ("ix_events_actor", "actor", "actor_id IS NULL"),
    ("ix_events_subject_id", "subject_id", "subject_id IS NOT NULL AND (actor_id IS NULL OR actor_id <> subject_id)"),
)


def upgrade() -> None:
    """Make both again."""
    for name, column, condition in _INDEXES:
        where = sa.text(condition)
        op.drop_index(name, "events")
        op.create_index(name, "events", [column, "sequence"], sqlite_where=where, postgresql_where=where)

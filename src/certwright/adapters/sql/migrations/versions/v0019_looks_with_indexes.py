"""Indexes for looks that walked whole tables, names of groups without their case, and a revision of the rights alone."""

import sqlalchemy as sa
from alembic import op

from certwright.adapters.sql.columns import PlainText

revision = "0019"
down_revision = "0018"

_OPEN = "status NOT IN (4, 8, 9, 17)"
_COMMON = "'certificate.issued', 'profile.changed', 'request.completed', 'request.created', 'request.executed'"
_INDEXES = (
    ("ix_requests_profile_id", "requests", ["profile_id"], "profile_id IS NOT NULL"),
    ("ix_requests_old_profile_id", "requests", ["old_profile_id"], "old_profile_id IS NOT NULL"),
    ("ix_requests_template_id", "requests", ["template_id", "number"], ""),
    ("ix_requests_open", "requests", ["submitted", "number"], _OPEN),
    ("ix_certificate_copies_serial", "certificate_copies", ["serial"], ""),
    ("ix_events_actor", "events", ["actor", "sequence"], ""),
    ("ix_events_actor_id", "events", ["actor_id", "sequence"], "actor_id IS NOT NULL"),
    ("ix_events_subject_id", "events", ["subject_id", "sequence"], "subject_id IS NOT NULL"),
    ("ix_events_at", "events", ["at", "sequence"], ""),
    ("ix_events_rare", "events", ["type", "sequence"], f"type NOT IN ({_COMMON})"),
    ("ix_user_groups_name_key", "user_groups", ["name_key"], ""),
    ("ix_grants_trustee", "grants", ["trustee"], ""),
    ("ix_outbox_due", "outbox", ["sink", "due", "number"], "state = 'waiting'"),
    ("ix_outbox_sent", "outbox", ["due"], "state NOT IN ('dead', 'waiting')"),
    ("ix_outbox_request_id", "outbox", ["request_id", "number"], ""),
    ("ix_delayed_revocations_effective", "delayed_revocations", ["effective"], ""),
    ("ix_external_certificates_ending", "external_certificates", ["template_id", "not_after"], "reminded_at IS NULL"),
    ("ix_one_time_passwords_untold", "one_time_passwords", ["expires"], "used IS NULL AND NOT is_expiry_told"),
)


def upgrade() -> None:
    """Add them."""
    one = sa.text("1")
    op.add_column("directory_revision", sa.Column("grants_revision", sa.BigInteger(), nullable=False, server_default=one))
    op.add_column("user_groups", sa.Column("name_key", PlainText(), nullable=False, server_default=sa.text("''")))
    groups = sa.table("user_groups", sa.column("id", sa.Uuid()), sa.column("name"), sa.column("name_key"))
    connection = op.get_bind()
    for row in connection.execute(sa.select(groups.c.id, groups.c.name)).all():
        connection.execute(sa.update(groups).where(groups.c.id == row.id).values(name_key=row.name.casefold()))
    op.drop_index("ix_one_time_passwords_expires", "one_time_passwords")
    for name, table, columns, condition in _INDEXES:
        where = sa.text(condition) if condition else None
        op.create_index(name, table, columns, sqlite_where=where, postgresql_where=where)

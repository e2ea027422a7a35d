"""Renewals that the program began, revocations that are still to take effect."""

import sqlalchemy as sa
from alembic import op

from certwright.adapters.sql.columns import Serial, UtcTime

revision = "0006"
down_revision = "0005"


def upgrade() -> None:
    """Add them, with the revocations that an older version has put off."""
    op.create_index("ix_certificates_not_after", "certificates", ["not_after"])
    op.create_table(
        "delayed_revocations",
        sa.Column("serial", Serial(), nullable=False),
        sa.Column("request_id", sa.Uuid(), nullable=False),
        sa.Column("effective", UtcTime(), nullable=False),
        sa.Column("lists", sa.String(30), nullable=False),
        sa.ForeignKeyConstraint(["request_id"], ["requests.id"], name=op.f("fk_delayed_revocations_request_id")),
        sa.ForeignKeyConstraint(["serial"], ["certificates.serial"], name=op.f("fk_delayed_revocations_serial")),
        sa.PrimaryKeyConstraint("serial", name=op.f("pk_delayed_revocations")),
    )
    op.execute(
        "INSERT INTO delayed_revocations (serial, request_id, effective, lists) "
        "SELECT serial, request_id, revoked_at, '' FROM certificates WHERE revoked_at > CURRENT_TIMESTAMP"
    )
    op.create_table(
        "renewals",
        sa.Column("profile_id", sa.Uuid(), nullable=False),
        sa.Column("last_end", UtcTime(), nullable=False),
        sa.Column("at", UtcTime(), nullable=False),
        sa.Column("request_id", sa.Uuid(), nullable=True),
        sa.Column("refusal", sa.String(60), nullable=False),
        sa.ForeignKeyConstraint(["profile_id"], ["profiles.id"], name=op.f("fk_renewals_profile_id")),
        sa.ForeignKeyConstraint(["request_id"], ["requests.id"], name=op.f("fk_renewals_request_id")),
        sa.PrimaryKeyConstraint("profile_id", name=op.f("pk_renewals")),
    )

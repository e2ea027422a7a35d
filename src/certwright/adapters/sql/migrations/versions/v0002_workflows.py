"""Operations, approvals, copies of certificates, templates that were withdrawn."""

import sqlalchemy as sa
from alembic import op

from certwright.adapters.sql.columns import PlainText, Serial, UtcTime

revision = "0002"
down_revision = "0001"

counter_type = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    """Add them. What version 1 has stored are enrollments in which nothing was chosen."""
    op.add_column("requests", sa.Column("operation", sa.String(30), nullable=False, server_default=sa.text("'enroll'")))
    op.add_column("requests", sa.Column("choices", PlainText(), nullable=False, server_default=sa.text("''")))
    is_open = sa.text("old_profile_id IS NOT NULL AND status IN (3, 16, 18)")
    op.create_index(
        "uq_requests_open_operation",
        "requests",
        ["old_profile_id", "operation"],
        unique=True,
        sqlite_where=is_open,
        postgresql_where=is_open,
    )
    is_duplicate = sa.text("primary_id IS NOT NULL")
    op.create_index(
        "ix_profiles_primary_id", "profiles", ["primary_id"], sqlite_where=is_duplicate, postgresql_where=is_duplicate
    )
    op.create_table(
        "approvals",
        sa.Column("number", counter_type, sa.Identity(), nullable=False),
        sa.Column("request_id", sa.Uuid(), nullable=False),
        sa.Column("approver_id", sa.Uuid(), nullable=False),
        sa.Column("at", UtcTime(), nullable=False),
        sa.Column("comment", PlainText(), nullable=False),
        sa.ForeignKeyConstraint(["request_id"], ["requests.id"], name=op.f("fk_approvals_request_id")),
        sa.PrimaryKeyConstraint("number", name=op.f("pk_approvals")),
        sa.UniqueConstraint("request_id", "approver_id", name=op.f("uq_approvals_request_id_approver_id")),
    )
    op.create_table(
        "withdrawn_templates",
        sa.Column("template_id", sa.Uuid(), nullable=False),
        sa.Column("withdrawn", UtcTime(), nullable=False, server_default=sa.func.now()),
        sa.PrimaryKeyConstraint("template_id", name=op.f("pk_withdrawn_templates")),
    )
    op.create_table(
        "certificate_copies",
        sa.Column("profile_id", sa.Uuid(), nullable=False),
        sa.Column("serial", Serial(), nullable=False),
        sa.Column("is_key_history", sa.Boolean(), nullable=False),
        sa.ForeignKeyConstraint(["profile_id"], ["profiles.id"], name=op.f("fk_certificate_copies_profile_id")),
        sa.ForeignKeyConstraint(["serial"], ["certificates.serial"], name=op.f("fk_certificate_copies_serial")),
        sa.PrimaryKeyConstraint("profile_id", "serial", name=op.f("pk_certificate_copies")),
    )

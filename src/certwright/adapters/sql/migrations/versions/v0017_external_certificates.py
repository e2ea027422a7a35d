"""Certificates that were issued elsewhere."""

import sqlalchemy as sa
from alembic import op

from certwright.adapters.sql.columns import PlainText, Serial, UtcTime

revision = "0017"
down_revision = "0016"


def upgrade() -> None:
    """Add their table."""
    op.create_table(
        "external_certificates",
        sa.Column("number", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), sa.Identity(), nullable=False),
        sa.Column("thumbprint", PlainText(), nullable=False),
        sa.Column("serial", Serial(), nullable=False),
        sa.Column("subject_id", sa.Uuid(), nullable=False),
        sa.Column("template_id", sa.Uuid(), nullable=False),
        sa.Column("requester_name", PlainText(), nullable=False),
        sa.Column("authority_name", PlainText(), nullable=False),
        sa.Column("subject_name", PlainText(), nullable=False),
        sa.Column("not_before", UtcTime(), nullable=False),
        sa.Column("not_after", UtcTime(), nullable=False),
        sa.Column("public_key", sa.LargeBinary(), nullable=False),
        sa.Column("encoded", sa.LargeBinary(), nullable=False),
        sa.Column("imported_at", UtcTime(), nullable=False),
        sa.Column("sealed_key", sa.LargeBinary(), nullable=True),
        sa.PrimaryKeyConstraint("number", name=op.f("pk_external_certificates")),
        sa.UniqueConstraint("thumbprint", name=op.f("uq_external_certificates_thumbprint")),
    )
    op.create_index("ix_external_certificates_subject_id", "external_certificates", ["subject_id", "number"])

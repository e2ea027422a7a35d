"""Smart cards, and which of them a request is about."""

import sqlalchemy as sa
from alembic import op

from certwright.adapters.sql.columns import PlainText, UtcTime

revision = "0007"
down_revision = "0006"

counter_type = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    """Add them. What was enrolled before has no card that we know of."""
    op.create_table(
        "smartcards",
        sa.Column("number", counter_type, sa.Identity(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("card_id", sa.Uuid(), nullable=False),
        sa.Column("status", sa.SmallInteger(), nullable=False),
        sa.Column("flags", sa.SmallInteger(), nullable=False),
        sa.Column("owner_id", sa.Uuid()),
        sa.Column("template_id", sa.Uuid()),
        sa.Column("template_version", sa.Integer(), nullable=False),
        sa.Column("profile_id", sa.Uuid()),
        sa.Column("parent_id", sa.Uuid()),
        sa.Column("primary_id", sa.Uuid()),
        sa.Column("permanent_id", sa.Uuid()),
        sa.Column("comment", PlainText(), nullable=False),
        sa.Column("middleware", PlainText(), nullable=False),
        sa.Column("atr", PlainText(), nullable=False),
        sa.Column("admin_keys", PlainText(), nullable=False),
        sa.Column("sealed_pin", sa.LargeBinary()),
        sa.Column("activated", UtcTime()),
        sa.CheckConstraint("status IN (0, 1, 2, 3, 4, 6)", name=op.f("ck_smartcards_status")),
        sa.CheckConstraint("(flags & 32704) = 0", name=op.f("ck_smartcards_flags")),
        sa.ForeignKeyConstraint(["profile_id"], ["profiles.id"], name=op.f("fk_smartcards_profile_id")),
        sa.ForeignKeyConstraint(
            ["template_id", "template_version"],
            ["profile_templates.id", "profile_templates.version"],
            name=op.f("fk_smartcards_template_id_template_version"),
        ),
        sa.PrimaryKeyConstraint("number", name=op.f("pk_smartcards")),
        sa.UniqueConstraint("id", name=op.f("uq_smartcards_id")),
        sa.UniqueConstraint("profile_id", name=op.f("uq_smartcards_profile_id")),
    )
    op.create_index("ix_smartcards_card_id", "smartcards", ["card_id", "number"])
    op.create_index("ix_smartcards_owner_id", "smartcards", ["owner_id", "number"])
    is_in_hands = sa.text("status <> 6")
    op.create_index(
        "uq_smartcards_in_hands",
        "smartcards",
        ["card_id"],
        unique=True,
        sqlite_where=is_in_hands,
        postgresql_where=is_in_hands,
    )
    op.add_column("requests", sa.Column("smartcard_id", sa.Uuid()))
    op.add_column("requests", sa.Column("old_smartcard_id", sa.Uuid()))

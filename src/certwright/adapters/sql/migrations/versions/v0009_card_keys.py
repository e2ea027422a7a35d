"""Master keys of cards, and how many challenges were answered for a request."""

import sqlalchemy as sa
from alembic import op

from certwright.adapters.sql.columns import UtcTime

revision = "0009"
down_revision = "0008"


def upgrade() -> None:
    """Add them."""
    op.create_table(
        "card_visits",
        sa.Column("request_id", sa.Uuid(), nullable=False),
        sa.Column("challenges", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["request_id"], ["requests.id"], name=op.f("fk_card_visits_request_id")),
        sa.PrimaryKeyConstraint("request_id", name=op.f("pk_card_visits")),
    )
    op.create_table(
        "card_master_keys",
        sa.Column("version", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("sealed", sa.LargeBinary(), nullable=False),
        sa.Column("created", UtcTime(), nullable=False),
        sa.PrimaryKeyConstraint("version", name=op.f("pk_card_master_keys")),
    )

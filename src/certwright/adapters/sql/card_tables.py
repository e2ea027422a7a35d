"""The tables of cards; `tables` has all the others."""

from sqlalchemy import (
    Column,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    SmallInteger,
    Table,
    text,
)

from certwright.adapters.sql.columns import Guid, PlainText, UtcTime
from certwright.adapters.sql.table_parts import counter, flags_of, mark, metadata, one_of, template_version
from certwright.domain.smartcards import SmartcardFlags, SmartcardStatus

smartcards = Table(
    "smartcards",
    metadata,
    counter("number"),
    Column("id", Guid, nullable=False, unique=True),
    Column("card_id", Guid, nullable=False),
    Column("status", SmallInteger, nullable=False),
    Column("flags", SmallInteger, nullable=False),
    Column("owner_id", Guid),
    Column("template_id", Guid),
    Column("template_version", Integer, nullable=False),
    Column("profile_id", Guid, ForeignKey("profiles.id"), unique=True),
    Column("parent_id", Guid),
    Column("primary_id", Guid),
    Column("permanent_id", Guid),
    Column("comment", PlainText, nullable=False),
    Column("middleware", PlainText, nullable=False),
    Column("atr", PlainText, nullable=False),
    # Which key the card has, and which it was given; keys themselves are sealed in here.
    Column("admin_keys", PlainText, nullable=False),
    Column("sealed_pin", LargeBinary),
    Column("activated", UtcTime),
    mark(),
    template_version(),
    one_of("status", SmartcardStatus),
    flags_of("flags", SmartcardFlags),
)
Index("ix_smartcards_card_id", smartcards.c.card_id, smartcards.c.number)
Index("ix_smartcards_owner_id", smartcards.c.owner_id, smartcards.c.number)
_IN_HANDS = text(f"status <> {int(SmartcardStatus.RETIRED)}")
Index("uq_smartcards_in_hands", smartcards.c.card_id, unique=True, sqlite_where=_IN_HANDS, postgresql_where=_IN_HANDS)

card_visits = Table(
    "card_visits",
    metadata,
    Column("request_id", Guid, ForeignKey("requests.id"), primary_key=True),
    Column("challenges", Integer, nullable=False),
)

card_master_keys = Table(
    "card_master_keys",
    metadata,
    Column("version", Integer, primary_key=True, autoincrement=False),
    Column("sealed", LargeBinary, nullable=False),
    Column("created", UtcTime, nullable=False),
)

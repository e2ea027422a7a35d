"""The tables of work that is due, and of one-time passwords. `tables` has the others, and what tables are made of."""

from sqlalchemy import Column, ForeignKey, LargeBinary, SmallInteger, String, Table

from certwright.adapters.sql.columns import Flag, Guid, PlainText, Serial, UtcTime
from certwright.adapters.sql.table_parts import mark
from certwright.adapters.sql.tables import metadata

leases = Table(
    "leases",
    metadata,
    Column("name", String(60), primary_key=True),
    Column("holder", PlainText, nullable=False),
    Column("until", UtcTime, nullable=False),
)

delayed_revocations = Table(
    "delayed_revocations",
    metadata,
    Column("serial", Serial, ForeignKey("certificates.serial"), primary_key=True),
    Column("request_id", Guid, ForeignKey("requests.id"), nullable=False),
    Column("effective", UtcTime, nullable=False),
    Column("lists", String(30), nullable=False),
    mark(),
)

renewals = Table(
    "renewals",
    metadata,
    Column("profile_id", Guid, ForeignKey("profiles.id"), primary_key=True),
    Column("last_end", UtcTime, nullable=False),
    Column("at", UtcTime, nullable=False),
    Column("request_id", Guid, ForeignKey("requests.id")),
    Column("refusal", String(60), nullable=False),
)

one_time_passwords = Table(
    "one_time_passwords",
    metadata,
    Column("request_id", Guid, ForeignKey("requests.id"), primary_key=True),
    Column("sealed_key", LargeBinary, nullable=False),
    Column("digests", LargeBinary, nullable=False),
    Column("distributed", UtcTime, nullable=False),
    Column("expires", UtcTime, nullable=False),
    Column("tries_left", SmallInteger, nullable=False),
    Column("used", UtcTime),
    Column("is_expiry_told", Flag, nullable=False),
    mark(),
)

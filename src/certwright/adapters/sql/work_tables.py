"""The tables of work that is due. `tables` has the others, and what tables are made of."""

from sqlalchemy import Column, ForeignKey, String, Table, Uuid

from certwright.adapters.sql.columns import PlainText, Serial, UtcTime
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
    Column("request_id", Uuid, ForeignKey("requests.id"), nullable=False),
    Column("effective", UtcTime, nullable=False),
    Column("lists", String(30), nullable=False),
)

renewals = Table(
    "renewals",
    metadata,
    Column("profile_id", Uuid, ForeignKey("profiles.id"), primary_key=True),
    Column("last_end", UtcTime, nullable=False),
    Column("at", UtcTime, nullable=False),
    Column("request_id", Uuid, ForeignKey("requests.id")),
    Column("refusal", String(60), nullable=False),
)

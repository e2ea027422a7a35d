"""The table of what was removed from the history. `tables` has the others."""

from sqlalchemy import BigInteger, Column, Integer, LargeBinary, Table

from certwright.adapters.sql.columns import PlainText, UtcTime
from certwright.adapters.sql.tables import metadata

retention_records = Table(
    "retention_records",
    metadata,
    Column("number", BigInteger().with_variant(Integer, "sqlite"), primary_key=True, autoincrement=False),
    Column("removed_at", UtcTime, nullable=False),
    Column("before", UtcTime, nullable=False),
    Column("operator", PlainText, nullable=False),
    Column("events", BigInteger, nullable=False),
    # Ranges of numbers, as they are signed.
    Column("numbers", PlainText, nullable=False),
    Column("signature", LargeBinary, nullable=False),
)

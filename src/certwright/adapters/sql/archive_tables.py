"""The tables of the archive of keys."""

from sqlalchemy import Column, ForeignKey, Index, LargeBinary, Table

from certwright.adapters.sql.columns import PlainText, Serial, UtcTime
from certwright.adapters.sql.table_parts import mark
from certwright.adapters.sql.tables import metadata

recovery_agents = Table(
    "recovery_agents",
    metadata,
    Column("name", PlainText, primary_key=True),
    Column("certificate", LargeBinary, nullable=False, unique=True),
    # None for an agent whose key is not here.
    Column("key_name", PlainText),
    Column("added", UtcTime, nullable=False),
    Column("retired", UtcTime),
    mark(),
)

archived_keys = Table(
    "archived_keys",
    metadata,
    Column("serial", Serial, ForeignKey("certificates.serial"), primary_key=True),
    Column("enveloped", LargeBinary, nullable=False),
    Column("agents", LargeBinary, nullable=False),
    Column("archived", UtcTime, nullable=False),
)
Index("ix_archived_keys_agents", archived_keys.c.agents, archived_keys.c.serial)

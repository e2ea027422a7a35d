"""Tables of the installation's own keys and authorities."""

from sqlalchemy import Column, Index, Integer, LargeBinary, Table

from certwright.adapters.sql.columns import PlainText, UtcTime
from certwright.adapters.sql.table_parts import counter, mark, metadata

keys = Table(
    "keys",
    metadata,
    Column("name", PlainText, primary_key=True),
    Column("public", LargeBinary, nullable=False),
    Column("sealed", LargeBinary, nullable=False),
    Column("created", UtcTime, nullable=False),
)

pooled_keys = Table(
    "pooled_keys",
    metadata,
    counter("number"),
    Column("kind", PlainText, nullable=False),
    Column("name", PlainText, nullable=False),
    Column("public", LargeBinary, nullable=False),
    Column("sealed", LargeBinary, nullable=False),
    Column("created", UtcTime, nullable=False),
)
Index("ix_pooled_keys_kind", pooled_keys.c.kind, pooled_keys.c.number)

key_versions = Table(
    "key_versions",
    metadata,
    Column("number", Integer, primary_key=True, autoincrement=False),
    Column("wrapped", LargeBinary, nullable=False),
    Column("created", UtcTime, nullable=False),
)

authorities = Table(
    "authorities",
    metadata,
    Column("name", PlainText, primary_key=True),
    Column("config_name", PlainText, nullable=False),
    Column("certificate", LargeBinary, nullable=False),
    # The key may be in a module of its own instead of in *keys*.
    Column("key_name", PlainText, nullable=False),
    Column("issuer_name", PlainText, nullable=False),
    mark(),
)

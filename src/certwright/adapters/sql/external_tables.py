"""The table of certificates that were issued elsewhere."""

from sqlalchemy import Column, Index, LargeBinary, Table

from certwright.adapters.sql.columns import Guid, PlainText, Serial, UtcTime
from certwright.adapters.sql.table_parts import counter, mark, metadata

external_certificates = Table(
    "external_certificates",
    metadata,
    counter("number"),
    Column("thumbprint", PlainText, nullable=False, unique=True),
    Column("serial", Serial, nullable=False),
    Column("subject_id", Guid, nullable=False),
    Column("template_id", Guid, nullable=False),
    Column("requester_name", PlainText, nullable=False),
    Column("authority_name", PlainText, nullable=False),
    Column("subject_name", PlainText, nullable=False),
    Column("not_before", UtcTime, nullable=False),
    Column("not_after", UtcTime, nullable=False),
    Column("public_key", LargeBinary, nullable=False),
    Column("encoded", LargeBinary, nullable=False),
    Column("imported_at", UtcTime, nullable=False),
    # None where the private key never came.
    Column("sealed_key", LargeBinary),
    Column("reminded_at", UtcTime),
    mark(),
)
Index("ix_external_certificates_subject_id", external_certificates.c.subject_id, external_certificates.c.number)

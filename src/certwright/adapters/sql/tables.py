"""The tables. What an enum or a flag may hold is printed into CHECK constraints from the domain."""

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Column,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    SmallInteger,
    String,
    Table,
    UniqueConstraint,
    func,
    text,
)

from certwright.adapters.sql import card_tables, key_tables, table_parts
from certwright.adapters.sql.columns import DatabaseTime, Flag, Guid, PlainText, Serial, UtcTime
from certwright.adapters.sql.table_parts import counter as _counter
from certwright.adapters.sql.table_parts import flags_of as _flags_of
from certwright.adapters.sql.table_parts import mark as _mark
from certwright.adapters.sql.table_parts import one_of as _one_of
from certwright.adapters.sql.table_parts import template_version as _template_version
from certwright.domain.events import EventType
from certwright.domain.grants import ObjectKind, Right
from certwright.domain.outbox import OutboxState
from certwright.domain.profiles import ProfileFlags, ProfileStatus
from certwright.domain.request_types import RequestType
from certwright.domain.requests import OPEN_STATUSES, DataCollectionFlags, RequestFlags, RequestStatus
from certwright.domain.revocation import RevocationReason

SCHEMA_VERSION = 25
"""The number of the newest migration: what this program reads and writes."""

metadata = table_parts.metadata
ELSEWHERE = (card_tables.smartcards, card_tables.card_visits, card_tables.card_master_keys, key_tables.keys)
"""Tables that have a module of their own, because this one is long."""

# -- who ---------------------------------------------------------------------------------------------------------------

directory_revision = Table(
    "directory_revision",
    metadata,
    Column("id", SmallInteger, primary_key=True, autoincrement=False),
    Column("revision", BigInteger, nullable=False),
    # Rights alone: they are many, and change less often than people do.
    Column("grants_revision", BigInteger, nullable=False, server_default=text("1")),
    CheckConstraint("id = 1", name="single"),
)

users = Table(
    "users",
    metadata,
    Column("id", Guid, primary_key=True),
    Column("sid", PlainText, nullable=False, unique=True),
    Column("domain", PlainText, nullable=False),
    Column("account_name", PlainText, nullable=False),
    Column("principal_name", PlainText, nullable=False),
    Column("display_name", PlainText, nullable=False),
    Column("distinguished_name", PlainText, nullable=False),
    Column("email", PlainText, nullable=False),
    Column("enabled", Flag, nullable=False),
    # Names without their case, made by us: databases differ in what they take for the same letter.
    Column("domain_key", PlainText, nullable=False),
    Column("account_key", PlainText, nullable=False),
    Column("principal_key", PlainText, nullable=False),
    _mark(),
    UniqueConstraint("account_key", "domain_key"),
)
Index(
    "uq_users_principal_key",
    users.c.principal_key,
    unique=True,
    sqlite_where=text("principal_key <> ''"),
    postgresql_where=text("principal_key <> ''"),
)

user_groups = Table(
    "user_groups",
    metadata,
    Column("id", Guid, primary_key=True),
    Column("sid", PlainText, nullable=False, unique=True),
    Column("name", PlainText, nullable=False),
    Column("name_key", PlainText, nullable=False, server_default=text("''")),
    _mark(),
)

group_members = Table(
    "group_members",
    metadata,
    Column("group_id", Guid, ForeignKey("user_groups.id"), primary_key=True),
    Column("member_sid", PlainText, primary_key=True),
    _mark(),
)
Index("ix_group_members_member_sid", group_members.c.member_sid)

grants = Table(
    "grants",
    metadata,
    Column("object_kind", String(30), primary_key=True),
    Column("object_name", PlainText, primary_key=True),
    Column("access_right", String(30), primary_key=True),
    Column("trustee", PlainText, primary_key=True),
    _mark(),
    _one_of("object_kind", ObjectKind),
    _one_of("access_right", Right),
)

password_hashes = Table(
    "password_hashes",
    metadata,
    Column("user_id", Guid, ForeignKey("users.id"), primary_key=True),
    Column("password_hash", PlainText, nullable=False),
    _mark(),
)

# -- what --------------------------------------------------------------------------------------------------------------
# People are named by the identifiers of the directory, without foreign keys: a directory may be elsewhere.

profile_templates = Table(
    "profile_templates",
    metadata,
    Column("id", Guid, primary_key=True),
    Column("version", Integer, primary_key=True, autoincrement=False),
    Column("name", PlainText, nullable=False),
    Column("document", PlainText, nullable=False),
    Column("created", DatabaseTime, nullable=False, server_default=func.now()),
    _mark(),
)

profiles = Table(
    "profiles",
    metadata,
    _counter("number"),
    Column("id", Guid, nullable=False, unique=True),
    Column("status", SmallInteger, nullable=False),
    Column("flags", SmallInteger, nullable=False),
    Column("owner_id", Guid, nullable=False),
    Column("template_id", Guid, nullable=False),
    Column("template_version", Integer, nullable=False),
    Column("parent_id", Guid),
    Column("primary_id", Guid),
    Column("comment", PlainText, nullable=False),
    _mark(),
    _template_version(),
    _one_of("status", ProfileStatus),
    _flags_of("flags", ProfileFlags),
)
Index("ix_profiles_owner_id", profiles.c.owner_id, profiles.c.number)
_DUPLICATE = text("primary_id IS NOT NULL")
Index("ix_profiles_primary_id", profiles.c.primary_id, sqlite_where=_DUPLICATE, postgresql_where=_DUPLICATE)

requests = Table(
    "requests",
    metadata,
    _counter("number"),
    Column("id", Guid, nullable=False, unique=True),
    Column("type", SmallInteger, nullable=False),
    Column("status", SmallInteger, nullable=False),
    Column("flags", SmallInteger, nullable=False),
    Column("template_id", Guid, nullable=False),
    Column("template_version", Integer, nullable=False),
    Column("originator_id", Guid, nullable=False),
    Column("target_id", Guid, nullable=False),
    Column("submitted", UtcTime, nullable=False),
    Column("completed", UtcTime),
    Column("priority", SmallInteger, nullable=False),
    Column("comment", PlainText, nullable=False),
    Column("data", PlainText, nullable=False),
    Column("data_flags", SmallInteger, nullable=False),
    Column("profile_id", Guid, ForeignKey("profiles.id")),
    Column("old_profile_id", Guid, ForeignKey("profiles.id")),
    # Version 1 knew one operation, and no choices.
    Column("operation", String(30), nullable=False, server_default=text("'enroll'")),
    Column("choices", PlainText, nullable=False, server_default=text("''")),
    # No foreign keys: SQLite adds none to a table that is there.
    Column("smartcard_id", Guid),
    Column("old_smartcard_id", Guid),
    _mark(),
    _mark("answers_mark"),
    _template_version(),
    _one_of("type", RequestType),
    _one_of("status", RequestStatus),
    _flags_of("flags", RequestFlags),
    _flags_of("data_flags", DataCollectionFlags),
)
Index("ix_requests_originator_id", requests.c.originator_id, requests.c.number)
Index("ix_requests_target_id", requests.c.target_id, requests.c.number)
Index("ix_requests_status", requests.c.status, requests.c.number)

_OPEN = ", ".join(str(int(each)) for each in sorted(OPEN_STATUSES))
_FOR_CARD = text("smartcard_id IS NOT NULL")
Index(
    "ix_requests_smartcard_id",
    requests.c.smartcard_id,
    requests.c.number,
    sqlite_where=_FOR_CARD,
    postgresql_where=_FOR_CARD,
)

OPEN_ABOUT_PROFILE = text(f"old_profile_id IS NOT NULL AND status IN ({_OPEN})")
"""In these words, so that the index is found that has them."""
Index(
    "uq_requests_open_operation",
    requests.c.old_profile_id,
    requests.c.operation,
    unique=True,
    sqlite_where=OPEN_ABOUT_PROFILE,
    postgresql_where=OPEN_ABOUT_PROFILE,
)

approvals = Table(
    "approvals",
    metadata,
    _counter("number"),
    Column("request_id", Guid, ForeignKey("requests.id"), nullable=False),
    Column("approver_id", Guid, nullable=False),
    Column("at", UtcTime, nullable=False),
    Column("comment", PlainText, nullable=False),
    _mark(),
    # Of each answer that was there, what it was approved as; none in rows from before there was the column.
    Column("answers", PlainText, nullable=True),
    UniqueConstraint("request_id", "approver_id"),
)

withdrawn_templates = Table(
    "withdrawn_templates",
    metadata,
    Column("template_id", Guid, primary_key=True),
    Column("withdrawn", DatabaseTime, nullable=False, server_default=func.now()),
    _mark(),
)

certificates = Table(
    "certificates",
    metadata,
    _counter("number"),
    Column("serial", Serial, nullable=False, unique=True),
    Column("request_id", Guid, ForeignKey("requests.id"), nullable=False),
    Column("place", SmallInteger, nullable=False),
    Column("profile_id", Guid, ForeignKey("profiles.id"), nullable=False),
    Column("subject_id", Guid, nullable=False),
    Column("requester_name", PlainText, nullable=False),
    Column("template_common_name", PlainText, nullable=False),
    Column("authority_name", PlainText, nullable=False),
    Column("not_before", UtcTime, nullable=False),
    Column("not_after", UtcTime, nullable=False),
    Column("request_digest", LargeBinary, nullable=False),
    Column("key_digest", LargeBinary, nullable=False),
    Column("to_be_signed", LargeBinary),
    Column("encoded", LargeBinary),
    Column("thumbprint", String(64), nullable=False),
    Column("revoked_at", UtcTime),
    Column("revocation_reason", SmallInteger),
    Column("is_key_history", Flag, nullable=False),
    Column("is_archived", Flag, nullable=False),
    _mark(),
    _mark("revocation_mark"),
    UniqueConstraint("request_id", "place"),
    CheckConstraint("(to_be_signed IS NULL) <> (encoded IS NULL)", name="form"),
    CheckConstraint("(revoked_at IS NULL) = (revocation_reason IS NULL)", name="revocation"),
    _one_of("revocation_reason", RevocationReason),
)
Index("ix_certificates_profile_id", certificates.c.profile_id, certificates.c.number)
Index("ix_certificates_subject_id", certificates.c.subject_id, certificates.c.number)
Index("ix_certificates_not_after", certificates.c.not_after)

certificate_copies = Table(
    "certificate_copies",
    metadata,
    Column("profile_id", Guid, ForeignKey("profiles.id"), primary_key=True),
    Column("serial", Serial, ForeignKey("certificates.serial"), primary_key=True),
    Column("is_key_history", Flag, nullable=False),
    _mark(),
)

certified_keys = Table(
    "certified_keys",
    metadata,
    Column("key_digest", LargeBinary, primary_key=True),
    Column("subject_id", Guid, nullable=False),
    Column("is_compromised", Flag, nullable=False, server_default=text("false")),
    # One tree of pages instead of two; each certificate changes a page of every tree.
    sqlite_with_rowid=False,
)

# -- what happened -----------------------------------------------------------------------------------------------------

events = Table(
    "events",
    metadata,
    _counter("sequence"),
    # No CHECK: each version brings new types, and a constraint on the largest table is dear to change.
    Column("type", String(60), nullable=False),
    Column("at", UtcTime, nullable=False),
    Column("actor", PlainText, nullable=False),
    Column("actor_id", Guid),
    Column("source", PlainText, nullable=False),
    Column("request_id", Guid),
    Column("subject_id", Guid),
    Column("comment", PlainText, nullable=False),
    Column("details", PlainText, nullable=False),
    # Null in events from before there were marks.
    Column("mark", LargeBinary),
    # The number of an event that somebody deleted is never given again.
    sqlite_autoincrement=True,
)
Index("ix_events_request_id", events.c.request_id, events.c.sequence)

OF_SETTINGS = text(f"type = '{EventType.SETTINGS_CHANGED.value}'")
Index("ix_events_of_settings", events.c.sequence, sqlite_where=OF_SETTINGS, postgresql_where=OF_SETTINGS)

history_probe = Table(
    "history_probe",
    metadata,
    Column("id", SmallInteger, primary_key=True, autoincrement=False),
    Column("at", UtcTime, nullable=False),
    Column("ballast", LargeBinary, nullable=False),
    CheckConstraint("id = 1", name="single"),
)

seals = Table(
    "seals",
    metadata,
    Column("number", BigInteger().with_variant(Integer, "sqlite"), primary_key=True, autoincrement=False),
    Column("last_sequence", BigInteger, nullable=False, unique=True),
    Column("digests", LargeBinary, nullable=False),
    Column("chain", LargeBinary, nullable=False),
    Column("signature", LargeBinary, nullable=False),
    Column("sealed_at", UtcTime, nullable=False),
    # Those of the first two schemas are of version 1.
    Column("version", SmallInteger, nullable=False, server_default=text("1")),
)

# -- what is told ------------------------------------------------------------------------------------------------------

outbox = Table(
    "outbox",
    metadata,
    _counter("number"),
    Column("id", Guid, nullable=False, unique=True),
    Column("sink", PlainText, nullable=False),
    Column("recipient", PlainText, nullable=False),
    # No CHECK, as with the types of events.
    Column("notification", String(60), nullable=False),
    Column("subject_id", Guid, nullable=False),
    Column("request_id", Guid, nullable=False),
    Column("created", UtcTime, nullable=False),
    Column("due", UtcTime, nullable=False),
    Column("attempts", Integer, nullable=False),
    Column("state", String(10), nullable=False),
    Column("error", PlainText, nullable=False),
    # One of the two, and neither after a secret was sent.
    Column("payload", LargeBinary),
    Column("sealed", LargeBinary),
    Column("has_secret", Flag, nullable=False),
    _one_of("state", OutboxState),
    CheckConstraint("payload IS NULL OR sealed IS NULL", name="form"),
    # The number of a message that was forgotten is never given again.
    sqlite_autoincrement=True,
)
_WAITING = text("state = 'waiting'")
Index(
    "ix_outbox_waiting",
    outbox.c.sink,
    outbox.c.subject_id,
    outbox.c.number,
    sqlite_where=_WAITING,
    postgresql_where=_WAITING,
)
Index("ix_outbox_state", outbox.c.state, outbox.c.number)

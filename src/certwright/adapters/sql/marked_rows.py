"""Which rows carry marks: those by which the product decides who may do what, and what was decided and issued."""

from typing import Any

import msgspec

from certwright.adapters.sql.archive_tables import recovery_agents
from certwright.adapters.sql.card_tables import smartcards
from certwright.adapters.sql.external_tables import external_certificates
from certwright.adapters.sql.key_tables import authorities
from certwright.adapters.sql.row_marks import MarkedRows
from certwright.adapters.sql.tables import (
    approvals,
    certificate_copies,
    certificates,
    grants,
    group_members,
    password_hashes,
    profile_templates,
    profiles,
    requests,
    user_groups,
    users,
    withdrawn_templates,
)
from certwright.adapters.sql.work_tables import delayed_revocations, one_time_passwords
from certwright.domain.certificates import format_serial_number

_decode_items = msgspec.json.Decoder(list[dict[str, Any]]).decode
_decode_keys = msgspec.json.Decoder(dict[str, Any]).decode
_encode_items = msgspec.json.Encoder().encode
_SENSITIVE = '"is_sensitive":true'
MARKS_VERSION = 2
"""Of the kinds that carry marks. A change that adds a kind raises it: rows from before are marked once, as they are found."""


def _leave_out_sealed(data: Any) -> Any:
    """Return the answers without values that are sealed: these are bound to their request, and sealed again with other keys."""
    if not isinstance(data, str) or _SENSITIVE not in data:
        return data
    items = _decode_items(data)
    _check_spelling(items, data)
    for each in items:
        if each.get("is_sensitive"):
            each["value"] = each.get("value") is not None
    return _encode_items(items)


def _leave_out_sealed_keys(admin_keys: Any) -> Any:
    """Return what is known of a card's keys without those that are sealed, for the same reason."""
    if not isinstance(admin_keys, str):
        return admin_keys
    known = _decode_keys(admin_keys)
    _check_spelling(known, admin_keys)
    for each in (known.get("held"), known.get("offered")):
        if each:
            each["sealed"] = each.get("sealed") is not None
    return _encode_items(known)


def _check_spelling(decoded: Any, stored: str) -> None:
    """Raise unless *stored* is as we write it: the mark is over what it says. Errors: ValueError."""
    if _encode_items(decoded) != stored.encode():
        raise ValueError("this JSON says what we write in other words")


def _is_there(value: Any) -> bool:
    return value is not None


USERS = MarkedRows(
    "user",
    users,
    ("id",),
    (
        "id",
        "sid",
        "domain",
        "account_name",
        "principal_name",
        "display_name",
        "distinguished_name",
        "email",
        "enabled",
        "domain_key",
        "account_key",
        "principal_key",
    ),
    label=("domain", "account_name"),
)
PASSWORDS = MarkedRows("password", password_hashes, ("user_id",), ("user_id", "password_hash"))
GROUPS = MarkedRows("group", user_groups, ("id",), ("id", "sid", "name", "name_key"), label=("name",))
MEMBERS = MarkedRows("member", group_members, ("group_id", "member_sid"), ("group_id", "member_sid"))
MEMBERS_ABOVE = MarkedRows(MEMBERS.name, MEMBERS.table, MEMBERS.key, MEMBERS.columns, mark="member_mark")
"""The same rows, where they are read beside their groups."""
_RIGHT = ("object_kind", "object_name", "access_right", "trustee")
RIGHTS = MarkedRows("right", grants, _RIGHT, _RIGHT)
TEMPLATES = MarkedRows("template", profile_templates, ("id", "version"), ("id", "version", "name", "document"), label=("name",))
WITHDRAWALS = MarkedRows("withdrawal", withdrawn_templates, ("template_id",), ("template_id",))
REQUESTS = MarkedRows(
    "request",
    requests,
    ("id",),
    (
        "id",
        "operation",
        "status",
        "flags",
        "template_id",
        "template_version",
        "originator_id",
        "target_id",
        "submitted",
        "completed",
        "priority",
        "comment",
        "profile_id",
        "old_profile_id",
        "choices",
        "smartcard_id",
        "old_smartcard_id",
    ),
)
ANSWERS = MarkedRows(
    "answers",
    requests,
    ("id",),
    ("id", "data", "data_flags"),
    mark="answers_mark",
    spell={"data": _leave_out_sealed},
)
"""Apart from their request: answers and the state of a request are changed by different people at one time."""
APPROVALS = MarkedRows(
    "approval",
    approvals,
    ("request_id", "approver_id"),
    ("request_id", "approver_id", "at", "comment", "answers"),
    has_newer=True,
)
PROFILES = MarkedRows(
    "profile",
    profiles,
    ("id",),
    ("id", "status", "flags", "owner_id", "template_id", "template_version", "parent_id", "primary_id", "comment"),
)
CERTIFICATES = MarkedRows(
    "certificate",
    certificates,
    ("serial",),
    (
        "serial",
        "request_id",
        "place",
        "profile_id",
        "subject_id",
        "requester_name",
        "template_common_name",
        "authority_name",
        "not_before",
        "not_after",
        "request_digest",
        "key_digest",
        "to_be_signed",
        "encoded",
        "thumbprint",
        "is_archived",
    ),
    spell={"serial": format_serial_number},
)
REVOCATIONS = MarkedRows(
    "revocation",
    certificates,
    ("serial",),
    ("serial", "revoked_at", "revocation_reason"),
    mark="revocation_mark",
    spell={"serial": format_serial_number},
)
"""Apart from their certificate, which may be signed while it is revoked; there is one of each certificate, revoked or not."""
SMARTCARDS = MarkedRows(
    "smart-card",
    smartcards,
    ("id",),
    (
        "id",
        "card_id",
        "status",
        "flags",
        "owner_id",
        "template_id",
        "template_version",
        "profile_id",
        "parent_id",
        "primary_id",
        "permanent_id",
        "comment",
        "middleware",
        "atr",
        "admin_keys",
        "sealed_pin",
        "activated",
    ),
    spell={"admin_keys": _leave_out_sealed_keys, "sealed_pin": _is_there},
    since=2,
)
PASSWORDS_OF_REQUESTS = MarkedRows(
    "one-time-passwords",
    one_time_passwords,
    ("request_id",),
    ("request_id", "digests", "distributed", "expires", "tries_left", "used"),
    since=2,
)
DELAYED_REVOCATIONS = MarkedRows(
    "delayed-revocation",
    delayed_revocations,
    ("serial",),
    ("serial", "request_id", "effective", "lists"),
    spell={"serial": format_serial_number},
    since=2,
)
EXTERNAL_CERTIFICATES = MarkedRows(
    "external-certificate",
    external_certificates,
    ("thumbprint",),
    (
        "thumbprint",
        "serial",
        "subject_id",
        "template_id",
        "requester_name",
        "authority_name",
        "subject_name",
        "not_before",
        "not_after",
        "public_key",
        "encoded",
        "imported_at",
        "sealed_key",
    ),
    spell={"serial": format_serial_number, "sealed_key": _is_there},
    since=2,
)
COPIES = MarkedRows(
    "certificate-copy",
    certificate_copies,
    ("profile_id", "serial"),
    ("profile_id", "serial", "is_key_history"),
    spell={"serial": format_serial_number},
    since=2,
)
COPIES_BESIDE = MarkedRows(
    COPIES.name,
    COPIES.table,
    ("copy_profile_id", "serial"),
    ("copy_profile_id", "serial", "is_key_history"),
    mark="copy_mark",
    spell=COPIES.spell,
    since=COPIES.since,
)
"""The same rows, where they are read beside their certificates."""
RECOVERY_AGENTS = MarkedRows(
    "recovery-agent", recovery_agents, ("name",), ("name", "certificate", "key_name", "added", "retired"), since=2
)
AUTHORITIES = MarkedRows(
    "authority", authorities, ("name",), ("name", "config_name", "certificate", "key_name", "issuer_name"), since=2
)

MARKED_ROWS = (
    USERS,
    PASSWORDS,
    GROUPS,
    MEMBERS,
    RIGHTS,
    TEMPLATES,
    WITHDRAWALS,
    REQUESTS,
    ANSWERS,
    APPROVALS,
    PROFILES,
    CERTIFICATES,
    REVOCATIONS,
    SMARTCARDS,
    PASSWORDS_OF_REQUESTS,
    DELAYED_REVOCATIONS,
    EXTERNAL_CERTIFICATES,
    COPIES,
    RECOVERY_AGENTS,
    AUTHORITIES,
)

"""Indexes that keep a look as short as what it finds, however many rows there are; `tests/contract/test_query_plans.py` names
the looks.

Conditions of partial indexes are literal text, and so are those of the statements that want them: SQLite does not see that an
index has what it is asked for when a value is bound, and PostgreSQL does not in a plan that it keeps.
"""

from collections.abc import Iterable

from sqlalchemy import Column, ColumnElement, Index, Text, literal_column, or_, text

from certwright.adapters.sql.external_tables import external_certificates
from certwright.adapters.sql.tables import certificate_copies, events, grants, outbox, requests, user_groups
from certwright.adapters.sql.work_tables import delayed_revocations, one_time_passwords
from certwright.domain.events import EventType
from certwright.domain.outbox import OutboxState
from certwright.domain.requests import OPEN_STATUSES, RequestStatus

COMMON_EVENTS = frozenset(
    {
        EventType.REQUEST_CREATED,
        EventType.REQUEST_EXECUTED,
        EventType.REQUEST_COMPLETED,
        EventType.CERTIFICATE_ISSUED,
        EventType.PROFILE_CHANGED,
    }
)
"""What each enrollment writes. They are found soon wherever one begins to read; an index of them would cost each enrollment."""


CLOSED_STATUSES = tuple(sorted(frozenset(RequestStatus) - OPEN_STATUSES))


def _among(column: Column[int], values: Iterable[int]) -> ColumnElement[bool]:
    """Return that *column* is one of *values*, in literal text."""
    return column.in_([literal_column(str(int(each))) for each in sorted(values)])


def while_open(status: Column[int] = requests.c.status) -> ColumnElement[bool]:
    """Return that a request is open, in the words of the indexes of open requests."""
    return _among(status, OPEN_STATUSES)


def unless_closed(status: Column[int] = requests.c.status) -> ColumnElement[bool]:
    """Return the same in the words of the index that lists open requests by their age: SQLite would rather sort by another."""
    return status.not_in([literal_column(str(int(each))) for each in CLOSED_STATUSES])


def in_state(state: OutboxState) -> ColumnElement[bool]:
    """Return that a message of the outbox is in *state*, in the words of its indexes."""
    return outbox.c.state == literal_column(f"'{state.value}'")


def once_sent() -> ColumnElement[bool]:
    """Return that a message of the outbox was sent, in the words of its index: SQLite would rather sort by another."""
    others = sorted(frozenset(OutboxState) - {OutboxState.SENT})
    return outbox.c.state.not_in([literal_column(f"'{each.value}'") for each in others])


def of_rare_types() -> ColumnElement[bool]:
    """Return that an event is none of `COMMON_EVENTS`, in the words of the index of those."""
    return events.c.type.not_in([literal_column(f"'{each.value}'", Text()) for each in sorted(COMMON_EVENTS)])


def of_another() -> ColumnElement[bool]:
    """Return that the actor of an event is not its subject, in the words of the index of subjects."""
    return or_(events.c.actor_id.is_(None), events.c.actor_id != events.c.subject_id)


def _index(name: str, *columns: Column[object], where: str = "") -> Index:
    if not where:
        return Index(name, *columns)
    return Index(name, *columns, sqlite_where=text(where), postgresql_where=text(where))


_CLOSED = ", ".join(str(int(each)) for each in CLOSED_STATUSES)
_OPEN = ", ".join(str(int(each)) for each in sorted(OPEN_STATUSES))
_OF_ANOTHER = "subject_id IS NOT NULL AND (actor_id IS NULL OR actor_id <> subject_id)"
_COMMON = ", ".join(f"'{each.value}'" for each in sorted(COMMON_EVENTS))

LOOK_INDEXES = (
    _index("ix_requests_profile_id", requests.c.profile_id, where="profile_id IS NOT NULL"),
    _index("ix_requests_old_profile_id", requests.c.old_profile_id, where="old_profile_id IS NOT NULL"),
    _index("ix_requests_template_id", requests.c.template_id, requests.c.number),
    _index(
        "ix_requests_open_by",
        requests.c.originator_id,
        requests.c.target_id,
        requests.c.template_id,
        where=f"status IN ({_OPEN})",
    ),
    _index("ix_requests_open", requests.c.submitted, requests.c.number, where=f"status NOT IN ({_CLOSED})"),
    _index("ix_certificate_copies_serial", certificate_copies.c.serial),
    # An enrollment for oneself has an entry in one of the next three: each index costs every transaction a page.
    _index("ix_events_actor", events.c.actor, events.c.sequence, where="actor_id IS NULL"),
    _index("ix_events_actor_id", events.c.actor_id, events.c.sequence, where="actor_id IS NOT NULL"),
    _index("ix_events_subject_id", events.c.subject_id, events.c.sequence, where=_OF_ANOTHER),
    _index("ix_events_at", events.c.at, events.c.sequence),
    _index("ix_events_rare", events.c.type, events.c.sequence, where=f"type NOT IN ({_COMMON})"),
    _index("ix_user_groups_name_key", user_groups.c.name_key),
    _index("ix_grants_trustee", grants.c.trustee),
    _index("ix_outbox_due", outbox.c.sink, outbox.c.due, outbox.c.number, where="state = 'waiting'"),
    _index("ix_outbox_sent", outbox.c.due, where="state NOT IN ('dead', 'waiting')"),
    _index("ix_outbox_request_id", outbox.c.request_id, outbox.c.number),
    _index("ix_delayed_revocations_effective", delayed_revocations.c.effective),
    _index(
        "ix_external_certificates_ending",
        external_certificates.c.template_id,
        external_certificates.c.not_after,
        where="reminded_at IS NULL",
    ),
    _index("ix_one_time_passwords_untold", one_time_passwords.c.expires, where="used IS NULL AND NOT is_expiry_told"),
)

"""What readers of the history write, as a search."""

import re
from dataclasses import dataclass
from datetime import UTC, datetime
from uuid import UUID

from certwright.application.explain_access import get_template_named
from certwright.domain.account_names import find_named
from certwright.domain.certificates import SerialNumber
from certwright.domain.errors import MalformedValue
from certwright.domain.event_search import EventSearch
from certwright.domain.events import EventType
from certwright.domain.ports import Session
from certwright.domain.spelling import list_similar

_SERIAL = re.compile(r"[0-9a-fA-F]{1,64}", re.ASCII)


@dataclass(frozen=True, slots=True)
class Named:
    """What a reader wrote, as he wrote it; empty for what he does not ask for.

    Shape: *user* is an account, or whatever the history has as the actor; *template* is a name or a GUID; *types* are parted by
    commas.
    """

    user: str = ""
    request: str = ""
    profile: str = ""
    certificate: str = ""
    template: str = ""
    types: str = ""
    since: str = ""
    until: str = ""


def parse_search(named: Named, session: Session) -> EventSearch:
    """Return what *named* means. Errors: MalformedValue; ProfileTemplateNotFound."""
    user = find_named(named.user, session.directory) if named.user else None
    return EventSearch(
        user=user.user.nt4_name if user else named.user,
        user_id=user.user.id if user else None,
        request_id=_parse_uuid("request", named.request),
        profile_id=_parse_uuid("profile", named.profile),
        serial=_parse_serial(named.certificate),
        template_id=_find_template(named.template, session),
        types=frozenset(_parse_type(each.strip()) for each in named.types.split(",") if each.strip()),
        since=parse_time("since", named.since),
        until=parse_time("until", named.until),
    )


def _parse_uuid(name: str, text: str) -> UUID | None:
    try:
        return UUID(text) if text else None
    except ValueError:
        raise MalformedValue(name, "a GUID is wanted") from None


def _parse_serial(text: str) -> SerialNumber | None:
    digits = re.sub(r"[\s:]", "", text)
    if not digits:
        return None
    if not _SERIAL.fullmatch(digits):
        raise MalformedValue("certificate", "a serial number in hexadecimal digits is wanted")
    return SerialNumber(int(digits, 16))


def _find_template(text: str, session: Session) -> UUID | None:
    """Return the template with that GUID, also when it was withdrawn, or with that name."""
    try:
        return UUID(text) if text else None
    except ValueError:
        return get_template_named(text, session).id


def _parse_type(text: str) -> EventType:
    try:
        return EventType(text)
    except ValueError:
        similar = list_similar(text, EventType)
        detail = f"there is no type of events {text!r:.100}" + (f", but there is {', '.join(similar)}" if similar else "")
        raise MalformedValue("type", detail) from None


def parse_time(name: str, text: str) -> datetime | None:
    """Return the moment, UTC where no zone is said; a date is its first moment; None for nothing. Errors: MalformedValue."""
    if not text:
        return None
    try:
        moment = datetime.fromisoformat(text)
        return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
    except (ValueError, OverflowError):
        raise MalformedValue(name, "a date or time is wanted, such as 2026-11-25 or 2026-11-25T12:30:00Z") from None

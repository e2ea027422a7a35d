"""Renewals that the program begins by itself, and what came of each, so that none is begun twice."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from certwright.domain.profile_templates import ProfileTemplateId
from certwright.domain.profiles import ProfileId
from certwright.domain.requests import RequestId

RETRY = timedelta(days=1)
"""When a renewal that was refused is tried again."""
CERTIFICATES_A_LOOK = 2_000
"""Through how many certificates that end one look goes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DueRenewal:
    """A profile whose renewal begins. Shape: *first_end* is when the first of its certificates ends."""

    profile_id: ProfileId
    template_id: ProfileTemplateId
    first_end: datetime


@dataclass(frozen=True, slots=True)
class DueSlice:
    """What is due in a part of the renewal period. Shape: *following* is after which time to go on; None at the end."""

    due: tuple[DueRenewal, ...]
    following: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Renewal:
    """What came of it: *request_id*, or *refusal*, a code of `errors`.

    Shape: it stands for all certificates that end until *last_end*: later ones came into the profile since.
    """

    profile_id: ProfileId
    last_end: datetime
    at: datetime
    request_id: RequestId | None = None
    refusal: str = ""

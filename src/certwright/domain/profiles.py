"""Profiles: what one person holds from one profile template."""

from dataclasses import dataclass
from enum import IntEnum, IntFlag
from typing import NewType
from uuid import UUID

from certwright.domain.identities import UserId
from certwright.domain.profile_templates import ProfileTemplateId

ProfileId = NewType("ProfileId", UUID)


class ProfileStatus(IntEnum):
    """Source: domain.md 1.9."""

    NEW = 0
    ACTIVE = 2
    DISABLED = 3
    SUSPENDED = 4
    RETIRED = 6


class ProfileFlags(IntFlag):
    """Source: domain.md 1.11."""

    NONE = 0
    PRIMARY = 1
    DUPLICATE = 2
    SUPERSEDED = 4
    TEMPORARY = 8
    KEY_ESCROW = 16
    REUSED = 32


@dataclass(frozen=True, slots=True, kw_only=True)
class Profile:
    """A profile lives on under the template version that it was issued with."""

    id: ProfileId
    status: ProfileStatus
    flags: ProfileFlags
    owner_id: UserId
    template_id: ProfileTemplateId
    template_version: int
    parent_id: ProfileId | None = None
    primary_id: ProfileId | None = None
    comment: str = ""

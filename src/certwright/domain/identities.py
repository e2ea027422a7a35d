"""Who people are: users, groups and the identifiers that rights are written against."""

from dataclasses import dataclass
from typing import NewType
from uuid import UUID

UserId = NewType("UserId", UUID)
GroupId = NewType("GroupId", UUID)
Sid = NewType("Sid", str)

EVERYONE = Sid("S-1-1-0")


@dataclass(frozen=True, slots=True, kw_only=True)
class User:
    """A person or service as the directory knows it.

    Shape: *distinguished_name* is RFC 4514 text; an empty *email* means that there is none.
    """

    id: UserId
    sid: Sid
    domain: str
    account_name: str
    principal_name: str
    display_name: str
    distinguished_name: str
    email: str = ""
    enabled: bool = True

    @property
    def nt4_name(self) -> str:
        """Return ``DOMAIN\\account``, the form in which the API names a requester; without a domain the account alone."""
        return f"{self.domain}\\{self.account_name}" if self.domain else self.account_name


@dataclass(frozen=True, slots=True, kw_only=True)
class Group:
    """A group; *members* are SIDs of users and of other groups."""

    id: GroupId
    sid: Sid
    name: str
    members: frozenset[Sid] = frozenset()


@dataclass(frozen=True, slots=True, kw_only=True)
class GroupName:
    """A group without its members."""

    id: GroupId
    sid: Sid
    name: str


@dataclass(frozen=True, slots=True)
class Principal:
    """A user together with every SID that rights may name for him: his own, his groups', and everyone's."""

    user: User
    sids: frozenset[Sid]


@dataclass(frozen=True, slots=True)
class Caller(Principal):
    """A principal who has signed in and asks for something; *source* says from where (an address, or a program)."""

    source: str


def expand_groups(sid: Sid, groups: frozenset[Group]) -> frozenset[Sid]:
    """Return *sid*, every group that holds it, directly or through other groups, and everyone.

    A ring of groups ends the walk instead of going round: each group is entered once.
    """
    found = {sid}
    grown = True
    while grown:
        before = len(found)
        found |= {group.sid for group in groups if group.members & found}
        grown = len(found) > before
    return frozenset(found | {EVERYONE})

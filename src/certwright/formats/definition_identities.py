"""What a definition file leaves out because the installation has it: identifiers, and values that stay as they are."""

from collections.abc import Callable
from dataclasses import dataclass, field
from itertools import count
from typing import Protocol
from uuid import UUID

from msgspec import UNSET
from msgspec.structs import replace

from certwright.domain.errors import DefinitionInvalid, Refused
from certwright.domain.identities import Group, Sid, User
from certwright.domain.profile_templates import CertificateTemplate
from certwright.formats.definition_tables import (
    NOT_GIVEN,
    CertificateTemplateTable,
    GroupTable,
    ProfileTemplateTable,
    UserTable,
    WorldTable,
)

FindSid = Callable[[str], Sid | None]
"""Whom a name means; None for nobody."""


class Identities(Protocol):
    """Who and what is there already, and new identifiers for what is not."""

    def find_sid(self, name: str) -> Sid | None:
        """Return whom a name means."""

    def find_user(self, domain: str, account: str) -> User | None: ...

    def find_user_of(self, identifier: UUID) -> User | None: ...

    def find_group(self, name: str) -> Group | None: ...

    def find_group_of(self, identifier: UUID) -> Group | None: ...

    def find_profile_template(self, name: str) -> UUID | None: ...

    def find_certificate_template(self, common_name: str) -> CertificateTemplate | None: ...

    def make_id(self) -> UUID: ...

    def make_sid(self) -> Sid: ...

    def make_oid(self) -> str: ...


@dataclass(frozen=True, slots=True)
class NothingKnown:
    """Keeps `Identities` without an installation. Shape: identifiers that it makes are distinct, and for looking only."""

    names: FindSid = lambda _: None
    _numbers: "count[int]" = field(default_factory=lambda: count(1))

    def find_sid(self, name: str) -> Sid | None:
        """Return what *names* says."""
        return self.names(name)

    def find_user(self, domain: str, account: str) -> User | None:  # noqa: ARG002 (the protocol's)
        """Return None."""
        return None

    def find_user_of(self, identifier: UUID) -> User | None:  # noqa: ARG002
        """Return None."""
        return None

    def find_group(self, name: str) -> Group | None:  # noqa: ARG002
        """Return None."""
        return None

    def find_group_of(self, identifier: UUID) -> Group | None:  # noqa: ARG002
        """Return None."""
        return None

    def find_profile_template(self, name: str) -> UUID | None:  # noqa: ARG002
        """Return None."""
        return None

    def find_certificate_template(self, common_name: str) -> CertificateTemplate | None:  # noqa: ARG002
        """Return None."""
        return None

    def make_id(self) -> UUID:
        """Return a placeholder."""
        return UUID(int=next(self._numbers))

    def make_sid(self) -> Sid:
        """Return a placeholder."""
        return Sid(f"S-1-5-21-0-0-0-{next(self._numbers)}")

    def make_oid(self) -> str:
        """Return a placeholder."""
        return f"2.25.{next(self._numbers)}"


def complete(table: WorldTable, known: Identities, faults: list[Refused]) -> WorldTable:
    """Return the table with what it leaves out: of accounts and groups that are there, what they have; else new identifiers.

    Faults: names that a new account has to have.
    """
    return replace(
        table,
        users=tuple(_complete_user(each, table.domain.name, known, faults) for each in table.users),
        groups=tuple(_complete_group(each, known) for each in table.groups),
        certificate_templates=tuple(_complete_certificate_template(each, known) for each in table.certificate_templates),
        profile_templates=tuple(_complete_profile_template(each, known) for each in table.profile_templates),
    )


def _complete_user(table: UserTable, domain: str, known: Identities, faults: list[Refused]) -> UserTable:
    domain = domain if table.domain is UNSET else table.domain
    present = known.find_user(domain, table.account) if table.id == NOT_GIVEN else known.find_user_of(table.id)
    if present is not None:
        return replace(
            table,
            domain=domain,
            id=present.id,
            sid=table.sid or present.sid,
            principal_name=table.principal_name or present.principal_name,
            display_name=table.display_name or present.display_name,
            distinguished_name=table.distinguished_name or present.distinguished_name,
            email=present.email if table.email is UNSET else table.email,
            enabled=present.enabled if table.enabled is UNSET else table.enabled,
        )
    for name in ("display_name", "distinguished_name"):
        if not getattr(table, name):
            faults.append(DefinitionInvalid(f"users.{table.account}.{name}", "a new account has to have one"))
    return replace(
        table,
        domain=domain,
        id=known.make_id() if table.id == NOT_GIVEN else table.id,
        sid=table.sid or known.make_sid(),
    )


def _complete_group(table: GroupTable, known: Identities) -> GroupTable:
    present = known.find_group(table.name) if table.id == NOT_GIVEN else known.find_group_of(table.id)
    if present is not None:
        members = tuple(sorted(present.members)) if table.members is UNSET else table.members
        return replace(table, id=present.id, sid=table.sid or present.sid, members=members)
    return replace(table, id=known.make_id() if table.id == NOT_GIVEN else table.id, sid=table.sid or known.make_sid())


def _complete_certificate_template(table: CertificateTemplateTable, known: Identities) -> CertificateTemplateTable:
    if table.oid is not UNSET:
        return table
    present = known.find_certificate_template(table.common_name)
    return replace(table, oid=known.make_oid() if present is None else present.oid)


def _complete_profile_template(table: ProfileTemplateTable, known: Identities) -> ProfileTemplateTable:
    return table if table.id != NOT_GIVEN else replace(table, id=known.find_profile_template(table.name) or known.make_id())

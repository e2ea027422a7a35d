"""Who and what an installation has, and new identifiers for what it has not: for definition files that leave them out."""

from functools import cached_property
from uuid import UUID

from certwright.application.trustees import make_find_sid
from certwright.application.world import World
from certwright.domain.identities import Group, GroupId, Sid, User, UserId
from certwright.domain.ports import Session
from certwright.domain.profile_templates import CertificateTemplate, ProfileTemplate

TEMPLATE_OID = "1.3.6.1.4.1.311.21.8"
FIRST_RELATIVE_ID = 1_000


class KnownIdentities:
    """Keeps `formats.definition_identities.Identities` with the directory and the templates of one session."""

    def __init__(self, session: Session, world: World) -> None:
        self._session = session
        self._world = world
        self._find_sid = make_find_sid(session)

    def find_sid(self, name: str) -> Sid | None:
        """Return whom *name* means: everyone, a group, an account."""
        return self._find_sid(name)

    def find_user(self, domain: str, account: str) -> User | None:
        """Return the account of exactly this domain."""
        found = self._session.directory.find_account(domain, account)
        return None if found is None or found.user.domain.casefold() != domain.casefold() else found.user

    def find_user_of(self, identifier: UUID) -> User | None:
        """Return the account with that identifier."""
        found = self._session.directory.find_principal(UserId(identifier))
        return None if found is None else found.user

    def find_group(self, name: str) -> Group | None:
        """Return the group of that name, in any case."""
        return next((each for each in self._groups.values() if each.name.casefold() == name.casefold()), None)

    def find_group_of(self, identifier: UUID) -> Group | None:
        """Return the group with that identifier."""
        return self._groups.get(GroupId(identifier))

    def find_profile_template(self, name: str) -> UUID | None:
        """Return the identifier of the template with that name or identifier, in any case."""
        wanted = name.casefold()
        return next((each.id for each in self._templates if wanted in (each.name.casefold(), str(each.id))), None)

    def find_certificate_template(self, common_name: str) -> CertificateTemplate | None:
        """Return the newest certificate template of that name, in any case."""
        wanted = common_name.casefold()
        found = (one for each in self._templates for one in each.certificate_templates)
        return next((each for each in found if each.common_name.casefold() == wanted), None)

    def make_id(self) -> UUID:
        """Return a new identifier."""
        return self._world.make_identifier()

    def make_sid(self) -> Sid:
        """Return a SID of no Windows domain: its three numbers are random, so that it is never that of another account.

        Source: MS-DTYP section 2.4.2.3 for the form; relative identifiers below a thousand are the system's.
        """
        domain = "-".join(str(self._world.entropy.bits(32)) for _ in range(3))
        return Sid(f"S-1-5-21-{domain}-{FIRST_RELATIVE_ID + self._world.entropy.bits(30)}")

    def make_oid(self) -> str:
        """Return an object identifier in the form of those that Active Directory makes for its certificate templates.

        Shape: 144 random bits after the arc for templates.
        """
        return ".".join([TEMPLATE_OID, *(str(self._world.entropy.bits(24)) for _ in range(6))])

    @cached_property
    def _groups(self) -> dict[GroupId, Group]:
        return {each.id: each for each in self._session.directory.list_groups()}

    @cached_property
    def _templates(self) -> tuple[ProfileTemplate, ...]:
        return self._session.templates.list_newest()

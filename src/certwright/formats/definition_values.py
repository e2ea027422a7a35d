"""From the tables of a world file to the values of the domain: names resolved, texts parsed, every fault noted."""

import re
from collections import Counter
from collections.abc import Iterable, Iterator
from enum import IntEnum
from typing import Any, TypeVar

import msgspec
from cryptography import x509
from msgspec import UNSET, UnsetType

from certwright.domain.admin_keys import AdminKeyAlgorithm
from certwright.domain.data_items import DataItemDefinition
from certwright.domain.errors import DefinitionInvalid, MalformedValue, Refused
from certwright.domain.grants import Grant, ObjectKind
from certwright.domain.identities import EVERYONE, Group, GroupId, Sid, User, UserId
from certwright.domain.notifications import MailTemplate, NotificationRule
from certwright.domain.one_time_passwords import Distribution, OneTimePasswordRules
from certwright.domain.pins import list_pin_policy_faults
from certwright.domain.policies import CardEnding, Policy, PolicyDocument, TemporaryCards
from certwright.domain.profile_templates import CertificateTemplate, KeySpecification, ProfileTemplate, ProfileTemplateId
from certwright.domain.public_keys import KeyAlgorithm
from certwright.domain.request_types import RequestType
from certwright.domain.revocation import RevocationReason, RevocationSettings
from certwright.domain.rules.key_definition import KEY_BITS
from certwright.domain.rules.sids import find_sid_fault, is_sid
from certwright.domain.smartcard_configuration import PinPolicy, SmartcardConfiguration, UserPinOption
from certwright.formats.definition_identities import Identities
from certwright.formats.definition_rights import list_grants
from certwright.formats.definition_tables import (
    CertificateTemplateTable,
    GroupTable,
    KeyTable,
    Names,
    NotificationTable,
    OneTimePasswordsTable,
    PinTable,
    PolicyTable,
    ProfileTemplateTable,
    RevocationTable,
    Rights,
    SmartcardTable,
    UserTable,
    WorldTable,
)
from certwright.formats.quantities import parse_duration
from certwright.formats.user_names import list_user_faults

OID_FORM = re.compile(r"[0-2](\.(0|[1-9][0-9]*))+")
ADMIN_KEY_FORM = re.compile(r"(?:[0-9A-Fa-f]{2})*")
Choice = TypeVar("Choice", bound=IntEnum)


class DefinitionReader:
    """Reads the tables of one file; faults go to the list that it was given, so that all of them are told at once."""

    def __init__(self, table: WorldTable, known: Identities, faults: list[Refused]) -> None:
        self._table = table
        self._known = known
        self._sids = _list_sids(table)
        self._faults = faults
        self._certificate_templates = {
            each.common_name: self._read_certificate_template(each) for each in table.certificate_templates
        }

    def check_unique(self) -> None:
        """Note every name and identifier that the file gives twice."""
        table = self._table
        self._note_repeated("account or group", (f"{each.domain}\\{each.account}" for each in table.users))
        accounts = {each.account.lower() for each in table.users}
        self._note_repeated("account or group", [*accounts, *(each.name for each in table.groups)])
        self._note_repeated("sid", [*(each.sid for each in table.users), *(each.sid for each in table.groups)])
        self._note_repeated("id", [*(str(each.id) for each in table.users), *(str(each.id) for each in table.groups)])
        self._note_repeated("principal_name", (each.principal_name for each in table.users))
        self._note_repeated("certificate_templates.common_name", (each.common_name for each in table.certificate_templates))
        self._note_repeated("certificate_templates.oid", (str(each.oid) for each in table.certificate_templates))
        self._note_repeated("profile_templates.id", (str(each.id) for each in table.profile_templates))
        self._note_repeated("profile_templates.name", (each.name for each in table.profile_templates))

    def read_user(self, table: UserTable) -> User:
        """Return the user. Faults: identifiers and names that have not their form."""
        where = f"users.{table.account}"
        self._check_sid(table.sid, where)
        user = User(
            id=UserId(table.id),
            sid=Sid(table.sid),
            domain=self._table.domain.name if table.domain is UNSET else table.domain,
            account_name=table.account,
            principal_name=table.principal_name,
            display_name=table.display_name,
            distinguished_name=table.distinguished_name,
            email="" if table.email is UNSET else table.email,
            enabled=table.enabled is UNSET or table.enabled,
        )
        self._faults.extend(list_user_faults(user, where))
        return user

    def read_group(self, table: GroupTable) -> Group:
        """Return the group. Faults: members that the file does not define."""
        where = f"groups.{table.name}"
        self._check_sid(table.sid, where)
        members = self._resolve(() if table.members is UNSET else table.members, f"{where}.members")
        return Group(id=GroupId(table.id), sid=Sid(table.sid), name=table.name, members=members)

    def read_grants(self) -> Iterator[Grant]:
        """Return every right that the file gives, wherever it stands."""
        table = self._table
        yield from self._read_rights(table.service.rights, ObjectKind.SERVICE, "", "service")
        for user in table.users:
            yield from self._read_rights(user.rights, ObjectKind.PRINCIPAL, user.sid, f"users.{user.account}")
        for group in table.groups:
            yield from self._read_rights(group.rights, ObjectKind.PRINCIPAL, group.sid, f"groups.{group.name}")
        for each in table.certificate_templates:
            where = f"certificate_templates.{each.common_name}"
            yield from self._read_rights(each.rights, ObjectKind.CERTIFICATE_TEMPLATE, each.common_name, where)
        for template in table.profile_templates:
            where = f"profile_templates.{template.name}"
            yield from self._read_rights(template.rights, ObjectKind.PROFILE_TEMPLATE, str(template.id), where)
        yield from list_grants(table.rights, self._resolve, self._find_object, self._note)

    def list_other_certificate_templates(self) -> tuple[CertificateTemplate, ...]:
        """Return the certificate templates that no profile template of the file has."""
        used = {name for each in self._table.profile_templates for name in each.certificate_templates}
        return tuple(each for name, each in self._certificate_templates.items() if name not in used)

    def list_places_of_rights(self) -> Iterator[tuple[ObjectKind, str]]:
        """Return the templates for which the file states rights, be they none."""
        for each in self._table.certificate_templates:
            if each.rights is not UNSET:
                yield ObjectKind.CERTIFICATE_TEMPLATE, each.common_name
        for template in self._table.profile_templates:
            if template.rights is not UNSET:
                yield ObjectKind.PROFILE_TEMPLATE, str(template.id)

    def read_template(self, table: ProfileTemplateTable) -> ProfileTemplate:
        """Return the profile template. Faults: parts that the file does not define, unknown kinds of request."""
        where = f"profile_templates.{table.name}"
        if not table.certificate_templates:
            self._note(f"{where}.certificate_templates", "at least one is wanted")
        known = [self._find_certificate_template(name) for name in table.certificate_templates]
        for name, found in zip(table.certificate_templates, known, strict=True):
            if found is None:
                self._note(f"{where}.certificate_templates", f"there is no certificate template {name}")
        policies = {
            self._choose(RequestType, kind, f"{where}.policies"): self._read_policy(policy, f"{where}.policies.{kind}")
            for kind, policy in table.policies.items()
        }
        return ProfileTemplate(
            **_given(table, "description", "response_form", "response_hash", "pfx_protection", "external_certificates"),
            id=ProfileTemplateId(table.id),
            name=table.name,
            certificate_templates=tuple(each for each in known if each is not None),
            policies={kind: policy for kind, policy in policies.items() if kind is not None},
            smartcard=self._read_smartcard(table.smartcard, f"{where}.smartcard") if table.smartcard else None,
        )

    def _read_certificate_template(self, table: CertificateTemplateTable) -> CertificateTemplate:
        where = f"certificate_templates.{table.common_name}"
        self._check_oids(() if table.oid is UNSET else (table.oid,), f"{where}.oid")
        self._check_oids(table.extended_key_usages, f"{where}.extended_key_usages")
        self._check_oids(table.certificate_policies, f"{where}.certificate_policies")
        validity = self._read_duration(table.validity, f"{where}.validity")
        plain = _given(table, *(each for each in table.__struct_fields__ if each not in ("key", "validity", "rights")))
        return CertificateTemplate(**plain, **validity, key=_read_key(table.key))

    def _read_policy(self, table: PolicyTable, where: str) -> Policy:
        parties = ("initiators", "approvers", "enrollment_agents")
        revocations = ("revocation", "revocation_for_duplicates")
        nested = (
            "data_items",
            "notifications",
            "documents",
            "card_ending",
            "temporary_cards",
            "renewal_period",
            "one_time_passwords",
        )
        plain = (each for each in table.__struct_fields__ if each not in (*parties, *revocations, *nested))
        given = _given(table, *plain)
        given |= self._read_duration(table.renewal_period, f"{where}.renewal_period", "renewal_period")
        given |= {each: self._resolve(getattr(table, each), f"{where}.{each}") for each in parties}
        given |= {each: self._read_revocation(getattr(table, each), f"{where}.{each}") for each in revocations}
        temporary = self._read_duration(table.temporary_cards.validity, f"{where}.temporary_cards.validity")
        temporary_given = {each: value for each, value in _given(table.temporary_cards).items() if each != "validity"}
        return Policy(
            **given,
            data_items=tuple(DataItemDefinition(**_given(each)) for each in table.data_items),
            notifications=tuple(_read_notification(each) for each in table.notifications),
            documents=tuple(PolicyDocument(**_given(each)) for each in table.documents),
            card_ending=CardEnding(**_given(table.card_ending)),
            temporary_cards=TemporaryCards(**temporary_given, **temporary),
            one_time_passwords=self._read_one_time_passwords(table.one_time_passwords, f"{where}.one_time_passwords"),
        )

    def _read_one_time_passwords(self, table: OneTimePasswordsTable, where: str) -> OneTimePasswordRules:
        chosen = [self._choose(Distribution, each, f"{where}.distributions") for each in table.distributions]
        return OneTimePasswordRules(
            **_given(table, "length", "tries", "checked_over_rest"),
            **self._read_duration(table.validity, f"{where}.validity"),
            distributions=tuple(each for each in chosen if each is not None),
        )

    def _read_revocation(self, table: RevocationTable, where: str) -> RevocationSettings:
        plain = (each for each in table.__struct_fields__ if each not in ("reason", "delay"))
        delay = self._read_duration(table.delay, f"{where}.delay", "delay")
        reason = self._read_choice(RevocationReason, table.reason, f"{where}.reason", "reason")
        return RevocationSettings(**_given(table, *plain), **delay, **reason)

    def _read_smartcard(self, table: SmartcardTable, where: str) -> SmartcardConfiguration:
        plain = (each for each in table.__struct_fields__ if each not in ("user_pin", "admin_pin", "user_pin_option"))
        option = self._read_choice(UserPinOption, table.user_pin_option, f"{where}.user_pin_option", "user_pin_option")
        self._check_default_key(table, where)
        self._check_pin(table.user_pin, f"{where}.user_pin")
        self._check_pin(table.admin_pin, f"{where}.admin_pin")
        if table.maximum_challenges is not UNSET and table.maximum_challenges < 0:
            self._note(f"{where}.maximum_challenges", "a limit may not be negative")
        return SmartcardConfiguration(
            **_given(table, *plain),
            **option,
            user_pin=PinPolicy(**_given(table.user_pin)),
            admin_pin=PinPolicy(**{"rollover": True, **_given(table.admin_pin)}),
        )

    def _check_pin(self, table: PinTable, where: str) -> None:
        given = _given(table)
        # The defaults are those of the documented example, whose first PIN is shorter than its shortest.
        for detail in list_pin_policy_faults(PinPolicy(**given)) if given else ():
            self._note(where, detail)

    def _check_default_key(self, table: SmartcardTable, where: str) -> None:
        key = table.default_admin_key_hex
        algorithm = AdminKeyAlgorithm.TRIPLE_DES if table.admin_key_algorithm is UNSET else table.admin_key_algorithm
        digits = 2 * algorithm.key_octets
        if key is not UNSET and (not ADMIN_KEY_FORM.fullmatch(key) or len(key) not in (0, digits)):
            self._note(f"{where}.default_admin_key_hex", f"{digits} hexadecimal digits are wanted, or none for zero bytes")

    def _read_rights(self, rights: Rights | UnsetType, kind: ObjectKind, name: str, where: str) -> Iterator[Grant]:
        for right, holders in ({} if rights is UNSET else rights).items():
            for sid in sorted(self._resolve(holders, f"{where}.rights.{right}")):
                yield Grant(kind, name, right, sid)

    def _read_duration(self, text: str | UnsetType, where: str, name: str = "validity") -> dict[str, Any]:
        if text is UNSET:
            return {}
        try:
            return {name: parse_duration(text, where)}
        except MalformedValue as malformed:
            self._note(where, malformed.detail)
            return {}

    def _read_choice(self, choices: type[IntEnum], text: str | UnsetType, where: str, name: str) -> dict[str, Any]:
        chosen = None if text is UNSET else self._choose(choices, text, where)
        return {} if chosen is None else {name: chosen}

    def _find_certificate_template(self, name: str) -> CertificateTemplate | None:
        return self._certificate_templates.get(name) or self._known.find_certificate_template(name)

    def _find_object(self, kind: ObjectKind, name: str) -> str | None:
        """Return how grants name the object, in the file or in the installation; None where there is none."""
        if kind is ObjectKind.SERVICE:
            return None if name else ""
        if kind is ObjectKind.PRINCIPAL:
            return self._find_sid(name)
        if kind is ObjectKind.CERTIFICATE_TEMPLATE:
            template = self._find_certificate_template(name)
            return None if template is None else template.common_name
        own = {key: each.id for each in self._table.profile_templates for key in (each.name.lower(), str(each.id))}
        found = own.get(name.lower()) or self._known.find_profile_template(name)
        return None if found is None else str(found)

    def _find_sid(self, name: str) -> Sid | None:
        """Return whom *name* means: a SID itself, one of the file, or one of the directory."""
        return Sid(name) if is_sid(name) else self._sids.get(name.lower()) or self._known.find_sid(name)

    def _resolve(self, names: Iterable[str], where: str) -> frozenset[Sid]:
        """Return the SIDs of accounts and groups, of SIDs themselves, and of ``everyone``."""
        found = {name: self._find_sid(name) for name in names}
        for name, sid in found.items():
            if sid is None:
                self._note(where, f"there is no account or group {name}")
        return frozenset(sid for sid in found.values() if sid is not None)

    def _choose(self, choices: type[Choice], name: str, where: str) -> Choice | None:
        chosen = choices.__members__.get(name.upper().replace("-", "_"))
        if chosen is None:
            wanted = ", ".join(each.lower() for each in choices.__members__)
            self._note(where, f"{name!r} is not one of {wanted}")
        return chosen

    def _check_sid(self, sid: str, where: str) -> None:
        if fault := find_sid_fault(sid):
            self._note(f"{where}.sid", fault)

    def _check_oids(self, oids: Names | UnsetType, where: str) -> None:
        """Note what no certificate could hold. Source: RFC 5280 section 4.2.1.4: no policy stands twice; usages neither, which
        Windows' own extension holds as policies.
        """
        if oids is UNSET:
            return
        for oid in oids:
            if not _is_encodable_oid(oid):
                self._note(where, f"{oid!r:.100} is no object identifier")
        self._note_repeated(where, oids)

    def _note_repeated(self, what: str, values: Iterable[str]) -> None:
        repeated = [value for value, times in Counter(each.lower() for each in values).items() if times > 1]
        for value in repeated:
            self._note(what, f"{value} is defined more than once")

    def _note(self, where: str, detail: str) -> None:
        self._faults.append(DefinitionInvalid(where, detail))


def _list_sids(table: WorldTable) -> dict[str, Sid]:
    """Return the people of a file by their names in lower case: accounts, also with their domain, and groups."""
    times = Counter(each.account.lower() for each in table.users)
    qualified = [
        (f"{table.domain.name if each.domain is UNSET else each.domain}\\{each.account}", each.sid) for each in table.users
    ]
    accounts = [(each.account, each.sid) for each in table.users if times[each.account.lower()] == 1]
    groups = [(each.name, each.sid) for each in table.groups]
    return {name.lower(): Sid(sid) for name, sid in (*qualified, *accounts, *groups)} | {"everyone": EVERYONE}


def _is_encodable_oid(text: str) -> bool:
    """Return whether certificates can hold it: the encoder bounds the second number, the largest, and the length of all."""
    try:
        x509.ObjectIdentifier(text)
    except ValueError:
        return False
    # The encoder takes leading zeros, under which one identifier would pass for two.
    return OID_FORM.fullmatch(text) is not None


def _read_notification(table: NotificationTable) -> NotificationRule:
    template = None if table.template is None else MailTemplate(**_given(table.template))
    return NotificationRule(type=table.type, to=table.to, template=template)


def _read_key(table: KeyTable) -> KeySpecification:
    """Return the key; where a file names an algorithm without a size, it means the smallest."""
    given = _given(table)
    sizes = KEY_BITS.get(given.get("algorithm", KeyAlgorithm.RSA), ())
    return KeySpecification(**({"bits": sizes[0]} if sizes else {}) | given)


def _given(table: msgspec.Struct, *names: str) -> dict[str, Any]:
    """Return what the file gives of *names*, or of all of the table's keys."""
    values = {name: getattr(table, name) for name in names or table.__struct_fields__}
    return {name: value for name, value in values.items() if value is not UNSET}

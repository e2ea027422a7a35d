"""Attach certificates that were issued elsewhere to a person and a profile template."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import partial
from hashlib import sha1

from certwright.application.explain_access import get_template_named
from certwright.application.world import World
from certwright.domain.account_names import find_named
from certwright.domain.certificates import format_serial_number
from certwright.domain.errors import (
    ExternalKnown,
    ExternalNotTaken,
    Refused,
    UserNotFound,
    check_none_broken,
)
from certwright.domain.events import Event, EventType, tell_of_operator
from certwright.domain.external_certificates import ExternalCertificate, ExternalFile, FoundCertificate, name_external_key
from certwright.domain.identities import User
from certwright.domain.ports import Session
from certwright.domain.profile_templates import ProfileTemplate
from certwright.domain.rules.external_certificates import list_external_faults
from certwright.domain.rules.key_holder import list_key_holder_faults
from certwright.formats.external_files import parse_external_file
from certwright.formats.prime_moduli import is_prime_or_power


@dataclass(frozen=True, slots=True, kw_only=True)
class ExternalImport:
    """What is to be attached, and where. Shape: *user* and *template* are names; *contents* are files by their names."""

    user: str
    template: str
    contents: Mapping[str, bytes] = field(repr=False)
    password: str = field(default="", repr=False)


def import_external(wish: ExternalImport, *, operator: str, world: World) -> tuple[ExternalCertificate, ...]:
    """Store all of the certificates, or none of them, and return them in the order of the files.

    Errors: UserNotFound; ProfileTemplateNotFound; ExternalNotTaken; what is wrong with the files, as RulesBroken for several
            faults: ExternalFileUnreadable, ExternalPasswordWrong, ExternalKeysSeveral, ExternalKeyMisfit, ExternalKeyWeak,
            ExternalExpired, ExternalAuthority, ExternalKnown, KeyOfSomebodyElse, KeyCompromised; ChangedMeanwhile.
    """
    faults: list[Refused] = []
    files = _parse(wish, faults)
    found = [(file, certificate) for file in files for certificate in file.certificates]
    # To look at a key may take a second: it is done before others wait for this to be stored.
    faults += [fault for each in found for fault in _list_own_faults(*each, world)]
    with world.store.writing() as session:
        owner = find_named(wish.user, session.directory)
        if owner is None:
            raise UserNotFound(wish.user)
        template = get_template_named(wish.template, session)
        if not template.external_certificates:
            raise ExternalNotTaken(template.name)
        faults += [fault for each in found for fault in _list_faults(*each, owner.user, session, world)]
        faults += _list_repeated(found)
        check_none_broken(faults)
        taken = tuple(_attach(*each, owner.user, template, world) for each in found)
        session.external.add(taken)
        session.history.append([_tell(each, template, operator) for each in taken])
    return taken


def _parse(wish: ExternalImport, faults: list[Refused]) -> list[ExternalFile]:
    """Return the files that can be read, and note in *faults* why others cannot."""
    files = []
    for name, content in wish.contents.items():
        try:
            files.append(parse_external_file(name, content, wish.password))
        except Refused as refused:
            faults.append(refused)
    return files


def _list_own_faults(file: ExternalFile, found: FoundCertificate, world: World) -> list[Refused]:
    is_broken = partial(is_prime_or_power, found.public_key.modulus or 0)
    return list_external_faults(file.name, found, world.clock.now(), is_prime_or_power=is_broken)


def _list_faults(file: ExternalFile, found: FoundCertificate, owner: User, session: Session, world: World) -> list[Refused]:
    faults: list[Refused] = []
    ours = session.certificates.find(found.serial)
    if found.issuer == world.authority.issuer.subject or (ours is not None and ours.encoded == found.encoded):
        faults.append(ExternalKnown(file.name, "the certificate was issued here"))
    if session.external.find(_take_thumbprint(found)) is not None:
        faults.append(ExternalKnown(file.name, "the certificate is attached already"))
    return faults + list_key_holder_faults(session.certificates.find_key_holder(found.public_key.digest), owner.id)


def _list_repeated(found: list[tuple[ExternalFile, FoundCertificate]]) -> list[Refused]:
    seen: set[bytes] = set()
    faults: list[Refused] = []
    for file, certificate in found:
        if certificate.encoded in seen:
            faults.append(ExternalKnown(file.name, "the certificate comes more than once"))
        seen.add(certificate.encoded)
    return faults


def _attach(
    file: ExternalFile, found: FoundCertificate, owner: User, template: ProfileTemplate, world: World
) -> ExternalCertificate:
    thumbprint, now = _take_thumbprint(found), world.clock.now()
    sealed = None if file.key is None else world.safe.seal(file.key, name_external_key(thumbprint), now).sealed
    return ExternalCertificate(
        thumbprint=thumbprint,
        serial=found.serial,
        subject_id=owner.id,
        template_id=template.id,
        requester_name=owner.nt4_name,
        authority_name=found.issuer_name,
        subject_name=found.subject_name,
        not_before=found.not_before,
        not_after=found.not_after,
        public_key=found.public_key.encoded,
        key_identity=found.public_key.identity,
        encoded=found.encoded,
        imported_at=now,
        sealed_key=sealed,
    )


def _take_thumbprint(found: FoundCertificate) -> str:
    return sha1(found.encoded, usedforsecurity=False).hexdigest().upper()


def _tell(taken: ExternalCertificate, template: ProfileTemplate, operator: str) -> Event:
    return tell_of_operator(
        EventType.CERTIFICATE_IMPORTED,
        operator,
        taken.imported_at,
        subject_id=taken.subject_id,
        serial=format_serial_number(taken.serial),
        thumbprint=taken.thumbprint,
        issuer=taken.authority_name,
        template=template.name,
        key="kept" if taken.sealed_key is not None else "none",
    )

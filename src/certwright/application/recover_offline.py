"""Archived keys that are for offline agents: out to them in files, and back."""

from collections.abc import Mapping
from dataclasses import dataclass

from certwright.application.key_history import name_recovered_key
from certwright.application.request_parties import SeenRequest, check_approved, plan_request, see_request
from certwright.application.world import World
from certwright.domain.archive import RecoveryAgent
from certwright.domain.certificates import Certificate, SerialNumber, format_serial_number
from certwright.domain.errors import ArchiveUnreadable, MalformedValue, NothingArchived
from certwright.domain.events import Event, EventType, tell_of_operator
from certwright.domain.keys import PrivateKey
from certwright.domain.ports import Session
from certwright.domain.requests import RequestAction, RequestId, advance
from certwright.formats.enveloped import is_encrypted_to
from certwright.formats.private_keys import parse_private_key


@dataclass(frozen=True, slots=True, kw_only=True)
class ExportedKey:
    """One archived key, as its agents get it. Shape: *enveloped* is a CMS AuthEnvelopedData, DER; *agents* are names."""

    serial: SerialNumber
    template_common_name: str
    requester_name: str
    enveloped: bytes
    agents: tuple[str, ...]


def export_archived_keys(request_id: RequestId, *, operator: str, world: World) -> tuple[ExportedKey, ...]:
    """Return the archived keys that the request gives back, still encrypted. Each is an event.

    Errors: RequestNotFound; TransitionRefused unless the request is Approved or Executing: as many people as its policy says
            have approved it; ApprovalsMissing when their approvals have ceased to count; NothingArchived; ArchiveUnreadable
            for one that is lost.
    """
    with world.store.writing() as session:
        seen, certificates = _list_given_back(request_id, session, world)
        agents = session.archive.list_agents()
        exported = tuple(_export(each, agents, session) for each in certificates)
        session.history.append([_tell(EventType.KEY_EXPORTED, each, seen, operator, world) for each in certificates])
    return exported


def import_recovered_keys(
    request_id: RequestId, files: Mapping[str, bytes], *, operator: str, world: World
) -> tuple[Certificate, ...]:
    """Return the certificates whose keys were in *files*; the next ``certificatedata`` of the request delivers them.

    Until the request ends they rest sealed. All files are taken, or none.

    Shape: *files* are private keys in PKCS#8, DER or PEM, by the names by which errors name them.
    Errors: as `export_archived_keys`; MalformedValue for a file that is no key of a certificate that the request gives back.
    """
    with world.store.reading() as session:
        _, certificates = _list_given_back(request_id, session, world)
    found = [_match(name, content, certificates) for name, content in files.items()]
    now = world.clock.now()
    sealed = [world.safe.seal(key, name_recovered_key(request_id, each.serial), now) for each, key in found]
    with world.store.writing() as session:
        seen, _ = _list_given_back(request_id, session, world)
        for key in sealed:
            session.keys.save_key(key)
        session.history.append([_tell(EventType.KEY_IMPORTED, each, seen, operator, world) for each, _ in found])
    return tuple(certificate for certificate, _ in found)


def _list_given_back(request_id: RequestId, session: Session, world: World) -> tuple[SeenRequest, tuple[Certificate, ...]]:
    seen = see_request(session.requests.get(request_id), session)
    advance(seen.request, RequestAction.EXECUTE)
    check_approved(seen, session)
    certificates = plan_request(seen, session, world).given_back
    if not certificates:
        raise NothingArchived()
    return seen, certificates


def _export(certificate: Certificate, agents: tuple[RecoveryAgent, ...], session: Session) -> ExportedKey:
    archived = session.archive.find(certificate.serial)
    if archived is None:
        raise ArchiveUnreadable(format_serial_number(certificate.serial), "there is none")
    return ExportedKey(
        serial=certificate.serial,
        template_common_name=certificate.template_common_name,
        requester_name=certificate.requester_name,
        enveloped=archived.enveloped,
        agents=tuple(each.name for each in agents if is_encrypted_to(archived.enveloped, each.certificate)),
    )


def _match(name: str, content: bytes, certificates: tuple[Certificate, ...]) -> tuple[Certificate, PrivateKey]:
    try:
        key = parse_private_key(content)
    except MalformedValue as error:
        raise MalformedValue(name, error.detail) from error
    found = next((each for each in certificates if each.key_digest == key.public_key.digest), None)
    if found is None:
        raise MalformedValue(name, "it is the key of no certificate that the request gives back")
    return found, key


def _tell(event_type: EventType, certificate: Certificate, seen: SeenRequest, operator: str, world: World) -> Event:
    return tell_of_operator(
        event_type,
        operator,
        world.clock.now(),
        subject_id=certificate.subject_id,
        request=str(seen.request.id),
        operation=seen.request.operation.value,
        serial=format_serial_number(certificate.serial),
    )

"""Read an archived key, with the agents that the server itself can act for."""

from collections.abc import Sequence
from dataclasses import dataclass

from certwright.application.world import World
from certwright.domain.archive import ArchivedKey, RecoveryAgent, digest_agents, list_current
from certwright.domain.certificates import Certificate, SerialNumber, format_serial_number
from certwright.domain.errors import ArchiveUnreadable, KeyUnavailable, MalformedValue
from certwright.domain.keys import PrivateKey, SealedKey
from certwright.domain.ports import Session
from certwright.formats.enveloped import encode_enveloped, is_encrypted_to, open_enveloped
from certwright.formats.private_keys import parse_private_key


@dataclass(frozen=True, slots=True)
class OnlineAgent:
    """An agent with his key, sealed; None where the store has lost it."""

    agent: RecoveryAgent
    sealed: SealedKey | None


@dataclass(frozen=True, slots=True)
class ReadKey:
    """A key that was archived, and who read it."""

    key: PrivateKey
    agent: str


def list_online_agents(session: Session) -> tuple[OnlineAgent, ...]:
    """Return the agents whose keys are here, retired ones included: they read what was archived for them."""
    return tuple(
        OnlineAgent(each, session.keys.find_key(each.key_name))
        for each in session.archive.list_agents()
        if each.key_name is not None
    )


def open_archived(
    archived: ArchivedKey, certificate: Certificate, agents: Sequence[OnlineAgent], world: World
) -> ReadKey | None:
    """Return the key of *certificate*, or None when it is archived for none of *agents*.

    Errors: ArchiveUnreadable when it is damaged, of another certificate, or the agents' own keys do not open it.
    """
    serial = format_serial_number(certificate.serial)
    faults = []
    for each in agents:
        try:
            if not is_encrypted_to(archived.enveloped, each.agent.certificate):
                continue
            return ReadKey(_read(archived, certificate, each, world), each.agent.name)
        except (MalformedValue, KeyUnavailable) as error:
            detail = error.detail if isinstance(error, MalformedValue) else "the agent's key cannot be used"
            faults.append(f"agent {each.agent.name}: {detail}")
    if faults:
        raise ArchiveUnreadable(serial, "; ".join(faults))
    return None


def archive_key(key: PrivateKey, serial: SerialNumber, agents: Sequence[RecoveryAgent], world: World) -> ArchivedKey:
    """Return *key* encrypted to the current of *agents*. Errors: DefinitionInvalid for an agent of an unfit kind."""
    current = list_current(agents)
    enveloped = encode_enveloped(key.pkcs8, [each.certificate for each in current])
    return ArchivedKey(serial=serial, enveloped=enveloped, agents=digest_agents(current), archived=world.clock.now())


def _read(archived: ArchivedKey, certificate: Certificate, online: OnlineAgent, world: World) -> PrivateKey:
    if online.sealed is None:
        raise KeyUnavailable(online.agent.key_name or online.agent.name)
    opener = world.safe.open_for_decryption(online.sealed)
    key = parse_private_key(open_enveloped(archived.enveloped, online.agent.certificate, opener))
    if key.public_key.digest != certificate.key_digest:
        raise MalformedValue("key", "the key is not that of the certificate")
    return key

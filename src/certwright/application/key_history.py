"""Archived keys that a request gives back: as key history, or in use as before."""

from collections.abc import Iterable
from dataclasses import dataclass

from certwright.application.open_archive import OnlineAgent, ReadKey, list_online_agents, open_archived
from certwright.application.world import World
from certwright.domain.archive import ArchivedKey
from certwright.domain.certificates import Certificate, SerialNumber, format_serial_number
from certwright.domain.deliveries import DeliveryPlan
from certwright.domain.errors import ArchiveUnreadable, KeyNotRecovered, KeyUnavailable, RecoveryAgentOffline
from certwright.domain.keys import SealedKey
from certwright.domain.ports import Session
from certwright.domain.requests import RequestId

OFFLINE = "offline"
"""Stands for the agent where an operator brought the key."""


@dataclass(frozen=True, slots=True)
class HeldKey:
    """A certificate whose archived key is given back. Shape: *brought* is the key as an offline agent read it, sealed."""

    certificate: Certificate
    is_key_history: bool
    archived: ArchivedKey | None
    brought: SealedKey | None


class KeyHistory:
    """The archived keys of one enrollment, in the order of the answer."""

    def __init__(self, request_id: RequestId, world: World) -> None:
        self._request_id = request_id
        self._world = world
        self._agents: tuple[OnlineAgent, ...] = ()
        self.held: tuple[HeldKey, ...] = ()
        self.read_keys: dict[SerialNumber, ReadKey] = {}
        self.errors: dict[SerialNumber, KeyNotRecovered] = {}

    def read(self, plan: DeliveryPlan, session: Session) -> None:
        """Look for what *plan* gives back."""
        wanted = [*((each, False) for each in plan.carried), *((each, True) for each in plan.history)]
        if wanted:
            self._agents = list_online_agents(session)
            self.held = tuple(self._find(each, session, is_key_history=is_old) for each, is_old in wanted)

    def open(self) -> None:
        """Read the keys, or keep why one cannot be read: the others can."""
        for each in self.held:
            try:
                self.read_keys[each.certificate.serial] = self._open(each)
            except KeyNotRecovered as refused:
                self.errors[each.certificate.serial] = refused

    def _find(self, certificate: Certificate, session: Session, *, is_key_history: bool) -> HeldKey:
        brought = session.keys.find_key(name_recovered_key(self._request_id, certificate.serial))
        return HeldKey(certificate, is_key_history, session.archive.find(certificate.serial), brought)

    def _open(self, held: HeldKey) -> ReadKey:
        serial = format_serial_number(held.certificate.serial)
        if held.brought is not None:
            try:
                return ReadKey(self._world.safe.open(held.brought), OFFLINE)
            except KeyUnavailable as error:
                raise ArchiveUnreadable(serial, "what the offline agent brought does not open") from error
        if held.archived is None:
            raise ArchiveUnreadable(serial, "there is none")
        found = open_archived(held.archived, held.certificate, self._agents, self._world)
        if found is None:
            raise RecoveryAgentOffline(serial, self._request_id)
        return found


def name_recovered_key(request_id: RequestId, serial: SerialNumber) -> str:
    """Return the name under which a key that an offline agent has read rests until the request ends."""
    return f"recovered/{request_id}/{format_serial_number(serial)}"


def forget_recovered_keys(request_id: RequestId, certificates: Iterable[Certificate], session: Session) -> None:
    """Delete what offline agents brought for the request."""
    session.keys.delete_keys([name_recovered_key(request_id, each.serial) for each in certificates])

"""Private keys that the server makes, from their making until the client has them for good."""

from collections.abc import Iterable, Sequence

from certwright.application.open_archive import archive_key
from certwright.application.places import Place
from certwright.application.world import World
from certwright.domain.archive import ArchivedKey, RecoveryAgent, list_current
from certwright.domain.certificates import Certificate, SerialNumber, format_serial_number
from certwright.domain.errors import KeyUnavailable, RecoveryAgentMissing
from certwright.domain.keys import PrivateKey, SealedKey
from certwright.domain.ports import Session


class ServerKeys:
    """The server's keys of one enrollment, by the number of their place."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._made: dict[int, PrivateKey] = {}
        self._new: dict[int, SealedKey] = {}
        self._stored: dict[int, SealedKey] = {}
        self._agents: tuple[RecoveryAgent, ...] = ()
        self._archived: list[ArchivedKey] = []

    def read(self, places: Sequence[Place], session: Session) -> None:
        """Look for the keys of places that have their certificate, and for the agents to archive the others for.

        Errors: RecoveryAgentMissing.
        """
        to_archive = [each for each in places if each.is_archived and each.lacks_key]
        if to_archive:
            self._agents = session.archive.list_agents()
            if not list_current(self._agents):
                raise RecoveryAgentMissing(to_archive[0].template.common_name)
        for place in places:
            if place.is_server_generated and place.certificate is not None:
                sealed = session.keys.find_key(name_pending_key(place.certificate.serial))
                if sealed is not None:
                    self._stored[place.number] = sealed

    def make(self, places: Iterable[Place]) -> None:
        """Make the keys that are missing."""
        for place in places:
            if place.lacks_key:
                self._made[place.number] = self._world.key_maker.make(place.template.key)

    def get_made(self, place: Place) -> PrivateKey:
        """Return the key that was made for the place."""
        return self._made[place.number]

    def seal(self, certificates: Iterable[Certificate]) -> None:
        """Seal the keys that were made under the serial numbers of their certificates, and archive those that are to be."""
        for each in certificates:
            if each.place in self._made:
                name, now = name_pending_key(each.serial), self._world.clock.now()
                self._new[each.place] = self._world.safe.seal(self._made[each.place], name, now)
                if each.is_archived:
                    self._archived.append(archive_key(self._made[each.place], each.serial, self._agents, self._world))

    def store(self, session: Session) -> None:
        """Store the sealed and the archived keys. Errors: ChangedMeanwhile."""
        for each in self._new.values():
            session.keys.save_key(each)
        session.archive.add(self._archived)

    def open(self, places: Iterable[Place]) -> None:
        """Open the stored keys. Errors: KeyUnavailable."""
        for place in places:
            if place.number in self._stored:
                self._made[place.number] = self._world.safe.open(self._stored[place.number])

    def get_opened(self, place: Place) -> PrivateKey:
        """Return the key of the place. Errors: KeyUnavailable when it was never stored, or has been forgotten."""
        if place.number not in self._made:
            raise KeyUnavailable(f"of place {place.number + 1}")
        return self._made[place.number]


def name_pending_key(serial: SerialNumber) -> str:
    """Return the name under which the key of a certificate rests until its request ends."""
    return f"pending/{format_serial_number(serial)}"


def forget_pending_keys(certificates: Iterable[Certificate], session: Session) -> None:
    """Delete the keys that waited for their certificates to be delivered."""
    session.keys.delete_keys([name_pending_key(each.serial) for each in certificates])

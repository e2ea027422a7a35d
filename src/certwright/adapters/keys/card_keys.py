"""Master keys of cards in this program's memory, sealed where they rest."""

from certwright.adapters.keys.key_encryption import KeyEncryptionKey
from certwright.domain.admin_keys import AdminKeyAlgorithm, CardMasterKey
from certwright.domain.ports import Entropy
from certwright.domain.smartcards import CardId
from certwright.formats.admin_keys import derive_admin_key

MASTER_KEY_OCTETS = 32


class SoftwareCardKeys:
    """Keeps `card_ports.CardKeys` with keys that are opened each time they are used."""

    def __init__(self, kek: KeyEncryptionKey, entropy: Entropy) -> None:
        self._kek = kek
        self._entropy = entropy

    def make_master(self, version: int) -> CardMasterKey:
        """Return a new master key, sealed."""
        sealed = self._kek.seal(self._entropy.octets(MASTER_KEY_OCTETS), _name_master(version))
        return CardMasterKey(version=version, sealed=sealed)

    def derive(self, master: CardMasterKey, card_id: CardId, algorithm: AdminKeyAlgorithm) -> bytes:
        """Return the card's own key. Errors: KeyUnavailable."""
        return derive_admin_key(self._kek.open(master.sealed, _name_master(master.version)), card_id, algorithm)

    def seal(self, secret: bytes, name: str) -> bytes:
        """Return a key or a PIN of a card as it rests."""
        return self._kek.seal(secret, name)

    def open(self, sealed: bytes, name: str) -> bytes:
        """Return what was sealed. Errors: KeyUnavailable."""
        return self._kek.open(sealed, name)


def _name_master(version: int) -> str:
    return f"card master key {version}"

"""Master keys of cards in this program's memory, sealed where they rest."""

from certwright.domain.admin_keys import AdminKeyAlgorithm, CardMasterKey, name_master_key
from certwright.domain.ports import Entropy
from certwright.domain.ports_at_rest import Cipher
from certwright.domain.smartcards import CardId
from certwright.formats.admin_keys import derive_admin_key

MASTER_KEY_OCTETS = 32


class SoftwareCardKeys:
    """Keeps `card_ports.CardKeys` with keys that are opened each time they are used."""

    def __init__(self, kek: Cipher, entropy: Entropy) -> None:
        self._kek = kek
        self._entropy = entropy

    def make_master(self, version: int) -> CardMasterKey:
        """Return a new master key, sealed."""
        sealed = self._kek.seal(self._entropy.octets(MASTER_KEY_OCTETS), name_master_key(version))
        return CardMasterKey(version=version, sealed=sealed)

    def derive(self, master: CardMasterKey, card_id: CardId, algorithm: AdminKeyAlgorithm) -> bytes:
        """Return the card's own key. Errors: KeyUnavailable."""
        return derive_admin_key(self._kek.open(master.sealed, name_master_key(master.version)), card_id, algorithm)

    def seal(self, secret: bytes, name: str) -> bytes:
        """Return a key or a PIN of a card as it rests."""
        return self._kek.seal(secret, name)

    def open(self, sealed: bytes, name: str) -> bytes:
        """Return what was sealed. Errors: KeyUnavailable."""
        return self._kek.open(sealed, name)

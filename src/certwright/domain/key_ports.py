"""What we need from outside for the private keys of people, as small protocols."""

from datetime import datetime
from typing import Protocol

from certwright.domain.keys import PrivateKey, SealedKey
from certwright.domain.profile_templates import KeySpecification


class KeyMaker(Protocol):
    """Where new private keys for people come from."""

    def make(self, specification: KeySpecification) -> PrivateKey:
        """Return a key that nobody has had before. RSA keys take their time.

        Errors: DefinitionInvalid for an algorithm or a size that no template may ask for.
        """


class KeySafe(Protocol):
    """Private keys at rest."""

    def seal(self, key: PrivateKey, name: str, now: datetime) -> SealedKey:
        """Return *key* as it may be stored: nobody reads it without the installation's key-encryption key and the name."""

    def open(self, sealed: SealedKey) -> PrivateKey:
        """Return the key. Errors: KeyUnavailable."""

"""What we need from outside for private keys, as small protocols."""

from collections.abc import Iterable
from datetime import datetime
from typing import Protocol

from certwright.domain.archive import ArchivedKey, RecoveryAgent
from certwright.domain.certificates import SerialNumber
from certwright.domain.external_certificates import ExternalCertificate
from certwright.domain.identities import UserId
from certwright.domain.keys import AuthorityRecord, PrivateKey, SealedKey
from certwright.domain.ports_at_rest import KeyVersions
from certwright.domain.profile_templates import KeySpecification, ProfileTemplateId
from certwright.domain.public_keys import HashAlgorithm


class Keys(KeyVersions, Protocol):
    """Sealed private keys and the authorities that use them."""

    def find_key(self, name: str) -> SealedKey | None: ...

    def save_key(self, key: SealedKey) -> None:
        """Store *key* in place of one of the same name."""

    def add_key(self, key: SealedKey) -> None:
        """Store a new key. Errors: ChangedMeanwhile when its name is taken."""

    def replace_key(self, key: SealedKey, before: SealedKey) -> None:
        """Store *key* in place of *before*. Errors: ChangedMeanwhile when that is there no more."""

    def delete_keys(self, names: Iterable[str]) -> None:
        """Forget the keys of these names, as far as there are any."""

    def list_authorities(self) -> tuple[AuthorityRecord, ...]:
        """Return all authorities by name, whatever was done to them: without them nothing can be opened that says what."""

    def check_authorities(self) -> None:
        """Raise unless every authority is as this installation wrote it. Errors: StoredRowAltered."""

    def save_authority(self, authority: AuthorityRecord) -> None:
        """Store *authority* in place of one of the same name."""


class KeyMaker(Protocol):
    """Where new private keys for people come from."""

    def make(self, specification: KeySpecification) -> PrivateKey:
        """Return a key that nobody has had before. RSA keys take their time.

        Errors: DefinitionInvalid for an algorithm or a size that no template may ask for.
        """


class KeyPool(Protocol):
    """Private keys that were made ahead, sealed. *kind* is that of `name_pool_kind`."""

    def count(self, kind: str) -> int: ...

    def add(self, kind: str, key: SealedKey) -> None:
        """Store a new key."""

    def take(self, kind: str) -> SealedKey | None:
        """Remove the oldest key and return it, to one caller only; None when there is none left."""


def name_pool_kind(specification: KeySpecification) -> str:
    """Return which keys of the pool fit *specification*."""
    return f"{specification.algorithm.value} {specification.bits}"


class DecryptionKey(Protocol):
    """The private key of a recovery agent, which stays where it is."""

    def decrypt(self, encrypted: bytes, hash_algorithm: HashAlgorithm) -> bytes:
        """Return what was encrypted to an RSA key by OAEP. Errors: ValueError when that fails; KeyUnavailable."""

    def agree(self, point: bytes) -> bytes:
        """Return what a key of a curve agrees on with the holder of the uncompressed *point*. Errors: as `decrypt`."""


class KeySafe(Protocol):
    """Private keys at rest."""

    def seal(self, key: PrivateKey, name: str, now: datetime) -> SealedKey:
        """Return *key* as it may be stored: nobody reads it without the installation's key-encryption key and the name."""

    def open(self, sealed: SealedKey) -> PrivateKey:
        """Return the key. Errors: KeyUnavailable."""

    def open_for_decryption(self, sealed: SealedKey) -> DecryptionKey:
        """Return the key of a recovery agent, ready for use. Errors: KeyUnavailable."""


class Archive(Protocol):
    """Archived keys, and the agents who can read them."""

    def list_agents(self) -> tuple[RecoveryAgent, ...]:
        """Return all agents, retired ones included, in the order in which they were added."""

    def save_agent(self, agent: RecoveryAgent) -> None:
        """Store *agent* in place of one of the same name."""

    def add(self, keys: Iterable[ArchivedKey]) -> None:
        """Store new ones. Errors: ChangedMeanwhile when the key of one of the certificates is archived already."""

    def find(self, serial: SerialNumber) -> ArchivedKey | None:
        """Return the archived key of the certificate."""

    def replace(self, key: ArchivedKey, before: ArchivedKey) -> bool:
        """Store *key* if *before* is still there, and return whether it was."""

    def list_outdated(self, agents: bytes, after: SerialNumber | None, limit: int) -> tuple[ArchivedKey, ...]:
        """Return those that are encrypted to others than *agents*, in an order of their own, from *after* on."""

    def count_outdated(self, agents: bytes) -> int:
        """Return how many there are of those."""


class ExternalCertificates(Protocol):
    """Certificates that were issued elsewhere."""

    def add(self, certificates: Iterable[ExternalCertificate]) -> None:
        """Store new ones and say whose their keys are.

        Errors: ChangedMeanwhile when one of them is there already, or its key is another person's.
        """

    def find(self, thumbprint: str) -> ExternalCertificate | None: ...

    def list_of(self, subject_id: UserId, template_id: ProfileTemplateId | None = None) -> tuple[ExternalCertificate, ...]:
        """Return those of the person, for the profile template or for any, in the order in which they came."""

    def list_ending(
        self, template_id: ProfileTemplateId, *, now: datetime, until: datetime, limit: int
    ) -> tuple[ExternalCertificate, ...]:
        """Return those that end after *now* and by *until*, and of which nobody was reminded, the first to end first."""

    def mark_reminded(self, thumbprint: str, at: datetime) -> bool:
        """Say that its owner was reminded of it, and return whether nobody had been."""

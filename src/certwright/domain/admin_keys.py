"""Administrator keys of cards: which key a card holds, which one it was given, and what it is asked with."""

from dataclasses import dataclass, replace
from enum import StrEnum
from uuid import UUID


class AdminKeyAlgorithm(StrEnum):
    """What a card answers challenges with; the value is that of world files."""

    TRIPLE_DES = "3des"
    AES_128 = "aes-128"
    AES_256 = "aes-256"

    @property
    def key_octets(self) -> int:
        """Return how long a key is."""
        return {AdminKeyAlgorithm.TRIPLE_DES: 24, AdminKeyAlgorithm.AES_128: 16, AdminKeyAlgorithm.AES_256: 32}[self]

    @property
    def challenge_octets(self) -> int:
        """Return how long a challenge and its answer are: one block."""
        return 8 if self is AdminKeyAlgorithm.TRIPLE_DES else 16


class AdminKeyScheme(StrEnum):
    """Where an administrator key comes from. Another way to derive keys becomes another scheme: cards keep theirs."""

    INITIAL = "initial"
    DERIVED_V1 = "derived-v1"
    IMPORTED = "imported"


@dataclass(frozen=True, slots=True, kw_only=True)
class AdminKey:
    """Which key a card holds, not the key itself.

    Shape: *version* is that of the master key, for derived ones; *sealed* is an imported key at rest.
    """

    scheme: AdminKeyScheme = AdminKeyScheme.INITIAL
    algorithm: AdminKeyAlgorithm = AdminKeyAlgorithm.TRIPLE_DES
    version: int = 0
    sealed: bytes | None = None

    @property
    def is_own(self) -> bool:
        """Return whether no other card has this key."""
        return self.scheme is not AdminKeyScheme.INITIAL


@dataclass(frozen=True, slots=True, kw_only=True)
class AdminKeys:
    """What is known of a card's key.

    Shape: *held* is the key that the card has for certain. *offered* was handed out to take its place: until a request in
    which a challenge was answered with it is completed, the card may have the one or the other. *is_offer_used* says that one
    was.
    """

    held: AdminKey = AdminKey()
    offered: AdminKey | None = None
    is_offer_used: bool = False

    @property
    def has_own(self) -> bool:
        """Return whether a key of its own was ever handed out for the card, or imported."""
        return self.held.is_own or self.offered is not None

    def choose(self, *, diversified: bool) -> AdminKey:
        """Return the key to answer with.

        Shape: *diversified* means the card's own key, the newest that was handed out. Not *diversified* means the key before
        that one: what the card still has while it is given its own, and the initial key when there is nothing to be replaced.
        Source: domain.md 7 and the decision "diversified"; what a rotation asks for is ours.
        """
        if diversified:
            return self.offered or self.held
        return self.held if self.offered else AdminKey(algorithm=self.held.algorithm)

    def offer(self, key: AdminKey) -> "AdminKeys":
        """Return what is known once *key* was handed out. What the card holds for certain stays as it is."""
        return self if key in (self.held, self.offered) else replace(self, offered=key, is_offer_used=False)

    def use(self, key: AdminKey) -> "AdminKeys":
        """Return what is known once a challenge was answered with *key*."""
        return replace(self, is_offer_used=self.is_offer_used or key == self.offered)

    def confirm(self) -> "AdminKeys":
        """Return what is known once a request about the card was completed: it has the offered key if it was used."""
        return AdminKeys(held=self.offered) if self.offered is not None and self.is_offer_used else self


def name_imported_key(card_id: UUID) -> str:
    """Return what the sealed key of a card is bound to, so that it opens for no other card."""
    return f"administrator key of card {card_id}"


def name_master_key(version: int) -> str:
    """Return what a sealed master key is bound to."""
    return f"card master key {version}"


@dataclass(frozen=True, slots=True, kw_only=True)
class CardMasterKey:
    """A master key at rest; *sealed* is what the key port made of it, and *version* counts up."""

    version: int
    sealed: bytes

"""What we need from outside for cards. `ports` has all the others, and the session that these belong to."""

from collections.abc import Sequence
from datetime import datetime
from typing import Protocol

from certwright.domain.admin_keys import AdminKeyAlgorithm, CardMasterKey
from certwright.domain.identities import UserId
from certwright.domain.profiles import Profile, ProfileId
from certwright.domain.requests import RequestId
from certwright.domain.smartcards import CardId, Smartcard, SmartcardId, SmartcardStatus


class Smartcards(Protocol):
    """Cards, one row for each time that a card was assigned, newest first where they are listed."""

    def add(self, card: Smartcard) -> None:
        """Store a new card, or a new assignment of one. Errors: ChangedMeanwhile when the card is in other hands."""

    def get(self, smartcard_id: SmartcardId) -> Smartcard:
        """Errors: SmartcardNotFound."""

    def get_locked(self, smartcard_id: SmartcardId) -> Smartcard:
        """Return the card, which nobody else changes until this session has ended. Errors: SmartcardNotFound."""

    def find_last(self, card_id: CardId) -> Smartcard | None:
        """Return the last assignment of the card, or what is known of it in stock."""

    def find_of_profile(self, profile_id: ProfileId) -> Smartcard | None:
        """Return the card that the profile is on."""

    def list_page(
        self,
        *,
        owner_id: UserId | None = None,
        statuses: frozenset[SmartcardStatus] | None = None,
        after: SmartcardId | None = None,
        limit: int,
    ) -> tuple[Smartcard, ...]:
        """Return the newest cards of *owner_id*, or of everybody and in stock; of *statuses*, or of any; older than *after*."""

    def list_of_profiles(self, page: Sequence[Profile]) -> tuple[Smartcard, ...]:
        """Return the cards that the profiles of *page* are on; as `Profiles.list_duplicates_of`."""

    def change(self, card: Smartcard, *, from_status: SmartcardStatus) -> None:
        """Store *card* if its status is still *from_status*; nobody else changes it until this session has ended.

        Errors: ChangedMeanwhile.
        """

    def count_challenge(self, request_id: RequestId, limit: int) -> bool:
        """Count one challenge more for the request unless it is at its *limit*, and return whether it was counted."""


class CardMasterKeys(Protocol):
    """The sealed master keys that cards' own keys are derived from; none is ever changed or taken away."""

    def find_newest(self) -> CardMasterKey | None: ...

    def get(self, version: int) -> CardMasterKey:
        """Errors: KeyUnavailable when there is none of this version."""

    def add(self, master: CardMasterKey, created: datetime) -> None:
        """Errors: ChangedMeanwhile when another session added this version at the same moment."""


class CardKeys(Protocol):
    """What knows the master keys: this program, or a device that never gives them out."""

    def make_master(self, version: int) -> CardMasterKey:
        """Return a new master key, sealed."""

    def derive(self, master: CardMasterKey, card_id: CardId, algorithm: AdminKeyAlgorithm) -> bytes:
        """Return the card's own key. Errors: KeyUnavailable."""

    def seal(self, secret: bytes, name: str) -> bytes:
        """Return a key or a PIN of a card as it rests, readable under this *name* alone."""

    def open(self, sealed: bytes, name: str) -> bytes:
        """Return what was sealed. Errors: KeyUnavailable."""

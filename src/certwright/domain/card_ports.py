"""What we need from outside for cards. `ports` has all the others, and the session that these belong to."""

from typing import Protocol

from certwright.domain.identities import UserId
from certwright.domain.profiles import ProfileId
from certwright.domain.smartcards import CardId, Smartcard, SmartcardId, SmartcardStatus


class Smartcards(Protocol):
    """Cards, one row for each time that a card was assigned, newest first where they are listed."""

    def add(self, card: Smartcard) -> None:
        """Store a new card, or a new assignment of one. Errors: ChangedMeanwhile when the card is in other hands."""

    def get(self, smartcard_id: SmartcardId) -> Smartcard:
        """Errors: SmartcardNotFound."""

    def find_last(self, card_id: CardId) -> Smartcard | None:
        """Return the last assignment of the card, or what is known of it in stock."""

    def find_of_profile(self, profile_id: ProfileId) -> Smartcard | None:
        """Return the card that the profile is on."""

    def list_all(
        self, *, owner_id: UserId | None = None, statuses: frozenset[SmartcardStatus] | None = None
    ) -> tuple[Smartcard, ...]:
        """Return the cards of *owner_id*, or everybody's and those in stock; of *statuses*, or of any."""

    def change(self, card: Smartcard, *, from_status: SmartcardStatus) -> None:
        """Store *card* if its status is still *from_status*; nobody else changes it until this session has ended.

        Errors: ChangedMeanwhile.
        """

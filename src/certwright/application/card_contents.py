"""What is on a card: the profile that it is in use for, and those that were renewed in place before it."""

from certwright.domain.ports import Session
from certwright.domain.profiles import Profile
from certwright.domain.requests import RequestStatus
from certwright.domain.smartcards import SmartcardId

_WRITTEN = (RequestStatus.EXECUTING, RequestStatus.COMPLETED)


def list_profiles_on(smartcard_id: SmartcardId, session: Session) -> tuple[Profile, ...]:
    """Return the profiles whose certificates were issued onto the card in this assignment, newest first.

    A renewal that uses the card again makes another profile and deletes nothing: the certificates of both are on the card.
    Those of a request that is still being executed may be on it already.

    Source: domain.md, correction 1; ReuseSmartcard in 2.9.
    """
    requests = session.requests.list_of_card(smartcard_id)
    found = dict.fromkeys(each.profile_id for each in requests if each.status in _WRITTEN and each.profile_id is not None)
    return tuple(session.profiles.get(each) for each in found)

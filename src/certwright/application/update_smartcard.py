"""Tell that something has been done to the card that a request is about: it takes effect now."""

from certwright.application.complete_request import take_effect
from certwright.application.one_time_passwords import check_presented
from certwright.application.profile_changes import Changes
from certwright.application.request_parties import get_request
from certwright.application.supplied_data import check_data_complete
from certwright.application.world import World
from certwright.domain.errors import CardStateRefused, SmartcardNotFound
from certwright.domain.events import EventType, tell
from certwright.domain.identities import Caller
from certwright.domain.profiles import ProfileId, ProfileStatus
from certwright.domain.requests import Request, RequestAction, RequestId, RequestStatus, advance
from certwright.domain.security_descriptors import RequestPermission
from certwright.domain.smartcards import Smartcard, SmartcardId, SmartcardStatus
from certwright.domain.workflows import check_profile_fits


def update_smartcard(
    request_id: RequestId, smartcard_id: SmartcardId, status: SmartcardStatus | None, *, by: Caller, world: World
) -> Smartcard:
    """Return the card in the status that the request is to leave it in; once more changes nothing.

    The request is Executing from then on: the client blocks or erases the card, and completes it.

    Shape: *status* None means the one that the request is for.
    Errors: RequestNotFound; AccessDenied unless *by* may execute the request; TransitionRefused; SmartcardNotFound for another
            card than the request's; CardStateRefused where the request leaves the card in another status; DataIncomplete;
            OneTimePasswordsMissing; ProfileStateRefused; ChangedMeanwhile.
    Source: update-smartcard-status.
    """
    with world.store.writing() as session:
        seen = get_request(request_id, RequestPermission.EXECUTE, by=by, session=session)
        request = seen.request
        executing = advance(request, RequestAction.EXECUTE)
        if smartcard_id not in (request.smartcard_id, request.old_smartcard_id):
            raise SmartcardNotFound(smartcard_id)
        card = session.smartcards.get_locked(smartcard_id)
        profile_id = _get_ending_profile(request, card, status)
        if request.status is RequestStatus.EXECUTING:
            return card
        check_presented(seen, session)
        check_data_complete(seen)
        profile = session.profiles.get_locked(profile_id)
        check_profile_fits(request.operation, profile)
        changes = Changes(executing, by, world.clock.now(), session)
        take_effect(changes, seen, profile)
        session.requests.change(executing, from_status=request.status)
        executed = tell(EventType.REQUEST_EXECUTED, by, changes.at, request_id=request_id, subject_id=request.target_id)
        session.history.append([executed, *changes.events])
        return session.smartcards.get(smartcard_id)


def _get_ending_profile(request: Request, card: Smartcard, status: SmartcardStatus | None) -> ProfileId:
    """Return the profile that the request gives another status.

    Errors: CardStateRefused where it gives none, or not *status*.
    """
    leaves: ProfileStatus | None = request.workflow.leaves
    if request.old_profile_id is None or leaves is None or (status is not None and status.name != leaves.name):
        wanted = "changed" if status is None else status.name.lower()
        raise CardStateRefused(card.status.name.lower(), f"be made {wanted} by the operation {request.operation}")
    return request.old_profile_id

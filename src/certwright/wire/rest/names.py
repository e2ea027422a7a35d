"""Names that clients give to request types and to states, in any case.

Source: domain.md 1.1, 1.2, 1.9 and 8, numbers 2 to 4 and 31.
"""

from certwright.domain.profiles import ProfileStatus
from certwright.domain.request_types import RequestType
from certwright.domain.requests import RequestStatus
from certwright.domain.revocation import RevocationReason
from certwright.domain.smartcards import SmartcardStatus
from certwright.domain.workflows import Operation

REQUEST_TYPES: dict[str, RequestType] = {
    "enroll": RequestType.ENROLL,
    "recover": RequestType.RECOVER,
    "renew": RequestType.RENEW,
    "revoke": RequestType.DISABLE,
    "disable": RequestType.DISABLE,
    "unblock": RequestType.UNBLOCK,
    "duplicate": RequestType.DUPLICATE,
    "retire": RequestType.RETIRE,
    "recoveronbehalf": RequestType.RECOVER_ON_BEHALF,
    "reinstate": RequestType.SUSPEND_OR_REINSTATE,
    "suspend": RequestType.SUSPEND_OR_REINSTATE,
    "suspendorreinstate": RequestType.SUSPEND_OR_REINSTATE,
    "onlineupdate": RequestType.ONLINE_UPDATE,
    "temporarycards": RequestType.TEMPORARY_CARD_ENROLL,
    "temporaryenroll": RequestType.TEMPORARY_CARD_ENROLL,
    "temporarycardenroll": RequestType.TEMPORARY_CARD_ENROLL,
    "temporarycardretire": RequestType.TEMPORARY_CARD_RETIRE,
    "temporarycarddisable": RequestType.TEMPORARY_CARD_DISABLE,
    "offlineunblock": RequestType.OFFLINE_UNBLOCK,
}

OPERATIONS: dict[str, Operation] = {
    **{each.value: each for each in Operation},
    "revoke": Operation.DISABLE,
    "temporarycards": Operation.TEMPORARY_CARD_ENROLL,
    "temporaryenroll": Operation.TEMPORARY_CARD_ENROLL,
}
"""What POST requests starts; "suspend" and "reinstate" are one type and two operations."""

REVOCATION_REASONS: dict[str, RevocationReason] = {
    name: each for each in RevocationReason for name in (str(int(each)), each.name.lower(), each.name.lower().replace("_", ""))
}
"""By number, and by the names of RFC 5280 in any case."""

REQUEST_STATUSES: dict[str, RequestStatus] = {
    "approved": RequestStatus.APPROVED,
    "denied": RequestStatus.DENIED,
    "completed": RequestStatus.COMPLETED,
    "failed": RequestStatus.FAILED,
    "pending": RequestStatus.PENDING,
    "canceled": RequestStatus.CANCELED,
    "cancelled": RequestStatus.CANCELED,
    "abandoned": RequestStatus.CANCELED,
    "executing": RequestStatus.EXECUTING,
}

PROFILE_STATUSES: dict[str, ProfileStatus] = {
    "new": ProfileStatus.NEW,
    "active": ProfileStatus.ACTIVE,
    "disabled": ProfileStatus.DISABLED,
    "suspended": ProfileStatus.SUSPENDED,
    "retired": ProfileStatus.RETIRED,
    # Names of request statuses stand for what such a request leaves its profile in; the others never have one.
    "executing": ProfileStatus.NEW,
    "completed": ProfileStatus.ACTIVE,
    "canceled": ProfileStatus.DISABLED,
    "cancelled": ProfileStatus.DISABLED,
    "abandoned": ProfileStatus.DISABLED,
}


SMARTCARD_STATUSES: dict[str, SmartcardStatus] = {
    **{name: SmartcardStatus[each.name] for name, each in PROFILE_STATUSES.items()},
    "assigned": SmartcardStatus.ASSIGNED,
    # What such a request leaves its card in.
    "executing": SmartcardStatus.ASSIGNED,
    "canceled": SmartcardStatus.RETIRED,
    "cancelled": SmartcardStatus.RETIRED,
    "abandoned": SmartcardStatus.RETIRED,
}


def fold_name(name: str) -> str:
    """Return *name* as the tables here have it."""
    return name.strip().lower()

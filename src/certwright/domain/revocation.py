"""Why and how certificates are revoked."""

from dataclasses import dataclass
from datetime import timedelta
from enum import IntEnum


class RevocationReason(IntEnum):
    """CRLReason of RFC 5280 section 5.3.1."""

    UNSPECIFIED = 0
    KEY_COMPROMISE = 1
    CA_COMPROMISE = 2
    AFFILIATION_CHANGED = 3
    SUPERSEDED = 4
    CESSATION_OF_OPERATION = 5
    CERTIFICATE_HOLD = 6
    REMOVE_FROM_CRL = 8


CHOOSABLE_REASONS = frozenset(
    {
        RevocationReason.UNSPECIFIED,
        RevocationReason.KEY_COMPROMISE,
        RevocationReason.AFFILIATION_CHANGED,
        RevocationReason.SUPERSEDED,
        RevocationReason.CESSATION_OF_OPERATION,
    }
)
"""What a person may give as the reason of a revocation: holds have an operation of their own."""
LONGEST_DELAY = timedelta(days=3650)


@dataclass(frozen=True, slots=True, kw_only=True)
class RevocationSettings:
    """What a request does to certificates that came before it. Source: RevocationOptions in domain.md 2.9."""

    reason: RevocationReason = RevocationReason.SUPERSEDED
    delay: timedelta = timedelta()
    disable_old_profile: bool = False
    revoke_old_certificates: bool = False
    publish_base_crl: bool = False
    publish_delta_crl: bool = False
    allow_specify_delay: bool = False
    allow_specify_reason: bool = False

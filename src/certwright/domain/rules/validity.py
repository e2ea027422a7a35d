"""A certificate is valid within its issuer's validity, and for some time."""

from datetime import datetime

from certwright.domain.errors import Refused, ValidityRefused


def list_validity_faults(
    not_before: datetime, not_after: datetime, issuer_not_before: datetime, issuer_not_after: datetime
) -> list[Refused]:
    """Return what is wrong with the dates.

    Source: RFC 5280 section 6.1 only asks that both are valid when used; nesting is the rule of issue 2, part 4.
    """
    faults = []
    if not_before >= not_after:
        faults.append("it would end before it begins; the issuing authority may be at its end")
    if not_before < issuer_not_before or not_after > issuer_not_after:
        faults.append("it would reach beyond the issuing authority's own")
    return [ValidityRefused(fault) for fault in faults]

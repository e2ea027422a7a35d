"""Remind people of certificates from elsewhere that end: nobody but their issuer can renew them."""

from collections.abc import Sequence
from functools import partial

from certwright.application.due_work import Due
from certwright.application.world import World
from certwright.domain.certificates import format_serial_number
from certwright.domain.events import EventType, tell
from certwright.domain.external_certificates import ExternalCertificate
from certwright.domain.ports import Session
from certwright.domain.program import THE_PROGRAM
from certwright.domain.request_types import RequestType
from certwright.domain.requests import RequestId


def list_ending_external(limit: int, *, world: World) -> Sequence[Due]:
    """Return the reminder of each certificate from elsewhere that ends within the renewal period of its profile template.

    Each is reminded of once. Templates that are withdrawn, or have no policy for renewals, remind of nothing.
    """
    now = world.clock.now()
    found: list[Due] = []
    with world.store.reading() as session:
        for template in session.templates.list_newest():
            policy = template.policies.get(RequestType.RENEW)
            if policy is None or not policy.enabled or len(found) >= limit:
                continue
            until = now + policy.renewal_period
            for each in session.external.list_ending(template.id, now=now, until=until, limit=limit - len(found)):
                what = f"reminder of certificate {format_serial_number(each.serial)} from elsewhere, {template.name}"
                since = each.not_after - policy.renewal_period
                found.append(Due(what=what, carry_out=partial(remind, each, world=world), since=since))
    return found


def remind(certificate: ExternalCertificate, *, world: World) -> bool:
    """Tell that the certificate ends, unless that was told; return whether it is news."""
    with world.store.writing() as session:
        now = world.clock.now()
        if not session.external.mark_reminded(certificate.thumbprint, now):
            return False
        told = tell(
            EventType.EXTERNAL_CERTIFICATE_ENDS,
            THE_PROGRAM,
            now,
            request_id=_find_newest_request(certificate, session),
            subject_id=certificate.subject_id,
            serial=format_serial_number(certificate.serial),
            thumbprint=certificate.thumbprint,
            authority=certificate.authority_name,
            ends=certificate.not_after.isoformat(),
        )
        session.history.append([told])
    return True


def _find_newest_request(certificate: ExternalCertificate, session: Session) -> RequestId | None:
    """Return the request with which the certificate came back last, or will: its policy says who is told by mail."""
    return session.requests.find_newest_id(certificate.subject_id, certificate.template_id)

"""Let revocations take effect that were asked for with a delay."""

from collections.abc import Sequence
from functools import partial

from certwright.application.due_work import Due
from certwright.application.world import World
from certwright.domain.certificates import format_serial_number
from certwright.domain.delayed_revocations import DelayedRevocation
from certwright.domain.events import EventType, tell
from certwright.domain.program import THE_PROGRAM


def list_due_revocations(limit: int, *, world: World) -> Sequence[Due]:
    """Return the taking effect of each revocation whose time has come."""
    with world.store.reading() as session:
        found = session.delayed_revocations.list_due(world.clock.now(), limit)
    return [
        Due(
            what=f"revocation of certificate {format_serial_number(each.serial)}",
            carry_out=partial(take_effect, each, world=world),
            since=each.effective,
        )
        for each in found
    ]


def take_effect(delayed: DelayedRevocation, *, world: World) -> bool:
    """Record that the certificate is revoked from now on, and which revocation lists are wanted; return whether it is news.

    Whoever asks for its status was told so from that moment on in any case: the register has the time.
    """
    with world.store.writing() as session:
        certificate = session.delayed_revocations.settle(delayed)
        if certificate is None:
            return False
        told = partial(
            tell, by=THE_PROGRAM, at=world.clock.now(), request_id=delayed.request_id, subject_id=certificate.subject_id
        )
        reason = certificate.revocation_reason
        effective = told(
            EventType.CERTIFICATE_REVOCATION_EFFECTIVE,
            serial=format_serial_number(delayed.serial),
            reason=reason.name if reason is not None else "",
        )
        wanted = [told(EventType.CRL_REQUESTED, lists=delayed.lists)] if delayed.lists else []
        session.history.append([effective, *wanted])
    return True

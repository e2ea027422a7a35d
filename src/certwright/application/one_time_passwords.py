"""Hand out one-time passwords, look at those that are given, and tell when they are over."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import partial

from certwright.application.due_work import Due
from certwright.application.notify_by_mail import send_secrets
from certwright.application.request_parties import SeenRequest, get_request, see_request
from certwright.application.world import World
from certwright.domain.access import DistributePasswords, check_allowed, decide
from certwright.domain.distributed_passwords import DistributedPasswords, PasswordState
from certwright.domain.errors import (
    NoOneTimePasswords,
    OneTimePasswordsMissing,
    OneTimePasswordsOver,
    OneTimePasswordsRejected,
    OneTimePasswordsUndeliverable,
    TransitionRefused,
)
from certwright.domain.events import Event, EventType, tell
from certwright.domain.identities import Caller, User
from certwright.domain.mail_addresses import find_address_fault
from certwright.domain.one_time_passwords import (
    BITS_A_CHARACTER,
    KEY_OCTETS,
    Distribution,
    are_right,
    digest_of,
    make_password,
)
from certwright.domain.outbox import SecretMessage
from certwright.domain.ports import Session
from certwright.domain.program import PROGRAM_ID, THE_PROGRAM
from certwright.domain.requests import Request, RequestId, RequestStatus
from certwright.domain.security_descriptors import RequestPermission

EXECUTABLE = frozenset({RequestStatus.APPROVED, RequestStatus.EXECUTING})


@dataclass(frozen=True, slots=True, kw_only=True)
class HandedOut:
    """What a distribution gives to whoever asked for it. Shape: *shown* are the passwords for his screen, told this once."""

    shown: tuple[str, ...] = field(repr=False)
    expires: datetime
    distributions: tuple[Distribution, ...]


def needs_passwords(seen: SeenRequest) -> bool:
    """Return whether the subject has to present passwords: the policy has some, and somebody else started the request."""
    return bool(seen.policy.one_time_passwords.distributions) and seen.request.originator_id != seen.request.target_id


def distribute_passwords(request_id: RequestId, *, by: Caller, world: World) -> HandedOut:
    """Make new passwords for the request, mail those that are to be mailed, and return those for the caller's screen.

    Those that were handed out before are void.

    Errors: RequestNotFound; AccessDenied for everyone but the originator, the policy's initiators who hold the workflow's right
            over the subject, and its approvers, and for the subject in any case; NoOneTimePasswords; TransitionRefused unless
            it is Approved or Executing; OneTimePasswordsOver when they have been used; OneTimePasswordsUndeliverable.
    Source: domain.md 3 (DistributeSecrets).
    """
    with world.store.writing() as session:
        seen = see_request(session.requests.get(request_id), session)
        about = DistributePasswords(
            seen.security, seen.request.originator_id, seen.target, seen.policy.initiators, seen.request.workflow.right
        )
        check_allowed(decide(by, about, seen.grants))
        if not needs_passwords(seen):
            raise NoOneTimePasswords()
        if seen.request.status not in EXECUTABLE:
            raise TransitionRefused(seen.request.status.name.lower(), "be given one-time passwords")
        before = session.passwords.find_locked(request_id)
        if before is not None and before.used is not None:
            raise OneTimePasswordsOver(PasswordState.USED)
        return _hand_out(seen, by, session, world)


def distribute_when_approved(request: Request, *, by: Caller, session: Session, world: World) -> None:
    """Hand out the passwords of a request that has just been approved, where all of them go by mail.

    Where one is for a screen, somebody has to sit before it. What cannot be delivered keeps no approval from being given: it is
    told as an event, and the passwords can be distributed again.
    """
    if request.status is not RequestStatus.APPROVED or request.originator_id == request.target_id:
        return
    seen = see_request(request, session)
    distributions = seen.policy.one_time_passwords.distributions
    if not distributions or Distribution.DISPLAY_ON_SCREEN in distributions:
        return
    try:
        _hand_out(seen, by, session, world)
    except OneTimePasswordsUndeliverable as undeliverable:
        told = _tell(EventType.PASSWORDS_UNDELIVERED, seen.request, by, world.clock.now(), reason=undeliverable.reason)
        session.history.append([told])


def present_passwords(request_id: RequestId, given: Sequence[str], *, by: Caller, world: World) -> None:
    """Look at the passwords that whoever executes the request has given: right ones are asked for once.

    Each wrong answer takes a try away, before anybody learns that it was wrong.

    Errors: RequestNotFound; AccessDenied unless *by* may execute the request; OneTimePasswordsRejected; OneTimePasswordsOver
            when they were never handed out, have expired, or were guessed at too often.
    """
    with world.store.writing() as session:
        seen = get_request(request_id, RequestPermission.EXECUTE, by=by, session=session)
        if not needs_passwords(seen) or seen.request.status not in EXECUTABLE:
            return
        rejected = _look_at(seen.request, given, by, session, world.clock.now())
    if rejected is not None:
        raise rejected


def check_presented(seen: SeenRequest, session: Session) -> None:
    """Raise unless the passwords of the request were presented, or need not be. Errors: OneTimePasswordsMissing."""
    rules = seen.policy.one_time_passwords
    if not rules.checked_over_rest or not needs_passwords(seen):
        return
    handed_out = session.passwords.find(seen.request.id)
    if handed_out is None or handed_out.used is None:
        raise OneTimePasswordsMissing(len(rules.distributions))


def find_password_state(seen: SeenRequest, session: Session, now: datetime) -> PasswordState | None:
    """Return what the passwords of the request are worth, or None where it needs none."""
    if not needs_passwords(seen):
        return None
    handed_out = session.passwords.find(seen.request.id)
    return PasswordState.NOT_DISTRIBUTED if handed_out is None else handed_out.state(now)


def list_expired_passwords(limit: int, *, world: World) -> Sequence[Due]:
    """Return the telling of each open request's passwords that have expired without having been used."""
    now = world.clock.now()
    with world.store.reading() as session:
        found = session.passwords.list_expired(now, limit)
    return [
        Due(
            what=f"one-time passwords of request {each.request_id} have expired",
            carry_out=partial(tell_expired, each.request_id, world=world),
            since=each.expires,
        )
        for each in found
    ]


def tell_expired(request_id: RequestId, *, world: World) -> bool:
    """Record that the passwords have expired, and return whether it is news. They were worth nothing from that moment on."""
    with world.store.writing() as session:
        now = world.clock.now()
        if not session.passwords.mark_expired(request_id, now):
            return False
        request = session.requests.get(request_id)
        session.history.append([_tell(EventType.PASSWORDS_EXPIRED, request, THE_PROGRAM, now)])
    return True


def _hand_out(seen: SeenRequest, by: Caller, session: Session, world: World) -> HandedOut:
    rules, now = seen.policy.one_time_passwords, world.clock.now()
    recipients = {each: _find_recipient(each, seen, by, session, world) for each in rules.distributions}
    made = [
        (each, make_password(world.entropy.bits(BITS_A_CHARACTER * rules.length), rules.length)) for each in rules.distributions
    ]
    key = world.entropy.octets(KEY_OCTETS)
    session.passwords.save(
        DistributedPasswords(
            request_id=seen.request.id,
            key=key,
            digests=tuple(digest_of(key, password) for _, password in made),
            distributed=now,
            expires=now + rules.validity,
            tries_left=rules.tries,
        )
    )
    names = " ".join(each.name.lower().replace("_", "-") for each in rules.distributions)
    told = _tell(EventType.PASSWORDS_DISTRIBUTED, seen.request, by, now, distributions=names)
    session.history.append([told])
    for distribution, password in made:
        recipient = recipients[distribution]
        if recipient:
            message = SecretMessage(request_id=seen.request.id, recipient=recipient, secrets=(password,))
            send_secrets(message, told, session=session, world=world)
    shown = tuple(password for each, password in made if each is Distribution.DISPLAY_ON_SCREEN)
    return HandedOut(shown=shown, expires=now + rules.validity, distributions=rules.distributions)


def _find_recipient(distribution: Distribution, seen: SeenRequest, by: Caller, session: Session, world: World) -> str:
    """Return where the password is mailed to, empty for a screen. Errors: OneTimePasswordsUndeliverable."""
    if distribution is Distribution.DISPLAY_ON_SCREEN:
        return ""
    if not world.sends_mail:
        raise OneTimePasswordsUndeliverable("no mail server is set up")
    person = seen.target.user if distribution is Distribution.EMAIL_TO_TARGET else _find_originator(seen, by, session)
    if person is None or find_address_fault(person.email) is not None:
        raise OneTimePasswordsUndeliverable(f"{person.nt4_name if person else 'the originator'} has no mail address")
    return person.email


def _find_originator(seen: SeenRequest, by: Caller, session: Session) -> User | None:
    """Return who started the request; for what the program started, whoever has its passwords distributed."""
    if seen.request.originator_id == PROGRAM_ID:
        return by.user
    found = session.directory.find_principal(seen.request.originator_id)
    return None if found is None else found.user


def _look_at(
    request: Request, given: Sequence[str], by: Caller, session: Session, now: datetime
) -> OneTimePasswordsRejected | OneTimePasswordsOver | None:
    handed_out = session.passwords.find_locked(request.id)
    state = PasswordState.NOT_DISTRIBUTED if handed_out is None else handed_out.state(now)
    if handed_out is None or state not in (PasswordState.WAITING, PasswordState.USED):
        return OneTimePasswordsOver(state)
    if state is PasswordState.USED:
        return None
    if are_right(handed_out.key, handed_out.digests, given):
        session.passwords.save(replace(handed_out, used=now))
        session.history.append([_tell(EventType.PASSWORDS_ACCEPTED, request, by, now)])
        return None
    left = handed_out.tries_left - 1
    session.passwords.save(replace(handed_out, tries_left=left))
    session.history.append([_tell(EventType.PASSWORDS_REJECTED, request, by, now, tries_left=str(left))])
    return OneTimePasswordsRejected(left)


def _tell(event_type: EventType, request: Request, by: Caller, at: datetime, **details: str) -> Event:
    return tell(event_type, by, at, request_id=request.id, subject_id=request.target_id, **details)

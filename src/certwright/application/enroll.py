"""Answer certificate requests with certificates: the heart of the product."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import partial

from certwright.application.enrollment import Enrollment, Post
from certwright.application.one_time_passwords import present_passwords
from certwright.application.places import Delivered
from certwright.application.world import World
from certwright.domain.errors import CertwrightError, ChangedMeanwhile
from certwright.domain.identities import Caller
from certwright.domain.policies import check_comment
from certwright.domain.ports import Session
from certwright.domain.requests import RequestId
from certwright.formats.prime_moduli import is_prime_or_power

ATTEMPTS = 10
"""How often a post that met others at the same request looks again before it tells its caller."""

Outcome = tuple[Delivered, ...] | CertwrightError


@dataclass(frozen=True, slots=True, kw_only=True)
class Submission:
    """What a client posts.

    Shape: *certificate_requests* are PEM or base64 DER; *comment* goes into the history; *pfx_password* protects the private
    keys in the answer, and is wanted where there are any; *one_time_passwords* are looked at where the request has some.
    """

    certificate_requests: tuple[str, ...]
    comment: str = ""
    pfx_password: str = field(default="", repr=False)
    one_time_passwords: tuple[str, ...] = field(default=(), repr=False)

    @property
    def takes_long(self) -> bool:
        """Return whether private keys are made, opened and protected for it, which is done for those who bring passwords."""
        return bool(self.pfx_password or self.one_time_passwords)


@dataclass(frozen=True, slots=True)
class Order:
    """What somebody posts for which request."""

    request_id: RequestId
    submission: Submission
    by: Caller


def enroll(request_id: RequestId, submission: Submission, *, by: Caller, world: World) -> tuple[Delivered, ...]:
    """Return one delivery for each certificate: those for keys of the client in the order of the generation options, then those
    whose keys the server makes.

    The same submission again gives the same certificates, and the same keys under the password that comes with it, each time
    with an event that says so. Each place is stored as it will be signed, then signed, then
    stored with its signature, then answered: whatever a client holds is in the register, and after a crash a repeated post
    goes on where the first one stopped.

    Errors: RequestNotFound; AccessDenied unless *by* may execute the request; TransitionRefused unless it is Approved or
            Executing; SubjectDisabled; SubmissionMismatch when the number of requests is not the number planned; PlaceTaken;
            OneTimePasswordsMissing, OneTimePasswordsRejected and OneTimePasswordsOver where the request has some;
            PfxPasswordRefused; TextTooLong and MalformedValue for the comment; ProfilesExhausted when other requests used up
            the policy's limit; ApprovalsMissing when approvals have ceased to count; ChangedMeanwhile when others changed the
            request at the same moment again and again.
    Source: get-certificate-responses.md; the order of the steps is that of architecture.md, "Issuing".
    """
    (outcome,) = enroll_each([Order(request_id, submission, by)], world=world)
    if isinstance(outcome, CertwrightError):
        raise outcome
    return outcome


def enroll_each(orders: Sequence[Order], *, world: World) -> list[Outcome]:
    """Return for each order what `enroll` returns or raises; they take the steps together and share transactions.

    Errors: KeyUnavailable; StoreUnavailable; TakesLong, see `ports.Crew`.
    """
    if any(each.submission.takes_long for each in orders):
        world.workshop.announce()
    read = [_read(each, world) for each in orders]
    answered = iter(_enroll_together([each for each in read if isinstance(each, Post)], world))
    return [next(answered) if isinstance(each, Post) else each for each in read]


def _read(order: Order, world: World) -> Post | CertwrightError:
    try:
        check_comment("comments", order.submission.comment)
        if order.submission.one_time_passwords:
            present_passwords(order.request_id, order.submission.one_time_passwords, by=order.by, world=world)
    except CertwrightError as refused:
        return refused
    submission = order.submission
    return Post(order.request_id, submission.certificate_requests, submission.comment, order.by, submission.pfx_password)


def _enroll_together(posts: Sequence[Post], world: World) -> list[Outcome]:
    """Return what became of each post; those that somebody else overtook look again."""
    outcomes = _attempt(posts, world)
    for _ in range(ATTEMPTS - 1):
        overtaken = [number for number, outcome in enumerate(outcomes) if isinstance(outcome, ChangedMeanwhile)]
        if not overtaken:
            break
        again = _attempt([posts[number] for number in overtaken], world)
        for number, outcome in zip(overtaken, again, strict=True):
            outcomes[number] = outcome
    return outcomes


def _attempt(posts: Sequence[Post], world: World) -> list[Outcome]:
    """Take every post through the steps; one that is refused on the way leaves the others alone."""
    batch = _Batch([Enrollment(each, world) for each in posts])
    with world.store.reading() as session:
        batch.each(lambda enrollment: enrollment.read(session))
    world.workshop.each(Enrollment.make_keys, [each for each in batch.list_alive() if each.lacks_keys])
    world.workshop.each(is_prime_or_power, [one for each in batch.list_alive() for one in each.posted_keys.slow_moduli])
    batch.each(Enrollment.draft)
    batch.write(_store, [each for each in batch.list_alive() if each.has_news], world)
    unsigned = [each for each in batch.list_alive() if each.has_unsigned]
    _sign(unsigned, world)
    world.workshop.each(Enrollment.open_keys, [each for each in batch.list_alive() if each.delivers_keys])
    batch.write(_record, [each for each in batch.list_alive() if each in unsigned or each.delivers_keys], world)
    delivered = _deliver_all(batch.list_alive(), world)
    return [batch.failures.get(each) or delivered[each] for each in batch.enrollments]


def _store(enrollment: Enrollment, session: Session) -> None:
    enrollment.check_again(session)
    enrollment.store(session)


def _record(enrollment: Enrollment, session: Session) -> None:
    # Certificates were decided on when they were stored; keys that are given out, also of a repeated post, are now.
    if enrollment.delivers_keys:
        enrollment.check_again(session)
    enrollment.record(session)


def _sign(enrollments: Sequence[Enrollment], world: World) -> None:
    """Have everything signed that is to be signed, in one go."""
    orders = [each.list_signing_orders() for each in enrollments]
    signed = iter(world.authority.sign_each([order for each in orders for order in each]) if enrollments else ())
    for enrollment, own in zip(enrollments, orders, strict=True):
        enrollment.take_signed([next(signed) for _ in own])


def _deliver_all(enrollments: Sequence[Enrollment], world: World) -> dict[Enrollment, tuple[Delivered, ...]]:
    plain = [each for each in enrollments if not each.delivers_keys]
    with_keys = [each for each in enrollments if each.delivers_keys]
    delivered = {each: each.deliver() for each in plain}
    return delivered | dict(zip(with_keys, world.workshop.each(Enrollment.deliver, with_keys), strict=True))


class _Batch:
    """Enrollments that go the same way, and why some of them left it."""

    def __init__(self, enrollments: Sequence[Enrollment]) -> None:
        self.enrollments = enrollments
        self.failures: dict[Enrollment, CertwrightError] = {}

    def list_alive(self) -> list[Enrollment]:
        """Return those that were not refused."""
        return [each for each in self.enrollments if each not in self.failures]

    def each(self, step: Callable[[Enrollment], None]) -> None:
        """Take *step* with each that is alive."""
        for enrollment in self.list_alive():
            try:
                step(enrollment)
            except CertwrightError as refused:
                self.failures[enrollment] = refused

    def write(self, step: Callable[[Enrollment, Session], None], those: Sequence[Enrollment], world: World) -> None:
        """Take *step* with each of *those* in one transaction."""
        if those:
            outcomes = world.store.writing_each([partial(step, each) for each in those])
            refused = zip(those, outcomes, strict=True)
            self.failures |= {each: outcome for each, outcome in refused if isinstance(outcome, CertwrightError)}

"""Answering certificate requests, mostly in the ways that are rarely taken."""

import sys
from base64 import b64decode
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta
from types import FrameType
from uuid import UUID

import pytest
from cryptography import x509

from certwright.adapters.entropy import SystemEntropy
from certwright.application.close_request import cancel_request
from certwright.application.complete_request import complete_request
from certwright.application.places import Delivered
from certwright.application.read_holdings import list_own_certificates, list_profiles
from certwright.domain.certificates import SERIAL_NUMBER_BITS, Certificate, CertificateStatus, format_serial_number
from certwright.domain.errors import (
    AccessDenied,
    CertwrightError,
    ChangedMeanwhile,
    KeyAlgorithmRefused,
    KeyOfSomebodyElse,
    KeyUnavailable,
    MalformedCertificateRequest,
    MalformedValue,
    PlaceTaken,
    ProfilesExhausted,
    RequestNotFound,
    SubjectDisabled,
    SubmissionMismatch,
    TextTooLong,
    TransitionRefused,
)
from certwright.domain.grants import Grant, ObjectKind, Right
from certwright.domain.identities import Principal
from certwright.domain.profile_templates import ProfileTemplateId
from certwright.domain.profiles import ProfileStatus
from certwright.domain.public_keys import KeyAlgorithm
from certwright.domain.request_types import RequestType
from certwright.domain.requests import RequestId, RequestStatus
from certwright.formats.cmc import parse_response
from certwright.formats.pkcs10 import parse_certificate_request
from worlds.contoso import AGENT, AGENTS, GRANTS, MANAGER, OUTSIDER, SUBSCRIBER, SUBSCRIBER2, SUBSCRIBERS
from worlds.house import ONE, SIGNING, TWO, House, InterruptedAuthority, csr, signed_in

MOMENTS = ["before prepare", "before sign", "after sign"]


def issued_in(delivered: Delivered) -> x509.Certificate:
    assert delivered.error is None
    assert delivered.response is not None
    issued = parse_response(delivered.response).issued
    assert issued is not None
    return x509.load_der_x509_certificate(issued)


def public_key_of(text: str) -> object:
    return x509.load_der_x509_csr(b64decode(text)).public_key()


def read_status(house: House, request_id: RequestId) -> RequestStatus:
    with house.store.reading() as session:
        return session.requests.get(request_id).status


# -- the way that is taken most ---------------------------------------------------------------------------------------------


def test_a_posted_key_is_certified_for_the_subject_and_what_is_delivered_is_registered(house: House) -> None:
    request_id = house.open()
    (delivered,) = house.post(request_id, csr("a"))
    certificate = issued_in(delivered)
    (registered,) = house.certificates(request_id)
    assert x509.load_der_x509_certificate(registered.encoded or b"") == certificate
    assert registered.serial == certificate.serial_number
    assert registered.subject_id == SUBSCRIBER.user.id
    assert registered.to_be_signed is None
    assert certificate.not_valid_before_utc == registered.not_before
    assert certificate.not_valid_after_utc == registered.not_after
    assert certificate.subject.rfc4514_string() == SUBSCRIBER.user.distinguished_name


def test_the_first_post_makes_a_new_profile_and_sets_the_request_to_work(house: House) -> None:
    request_id = house.open()
    house.post(request_id, csr("a"), comment="for the new laptop")
    (held,) = list_profiles(by=signed_in(SUBSCRIBER), world=house.world)
    profile = held.profile
    assert profile.status is ProfileStatus.NEW
    assert read_status(house, request_id) is RequestStatus.EXECUTING
    assert house.events(request_id) == ["request.created", "request.executed", "certificate.issued"]
    assert house.list_events(request_id)[1].comment == "for the new laptop"


def test_deliveries_come_in_the_order_of_the_generation_options(house: House) -> None:
    deliveries = house.post(house.open(TWO), csr("a"), csr("b"))
    assert [each.template_common_name for each in deliveries] == ["SigningUser", "SecondUser"]
    keys = [public_key_of(csr(name)) for name in "ab"]
    assert [issued_in(each).public_key() for each in deliveries] == keys


# -- again -----------------------------------------------------------------------------------------------------------------


def test_the_same_submission_again_gives_the_same_answer_and_writes_nothing(house: House) -> None:
    request_id = house.open(TWO)
    first = house.post(request_id, csr("a"), csr("b"))
    events = house.events(request_id)
    house.clock.step(timedelta(days=3))
    assert house.post(request_id, csr("a"), csr("b")) == first
    assert house.events(request_id) == events
    assert len(house.certificates(request_id)) == 2


def test_a_comment_that_comes_with_a_repeated_post_is_kept(house: House) -> None:
    request_id = house.open()
    first = house.post(request_id, csr("a"))
    assert house.post(request_id, csr("a"), comment="asked again") == first
    assert house.list_events(request_id)[-1].comment == "asked again"


def test_one_bad_request_does_not_hold_up_the_others_and_its_place_is_filled_later(house: House) -> None:
    request_id = house.open(TWO)
    bad, good = house.post(request_id, "bm90IGEgcmVxdWVzdA==", csr("b"))
    assert isinstance(bad.error, MalformedCertificateRequest)
    assert bad.response is None
    issued = issued_in(good)
    assert house.events(request_id)[1:] == ["request.executed", "certificate-request.rejected", "certificate.issued"]

    later, same = house.post(request_id, csr("a"), csr("b"))
    assert issued_in(same) == issued
    assert issued_in(later).serial_number != issued.serial_number
    (profile_id,) = {each.profile_id for each in house.certificates(request_id)}
    assert [each.profile.id for each in list_profiles(by=signed_in(SUBSCRIBER), world=house.world)] == [profile_id]


def test_posts_that_are_all_bad_leave_the_request_as_it_was(house: House) -> None:
    request_id = house.open(TWO)
    for _ in range(2):
        assert all(isinstance(each.error, MalformedCertificateRequest) for each in house.post(request_id, "", "?"))
    assert read_status(house, request_id) is RequestStatus.APPROVED
    assert house.certificates(request_id) == ()
    assert list_profiles(by=signed_in(SUBSCRIBER), world=house.world) == ()


@pytest.mark.parametrize("other", [csr("another"), "", "not a request"], ids=["another key", "nothing", "no request"])
def test_a_place_that_has_its_certificate_takes_no_other_request(house: House, other: str) -> None:
    request_id = house.open(TWO)
    first = house.post(request_id, csr("a"), csr("b"))
    with pytest.raises(PlaceTaken) as refused:
        house.post(request_id, csr("a"), other)
    assert refused.value.number == 2
    assert house.post(request_id, csr("a"), csr("b")) == first


# -- crashes ---------------------------------------------------------------------------------------------------------------


class PowerCutError(Exception):
    """What stands for the end of the process."""


def cut_power() -> None:
    raise PowerCutError


@pytest.mark.parametrize("moment", MOMENTS)
def test_after_a_crash_the_same_post_goes_on_where_the_first_one_stopped(house: House, moment: str) -> None:
    request_id = house.open()
    failing = house.with_authority(InterruptedAuthority(house.world.authority, moment, cut_power))
    with pytest.raises(PowerCutError):
        house.post(request_id, csr("a"), world=failing)
    prepared = [each.serial for each in house.certificates(request_id)]
    assert len(prepared) == (0 if moment == "before prepare" else 1)

    house.clock.step(timedelta(hours=5))
    certificate = issued_in(*house.post(request_id, csr("a")))
    assert prepared in ([], [certificate.serial_number])
    (registered,) = house.certificates(request_id)
    assert registered.serial == certificate.serial_number
    assert house.events(request_id).count("certificate.issued") == 1
    assert issued_in(*house.post(request_id, csr("a"))) == certificate


@pytest.mark.parametrize("moment", MOMENTS[1:])
def test_after_a_crash_another_request_does_not_get_the_place(house: House, moment: str) -> None:
    request_id = house.open()
    failing = house.with_authority(InterruptedAuthority(house.world.authority, moment, cut_power))
    with pytest.raises(PowerCutError):
        house.post(request_id, csr("a"), world=failing)
    with pytest.raises(PlaceTaken):
        house.post(request_id, csr("b"))


def test_a_key_that_cannot_be_used_now_is_used_when_it_can_again(house: House) -> None:
    def refuse() -> None:
        raise KeyUnavailable("issuing")

    request_id = house.open()
    locked = house.with_authority(InterruptedAuthority(house.world.authority, "before sign", refuse))
    with pytest.raises(KeyUnavailable):
        house.post(request_id, csr("a"), world=locked)
    (prepared,) = house.certificates(request_id)
    assert prepared.encoded is None
    assert issued_in(*house.post(request_id, csr("a"))).serial_number == prepared.serial


def test_certificates_that_were_never_signed_are_in_nobodys_list(house: House) -> None:
    request_id = house.open()
    failing = house.with_authority(InterruptedAuthority(house.world.authority, "before sign", cut_power))
    with pytest.raises(PowerCutError):
        house.post(request_id, csr("a"), world=failing)
    assert list_own_certificates(by=signed_in(SUBSCRIBER), world=house.world) == ()


# -- at the same moment ------------------------------------------------------------------------------------------------------


def at_once(works: list[Callable[[], object]]) -> list[object]:
    """Return what each of *works* returned or raised, run by as many threads."""

    def run(work: Callable[[], object]) -> object:
        try:
            return work()
        except CertwrightError as error:
            return error

    with ThreadPoolExecutor(len(works)) as threads:
        return list(threads.map(run, works))


def test_eight_posts_at_once_make_one_set_of_certificates(house: House) -> None:
    request_id = house.open(TWO)
    answers = at_once([lambda: house.post(request_id, csr("a"), csr("b"))] * 8)
    assert all(each == answers[0] for each in answers)
    assert len(house.certificates(request_id)) == 2
    assert house.events(request_id).count("certificate.issued") == 2
    assert len(list_profiles(by=signed_in(SUBSCRIBER), world=house.world)) == 1


def test_of_eight_different_keys_for_one_place_one_is_certified(house: House) -> None:
    request_id = house.open()
    texts = [csr(f"race {number}") for number in range(8)]
    answers = at_once([lambda text=text: house.post(request_id, text) for text in texts])  # type: ignore[misc]
    assert sum(isinstance(each, tuple) for each in answers) == 1
    assert sum(isinstance(each, PlaceTaken) for each in answers) == 7
    assert len(house.certificates(request_id)) == 1


class StuckEntropy(SystemEntropy):
    """A generator that gives the same serial number each time."""

    def bits(self, count: int) -> int:
        return 0xBAD if count == SERIAL_NUMBER_BITS else super().bits(count)


def test_a_serial_number_that_is_taken_is_never_given_again(house: House) -> None:
    stuck = replace(house.world, entropy=StuckEntropy())
    first, second = house.open(), house.open()
    house.post(first, csr("a"), world=stuck)
    with pytest.raises(ChangedMeanwhile):
        house.post(second, csr("b"), world=stuck)
    assert house.certificates(second) == ()
    assert read_status(house, second) is RequestStatus.APPROVED
    issued_in(*house.post(second, csr("b")))


# -- whose key ---------------------------------------------------------------------------------------------------------------


def test_a_key_of_somebody_else_is_refused(house: House) -> None:
    house.post(house.open(), csr("shared"))
    second = house.open(by=SUBSCRIBER2)
    (refused,) = house.post(second, csr("shared"), by=SUBSCRIBER2)
    assert isinstance(refused.error, KeyOfSomebodyElse)
    assert house.certificates(second) == ()


def test_ones_own_key_may_be_certified_again(house: House) -> None:
    first, second = (house.post(house.open(), csr("mine")) for _ in range(2))
    assert issued_in(*first).public_key() == issued_in(*second).public_key()
    assert issued_in(*first).serial_number != issued_in(*second).serial_number


def test_a_key_that_becomes_somebody_elses_while_it_is_looked_at_is_refused(house: House) -> None:
    mine, his = house.open(), house.open(by=SUBSCRIBER2)

    def be_faster() -> None:
        house.post(his, csr("shared"), by=SUBSCRIBER2)

    overtaken = house.with_authority(InterruptedAuthority(house.world.authority, "before prepare", be_faster))
    (refused,) = house.post(mine, csr("shared"), world=overtaken)
    assert isinstance(refused.error, KeyOfSomebodyElse)
    assert house.certificates(mine) == ()
    assert len(house.certificates(his)) == 1


def test_of_two_users_who_post_one_key_at_once_one_gets_it(house: House) -> None:
    mine, his = house.open(), house.open(by=SUBSCRIBER2)
    answers = at_once(
        [
            lambda: house.post(mine, csr("shared")),
            lambda: house.post(his, csr("shared"), by=SUBSCRIBER2),
        ]
    )
    errors = [type(each.error) for answer in answers for each in (answer if isinstance(answer, tuple) else ())]
    assert sorted(errors, key=str) == sorted([type(None), KeyOfSomebodyElse], key=str)
    assert len(house.certificates(mine)) + len(house.certificates(his)) == 1


# -- who may, and when -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("who", [SUBSCRIBER2, MANAGER, AGENT, OUTSIDER])
def test_nobody_else_executes_somebodys_request(house: House, who: Principal) -> None:
    request_id = house.open()
    with pytest.raises(AccessDenied):
        house.post(request_id, csr("a"), by=who)
    assert house.events(request_id) == ["request.created"]


def test_where_an_agent_is_required_he_executes_and_the_subject_does_not(house: House) -> None:
    policy = replace(ONE.policies[RequestType.ENROLL], enrollment_agent_required=True)
    template = house.save(replace(ONE, policies={RequestType.ENROLL: policy}))
    request_id = house.open(template)
    with pytest.raises(AccessDenied):
        house.post(request_id, csr("a"))
    certificate = issued_in(*house.post(request_id, csr("a"), by=AGENT))
    assert certificate.subject.rfc4514_string() == SUBSCRIBER.user.distinguished_name
    (registered,) = house.certificates(request_id)
    assert registered.requester_name == SUBSCRIBER.user.nt4_name


def test_a_right_that_is_taken_away_counts_at_the_next_post(house: House) -> None:
    policy = replace(ONE.policies[RequestType.ENROLL], enrollment_agent_required=True)
    request_id = house.open(house.save(replace(ONE, policies={RequestType.ENROLL: policy})))
    house.post(request_id, "", by=AGENT)
    with house.store.writing() as session:
        session.directory.replace_grants([each for each in GRANTS if each.trustee != AGENTS])
    with pytest.raises(AccessDenied):
        house.post(request_id, csr("a"), by=AGENT)


def test_a_request_that_does_not_exist_is_not_found(house: House) -> None:
    with pytest.raises(RequestNotFound):
        house.post(RequestId(UUID(int=0)), csr("a"))


def test_nothing_is_issued_to_somebody_who_was_disabled_meanwhile(house: House) -> None:
    request_id = house.open()
    with house.store.writing() as session:
        session.directory.save_user(replace(SUBSCRIBER.user, enabled=False))
    with pytest.raises(SubjectDisabled):
        house.post(request_id, csr("a"))
    assert house.certificates(request_id) == ()


def test_a_request_that_waits_for_approval_is_not_executed(house: House) -> None:
    policy = replace(ONE.policies[RequestType.ENROLL], approvals_needed=1)
    request_id = house.open(house.save(replace(ONE, policies={RequestType.ENROLL: policy})))
    with pytest.raises(TransitionRefused):
        house.post(request_id, csr("a"))


@pytest.mark.parametrize("count", [0, 1, 3, 1_000])
def test_a_number_of_requests_that_fits_no_plan_is_refused_and_nothing_issued(house: House, count: int) -> None:
    request_id = house.open(TWO)
    with pytest.raises(SubmissionMismatch) as refused:
        house.post(request_id, *[csr("a")] * count)
    assert (refused.value.given, refused.value.planned) == (count, 2)
    assert house.certificates(request_id) == ()


@pytest.mark.parametrize(("comment", "error"), [("x" * 4_001, TextTooLong), ("a\0b", MalformedValue)])
def test_a_comment_that_cannot_be_kept_is_refused_and_nothing_issued(
    house: House, comment: str, error: type[CertwrightError]
) -> None:
    request_id = house.open()
    with pytest.raises(error):
        house.post(request_id, csr("a"), comment=comment)
    assert house.certificates(request_id) == ()


def test_a_request_keeps_the_template_version_of_its_creation(house: House) -> None:
    request_id = house.open()
    stronger = replace(SIGNING, key=replace(SIGNING.key, algorithm=KeyAlgorithm.ECDSA_P384, bits=384))
    assert house.save(replace(ONE, certificate_templates=(stronger,))).version == 2
    issued_in(*house.post(request_id, csr("a")))
    (refused,) = house.post(house.open(), csr("b"))
    assert isinstance(refused.error, KeyAlgorithmRefused)


def test_requests_that_were_opened_before_do_not_get_past_the_limit_of_profiles(house: House) -> None:
    policy = replace(ONE.policies[RequestType.ENROLL], maximum_active_profiles=1)
    template = house.save(replace(ONE, policies={RequestType.ENROLL: policy}))
    first, second = house.open(template), house.open(template)
    house.post(first, csr("a"))
    with pytest.raises(ProfilesExhausted):
        house.post(second, csr("b"))
    assert house.certificates(second) == ()
    issued_in(*house.post(first, csr("a")))


def test_the_limit_of_profiles_is_met_by_one_request_however_often_it_is_posted_at_once(house: House) -> None:
    policy = replace(ONE.policies[RequestType.ENROLL], maximum_active_profiles=1)
    request_id = house.open(house.save(replace(ONE, policies={RequestType.ENROLL: policy})))
    answers = at_once([lambda: house.post(request_id, csr("a"))] * 4)
    assert all(each == answers[0] for each in answers)
    assert isinstance(answers[0], tuple)


def test_a_template_without_certificates_for_the_client_takes_an_empty_list(house: House) -> None:
    empty = house.save(replace(ONE, id=ProfileTemplateId(UUID(int=0x3003)), name="Empty", certificate_templates=()))
    with house.store.writing() as session:
        given = (Right.READ, Right.ENROLL)
        rights = [Grant(ObjectKind.PROFILE_TEMPLATE, str(empty.id), each, SUBSCRIBERS) for each in given]
        session.directory.replace_grants([*GRANTS, *rights])
    assert house.post(house.open(empty)) == ()


# -- canceled while it is worked on --------------------------------------------------------------------------------------------


def test_what_is_signed_after_its_request_was_canceled_is_registered_as_revoked(house: House) -> None:
    request_id = house.open()

    def cancel() -> None:
        cancel_request(request_id, by=signed_in(SUBSCRIBER), world=house.world)

    crossed = house.with_authority(InterruptedAuthority(house.world.authority, "before sign", cancel))
    certificate = issued_in(*house.post(request_id, csr("a"), world=crossed))
    (registered,) = house.certificates(request_id)
    assert registered.serial == certificate.serial_number
    assert registered.status(house.clock.now()) is CertificateStatus.REVOKED


def test_what_was_prepared_but_not_stored_when_its_request_was_canceled_is_not_issued(house: House) -> None:
    request_id = house.open()

    def cancel() -> None:
        cancel_request(request_id, by=signed_in(SUBSCRIBER), world=house.world)

    crossed = house.with_authority(InterruptedAuthority(house.world.authority, "before prepare", cancel))
    with pytest.raises(TransitionRefused):
        house.post(request_id, csr("a"), world=crossed)
    assert house.certificates(request_id) == ()


def test_a_second_place_is_not_filled_once_its_request_was_canceled(house: House) -> None:
    request_id = house.open(TWO)
    house.post(request_id, csr("a"), "no request")

    def cancel() -> None:
        cancel_request(request_id, by=signed_in(SUBSCRIBER), world=house.world)

    crossed = house.with_authority(InterruptedAuthority(house.world.authority, "before prepare", cancel))
    with pytest.raises(TransitionRefused):
        house.post(request_id, csr("a"), csr("b"), world=crossed)
    (revoked,) = house.certificates(request_id)
    assert revoked.status(house.clock.now()) is CertificateStatus.REVOKED


def test_a_completed_request_takes_no_further_post(house: House) -> None:
    request_id = house.open()
    house.post(request_id, csr("a"))
    complete_request(request_id, by=signed_in(SUBSCRIBER), world=house.world)
    with pytest.raises(TransitionRefused):
        house.post(request_id, csr("a"))


def test_every_serial_number_is_told_in_the_history_before_it_is_used(house: House) -> None:
    request_id = house.open(TWO)
    house.post(request_id, csr("a"), csr("b"))
    registered: tuple[Certificate, ...] = house.certificates(request_id)
    _, executed, *issued = house.list_events(request_id)
    told = executed.details["serials"].split()
    assert told == [format_serial_number(each.serial) for each in registered]
    assert told == [each.details["serial"] for each in issued]


# -- work before rights -----------------------------------------------------------------------------------------------------


def count_parsed(work: Callable[[], object]) -> int:
    """Return how many certificate requests were parsed while *work* ran in this thread, whatever it raised."""
    parsed = 0

    def note(frame: FrameType, event: str, _: object) -> None:
        nonlocal parsed
        parsed += event == "call" and frame.f_code is parse_certificate_request.__code__

    sys.setprofile(note)
    try:
        work()
    except CertwrightError:
        pass
    finally:
        sys.setprofile(None)
    return parsed


def test_no_certificate_request_is_parsed_for_a_caller_without_the_right_or_for_another_number(house: House) -> None:
    request_id = house.open()
    many = ["a"] * 2_500
    assert count_parsed(lambda: house.post(request_id, *map(csr, many), by=OUTSIDER)) == 0
    assert count_parsed(lambda: house.post(RequestId(UUID(int=7)), *map(csr, many))) == 0
    assert count_parsed(lambda: house.post(request_id, *map(csr, many))) == 0
    assert count_parsed(lambda: house.post(request_id, csr("a"))) == 1
    complete_request(request_id, by=signed_in(SUBSCRIBER), world=house.world)
    assert count_parsed(lambda: house.post(request_id, csr("a"))) == 0

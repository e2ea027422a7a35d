"""Certificates that were issued elsewhere: attached by an operator, given back with a person's own."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from certwright.application.complete_request import complete_request
from certwright.application.import_external import ExternalImport, import_external
from certwright.application.open_renewals import list_due_renewals
from certwright.application.places import Delivered
from certwright.application.read_holdings import list_own_certificates, list_profile_certificates
from certwright.application.remind_of_external import list_ending_external
from certwright.domain.certificates import CertificateStatus, CertificateType
from certwright.domain.errors import (
    CertwrightError,
    ExternalAuthority,
    ExternalExpired,
    ExternalKeyWeak,
    ExternalKnown,
    ExternalNotTaken,
    ExternalPasswordWrong,
    KeyOfSomebodyElse,
    PfxPasswordMissing,
    ProfileTemplateNotFound,
    RulesBroken,
    UserNotFound,
)
from certwright.domain.events import Event
from certwright.domain.external_certificates import ExternalCertificate
from certwright.domain.policies import Policy
from certwright.domain.profiles import ProfileId
from certwright.domain.request_types import RequestType
from certwright.domain.workflows import Operation
from worlds.certificate_requests import certify_modulus
from worlds.contoso import MODULI, SUBSCRIBER
from worlds.elsewhere import FILE_PASSWORD, Elsewhere, found_elsewhere
from worlds.house import ONE, PFX_PASSWORD, TWO, House, csr, signed_in
from worlds.openssl import list_certificates
from worlds.pfx_judges import open_with_openssl

Attach = Callable[..., tuple[ExternalCertificate, ...]]
TAKING = replace(
    TWO,
    external_certificates=True,
    policies={each: Policy(self_service=True, renewal_period=timedelta(days=30)) for each in RequestType},
)


@pytest.fixture(scope="module")
def elsewhere(tmp_path_factory: pytest.TempPathFactory) -> Elsewhere:
    made = found_elsewhere(tmp_path_factory.mktemp("elsewhere"))
    for name, key in (("mail", "p-256"), ("sign", "p-256"), ("short", "rsa:1024"), ("odd", "ed25519"), ("long", "p-521")):
        made.issue(name, key)
    return made


@pytest.fixture(autouse=True)
def template(house: House) -> None:
    house.save(TAKING)


@pytest.fixture
def attach(house: House, elsewhere: Elsewhere) -> Attach:
    def attach(*files: str, user: str = "subscriber", template: str = TWO.name, password: str = FILE_PASSWORD):
        contents = {each: elsewhere.read(each) for each in files}
        wish = ExternalImport(user=user, template=template, contents=contents, password=password)
        return import_external(wish, operator="root", world=house.world)

    return attach


def enroll(house: House) -> tuple[ProfileId, tuple[Delivered, ...]]:
    request_id = house.open(TWO)
    delivered = house.post(request_id, csr("one"), csr("two"), pfx_password=PFX_PASSWORD)
    completed = complete_request(request_id, by=signed_in(SUBSCRIBER), world=house.world)
    assert completed.request.profile_id is not None
    return completed.request.profile_id, delivered


def public_key_of(elsewhere: Elsewhere, name: str) -> bytes:
    return elsewhere.run(f"openssl pkey -in {name}.key -pubout -outform DER")


def told(house: House, kind: str) -> list[Event]:
    with house.store.reading() as session:
        events = [each for each in session.history.list_unsealed(1_000) if isinstance(each, Event)]
    return [each for each in events if each.type.value == kind]


def test_they_come_back_behind_ones_own_in_the_order_in_which_they_came(
    house: House, elsewhere: Elsewhere, attach: Attach
) -> None:
    with_key, without = *attach("mail.p12"), *attach("sign.pem")
    _, delivered = enroll(house)
    assert [(each.is_external, each.template_common_name, each.error) for each in delivered] == [
        (False, "SigningUser", None),
        (False, "SecondUser", None),
        (True, "", None),
        (True, "", None),
    ]
    key, alone = delivered[2:]
    assert key.pfx is not None
    assert open_with_openssl(key.pfx, PFX_PASSWORD) == public_key_of(elsewhere, "mail")
    assert key.response is None
    assert alone.response is not None
    assert [each.public_bytes(Encoding.DER) for each in list_certificates(alone.response)] == [without.encoded]
    assert alone.pfx is None
    assert with_key.encoded == x509.load_pem_x509_certificate(elsewhere.read("mail.pem")).public_bytes(Encoding.DER)


def test_importing_and_each_delivery_of_a_key_is_told(house: House, attach: Attach) -> None:
    attach("mail.p12", "sign.pem")
    imported = told(house, "certificate.imported")
    assert [(each.actor, each.subject_id, each.details["key"], each.details["template"]) for each in imported] == [
        ("root", SUBSCRIBER.user.id, "kept", TWO.name),
        ("root", SUBSCRIBER.user.id, "none", TWO.name),
    ]
    enroll(house)
    (delivered,) = told(house, "key.delivered")
    assert delivered.subject_id == SUBSCRIBER.user.id
    assert (delivered.details["serial"], delivered.details["operation"]) == (imported[0].details["serial"], "enroll")


def test_its_owner_is_reminded_once_when_its_end_comes_near(house: House, attach: Attach) -> None:
    (attached,) = attach("mail.p12")
    request_id = house.open(TWO)
    house.clock.step(attached.not_after - timedelta(days=31) - house.clock.now())
    assert list_ending_external(10, world=house.world) == []
    house.clock.step(timedelta(days=1))
    (due,) = list_ending_external(10, world=house.world)
    assert due.carry_out()
    assert not due.carry_out()
    assert list_ending_external(10, world=house.world) == []
    (reminder,) = told(house, "external-certificate.ends")
    assert (reminder.subject_id, reminder.request_id) == (SUBSCRIBER.user.id, request_id)
    assert reminder.details["thumbprint"] == attached.thumbprint


def test_nobody_is_reminded_of_one_that_has_ended(house: House, attach: Attach) -> None:
    (attached,) = attach("mail.p12")
    house.clock.step(attached.not_after + timedelta(seconds=1) - house.clock.now())
    assert list_ending_external(10, world=house.world) == []


def test_a_key_asks_for_a_password_before_anything_is_issued(house: House, attach: Attach) -> None:
    attach("sign.pem")
    request_id = house.open(TWO)
    assert len(house.post(request_id, csr("one"), csr("two"))) == 3
    attach("mail.p12")
    another = house.open(TWO)
    with pytest.raises(PfxPasswordMissing):
        house.post(another, csr("one"), csr("two"))
    assert house.certificates(another) == ()


@pytest.mark.parametrize(
    ("operation", "keys"),
    [(Operation.RENEW, ("three", "four")), (Operation.RECOVER, ("three",)), (Operation.DUPLICATE, ("three",))],
)
def test_they_come_back_with_every_complete_profile(
    house: House, attach: Attach, operation: Operation, keys: tuple[str, ...]
) -> None:
    profile_id, _ = enroll(house)
    house.archive(profile_id, "SecondUser")
    attach("mail.p12")
    again = house.run(operation, profile_id, keys)
    assert [each.details["operation"] for each in told(house, "key.delivered")] == [operation.value]
    held = list_profile_certificates(again, by=signed_in(SUBSCRIBER), world=house.world)
    assert [each.type for each in held if not each.is_key_history] == [1, 1, 2]


def test_they_stand_in_lists_and_expire_there(house: House, attach: Attach) -> None:
    profile_id, _ = enroll(house)
    with_key, without = *attach("mail.p12"), *attach("sign.pem")
    by = signed_in(SUBSCRIBER)
    for listed in (
        list_own_certificates(by=by, world=house.world),
        list_profile_certificates(profile_id, by=by, world=house.world),
    ):
        assert [each.type for each in listed] == [CertificateType.ISSUED] * 2 + [CertificateType.EXTERNAL] * 2
        assert listed[2:] == (with_key, without)
    assert without.status(house.clock.now()) is CertificateStatus.ACTIVE
    house.clock.step(timedelta(days=40_000))
    assert without.status(house.clock.now()) is CertificateStatus.EXPIRED
    assert [each.comes_back(house.clock.now()) for each in (with_key, without)] == [True, False]


def test_they_begin_no_renewal_and_hold_none_up(house: House, attach: Attach) -> None:
    attach("mail.p12")
    assert list_due_renewals(10, world=house.world) == []
    enroll(house)
    house.clock.step(timedelta(days=340))
    (due,) = list_due_renewals(10, world=house.world)
    assert due.carry_out()
    assert list_due_renewals(10, world=house.world) == []


def test_other_templates_and_other_people_see_nothing_of_them(house: House, attach: Attach) -> None:
    attach("mail.p12", user="subscriber2")
    _, delivered = enroll(house)
    assert not any(each.is_external for each in delivered)
    assert len(house.post(house.open(ONE), csr("five"))) == 1


def test_a_key_that_does_not_open_is_an_error_of_its_own(house: House, attach: Attach) -> None:
    attach("mail.p12", "sign.p12")
    with house.store.writing() as session:
        row = session.sealed.list_after("external_certificates.sealed_key", None, 1)[0]
        damaged = replace(row.parts[0], sealed=row.parts[0].sealed[:-1] + b"\0")
        assert session.sealed.replace(row, [damaged])
    _, delivered = enroll(house)
    assert [each.error.code if each.error else None for each in delivered] == [None, None, "archive-unreadable", None]
    assert (len(told(house, "key.unreadable")), len(told(house, "key.delivered"))) == (1, 1)


@pytest.mark.parametrize("modulus", [2**3_217 - 1, MODULI[0] ** 3, 2**9_689 - 1], ids=["prime", "cube", "beyond 8192 bits"])
def test_a_key_whose_modulus_is_no_product_of_two_primes_is_refused(elsewhere: Elsewhere, attach: Attach, modulus: int) -> None:
    (elsewhere.folder / "weak.der").write_bytes(certify_modulus(modulus))
    with pytest.raises(ExternalKeyWeak, match=r"the power of one|more than 8192 bits"):
        attach("weak.der")


@pytest.mark.parametrize(
    ("files", "refused"),
    [
        (("ca.pem",), ExternalAuthority),
        (("short.p12",), ExternalKeyWeak),
        (("odd.pem",), ExternalKeyWeak),
        (("long.p12",), ExternalKeyWeak),
        (("mail.pem", "mail.p12"), ExternalKnown),
    ],
)
def test_what_is_no_better_than_ours_is_refused(attach: Attach, files: tuple[str, ...], refused: type[CertwrightError]) -> None:
    with pytest.raises(refused):
        attach(*files)


def test_nothing_is_stored_where_one_of_several_is_refused(house: House, attach: Attach) -> None:
    with pytest.raises(RulesBroken) as refused:
        attach("mail.p12", "ca.pem", "short.pem")
    assert [each.code for each in refused.value.broken] == ["external-authority", "external-key-weak"]
    assert list_own_certificates(by=signed_in(SUBSCRIBER), world=house.world) == ()
    assert told(house, "certificate.imported") == []
    with pytest.raises(ExternalPasswordWrong):
        attach("mail.p12", "sign.pem", password="another")
    assert list_own_certificates(by=signed_in(SUBSCRIBER), world=house.world) == ()


def test_an_expired_one_is_refused(house: House, attach: Attach) -> None:
    house.clock.step(timedelta(days=40_000))
    with pytest.raises(ExternalExpired):
        attach("mail.p12")


def test_one_that_is_here_is_refused(house: House, elsewhere: Elsewhere, attach: Attach) -> None:
    attach("mail.pem")
    with pytest.raises(ExternalKnown, match="attached already"):
        attach("mail.p12")
    enroll(house)
    ours = list_own_certificates(by=signed_in(SUBSCRIBER), world=house.world)[0]
    assert ours.encoded is not None
    (elsewhere.folder / "ours.der").write_bytes(ours.encoded)
    with pytest.raises(ExternalKnown, match="issued here"):
        attach("ours.der")


def test_the_key_of_somebody_else_is_refused(elsewhere: Elsewhere, attach: Attach) -> None:
    attach("mail.pem")
    elsewhere.certify("mail", "again.pem")
    with pytest.raises(KeyOfSomebodyElse):
        attach("again.pem", user="subscriber2")


def test_names_are_found_and_the_template_takes_them(attach: Attach) -> None:
    with pytest.raises(UserNotFound):
        attach("mail.p12", user="nobody")
    with pytest.raises(ProfileTemplateNotFound):
        attach("mail.p12", template="none")
    with pytest.raises(ExternalNotTaken):
        attach("mail.p12", template=ONE.name)

"""Keys that the server makes: certified like all others, sealed until they are delivered, then gone."""

from dataclasses import replace

import pytest

from certwright.application.close_request import cancel_request
from certwright.application.complete_request import complete_request
from certwright.application.enroll import Submission
from certwright.application.plan_certificate_requests import plan_certificate_requests
from certwright.application.server_keys import name_pending_key
from certwright.domain.errors import (
    KeyUnavailable,
    PfxPasswordMissing,
    PfxPasswordTooShort,
    SubmissionMismatch,
    TransitionRefused,
)
from certwright.domain.keys import SealedKey
from certwright.domain.pfx import PfxProtection
from certwright.domain.profile_templates import KeyOrigin, KeySpecification, X509KeyUsage
from certwright.domain.public_keys import KeyAlgorithm
from certwright.domain.requests import RequestId
from worlds.contoso import CERTIFICATE_TEMPLATE, SUBSCRIBER
from worlds.house import ONE, SECOND, SIGNING, TWO, House, InterruptedAuthority, csr, signed_in
from worlds.pfx_judges import describe_with_openssl, is_opened_by_openssl, list_certificates, open_with_openssl

PASSWORD = "a password for this test"
SERVER = KeySpecification(algorithm=KeyAlgorithm.ECDSA_P256, bits=256, origin=KeyOrigin.SERVER, friendly_name="Mail decryption")
DECRYPTING = replace(SECOND, key=SERVER, key_usages=frozenset({X509KeyUsage.KEY_AGREEMENT}))
MIXED = replace(TWO, certificate_templates=(DECRYPTING, SIGNING))
"""The client's key comes first in the answer, whatever the order of the template."""
ALONE = replace(ONE, certificate_templates=(replace(DECRYPTING, common_name=CERTIFICATE_TEMPLATE.common_name),))
MOMENTS = ["before prepare", "before sign", "after sign"]


@pytest.fixture
def mixed(house: House) -> RequestId:
    house.save(MIXED)
    return house.open(TWO)


def sealed_of(house: House, request_id: RequestId) -> list[SealedKey | None]:
    certificates = house.certificates(request_id)
    with house.store.reading() as session:
        return [session.keys.find_key(name_pending_key(each.serial)) for each in certificates]


def test_the_client_sends_its_own_requests_and_gets_the_servers_keys_besides(house: House, mixed: RequestId) -> None:
    planned = plan_certificate_requests(mixed, by=signed_in(SUBSCRIBER), world=house.world)
    assert [each.common_name for each in planned] == ["SigningUser"]
    own, made = house.post(mixed, csr("a"), pfx_password=PASSWORD)
    assert (own.template_common_name, own.is_server_generated, own.pfx, own.error) == ("SigningUser", False, None, None)
    assert own.response is not None
    assert (made.template_common_name, made.is_server_generated, made.response, made.error) == ("SecondUser", True, None, None)
    assert made.pfx is not None
    registered = house.certificates(mixed)
    assert [each.place for each in registered] == [0, 1]
    assert list_certificates(made.pfx, PASSWORD) == [registered[1].encoded, *house.world.authority.issuer.chain]
    assert "friendlyName: Mail decryption" in describe_with_openssl(made.pfx, PASSWORD)
    assert house.events(mixed) == [
        "request.created",
        "request.executed",
        "certificate.issued",
        "certificate.issued",
        "key.delivered",
    ]


@pytest.mark.parametrize(
    ("algorithm", "bits"), [(KeyAlgorithm.RSA, 2048), (KeyAlgorithm.ECDSA_P256, 256), (KeyAlgorithm.ECDSA_P384, 384)]
)
def test_keys_of_every_kind_are_made(house: House, algorithm: KeyAlgorithm, bits: int) -> None:
    (template,) = ALONE.certificate_templates
    usages = frozenset({X509KeyUsage.KEY_AGREEMENT, X509KeyUsage.KEY_ENCIPHERMENT})
    asked = replace(template, key=replace(SERVER, algorithm=algorithm, bits=bits), key_usages=usages)
    house.save(replace(ALONE, certificate_templates=(asked,)))
    request_id = house.open()
    (made,) = house.post(request_id, pfx_password=PASSWORD)
    assert made.pfx is not None
    (registered,) = house.certificates(request_id)
    assert list_certificates(made.pfx, PASSWORD)[0] == registered.encoded
    assert open_with_openssl(made.pfx, PASSWORD)


def test_the_same_post_again_gives_the_same_key_under_the_password_that_comes_with_it(house: House, mixed: RequestId) -> None:
    first = house.post(mixed, csr("a"), pfx_password=PASSWORD)[1].pfx
    second = house.post(mixed, csr("a"), pfx_password="another password")[1].pfx
    assert first is not None
    assert second is not None
    assert open_with_openssl(first, PASSWORD) == open_with_openssl(second, "another password")
    assert not is_opened_by_openssl(second, PASSWORD)
    assert len(house.certificates(mixed)) == 2
    assert house.events(mixed).count("key.delivered") == 2


@pytest.mark.parametrize(("password", "error"), [("", PfxPasswordMissing), ("short", PfxPasswordTooShort)])
def test_without_a_good_password_nothing_is_issued(
    house: House, mixed: RequestId, password: str, error: type[Exception]
) -> None:
    with pytest.raises(error):
        house.post(mixed, csr("a"), pfx_password=password)
    assert house.certificates(mixed) == ()
    assert house.events(mixed) == ["request.created"]


def test_no_password_is_wanted_where_the_client_makes_every_key(house: House) -> None:
    (own,) = house.post(house.open(), csr("a"))
    assert own.error is None


def test_a_client_with_nothing_to_make_sends_nothing(house: House) -> None:
    house.save(ALONE)
    request_id = house.open()
    assert plan_certificate_requests(request_id, by=signed_in(SUBSCRIBER), world=house.world) == ()
    with pytest.raises(SubmissionMismatch):
        house.post(request_id, csr("a"), pfx_password=PASSWORD)
    (made,) = house.post(request_id, pfx_password=PASSWORD)
    assert made.pfx is not None


def test_the_key_is_sealed_until_the_request_is_completed_and_gone_afterwards(house: House, mixed: RequestId) -> None:
    house.post(mixed, csr("a"), pfx_password=PASSWORD)
    own, made = sealed_of(house, mixed)
    assert own is None
    assert made is not None
    # PKCS#8 of a curve begins the same way for every key.
    assert bytes.fromhex("06072a8648ce3d020106082a8648ce3d030107") not in made.sealed
    complete_request(mixed, by=signed_in(SUBSCRIBER), world=house.world)
    assert sealed_of(house, mixed) == [None, None]
    with pytest.raises(TransitionRefused):
        house.post(mixed, csr("a"), pfx_password=PASSWORD)


def test_the_key_is_gone_when_the_request_is_canceled(house: House, mixed: RequestId) -> None:
    house.post(mixed, csr("a"), pfx_password=PASSWORD)
    cancel_request(mixed, by=signed_in(SUBSCRIBER), world=house.world)
    assert sealed_of(house, mixed) == [None, None]


@pytest.mark.parametrize("moment", MOMENTS)
def test_after_a_crash_the_same_post_goes_on_with_the_same_key(house: House, mixed: RequestId, moment: str) -> None:
    def crash() -> None:
        raise KeyUnavailable("pulled out")

    interrupted = house.with_authority(InterruptedAuthority(house.world.authority, moment, crash))
    with pytest.raises(KeyUnavailable):
        house.post(mixed, csr("a"), pfx_password=PASSWORD, world=interrupted)
    before = [each.key_digest for each in house.certificates(mixed)]
    made = house.post(mixed, csr("a"), pfx_password=PASSWORD)[1]
    assert made.pfx is not None
    registered = house.certificates(mixed)
    assert before in ([], [each.key_digest for each in registered])
    assert list_certificates(made.pfx, PASSWORD)[0] == registered[1].encoded


@pytest.mark.parametrize("moment", ["before prepare", "before sign"])
def test_two_posts_at_once_deliver_one_key(house: House, mixed: RequestId, moment: str) -> None:
    overtaking = []

    def overtake() -> None:
        overtaking.append(house.post(mixed, csr("a"), pfx_password=PASSWORD))

    interrupted = house.with_authority(InterruptedAuthority(house.world.authority, moment, overtake))
    late = house.post(mixed, csr("a"), pfx_password=PASSWORD, world=interrupted)
    keys = {open_with_openssl(each[1].pfx or b"", PASSWORD) for each in (late, *overtaking)}
    assert len(keys) == 1
    assert len(house.certificates(mixed)) == 2


def test_old_clients_get_the_protection_that_the_template_names(house: House) -> None:
    house.save(replace(ALONE, pfx_protection=PfxProtection.TRIPLE_DES))
    (made,) = house.post(house.open(), pfx_password=PASSWORD)
    assert made.pfx is not None
    described = describe_with_openssl(made.pfx, PASSWORD)
    assert "pbeWithSHA1And3-KeyTripleDES-CBC" in described
    assert "MAC: sha1" in described


def test_a_key_that_cannot_be_opened_is_not_made_anew(house: House, mixed: RequestId) -> None:
    house.post(mixed, csr("a"), pfx_password=PASSWORD)
    (_, sealed) = sealed_of(house, mixed)
    assert sealed is not None
    with house.store.writing() as session:
        session.keys.save_key(replace(sealed, sealed=sealed.sealed[:-1] + b"\0"))
    with pytest.raises(KeyUnavailable):
        house.post(mixed, csr("a"), pfx_password=PASSWORD)
    assert len(house.certificates(mixed)) == 2


def test_a_password_is_not_shown_by_accident(house: House) -> None:
    assert PASSWORD not in repr(Submission(certificate_requests=(), pfx_password=PASSWORD))

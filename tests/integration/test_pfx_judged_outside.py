"""PFX files, as programs that are not ours open them."""

from dataclasses import replace
from functools import cache

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes

from certwright.adapters.keys.software import SoftwareKeyMaker
from certwright.domain.errors import CertwrightError, PfxPasswordMissing, PfxPasswordTooShort, PfxPasswordUnusable
from certwright.domain.issuing import clear
from certwright.domain.keys import PrivateKey
from certwright.domain.pfx import PfxProtection, PfxRules, check_pfx_password
from certwright.domain.profile_templates import KeySpecification
from certwright.domain.public_keys import HashAlgorithm, KeyAlgorithm
from certwright.formats.pkcs12 import PfxContent, encode_pfx
from worlds.authorities import make_hierarchy
from worlds.contoso import CERTIFICATE_TEMPLATE, SUBSCRIBER, draft_of
from worlds.pfx_judges import (
    JUDGES,
    describe_with_openssl,
    is_judged_good,
    is_opened_by_openssl,
    list_certificates,
    open_with_openssl,
)

PASSWORD = "6b75162c-b3b4-4fc1-a653-f12dae98f0c3"
KINDS = [(KeyAlgorithm.RSA, 2048), (KeyAlgorithm.ECDSA_P256, 256), (KeyAlgorithm.ECDSA_P384, 384)]
BEYOND_THE_FIRST_PLANE = "Schlüssel-\N{GRINNING FACE}-\N{MUSICAL SYMBOL G CLEF}-ключ"


@cache
def make_content(algorithm: KeyAlgorithm = KeyAlgorithm.ECDSA_P256, bits: int = 256) -> PfxContent:
    specification = KeySpecification(algorithm=algorithm, bits=bits)
    key = SoftwareKeyMaker().make(specification)
    authority = make_hierarchy().authority
    draft = draft_of(
        replace(CERTIFICATE_TEMPLATE, key=specification),
        key.as_request(HashAlgorithm.SHA256),
        issuer=authority.issuer,
    )
    cleared = clear(draft, subject=SUBSCRIBER.user, issuer=authority.issuer, key_holder=None)
    encoded = authority.sign(authority.prepare(cleared))
    return PfxContent(key=key, certificate=encoded, chain=authority.issuer.chain, friendly_name="Contoso Encryption")


def encode(content: PfxContent, password: str = PASSWORD, protection: PfxProtection = PfxProtection.AES_256) -> bytes:
    return encode_pfx(content, password, protection=protection, iterations=3_000)


@pytest.mark.parametrize("protection", list(PfxProtection))
@pytest.mark.parametrize("kind", KINDS, ids=[kind[0].value for kind in KINDS])
@pytest.mark.parametrize("judge", list(JUDGES))
def test_the_file_opens_elsewhere_with_its_key_and_its_chain(
    judge: str, kind: tuple[KeyAlgorithm, int], protection: PfxProtection
) -> None:
    assert is_judged_good(judge, encode(make_content(*kind), protection=protection), PASSWORD)


def test_contents_and_seal_stretch_the_password_alike() -> None:
    described = describe_with_openssl(encode(make_content()), PASSWORD)
    assert "MAC: sha256, Iteration 3000" in described
    assert "salt length: 16" in described
    assert described.count("PBES2, PBKDF2, AES-256-CBC, Iteration 3000, PRF hmacWithSHA256") == 2


def test_old_clients_get_what_they_read() -> None:
    described = describe_with_openssl(encode(make_content(), protection=PfxProtection.TRIPLE_DES), PASSWORD)
    assert "MAC: sha1, Iteration 3000" in described
    assert described.count("pbeWithSHA1And3-KeyTripleDES-CBC, Iteration 3000") == 2


@pytest.mark.parametrize("protection", list(PfxProtection))
def test_key_and_certificate_find_each_other_and_have_a_name(protection: PfxProtection) -> None:
    content = make_content()
    pfx = encode(content, protection=protection)
    described = describe_with_openssl(pfx, PASSWORD)
    thumbprint = x509.load_der_x509_certificate(content.certificate).fingerprint(hashes.SHA1())
    assert described.count(f"localKeyID: {thumbprint.hex(' ').upper()}") == 2
    assert described.count("friendlyName: Contoso Encryption") == 2
    assert list_certificates(pfx, PASSWORD) == [content.certificate, *content.chain]
    assert open_with_openssl(pfx, PASSWORD) == content.key.public_key.encoded


@pytest.mark.parametrize("protection", list(PfxProtection))
@pytest.mark.parametrize("password", ["x" * 10_000, BEYOND_THE_FIRST_PLANE, BEYOND_THE_FIRST_PLANE * 300], ids=str.__len__)
def test_long_passwords_and_all_characters_open_it(password: str, protection: PfxProtection) -> None:
    pfx = encode(make_content(), password, protection)
    assert open_with_openssl(pfx, password) == make_content().key.public_key.encoded
    assert not is_opened_by_openssl(pfx, password[:-1])
    assert not is_opened_by_openssl(pfx, f"{password[:-1]}\N{GRINNING FACE}")


@pytest.mark.parametrize(
    ("password", "error"),
    [
        ("", PfxPasswordMissing),
        ("1234567", PfxPasswordTooShort),
        ("\N{GRINNING FACE}" * 7, PfxPasswordTooShort),
        ("12345678\0and more", PfxPasswordUnusable),
        ("12345678\ud83d", PfxPasswordUnusable),
    ],
)
def test_what_cannot_protect_a_key_is_refused(password: str, error: type[CertwrightError]) -> None:
    with pytest.raises(error):
        check_pfx_password(password, PfxRules())


@pytest.mark.parametrize("password", ["12345678", "x" * 10_000, BEYOND_THE_FIRST_PLANE, " " * 8])
def test_what_can_is_taken(password: str) -> None:
    check_pfx_password(password, PfxRules())


def test_a_private_key_is_not_shown_by_accident() -> None:
    key = make_content().key
    assert isinstance(key, PrivateKey)
    assert "pkcs8" not in repr(key)

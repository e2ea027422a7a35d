"""Keys in memory: made, sealed, opened, used."""

from dataclasses import replace

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.serialization import load_der_public_key

from certwright.adapters.keys.key_encryption import KeyEncryptionKey
from certwright.adapters.keys.sealing_key import HistorySealingKey
from certwright.adapters.keys.software import SoftwareKey, generate_key, open_key
from certwright.domain.errors import DefinitionInvalid, KeyUnavailable
from certwright.domain.public_keys import HashAlgorithm, KeyAlgorithm
from worlds.authorities import FOUNDED, KEK, make_key


def is_valid(key: SoftwareKey, signature: bytes, data: bytes) -> bool:
    public = load_der_public_key(key.public_key.encoded)
    if isinstance(public, rsa.RSAPublicKey):
        public.verify(signature, data, padding.PKCS1v15(), hashes.SHA256())
    else:
        assert isinstance(public, ec.EllipticCurvePublicKey)
        public.verify(signature, data, ec.ECDSA(hashes.SHA256()))
    return True


@pytest.mark.parametrize(
    ("algorithm", "bits"), [(KeyAlgorithm.RSA, 2048), (KeyAlgorithm.ECDSA_P256, 256), (KeyAlgorithm.ECDSA_P384, 384)]
)
def test_a_key_signs_the_same_data_with_the_same_signature(algorithm: KeyAlgorithm, bits: int) -> None:
    key = make_key(algorithm, bits)
    assert (key.public_key.algorithm, key.public_key.bits) == (algorithm, bits)
    signature = key.sign(b"data", HashAlgorithm.SHA256)
    assert is_valid(key, signature, b"data")
    assert key.sign(b"data", HashAlgorithm.SHA256) == signature
    assert key.sign(b"other", HashAlgorithm.SHA256) != signature


def test_a_sealed_key_holds_its_public_half_in_clear_and_nothing_else() -> None:
    sealed = generate_key("k", KeyAlgorithm.ECDSA_P256, 256, kek=KEK, now=FOUNDED)
    assert (sealed.name, sealed.created) == ("k", FOUNDED)
    assert open_key(sealed, KEK).public_key.encoded == sealed.public
    assert sealed.public not in sealed.sealed
    assert b"PRIVATE" not in sealed.sealed


def test_a_renamed_key_does_not_open() -> None:
    sealed = generate_key("k", KeyAlgorithm.ECDSA_P256, 256, kek=KEK, now=FOUNDED)
    with pytest.raises(KeyUnavailable):
        open_key(replace(sealed, name="issuing-key"), KEK)


def test_a_key_under_somebody_elses_public_half_does_not_open() -> None:
    one, other = (generate_key("k", KeyAlgorithm.ECDSA_P256, 256, kek=KEK, now=FOUNDED) for _ in range(2))
    with pytest.raises(KeyUnavailable):
        open_key(replace(one, public=other.public), KEK)


def test_a_wrong_passphrase_is_told_without_a_trace_of_it() -> None:
    sealed = generate_key("k", KeyAlgorithm.ECDSA_P256, 256, kek=KEK, now=FOUNDED)
    with pytest.raises(KeyUnavailable) as refused:
        open_key(sealed, KeyEncryptionKey("sesame"))
    assert "sesame" not in str(refused.value)


@pytest.mark.parametrize(
    ("algorithm", "bits"), [(KeyAlgorithm.RSA, 1024), (KeyAlgorithm.ECDSA_P256, 384), (KeyAlgorithm.OTHER, 256)]
)
def test_other_kinds_of_key_are_not_made(algorithm: KeyAlgorithm, bits: int) -> None:
    with pytest.raises(DefinitionInvalid):
        generate_key("k", algorithm, bits, kek=KEK, now=FOUNDED)


def test_the_sealing_key_knows_its_own_signatures() -> None:
    key = HistorySealingKey(make_key())
    signature = key.sign(b"chain")
    assert key.is_signed(b"chain", signature)
    assert not key.is_signed(b"another chain", signature)
    assert not key.is_signed(b"chain", b"no signature")
    assert not key.is_signed(b"chain", make_key(name="another").sign(b"chain", HashAlgorithm.SHA256))


def test_the_history_is_sealed_with_p256_only() -> None:
    with pytest.raises(DefinitionInvalid):
        HistorySealingKey(make_key(KeyAlgorithm.ECDSA_P384, 384))

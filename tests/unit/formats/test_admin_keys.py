"""Administrator keys: the documented answer, keys derived as openssl derives them, and keys that are not given out."""

import subprocess
from base64 import b64decode, b64encode
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from certwright.domain.admin_keys import AdminKeyAlgorithm
from certwright.domain.errors import MalformedValue
from certwright.formats.admin_keys import LABEL, answer_challenge, derive_admin_key, is_weak, set_odd_parity

TRIPLE_DES, AES_128, AES_256 = AdminKeyAlgorithm
CARD = UUID("bc88f13f-83ba-4037-8262-46eba1291c6e")
MASTER = bytes(range(32))


def openssl(*arguments: str, given: bytes = b"") -> bytes:
    return subprocess.run(["openssl", *arguments], input=given, capture_output=True, check=True).stdout


def derive_with_openssl(octets: int, label: bytes = LABEL) -> bytes:
    options = [f"hexkey:{MASTER.hex()}", f"hexsalt:{label.hex()}", f"hexinfo:{CARD.bytes_le.hex()}"]
    options += ["mac:HMAC", "digest:SHA256", "mode:counter"]
    kdf = [each for option in options for each in ("-kdfopt", option)]
    return openssl("kdf", "-keylen", str(octets), *kdf, "-binary", "KBKDF")


def test_the_documented_challenge_is_answered_as_documented() -> None:
    answer = answer_challenge(bytes(24), b64decode("1hFD+cz/0so="), TRIPLE_DES)
    assert b64encode(answer) == b"F0Zudm4wPLY="


def test_openssl_gives_the_same_answers() -> None:
    challenge = bytes.fromhex("0123456789abcdef")
    key = bytes.fromhex("010203040506070811121314151617182122232425262728")
    encrypted = openssl("enc", "-des-ede3-ecb", "-K", key.hex(), "-nopad", given=challenge)
    assert answer_challenge(key, challenge, TRIPLE_DES) == encrypted
    for algorithm, name in ((AES_128, "-aes-128-ecb"), (AES_256, "-aes-256-ecb")):
        key = bytes(range(algorithm.key_octets))
        encrypted = openssl("enc", name, "-K", key.hex(), "-nopad", given=challenge * 2)
        assert answer_challenge(key, challenge * 2, algorithm) == encrypted


@pytest.mark.parametrize("algorithm", [AES_128, AES_256])
def test_openssl_derives_the_same_keys_for_aes(algorithm: AdminKeyAlgorithm) -> None:
    assert derive_admin_key(MASTER, CARD, algorithm) == derive_with_openssl(algorithm.key_octets)


def test_openssl_derives_the_same_key_for_3des_but_for_its_parity() -> None:
    derived, plain = derive_admin_key(MASTER, CARD, TRIPLE_DES), derive_with_openssl(24)
    assert [each & 0xFE for each in derived] == [each & 0xFE for each in plain]
    assert {each.bit_count() % 2 for each in derived} == {1}


def test_cards_masters_and_algorithms_have_keys_of_their_own() -> None:
    keys = {
        derive_admin_key(master, card, algorithm)[:16]
        for master in (MASTER, bytes(32))
        for card in (CARD, UUID(int=CARD.int + 1))
        for algorithm in AdminKeyAlgorithm
    }
    assert len(keys) == 12


@given(st.binary(min_size=24, max_size=24))
def test_parity_is_odd_and_changes_nothing_else(key: bytes) -> None:
    with_parity = set_odd_parity(key)
    assert {each.bit_count() % 2 for each in with_parity} == {1}
    assert [each >> 1 for each in with_parity] == [each >> 1 for each in key]


@pytest.mark.parametrize(
    ("parts", "weak"),
    [
        (["0123456789abcdef", "23456789abcdef01", "456789abcdef0123"], False),
        (["0123456789abcdef", "0123456789abcdef", "456789abcdef0123"], True),
        (["0123456789abcdef", "23456789abcdef01", "23456789abcdef01"], True),
        (["0123456789abcdef", "23456789abcdef01", "0123456789abcdef"], True),
        (["0101010101010101", "23456789abcdef01", "456789abcdef0123"], True),
        (["0123456789abcdef", "1fe01fe00ef10ef1", "456789abcdef0123"], True),
        (["0123456789abcdef", "23456789abcdef01", "fefefefefefefefe"], True),
    ],
)
def test_keys_that_are_no_better_than_one_part_are_weak(parts: list[str], *, weak: bool) -> None:
    assert is_weak(bytes.fromhex("".join(parts))) is weak


@pytest.mark.parametrize(("algorithm", "octets"), [(TRIPLE_DES, 7), (TRIPLE_DES, 16), (AES_256, 8), (AES_128, 0)])
def test_a_challenge_of_another_length_is_refused(algorithm: AdminKeyAlgorithm, octets: int) -> None:
    with pytest.raises(MalformedValue):
        answer_challenge(bytes(algorithm.key_octets), bytes(octets), algorithm)

"""Sealed secrets open for the right passphrase, under the right name, unchanged."""

import pytest

from certwright.adapters.keys.key_encryption import FORMAT, KeyEncryptionKey
from certwright.domain.errors import KeyUnavailable
from worlds.authorities import KEK

SECRET = b"a private key"
SEALED = KEK.seal(SECRET, "issuing-key")


def test_a_sealed_secret_opens_again() -> None:
    assert KEK.open(SEALED, "issuing-key") == SECRET


def test_another_start_with_the_same_passphrase_opens_it_too() -> None:
    later = KeyEncryptionKey("correct horse battery staple")
    assert later.open(SEALED, "issuing-key") == SECRET
    assert salt_of(later.seal(SECRET, "another")) == salt_of(SEALED)


def test_another_passphrase_does_not_open_it() -> None:
    with pytest.raises(KeyUnavailable):
        KeyEncryptionKey("correct horse battery stable").open(SEALED, "issuing-key")


def test_another_name_does_not_open_it() -> None:
    with pytest.raises(KeyUnavailable):
        KEK.open(SEALED, "root-key")


@pytest.mark.parametrize("position", [0, len(FORMAT) - 2, -1, -20, len(FORMAT) + 16 + 3])
def test_a_changed_octet_does_not_open(position: int) -> None:
    changed = bytearray(SEALED)
    changed[position] ^= 1
    with pytest.raises(KeyUnavailable):
        KEK.open(bytes(changed), "issuing-key")


@pytest.mark.parametrize("length", [0, 5, len(FORMAT), len(FORMAT) + 20, len(FORMAT) + 28, len(SEALED) - 1])
def test_a_shortened_secret_does_not_open(length: int) -> None:
    with pytest.raises(KeyUnavailable):
        KEK.open(SEALED[:length], "issuing-key")


def test_the_same_secret_is_sealed_differently_each_time_with_one_salt() -> None:
    again = KEK.seal(SECRET, "issuing-key")
    assert again != SEALED
    assert salt_of(again) == salt_of(SEALED)


def test_neither_the_secret_nor_the_passphrase_shows() -> None:
    assert SECRET not in SEALED
    assert "horse" not in repr(KEK)


def salt_of(sealed: bytes) -> bytes:
    return sealed[len(FORMAT) : len(FORMAT) + 16]

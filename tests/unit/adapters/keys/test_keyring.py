"""Versions of the key-encryption key, side by side."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from certwright.adapters.keys.keyring import FORMAT, HEADER_OCTETS
from certwright.domain.errors import KeyUnavailable, KeyVersionUnavailable
from certwright.domain.keys import PASSPHRASE_VERSION, SealedPart
from worlds.authorities import KEK
from worlds.rings import Ring

SECRET = b"a private key"


def make_ring(versions: int) -> Ring:
    made = Ring()
    for _ in range(versions):
        made.grow()
    return made


RING = make_ring(2)
SEALED = RING.keyring.seal(SECRET, "issuing")


def test_the_newest_version_seals_and_says_so() -> None:
    assert RING.keyring.find_version(SEALED) == 2
    assert RING.reopen().open(SEALED, "issuing") == SECRET


def test_a_version_that_comes_while_we_run_seals_what_follows_and_the_old_one_still_opens() -> None:
    ring = make_ring(1)
    before = ring.keyring.seal(SECRET, "issuing")
    ring.grow()
    after = ring.keyring.seal(SECRET, "issuing")
    assert [ring.keyring.find_version(each) for each in (before, after)] == [1, 2]
    assert [ring.keyring.open(each, "issuing") for each in (before, after)] == [SECRET, SECRET]


def test_what_the_passphrase_itself_sealed_opens_and_is_sealed_again_by_a_version() -> None:
    old = KEK.seal(SECRET, "issuing")
    assert RING.keyring.find_version(old) == PASSPHRASE_VERSION
    assert RING.keyring.open(old, "issuing") == SECRET
    again = RING.keyring.seal_again(SealedPart("issuing", old), 1)
    assert (again.name, RING.keyring.find_version(again.sealed)) == ("issuing", 1)
    assert RING.keyring.open(again.sealed, "issuing") == SECRET


@given(st.binary(max_size=300), st.text(max_size=40).filter(str.isprintable))
def test_whatever_is_sealed_under_whatever_name_comes_back(secret: bytes, name: str) -> None:
    sealed = RING.keyring.seal(secret, name)
    assert RING.keyring.open(sealed, name) == secret
    with pytest.raises(KeyUnavailable):
        RING.keyring.open(sealed, name + ".")


@given(st.integers(0, len(SEALED) - 1), st.integers(1, 255))
def test_no_octet_can_be_changed(position: int, by: int) -> None:
    changed = bytearray(SEALED)
    changed[position] ^= by
    with pytest.raises((KeyUnavailable, KeyVersionUnavailable)):
        RING.keyring.open(bytes(changed), "issuing")


@pytest.mark.parametrize("length", [0, 5, len(FORMAT), len(FORMAT) + 3, HEADER_OCTETS - 1, HEADER_OCTETS, len(SEALED) - 1])
def test_a_shortened_secret_does_not_open(length: int) -> None:
    with pytest.raises(KeyUnavailable):
        RING.keyring.open(SEALED[:length], "issuing")


def test_a_version_that_is_missing_is_named() -> None:
    ring = make_ring(2)
    sealed = ring.keyring.seal(SECRET, "issuing")
    del ring.versions[1]
    with pytest.raises(KeyVersionUnavailable, match="Version 2 of the key-encryption key is not in the database"):
        ring.reopen().open(sealed, "issuing")


def test_without_any_version_nothing_is_sealed() -> None:
    with pytest.raises(KeyVersionUnavailable, match="Version 1"):
        Ring().keyring.seal(SECRET, "issuing")


def test_another_passphrase_is_told_without_a_trace_of_it() -> None:
    ring = make_ring(1)
    ring.passphrase = "sesame"
    with pytest.raises(KeyVersionUnavailable, match="does not open with the passphrase") as raised:
        ring.reopen().seal(SECRET, "issuing")
    assert "sesame" not in str(raised.value) + repr(raised.value) + repr(ring.keyring)
    with pytest.raises(KeyVersionUnavailable):
        ring.reopen().make_version(ring.versions[0], ring.versions[0].created)


def test_another_passphrase_wraps_a_version_and_what_it_sealed_stays_as_it_is() -> None:
    ring = make_ring(1)
    sealed = ring.keyring.seal(SECRET, "issuing")
    ring.versions = [ring.keyring.wrap_anew(each, "another passphrase") for each in ring.versions]
    assert ring.keyring.open(sealed, "issuing") == SECRET
    with pytest.raises(KeyVersionUnavailable):
        ring.reopen().open(sealed, "issuing")
    ring.passphrase = "another passphrase"
    assert ring.reopen().open(sealed, "issuing") == SECRET


def test_a_wrapped_version_opens_under_no_other_number() -> None:
    ring = make_ring(2)
    first, second = ring.versions
    ring.versions = [first, type(second)(number=2, wrapped=first.wrapped, created=second.created)]
    with pytest.raises(KeyVersionUnavailable):
        ring.reopen().seal(SECRET, "issuing")

from certwright.adapters.signin.argon2 import Argon2Hasher

HASHER = Argon2Hasher(passes=1, memory_kib=64, lanes=1)


def test_a_password_matches_its_own_hash_alone() -> None:
    password_hash = HASHER.hash("secret")
    assert HASHER.is_match("secret", password_hash)
    assert not HASHER.is_match("Secret", password_hash)


def test_two_hashes_of_one_password_differ() -> None:
    assert HASHER.hash("secret") != HASHER.hash("secret")


def test_a_hash_carries_its_own_parameters() -> None:
    password_hash = HASHER.hash("secret")
    assert password_hash.startswith("$argon2id$v=19$m=64,t=1,p=1$")
    assert Argon2Hasher(passes=2, memory_kib=128, lanes=1).is_match("secret", password_hash)


def test_the_shipped_parameters_are_those_of_the_standard() -> None:
    assert Argon2Hasher().hash("secret").startswith("$argon2id$v=19$m=65536,t=3,p=4$")

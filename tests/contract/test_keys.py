"""`ports.Keys`."""

from dataclasses import replace
from datetime import timedelta

from certwright.adapters.sql.store import SqlStore
from certwright.domain.keys import AuthorityRecord, SealedKey
from worlds.contoso import NOW

KEY = SealedKey(name="root", public=b"public\0", sealed=bytes(range(256)), created=NOW)
ROOT = AuthorityRecord(name="root", config_name="ca\\root", certificate=b"der\0", key_name="root")
ISSUING = AuthorityRecord(name="Issuing", config_name="ca\\issuing", certificate=b"der", key_name="i", issuer_name="root")


def test_a_key_is_found_by_its_name(store: SqlStore) -> None:
    with store.writing() as session:
        session.keys.save_key(KEY)
    with store.reading() as session:
        assert session.keys.find_key("root") == KEY
        assert session.keys.find_key("Root") is None


def test_a_key_saved_again_takes_the_place_of_the_first(store: SqlStore) -> None:
    second = replace(KEY, public=b"2", sealed=b"3", created=NOW + timedelta(days=1))
    with store.writing() as session:
        session.keys.save_key(KEY)
        session.keys.save_key(second)
    with store.reading() as session:
        assert session.keys.find_key("root") == second


def test_keys_are_forgotten_by_their_names(store: SqlStore) -> None:
    with store.writing() as session:
        for name in ("root", "pending/01", "pending/02"):
            session.keys.save_key(replace(KEY, name=name))
        session.keys.delete_keys(["pending/01", "pending/02", "pending/03"])
        session.keys.delete_keys([])
    with store.reading() as session:
        found = [session.keys.find_key(name) for name in ("root", "pending/01", "pending/02")]
    assert found == [KEY, None, None]


def test_authorities_are_listed_as_saved_by_name(store: SqlStore) -> None:
    renewed = replace(ROOT, certificate=b"renewed")
    with store.writing() as session:
        for each in (ROOT, ISSUING, renewed):
            session.keys.save_authority(each)
    with store.reading() as session:
        assert session.keys.list_authorities() == (ISSUING, renewed)

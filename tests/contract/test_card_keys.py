"""`card_ports.CardMasterKeys`, the counting of challenges, and `card_ports.CardKeys`."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from uuid import UUID, uuid4

import pytest

from certwright.adapters.entropy import SystemEntropy
from certwright.adapters.keys.card_keys import SoftwareCardKeys
from certwright.adapters.keys.key_encryption import KeyEncryptionKey
from certwright.adapters.sql.store import SqlStore
from certwright.domain.admin_keys import AdminKeyAlgorithm, CardMasterKey
from certwright.domain.errors import ChangedMeanwhile, KeyUnavailable
from certwright.domain.smartcards import CardId
from worlds.authorities import KEK
from worlds.contoso import NOW
from worlds.holdings import start

CARD = CardId(UUID(int=7))


def test_the_newest_master_key_is_found_and_old_ones_stay(store: SqlStore) -> None:
    with store.writing() as session:
        assert session.card_master_keys.find_newest() is None
        for version in (1, 2):
            session.card_master_keys.add(CardMasterKey(version=version, sealed=bytes([version])), NOW)
    with store.reading() as session:
        assert session.card_master_keys.find_newest() == CardMasterKey(version=2, sealed=b"\2")
        assert session.card_master_keys.get(1) == CardMasterKey(version=1, sealed=b"\1")
        with pytest.raises(KeyUnavailable):
            session.card_master_keys.get(3)


def test_a_version_is_written_once(store: SqlStore) -> None:
    with store.writing() as session:
        session.card_master_keys.add(CardMasterKey(version=1, sealed=b"first"), NOW)
    with pytest.raises(ChangedMeanwhile), store.writing() as session:
        session.card_master_keys.add(CardMasterKey(version=1, sealed=b"second"), NOW)


def test_challenges_are_counted_up_to_their_limit_and_for_each_request(store: SqlStore) -> None:
    request, other = start(store)[0], start(store)[0]

    def count(_: int) -> bool:
        with store.writing() as session:
            return session.smartcards.count_challenge(request.id, 5)

    with ThreadPoolExecutor(4) as threads:
        counted = list(threads.map(count, range(8)))
    assert sorted(counted) == [False] * 3 + [True] * 5
    with store.writing() as session:
        assert session.smartcards.count_challenge(request.id, 6)
        assert session.smartcards.count_challenge(other.id, 1)
        assert not session.smartcards.count_challenge(other.id, 1)


def test_a_master_key_derives_the_same_key_for_the_same_card_and_another_for_another() -> None:
    keys = SoftwareCardKeys(KEK, SystemEntropy())
    first, second = keys.make_master(1), keys.make_master(2)
    algorithm = AdminKeyAlgorithm.TRIPLE_DES
    derived = {keys.derive(master, card, algorithm) for master in (first, second) for card in (CARD, CardId(uuid4()))}
    assert len(derived) == 4
    assert keys.derive(first, CARD, algorithm) == keys.derive(first, CARD, algorithm)


def test_what_is_sealed_opens_under_its_own_name_and_passphrase_alone() -> None:
    keys = SoftwareCardKeys(KEK, SystemEntropy())
    sealed = keys.seal(b"secret", "a card")
    assert keys.open(sealed, "a card") == b"secret"
    assert b"secret" not in sealed
    stranger = SoftwareCardKeys(KeyEncryptionKey("another passphrase"), SystemEntropy())
    master = keys.make_master(1)
    for attempt in (
        lambda: keys.open(sealed, "another card"),
        lambda: stranger.open(sealed, "a card"),
        lambda: stranger.derive(master, CARD, AdminKeyAlgorithm.AES_256),
        lambda: keys.derive(replace(master, version=2), CARD, AdminKeyAlgorithm.AES_256),
    ):
        with pytest.raises(KeyUnavailable):
            attempt()

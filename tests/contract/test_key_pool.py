"""Keys made ahead: each is used once, whoever comes, and rests sealed until then."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from threading import Barrier

import pytest

from certwright.adapters.keys.pool import IdleKeyMaker, PooledKeyMaker
from certwright.adapters.keys.software import SoftwareKeyMaker, SoftwareKeySafe
from certwright.adapters.sql.store import SqlStore, open_store
from certwright.application.fill_key_pool import list_missing_keys
from certwright.domain.errors import DefinitionInvalid
from certwright.domain.key_ports import name_pool_kind
from certwright.domain.keys import PrivateKey
from certwright.domain.profile_templates import KeySpecification
from certwright.domain.public_keys import KeyAlgorithm
from worlds.authorities import KEK
from worlds.house import House, found_house

RSA = KeySpecification(algorithm=KeyAlgorithm.RSA, bits=2048)
P256 = KeySpecification(algorithm=KeyAlgorithm.ECDSA_P256, bits=256)
SAFE = SoftwareKeySafe(KEK)
FIT_FOR_TESTS = {P256: 3}
"""Keys of curves are in no pool but that of tests, where they save time."""


class NoKeyMaker:
    """Says that a key had to be made."""

    def make(self, specification: KeySpecification) -> PrivateKey:
        raise DefinitionInvalid(name_pool_kind(specification), "the pool had none")


@pytest.fixture
def house(url: str) -> Iterator[House]:
    store = open_store(url, cipher=KEK)
    yield found_house(store)
    store.close()


def fill(house: House, limit: int = 100) -> int:
    due = list_missing_keys(limit, sizes=FIT_FOR_TESTS, maker=IdleKeyMaker(SoftwareKeyMaker()), world=house.world)
    return sum(each.carry_out() for each in due)


def make_taker(store: SqlStore) -> PooledKeyMaker:
    return PooledKeyMaker(store, SAFE, NoKeyMaker(), frozenset({name_pool_kind(P256)}))


def test_the_pool_is_filled_to_its_size_and_no_further(house: House) -> None:
    assert fill(house, limit=2) == 2
    twice = [list_missing_keys(9, sizes=FIT_FOR_TESTS, maker=SoftwareKeyMaker(), world=house.world) for _ in range(2)]
    assert [each.carry_out() for due in twice for each in due] == [True, False]
    assert fill(house) == 0
    make_taker(house.store).make(P256)
    assert fill(house) == 1


def test_each_key_of_the_pool_is_used_once_also_after_a_restart(house: House, url: str) -> None:
    fill(house)
    first = make_taker(house.store).make(P256)
    again = open_store(url, cipher=KEK)
    taker = make_taker(again)
    others = [taker.make(P256) for _ in range(2)]
    assert len({each.pkcs8 for each in (first, *others)}) == 3
    with pytest.raises(DefinitionInvalid, match="the pool had none"):
        taker.make(P256)
    again.close()


def test_those_who_come_at_once_get_different_keys(house: House) -> None:
    fill(house)
    start = Barrier(3)
    maker = PooledKeyMaker(house.store, SAFE, SoftwareKeyMaker(), frozenset({name_pool_kind(P256)}))

    def take(_: int) -> bytes:
        start.wait()
        return maker.make(P256).pkcs8

    with ThreadPoolExecutor(3) as threads:
        assert len(set(threads.map(take, range(3)))) == 3
    with house.store.reading() as session:
        assert session.key_pool.count(name_pool_kind(P256)) == 0


def test_other_kinds_are_made_when_they_are_asked_for(house: House) -> None:
    fill(house)
    with pytest.raises(DefinitionInvalid, match="RSA 2048: the pool had none"):
        make_taker(house.store).make(RSA)


def test_a_key_of_the_pool_that_does_not_open_is_passed_over(house: House) -> None:
    fill(house)
    with house.store.writing() as session:
        taken = session.key_pool.take(name_pool_kind(P256))
        assert taken is not None
        while session.key_pool.take(name_pool_kind(P256)) is not None:
            pass
        session.key_pool.add(name_pool_kind(P256), replace(taken, name="pool/another"))
    with pytest.raises(DefinitionInvalid, match="the pool had none"):
        make_taker(house.store).make(P256)


def test_a_fault_of_the_maker_comes_out_of_its_thread() -> None:
    with pytest.raises(DefinitionInvalid, match="the pool had none"):
        IdleKeyMaker(NoKeyMaker()).make(P256)

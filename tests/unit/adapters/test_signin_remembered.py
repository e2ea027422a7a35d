from datetime import timedelta

import pytest

from certwright.adapters.entropy import SystemEntropy
from certwright.adapters.signin.remembered import Proof, RememberedProofs
from worlds.clocks import SteppingClock
from worlds.contoso import SUBSCRIBER

PROOF = Proof(SUBSCRIBER, "hash", 7)
LIFETIME = timedelta(minutes=5)


@pytest.fixture
def clock() -> SteppingClock:
    return SteppingClock()


@pytest.fixture
def proofs(clock: SteppingClock) -> RememberedProofs:
    return RememberedProofs(clock, SystemEntropy(), lifetime=LIFETIME)


def test_what_was_remembered_is_found(proofs: RememberedProofs) -> None:
    proofs.remember("subscriber", "secret", PROOF)
    assert proofs.find("subscriber", "secret") == PROOF


@pytest.mark.parametrize(("name", "password"), [("subscriber", "Secret"), ("subscribers", "ecret"), ("subscribe", "rsecret")])
def test_another_name_or_password_is_not_found(proofs: RememberedProofs, name: str, password: str) -> None:
    proofs.remember("subscriber", "secret", PROOF)
    assert proofs.find(name, password) is None


def test_what_is_used_stays_and_what_is_not_used_for_a_lifetime_goes(proofs: RememberedProofs, clock: SteppingClock) -> None:
    proofs.remember("subscriber", "secret", PROOF)
    for _ in range(10):
        clock.step(LIFETIME - timedelta(seconds=1))
        assert proofs.find("subscriber", "secret") == PROOF
    clock.step(LIFETIME)
    assert proofs.find("subscriber", "secret") is None


def test_with_no_lifetime_nothing_is_remembered(clock: SteppingClock) -> None:
    proofs = RememberedProofs(clock, SystemEntropy(), lifetime=timedelta())
    proofs.remember("subscriber", "secret", PROOF)
    assert proofs.find("subscriber", "secret") is None


def test_what_is_to_be_forgotten_is_not_found(proofs: RememberedProofs) -> None:
    proofs.remember("subscriber", "secret", PROOF)
    proofs.forget("subscriber", "secret")
    proofs.renew("subscriber", "secret", PROOF)
    assert proofs.find("subscriber", "secret") is None


def test_memory_is_bounded_and_the_oldest_goes_first(clock: SteppingClock) -> None:
    proofs = RememberedProofs(clock, SystemEntropy(), lifetime=LIFETIME, capacity=2)
    for name in ("a", "b", "c"):
        proofs.remember(name, "secret", PROOF)
    assert [name for name in ("a", "b", "c") if proofs.find(name, "secret")] == ["b", "c"]

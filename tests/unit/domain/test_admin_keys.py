"""Which key a card is asked with: before it has its own, while it is given one, and after."""

import pytest

from certwright.domain.admin_keys import AdminKey, AdminKeyAlgorithm, AdminKeys, AdminKeyScheme

INITIAL = AdminKey()
OWN = AdminKey(scheme=AdminKeyScheme.DERIVED_V1, version=1)
NEXT = AdminKey(scheme=AdminKeyScheme.DERIVED_V1, version=2)
LAST = AdminKey(scheme=AdminKeyScheme.DERIVED_V1, version=3)
FRESH = AdminKeys()


@pytest.mark.parametrize(
    ("keys", "before", "own"),
    [
        (FRESH, INITIAL, INITIAL),
        (FRESH.offer(OWN), INITIAL, OWN),
        (FRESH.offer(OWN).confirm(), INITIAL, OWN),
        (FRESH.offer(OWN).use(OWN).confirm(), INITIAL, OWN),
        (FRESH.offer(OWN).use(OWN).confirm().offer(NEXT), OWN, NEXT),
        (FRESH.offer(OWN).use(OWN).confirm().offer(NEXT).use(OWN).confirm(), OWN, NEXT),
        (FRESH.offer(OWN).use(OWN).confirm().offer(NEXT).offer(LAST), OWN, LAST),
        (FRESH.offer(OWN).use(OWN).confirm().offer(OWN), INITIAL, OWN),
    ],
)
def test_a_card_is_asked_with_the_key_that_it_has_or_is_given(keys: AdminKeys, before: AdminKey, own: AdminKey) -> None:
    assert (keys.choose(diversified=False), keys.choose(diversified=True)) == (before, own)


def test_a_card_has_its_own_key_from_the_moment_it_was_handed_out() -> None:
    assert [each.has_own for each in (FRESH, FRESH.offer(OWN), AdminKeys(held=OWN))] == [False, True, True]


def test_the_offer_that_was_used_stays_used_when_it_is_made_again() -> None:
    used = FRESH.offer(OWN).use(OWN)
    assert used.offer(OWN) == used
    assert used.confirm() == AdminKeys(held=OWN)


def test_the_initial_key_is_of_the_cards_algorithm() -> None:
    aes = AdminKeys(held=AdminKey(scheme=AdminKeyScheme.IMPORTED, algorithm=AdminKeyAlgorithm.AES_256, sealed=b"sealed"))
    assert aes.choose(diversified=False) == AdminKey(algorithm=AdminKeyAlgorithm.AES_256)

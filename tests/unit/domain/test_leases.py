"""When a lease keeps others away."""

from datetime import timedelta

import pytest

from certwright.domain.leases import LONGEST_TERM, TERM, Lease, is_in_force
from worlds.contoso import NOW

SECOND = timedelta(seconds=1)


@pytest.mark.parametrize(
    ("until", "expected"),
    [
        (NOW - SECOND, False),
        (NOW, False),
        (NOW + SECOND, True),
        (NOW + TERM, True),
        (NOW + LONGEST_TERM, True),
        (NOW + LONGEST_TERM + SECOND, False),
        (NOW + timedelta(days=1), False),
    ],
)
def test_a_lease_is_in_force_until_its_end_and_never_for_longer_than_one_can_be_taken(until, expected) -> None:
    assert is_in_force(Lease(name="mail", holder="a", until=until), NOW) is expected

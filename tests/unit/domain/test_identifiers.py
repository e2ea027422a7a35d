"""Identifiers of what we make."""

import random
from datetime import UTC, datetime, timedelta
from uuid import RFC_4122

from certwright.domain.identifiers import make_identifier

NOW = datetime(2026, 11, 25, 12, 0, 0, 123_000, tzinfo=UTC)


class Dice:
    """Entropy that is the same in every run."""

    def __init__(self, seed: int) -> None:
        self._random = random.Random(seed)

    def bits(self, count: int) -> int:
        return self._random.getrandbits(count)

    def octets(self, count: int) -> bytes:
        return self._random.randbytes(count)


class Ones:
    """Entropy of ones only: each bit that it can set is set."""

    def bits(self, count: int) -> int:
        return (1 << count) - 1

    def octets(self, count: int) -> bytes:
        return b"\xff" * count


def test_an_identifier_is_a_uuid_of_version_7_that_begins_with_the_milliseconds() -> None:
    made = make_identifier(NOW, Dice(1))
    assert (made.version, made.variant) == (7, RFC_4122)
    assert made.int >> 80 == int(NOW.timestamp() * 1_000)


def test_all_bits_that_may_be_random_are() -> None:
    assert str(make_identifier(NOW, Ones()))[13:] == "-7fff-bfff-ffffffffffff"


def test_later_ones_sort_behind_earlier_ones_as_numbers_and_as_text() -> None:
    dice = Dice(2)
    made = [make_identifier(NOW + timedelta(milliseconds=each), dice) for each in range(1_000)]
    assert made == sorted(made)
    assert [each.hex for each in made] == sorted(each.hex for each in made)


def test_many_of_one_moment_differ() -> None:
    dice = Dice(3)
    assert len({make_identifier(NOW, dice) for _ in range(10_000)}) == 10_000


def test_the_example_of_the_rfc_comes_out() -> None:
    class Example(Ones):
        def bits(self, count: int) -> int:
            return 0xCC3 << 62 | 0x18C4DC0C0C07398F

    # RFC 9562 appendix A.6: 2022-02-22 14:22:22 at UTC-5.
    made = make_identifier(datetime(2022, 2, 22, 19, 22, 22, tzinfo=UTC), Example())
    assert str(made) == "017f22e2-79b0-7cc3-98c4-dc0c0c07398f"

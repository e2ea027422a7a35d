import tracemalloc
from datetime import timedelta

import pytest

from certwright.adapters.signin.throttle import FROM_EVERYWHERE, FROM_ONE_SOURCE, Throttle
from certwright.domain.errors import SignInThrottled
from worlds.clocks import SteppingClock

HERE, THERE = "192.0.2.1", "192.0.2.2"


@pytest.fixture
def clock() -> SteppingClock:
    return SteppingClock()


@pytest.fixture
def throttle(clock: SteppingClock) -> Throttle:
    return Throttle(clock)


def fail(throttle: Throttle, times: int, source: str = HERE, account: str = "subscriber") -> None:
    for _ in range(times):
        throttle.note_failure(account, source)


def seconds_to_wait(throttle: Throttle, source: str = HERE, account: str = "subscriber") -> int:
    try:
        throttle.check(account, source)
    except SignInThrottled as throttled:
        return throttled.retry_after_seconds
    return 0


def test_a_few_typing_mistakes_cost_nothing(throttle: Throttle) -> None:
    fail(throttle, FROM_ONE_SOURCE.free_failures)
    throttle.check("subscriber", HERE)


def test_each_further_failure_doubles_the_wait(throttle: Throttle) -> None:
    fail(throttle, FROM_ONE_SOURCE.free_failures)
    waits = []
    for _ in range(4):
        fail(throttle, 1)
        waits.append(seconds_to_wait(throttle) - 1)
    assert waits == [1, 2, 4, 8]


def test_the_wait_has_a_longest_value_however_long_somebody_guesses(throttle: Throttle) -> None:
    fail(throttle, 200)
    assert seconds_to_wait(throttle) - 1 == FROM_ONE_SOURCE.longest.total_seconds()


def test_after_the_wait_the_next_attempt_is_looked_at(throttle: Throttle, clock: SteppingClock) -> None:
    fail(throttle, FROM_ONE_SOURCE.free_failures + 1)
    clock.step(timedelta(seconds=1))
    throttle.check("subscriber", HERE)


def test_other_accounts_do_not_wait(throttle: Throttle) -> None:
    fail(throttle, 10)
    throttle.check("subscriber2", HERE)


def test_other_sources_wait_only_when_many_have_failed(throttle: Throttle) -> None:
    fail(throttle, 10)
    throttle.check("subscriber", THERE)
    for number in range(FROM_EVERYWHERE.free_failures):
        fail(throttle, 1, f"198.51.100.{number}")
    assert 0 < seconds_to_wait(throttle, THERE) <= FROM_EVERYWHERE.longest.total_seconds() + 1


def test_where_somebody_has_signed_in_before_others_cannot_lock_him_out(throttle: Throttle) -> None:
    throttle.note_success("subscriber", HERE)
    for number in range(100):
        fail(throttle, 1, f"198.51.100.{number}")
    throttle.check("subscriber", HERE)


@pytest.mark.parametrize("familiar", [True, False])
def test_a_source_is_answered_alike_for_each_name_whoever_has_signed_in_from_there(throttle: Throttle, familiar: bool) -> None:
    if familiar:
        throttle.note_success("subscriber", HERE)
    names = ("subscriber", "subscriber2", "nobody17")
    for name in names:
        for number in range(27):
            fail(throttle, 1, f"198.51.100.{number // 3}", name)
    waits = [seconds_to_wait(throttle, HERE, name) for name in names]
    assert len(set(waits)) == 1
    assert (waits[0] == 0) == familiar


def test_familiar_sources_together_have_a_limit_of_their_own(throttle: Throttle) -> None:
    sources = [f"198.51.100.{number}" for number in range(FROM_EVERYWHERE.free_failures + 2)]
    for each in sources:
        throttle.note_success("insider", each)
    for each in sources[:-1]:
        fail(throttle, 1, each)
    assert 0 < seconds_to_wait(throttle, sources[-1]) <= FROM_EVERYWHERE.longest.total_seconds() + 1
    throttle.check("subscriber", THERE)


def test_a_success_forgets_the_failures_of_its_source(throttle: Throttle) -> None:
    fail(throttle, FROM_ONE_SOURCE.free_failures + 3)
    throttle.note_success("subscriber", HERE)
    throttle.check("subscriber", HERE)
    fail(throttle, FROM_ONE_SOURCE.free_failures)
    throttle.check("subscriber", HERE)


def test_old_failures_are_forgotten(throttle: Throttle, clock: SteppingClock) -> None:
    fail(throttle, 10)
    clock.step(timedelta(minutes=16))
    fail(throttle, 1)
    throttle.check("subscriber", HERE)


def test_the_oldest_failures_go_when_there_are_too_many_to_keep(clock: SteppingClock) -> None:
    throttle = Throttle(clock, capacity=10)
    fail(throttle, FROM_ONE_SOURCE.free_failures + 1)
    assert seconds_to_wait(throttle) > 0
    for number in range(10):
        fail(throttle, 1, account=f"nobody{number}")
    assert seconds_to_wait(throttle) == 0


def test_memory_does_not_grow_with_the_length_of_names(clock: SteppingClock) -> None:
    throttle = Throttle(clock)
    tracemalloc.start()
    try:
        for number in range(60):
            throttle.note_failure("n" * 2_000_000 + str(number), HERE)
        kept, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert kept < 1_000_000


def test_the_addresses_of_one_ipv6_network_are_one_source(throttle: Throttle) -> None:
    for number in range(FROM_ONE_SOURCE.free_failures + 1):
        fail(throttle, 1, f"2001:db8:1:2::{number}")
    assert seconds_to_wait(throttle, "2001:db8:1:2::ffff") > 0
    assert seconds_to_wait(throttle, "2001:db8:1:3::1") == 0

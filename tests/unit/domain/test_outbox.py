"""When a message that failed is tried again, and when it is given up."""

from dataclasses import replace
from datetime import timedelta
from uuid import UUID

from hypothesis import given
from hypothesis import strategies as st

from certwright.domain.identities import UserId
from certwright.domain.notifications import NotificationType
from certwright.domain.outbox import (
    CLAIM,
    JITTER_BITS,
    MAIL,
    OutboxMessage,
    OutboxMessageId,
    OutboxState,
    Pace,
    SecretMessage,
    fail,
    find_latest_due,
)
from certwright.domain.requests import RequestId
from worlds.contoso import NOW

PACE = Pace(first_delay=timedelta(seconds=10), longest_delay=timedelta(minutes=15), maximum_age=timedelta(days=2))
MESSAGE = OutboxMessage(
    id=OutboxMessageId(UUID(int=1)),
    sink=MAIL,
    recipient="alice@contoso.com",
    notification=NotificationType.CREATE_REQUEST,
    subject_id=UserId(UUID(int=2)),
    request_id=RequestId(UUID(int=3)),
    created=NOW,
    due=NOW,
    payload=b"one-time password 4711",
    attempts=1,
)


def wait_after(attempts: int, chance: int = 0) -> timedelta:
    return fail(replace(MESSAGE, attempts=attempts), "no", now=NOW, pace=PACE, chance=chance).due - NOW


def test_each_wait_is_twice_the_one_before_up_to_the_longest() -> None:
    assert [wait_after(each).total_seconds() for each in range(1, 10)] == [10, 20, 40, 80, 160, 320, 640, 900, 900]
    assert wait_after(10_000) == PACE.longest_delay


@given(attempts=st.integers(1, 50), chance=st.integers(0, 2**JITTER_BITS - 1))
def test_chance_takes_away_at_most_half(attempts: int, chance: int) -> None:
    full = wait_after(attempts)
    assert full / 2 <= wait_after(attempts, chance) <= full


def test_a_message_that_fails_when_it_is_too_old_is_dead_and_says_why() -> None:
    at_last = NOW + PACE.maximum_age
    assert fail(MESSAGE, "no", now=at_last - timedelta(seconds=1), pace=PACE, chance=0).state is OutboxState.WAITING
    dead = fail(MESSAGE, "the server said no", now=at_last, pace=PACE, chance=0)
    assert (dead.state, dead.error) == (OutboxState.DEAD, "the server said no")


def test_nothing_that_is_due_later_than_the_latest_was_put_there_by_this_clock() -> None:
    assert find_latest_due(NOW, PACE) >= NOW + max(wait_after(99), CLAIM)


def test_what_is_sent_is_in_no_text_about_it() -> None:
    secret = SecretMessage(request_id=MESSAGE.request_id, recipient="alice@contoso.com", secrets=("4711",))
    assert "4711" not in repr(secret) + repr(MESSAGE)

"""Numbers of things in sentences."""

import pytest

from certwright.domain.checkpoints import CheckpointLine, list_checkpoint_faults
from certwright.domain.counts import count_of
from certwright.domain.events import Checkpoint, SealStatement
from worlds.contoso import NOW


@pytest.mark.parametrize(("count", "told"), [(0, "0 cards"), (1, "1 card"), (2, "2 cards"), (1_000, "1,000 cards")])
def test_nouns_follow_their_numbers(count: int, told: str) -> None:
    assert count_of(count, "card") == told


def test_a_plural_may_be_said_and_what_may_be_more_is_many() -> None:
    assert [count_of(each, "person", "people") for each in (1, 2)] == ["1 person", "2 people"]
    assert [count_of(each, "card", or_more=True) for each in (1, 100)] == ["1 or more cards", "100 or more cards"]


@pytest.mark.parametrize(("ends", "told"), [(190, "event 191 was cut off"), (180, "events 181 to 191 were cut off")])
def test_one_event_was_cut_off_and_several_were(ends: int, told: str) -> None:
    said = SealStatement(number=3, sealed_at=NOW, events=11, first=181, last=191, chain=b"chain", version=3)
    lines = [CheckpointLine(1, Checkpoint(said, b"signature"))]
    (fault,) = list_checkpoint_faults(lines, {}, ends, lambda *_: True)
    assert fault == f"{told}: the checkpoints tell of seal 3, the history ends with event {ends}"

"""The request's table of moves, held against a drawing of what it should be."""

from dataclasses import replace
from uuid import UUID

import pytest

from certwright.domain.errors import TransitionRefused
from certwright.domain.requests import (
    TRANSITIONS,
    DataCollectionFlags,
    Request,
    RequestAction,
    RequestFlags,
    RequestId,
    RequestStatus,
    advance,
)
from certwright.domain.workflows import Operation
from worlds.contoso import NOW, SUBSCRIBER, TEMPLATE

# Where a request goes from the status of the row when the action of the column is done; a point where it may not be done.
GRID = """
             approve  approve_finally  approve_again  deny    supply_data  execute    complete   cancel    abandon   fail
pending      pending  approved         .              denied  pending      .          .          canceled  canceled  .
approved     .        .                approved       .       approved     executing  completed  canceled  canceled  .
executing    .        .                executing      .       .            executing  completed  canceled  canceled  failed
completed    .        .                .              .       .            .          .          .         .         .
denied       .        .                .              .       .            .          .          .         .         .
canceled     .        .                .              .       .            .          .          .         .         .
failed       .        .                .              .       .            .          .          .         .         .
"""


def read_grid() -> dict[tuple[str, str], str]:
    head, *rows = (line.split() for line in GRID.strip().splitlines())
    return {(status, action): following for status, *cells in rows for action, following in zip(head, cells, strict=True)}


PAIRS = [(status, action) for status in RequestStatus for action in RequestAction]

REQUEST = Request(
    id=RequestId(UUID(int=1)),
    operation=Operation.ENROLL,
    status=RequestStatus.PENDING,
    flags=RequestFlags.NONE,
    template_id=TEMPLATE.id,
    template_version=1,
    originator_id=SUBSCRIBER.user.id,
    target_id=SUBSCRIBER.user.id,
    submitted=NOW,
)


def test_the_drawing_names_every_status_and_every_action() -> None:
    assert set(read_grid()) == {(status.name.lower(), action.name.lower()) for status, action in PAIRS}


@pytest.mark.parametrize(("status", "action"), PAIRS, ids=lambda each: each.name.lower())
def test_every_pair_goes_where_the_drawing_says(status: RequestStatus, action: RequestAction) -> None:
    wanted = read_grid()[status.name.lower(), action.name.lower()]
    request = replace(REQUEST, status=status)
    if wanted == ".":
        with pytest.raises(TransitionRefused) as refused:
            advance(request, action)
        assert refused.value.status == status.name.lower()
        assert refused.value.action == action.value
    else:
        assert advance(request, action) == replace(REQUEST, status=RequestStatus[wanted.upper()])


def test_the_table_has_no_move_that_the_drawing_lacks() -> None:
    drawn = {pair for pair, following in read_grid().items() if following != "."}
    assert {(status.name.lower(), action.name.lower()) for status, action in TRANSITIONS} == drawn


def test_a_refused_move_reads_as_a_sentence() -> None:
    with pytest.raises(TransitionRefused) as refused:
        advance(replace(REQUEST, status=RequestStatus.DENIED), RequestAction.COMPLETE)
    assert refused.value.text == "A request that is denied cannot be completed."


def test_data_are_complete_when_both_sides_gave_theirs() -> None:
    both = DataCollectionFlags.SUBSCRIBER_PROVIDED | DataCollectionFlags.CERTIFICATE_MANAGER_PROVIDED
    assert replace(REQUEST, data_flags=both).is_data_complete
    for one in (*both, DataCollectionFlags.NONE):
        assert not replace(REQUEST, data_flags=one).is_data_complete


def test_numbers_are_those_of_the_wire() -> None:
    numbers = {"approved": 3, "denied": 4, "completed": 8, "failed": 9, "pending": 16, "canceled": 17, "executing": 18}
    assert {each.name.lower(): each.value for each in RequestStatus} == numbers

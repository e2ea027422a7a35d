"""The card's table of moves, held against a drawing of what it should be, and what becomes of a card in a reader."""

from uuid import UUID

import pytest

from certwright.domain.errors import AtrDiffers, CardInUse, CardRetired, CardStateRefused, Refused
from certwright.domain.profiles import ProfileFlags, ProfileStatus
from certwright.domain.smartcards import (
    CardId,
    Smartcard,
    SmartcardAction,
    SmartcardFlags,
    SmartcardId,
    SmartcardStatus,
    advance_card,
    check_assignable,
    follow_profile,
)
from worlds.contoso import NOW

# Where a card goes from the status of the row when the action of the column is done; a point where it may not be done.
GRID = """
           assign    activate  release  suspend    reinstate  disable   retire
new        assigned  .         .        .          .          .         retired
assigned   .         active    retired  .          .          .         .
active     .         .         .        suspended  .          disabled  retired
disabled   .         .         .        .          .          .         retired
suspended  .         .         .        .          active     disabled  retired
retired    .         .         .        .          .          .         .
"""
# Where a card goes when the profile on it gets the status of the column.
FOLLOWING = """
           new        active  disabled  suspended  retired
assigned   assigned   active  retired   assigned   assigned
active     active     active  disabled  suspended  retired
disabled   disabled   disabled  disabled  !        retired
suspended  suspended  active  disabled  suspended  retired
retired    retired    retired  retired  retired    retired
"""
ATR = "3b8d0180fba000000397425446590301c8"


def read_grid(drawing: str) -> dict[tuple[str, str], str]:
    head, *rows = (line.split() for line in drawing.strip().splitlines())
    return {(status, column): cell for status, *cells in rows for column, cell in zip(head, cells, strict=True)}


def card(status: SmartcardStatus, **changed) -> Smartcard:
    return Smartcard(id=SmartcardId(UUID(int=1)), card_id=CardId(UUID(int=2)), status=status, **changed)


@pytest.mark.parametrize("status", SmartcardStatus, ids=lambda each: each.name.lower())
@pytest.mark.parametrize("action", SmartcardAction, ids=lambda each: each.name.lower())
def test_every_pair_goes_where_the_drawing_says(status: SmartcardStatus, action: SmartcardAction) -> None:
    try:
        following = advance_card(card(status), action).status.name.lower()
    except CardStateRefused:
        following = "."
    assert following == read_grid(GRID)[status.name.lower(), action.name.lower()]


@pytest.mark.parametrize("pair", read_grid(FOLLOWING), ids="-".join)
def test_a_card_follows_the_profile_on_it(pair: tuple[str, str]) -> None:
    status, profile_status = SmartcardStatus[pair[0].upper()], ProfileStatus[pair[1].upper()]
    try:
        followed = follow_profile(card(status), profile_status, ProfileFlags.SUPERSEDED, NOW)
    except CardStateRefused:
        assert read_grid(FOLLOWING)[pair] == "!"
        return
    assert followed.status.name.lower() == read_grid(FOLLOWING)[pair]
    assert followed.flags is SmartcardFlags.SUPERSEDED
    assert followed.activated == (NOW if pair == ("assigned", "active") else None)


def test_that_a_card_was_used_again_stays_known() -> None:
    reused = card(SmartcardStatus.ASSIGNED, flags=SmartcardFlags.REUSED)
    followed = follow_profile(reused, ProfileStatus.ACTIVE, ProfileFlags.PRIMARY, NOW)
    assert followed.flags == SmartcardFlags.PRIMARY | SmartcardFlags.REUSED


def refusal(last: Smartcard, atr: str = "", *, allow_reuse: bool = False) -> type[Refused] | None:
    try:
        check_assignable(last, atr, allow_reuse=allow_reuse)
    except Refused as refused:
        return type(refused)
    return None


@pytest.mark.parametrize("allow_reuse", [True, False])
def test_a_card_is_assigned_from_stock_and_when_its_last_request_came_to_nothing(*, allow_reuse: bool) -> None:
    assert refusal(card(SmartcardStatus.NEW), allow_reuse=allow_reuse) is None
    assert refusal(card(SmartcardStatus.RETIRED), allow_reuse=allow_reuse) is None


def test_a_card_that_has_been_in_use_is_assigned_again_only_where_the_template_says_so() -> None:
    worn = card(SmartcardStatus.RETIRED, activated=NOW)
    assert (refusal(worn), refusal(worn, allow_reuse=True)) == (CardRetired, None)


@pytest.mark.parametrize("status", [each for each in SmartcardStatus if each.name not in ("NEW", "RETIRED")])
def test_a_card_in_somebodys_hands_is_not_assigned(status: SmartcardStatus) -> None:
    assert refusal(card(status), allow_reuse=True) is CardInUse


def test_a_card_with_another_answer_to_reset_is_another_card() -> None:
    known = card(SmartcardStatus.NEW, atr=ATR)
    assert [refusal(known, each) for each in ("", ATR, ATR[:-2] + "00")] == [None, None, AtrDiffers]
    assert refusal(card(SmartcardStatus.NEW), ATR) is None

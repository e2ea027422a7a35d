"""The table of workflows against a drawing of it: every operation, in every state, for every standing of a profile."""

from uuid import UUID

import pytest

from certwright.domain.errors import ProfileStateRefused
from certwright.domain.profiles import Profile, ProfileFlags, ProfileId, ProfileStatus
from certwright.domain.workflows import WORKFLOWS, CardSecret, Operation, check_profile_fits
from worlds.contoso import SUBSCRIBER, TEMPLATE

# For which standings a profile in the state of the column takes the operation of the row:
# p primary, d duplicate, s superseded, k key escrow, t temporary.
GRID = """
                 new   active  disabled  suspended  retired
renew            .     p       .         .          .
recover          .     p       p         p          .
recoveronbehalf  .     ps      ps        ps         ps
disable          .     pdsk    .         pdsk       .
suspend          .     pdsk    .         .          .
reinstate        .     .       .         pdsk       .
duplicate        .     p       .         .          .
onlineupdate     .     pd      .         .          .
retire           .     pdsk    pdsk      pdsk       .
unblock          .     pdskt   .         .          .
offlineunblock   .     pdskt   .         .          .
temporarycardenroll   . p      .         p          .
temporarycardretire   . t      t         t          .
temporarycarddisable  . t      .         t          .
"""
STANDINGS = {
    "p": ProfileFlags.PRIMARY,
    "d": ProfileFlags.DUPLICATE,
    "s": ProfileFlags.SUPERSEDED,
    "k": ProfileFlags.KEY_ESCROW,
    "t": ProfileFlags.TEMPORARY,
}


def read_grid() -> dict[tuple[str, str], str]:
    head, *rows = (line.split() for line in GRID.strip().splitlines())
    return {(operation, status): cell for operation, *cells in rows for status, cell in zip(head, cells, strict=True)}


def fits(operation: Operation, status: ProfileStatus, flags: ProfileFlags) -> bool:
    profile = Profile(
        id=ProfileId(UUID(int=1)),
        status=status,
        flags=flags,
        owner_id=SUBSCRIBER.user.id,
        template_id=TEMPLATE.id,
        template_version=1,
    )
    try:
        check_profile_fits(operation, profile)
    except ProfileStateRefused:
        return False
    return True


@pytest.mark.parametrize("status", ProfileStatus, ids=lambda each: each.name.lower())
@pytest.mark.parametrize("operation", [each for each in Operation if each is not Operation.ENROLL])
def test_every_operation_takes_the_profiles_of_the_drawing(operation: Operation, status: ProfileStatus) -> None:
    taken = "".join(letter for letter, flags in STANDINGS.items() if fits(operation, status, flags))
    assert (taken or ".") == read_grid()[operation, status.name.lower()]


def test_every_operation_has_its_row() -> None:
    assert set(WORKFLOWS) == set(Operation)
    assert {operation for operation, _ in read_grid()} == {each.value for each in Operation} - {"enroll"}


def test_only_suspend_and_reinstate_share_a_kind_of_request() -> None:
    types = [each.request_type for each in WORKFLOWS.values()]
    assert sorted(types) == [1, 2, 3, 4, 5, 6, 7, 8, 9, 9, 10, 11, 12, 13, 14]


def test_a_request_gives_the_secrets_of_a_card_that_its_operation_needs() -> None:
    pin, key, answer = CardSecret.PIN, CardSecret.ADMIN_KEY, CardSecret.ANSWER
    assert {each.value: set(WORKFLOWS[each].card_secrets) for each in Operation} == {
        "enroll": {pin, key, answer},
        "renew": {pin, key, answer},
        "recover": {pin, key, answer},
        "recoveronbehalf": set(),
        "disable": set(),
        "suspend": set(),
        "reinstate": set(),
        "duplicate": {pin, key, answer},
        "onlineupdate": {key, answer},
        "retire": {answer},
        "unblock": {pin, answer},
        "offlineunblock": {answer},
        "temporarycardenroll": {pin, key, answer},
        "temporarycardretire": {answer},
        "temporarycarddisable": set(),
    }

"""Chained digests of the history: whatever is done to sealed events is named by its number."""

from collections.abc import Iterable, Mapping
from dataclasses import fields, replace
from datetime import timedelta, timezone
from hashlib import sha256
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from certwright.domain.events import Digested, Event, EventType, Seal, StoredEvent, UnreadableEvent, UnreadableSeal
from certwright.domain.sealing import (
    chain_of,
    choose_events,
    digest_of,
    encode_statement,
    find_checkpoint,
    find_gaps,
    list_signed,
    plan_seal,
)
from certwright.domain.sealing import list_faults as list_digest_faults
from worlds.contoso import NOW

EVENTS = tuple(
    Event(
        type=EventType.CERTIFICATE_ISSUED,
        at=NOW + timedelta(seconds=number),
        actor="CORP\\subscriber",
        source="192.0.2.7",
        actor_id=UUID(int=1),
        request_id=UUID(int=2),
        subject_id=UUID(int=3),
        comment="a comment",
        details={"serial": f"{number:04X}", "template": "ContosoUser"},
        sequence=number,
    )
    for number in range(1, 6)
)


def sign(data: bytes) -> bytes:
    return b"signed:" + data


def digested(events: Iterable[StoredEvent]) -> Digested:
    known = tuple(events)
    unreadable = tuple(each.sequence for each in known if isinstance(each, UnreadableEvent))
    return Digested(tuple((each.sequence, digest_of(each)) for each in known), unreadable)


def seal_over(events: Iterable[StoredEvent], previous: Seal | None = None) -> Seal:
    return plan_seal(digested(events).digests, previous, now=NOW, sign=sign)


def list_faults(seal: Seal, events: Iterable[StoredEvent]) -> list[str]:
    return list_digest_faults(seal.digests, digested(events))


SEAL = seal_over(EVENTS)


def test_untouched_events_have_no_fault() -> None:
    assert list_faults(SEAL, EVENTS) == []


@pytest.mark.parametrize("number", [1, 3, 5])
def test_a_changed_event_is_named(number: int) -> None:
    touched = [replace(each, comment="another") if each.sequence == number else each for each in EVENTS]
    assert list_faults(SEAL, touched) == [f"event {number} was changed"]


@pytest.mark.parametrize("number", [1, 3, 5])
def test_a_removed_event_is_named(number: int) -> None:
    assert list_faults(SEAL, [each for each in EVENTS if each.sequence != number]) == [f"event {number} is missing"]


@pytest.mark.parametrize("number", [1, 3, 5])
def test_an_event_that_cannot_be_read_is_named_once(number: int) -> None:
    touched = [UnreadableEvent(number) if each.sequence == number else each for each in EVENTS]
    assert list_faults(SEAL, touched) == [f"event {number} cannot be read"]


def test_an_event_that_was_unreadable_when_it_was_sealed_stays_a_fault_and_its_neighbours_are_none() -> None:
    events = (EVENTS[0], UnreadableEvent(2), EVENTS[2])
    seal = seal_over(events)
    assert list_faults(seal, events) == ["event 2 cannot be read"]
    assert list_faults(seal, EVENTS[:3]) == ["event 2 was changed"]


def test_an_added_event_is_named() -> None:
    assert list_faults(SEAL, [*EVENTS, replace(EVENTS[0], sequence=9)]) == ["event 9 was added"]


def test_events_that_changed_places_are_named() -> None:
    second, fourth = EVENTS[1], EVENTS[3]
    swapped = [*EVENTS[:1], replace(fourth, sequence=2), EVENTS[2], replace(second, sequence=4), EVENTS[4]]
    assert list_faults(SEAL, swapped) == ["event 2 was changed", "event 4 was changed"]


def test_an_event_that_took_anothers_number_leaves_its_own_missing() -> None:
    moved = [*EVENTS[:1], *[replace(each, sequence=each.sequence - 1) for each in EVENTS[2:]]]
    assert list_faults(SEAL, moved)[-1] == "event 5 is missing"


def test_events_that_follow_each_other_are_told_of_together() -> None:
    assert list_faults(SEAL, [EVENTS[0], EVENTS[4]]) == ["events 2 to 4 are missing"]
    assert list_faults(SEAL, EVENTS[1:4]) == ["event 1 is missing", "event 5 is missing"]


CHANGES: Mapping[str, Any] = {
    "type": EventType.CERTIFICATE_REVOKED,
    "at": NOW - timedelta(microseconds=1),
    "actor": "CORP\\approver",
    "source": "192.0.2.8",
    "actor_id": None,
    "request_id": UUID(int=9),
    "subject_id": None,
    "comment": "",
    "details": {"serial": "0001", "template": "Other"},
    "sequence": 2,
}


@pytest.mark.parametrize("field", [each.name for each in fields(Event)])
def test_every_field_of_an_event_is_in_its_digest(field: str) -> None:
    assert digest_of(replace(EVENTS[0], **{field: CHANGES[field]})) != digest_of(EVENTS[0])


def test_text_does_not_slip_from_one_field_into_the_next() -> None:
    one = replace(EVENTS[0], actor="ab", source="c", details={"a": "b,c"})
    other = replace(EVENTS[0], actor="a", source="bc", details={"a": "b", "c": ""})
    assert digest_of(one) != digest_of(other)


def test_a_digest_does_not_depend_on_the_order_of_details_nor_on_the_zone_of_the_clock() -> None:
    event = EVENTS[0]
    turned = dict(reversed(list(event.details.items())))
    elsewhere = event.at.astimezone(timezone(timedelta(hours=5, minutes=30)))
    assert digest_of(replace(event, details=turned, at=elsewhere)) == digest_of(event)


def test_the_form_that_is_digested_never_changes() -> None:
    text = (
        '[1,"certificate.issued","2026-11-23T12:30:16.250000+00:00","CORP\\\\subscriber",'
        '"00000000-0000-0000-0000-000000000001","192.0.2.7","00000000-0000-0000-0000-000000000002",'
        '"00000000-0000-0000-0000-000000000003","a comment",[["serial","0001"],["template","ContosoUser"]]]'
    )
    assert digest_of(EVENTS[0]) == sha256(text.encode()).digest()


@given(st.text(), st.dictionaries(st.text(), st.text()))
def test_any_text_can_be_digested(comment: str, details: dict[str, str]) -> None:
    assert len(digest_of(replace(EVENTS[0], comment=comment, details=details))) == 32


def test_a_seal_signs_what_it_says() -> None:
    assert SEAL.number == 1
    assert SEAL.chain == chain_of(b"", SEAL.digests)
    assert SEAL.signature == sign(list_signed(SEAL))
    assert [number for number, _ in SEAL.digests] == [1, 2, 3, 4, 5]


def test_a_seal_continues_the_one_before() -> None:
    first = seal_over(EVENTS[:2])
    second = seal_over(EVENTS[2:], first)
    assert second.number == 2
    assert second.chain == chain_of(first.chain, second.digests)
    assert second.chain != chain_of(b"", second.digests)


def test_after_a_seal_that_cannot_be_read_the_chain_begins_anew_under_the_next_number() -> None:
    seal = plan_seal(SEAL.digests, UnreadableSeal(7), now=NOW, sign=sign)
    assert seal.number == 8
    assert seal.chain == chain_of(b"", SEAL.digests)


def test_the_statement_that_is_signed_never_changes() -> None:
    said = replace(SEAL, number=42, chain=bytes(range(32))).statement
    assert encode_statement(said).decode() == (
        "certwright seal 2\n"
        "number 42\n"
        "sealed 2026-11-23T12:30:15.250000+00:00\n"
        "events 5\n"
        "first 1\n"
        "last 5\n"
        "chain 000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f\n"
    )


def test_a_seal_over_marked_events_says_so_in_its_first_line() -> None:
    marked = plan_seal(SEAL.digests, None, now=NOW, sign=sign, version=3)
    assert list_signed(marked).startswith(b"certwright seal 3\n")
    assert list_signed(marked) != list_signed(replace(marked, version=2))


def test_events_from_before_marks_get_a_seal_of_their_own_until_there_is_one_over_marked_events() -> None:
    marked = replace(SEAL, version=3)
    assert choose_events(SEAL.digests, None, None) == (SEAL.digests, 2)
    assert choose_events(SEAL.digests, SEAL, 0) == (SEAL.digests, 3)
    assert choose_events(SEAL.digests, SEAL, 3) == (SEAL.digests[:3], 2)
    assert choose_events(SEAL.digests, SEAL, 5) == (SEAL.digests, 2)
    assert choose_events(SEAL.digests, marked, 5) == (SEAL.digests, 3)


@pytest.mark.parametrize(
    ("after", "numbers", "gaps"),
    [(0, [], []), (0, [1, 2, 3], []), (0, [2, 3, 6], [(1, 1), (4, 5)]), (7, [3, 8], []), (7, [2**62], [(8, 2**62 - 1)])],
)
def test_numbers_that_were_left_out_are_told_as_ranges(after: int, numbers: list[int], gaps: list[tuple[int, int]]) -> None:
    assert find_gaps(after, numbers) == gaps


def test_seals_of_version_1_signed_their_chain_and_have_no_checkpoint() -> None:
    old = replace(SEAL, version=1)
    assert list_signed(old) == old.chain
    assert find_checkpoint(old) is None
    assert find_checkpoint(UnreadableSeal(1)) is None
    assert find_checkpoint(None) is None


@pytest.mark.parametrize(
    "change", [{"number": 9}, {"sealed_at": NOW + timedelta(seconds=1)}, {"chain": bytes(32)}, {"digests": SEAL.digests[:-1]}]
)
def test_everything_that_a_seal_says_is_signed(change: dict[str, Any]) -> None:
    assert list_signed(replace(SEAL, **change)) != list_signed(SEAL)


def chain_after(digests: tuple[tuple[int, bytes], ...]) -> bytes:
    return chain_of(b"before", digests)


def test_the_chain_changes_with_every_number_digest_and_place() -> None:
    digests = SEAL.digests
    (number, digest), *rest = digests
    others: list[tuple[tuple[int, bytes], ...]] = [
        digests[:-1],
        digests[1:],
        digests[::-1],
        ((number + 7, digest), *rest),
        ((number, bytes(32)), *rest),
        (*digests, (6, digest)),
        (),
    ]
    assert len({chain_after(each) for each in (digests, *others)}) == len(others) + 1


def test_a_seal_whose_digests_were_touched_does_not_fit_its_chain() -> None:
    touched: Seal = replace(SEAL, digests=((1, bytes(32)), *SEAL.digests[1:]))
    assert touched.chain != chain_of(b"", touched.digests)
    assert list_faults(touched, EVENTS) == ["event 1 was changed"]

"""What a policy asks for, held against what initiators answer."""

from dataclasses import replace
from datetime import timedelta

import pytest

from certwright.adapters.patterns import Re2Patterns
from certwright.domain.data_items import (
    ITEM_LIMIT_CHARACTERS,
    REPORTED_ITEMS,
    DataItem,
    DataItemDefinition,
    DataItemOriginator,
    list_broken_by_items,
    list_missing,
)
from certwright.domain.errors import (
    CertwrightError,
    ChoiceNotOffered,
    DataItemRepeated,
    DataItemUnknown,
    MalformedValue,
    PriorityNotCollected,
    RulesBroken,
    TextTooLong,
    ValidationDataRequired,
)
from certwright.domain.policies import (
    COMMENT_LIMIT_CHARACTERS,
    Answers,
    Choices,
    Policy,
    check_comment,
    list_broken_by_answers,
)
from certwright.domain.revocation import RevocationReason, RevocationSettings

BOTH = frozenset(DataItemOriginator)
REASON = DataItemDefinition(name="Request Reason", required=True)
COST_CENTRE = DataItemDefinition(name="Cost Centre", required=True, originator=DataItemOriginator.MANAGER)
PHONE = DataItemDefinition(name="Phone")
POLICY = Policy(data_items=(REASON, COST_CENTRE, PHONE))
GOOD = Answers(comment="new laptop", priority=4, data=(DataItem("Request Reason", "lost"), DataItem("Cost Centre", "4711")))


def faults(
    answers: Answers, policy: Policy = POLICY, required_of: frozenset[DataItemOriginator] = BOTH
) -> list[CertwrightError]:
    return [
        *list_broken_by_answers(policy, answers, "VPN"),
        *list_broken_by_items(policy.data_items, answers.data, sides=BOTH, patterns=Re2Patterns()),
        *list_missing(policy.data_items, answers.data, sides=required_of),
    ]


def kinds(answers: Answers, policy: Policy = POLICY) -> list[type[CertwrightError]]:
    return [type(each) for each in faults(answers, policy)]


def test_fitting_answers_break_nothing() -> None:
    assert faults(GOOD) == []


def test_no_answers_fit_a_policy_that_asks_nothing() -> None:
    assert faults(Answers(), Policy(collect_comments=False, collect_priority=False)) == []


def test_a_comment_is_taken_where_it_is_not_collected() -> None:
    assert kinds(GOOD, replace(POLICY, collect_comments=False)) == []


def test_a_priority_is_refused_where_it_is_not_collected_also_when_it_is_zero() -> None:
    policy = replace(POLICY, collect_priority=False)
    assert kinds(replace(GOOD, priority=0), policy) == [PriorityNotCollected]
    assert kinds(replace(GOOD, priority=None), policy) == []


@pytest.mark.parametrize(("priority", "fits"), [(-1, False), (0, True), (255, True), (256, False)])
def test_a_priority_is_a_byte(priority: int, fits: bool) -> None:
    assert kinds(replace(GOOD, priority=priority)) == ([] if fits else [MalformedValue])


def test_texts_may_reach_their_limit_and_no_further() -> None:
    comment, value = "x" * COMMENT_LIMIT_CHARACTERS, "y" * ITEM_LIMIT_CHARACTERS
    data = (*GOOD.data, DataItem("Phone", value))
    assert kinds(replace(GOOD, comment=comment, data=data)) == []
    data = (*GOOD.data, DataItem("Phone", f"{value}y"))
    assert kinds(replace(GOOD, comment=f"{comment}x", data=data)) == [TextTooLong, TextTooLong]


def test_no_text_holds_a_nul() -> None:
    broken = faults(replace(GOOD, comment="a\0b", data=(*GOOD.data, DataItem("Phone", "\0"))))
    assert [each.field for each in broken if isinstance(each, MalformedValue)] == ["comment", "Phone"]


def test_an_unknown_item_is_refused() -> None:
    assert kinds(replace(GOOD, data=(*GOOD.data, DataItem("phone", "1")))) == [DataItemUnknown]


def test_an_item_is_given_once() -> None:
    assert kinds(replace(GOOD, data=(*GOOD.data, *GOOD.data))) == [DataItemRepeated, DataItemRepeated]


@pytest.mark.parametrize("empty", [None, ""])
def test_a_required_item_left_open_is_missing(empty: str | None) -> None:
    (missing,) = faults(replace(GOOD, data=(DataItem("Request Reason", empty), DataItem("Cost Centre", "4711"))))
    assert isinstance(missing, ValidationDataRequired)
    assert missing.item == "Request Reason"


@pytest.mark.parametrize(
    ("side", "wanted"), [(DataItemOriginator.MANAGER, "Cost Centre"), (DataItemOriginator.SUBSCRIBER, "Request Reason")]
)
def test_each_side_is_asked_for_its_own_items_only(side: DataItemOriginator, wanted: str) -> None:
    broken = faults(Answers(), required_of=frozenset({side}))
    assert [each.item for each in broken if isinstance(each, ValidationDataRequired)] == [wanted]


def test_every_broken_rule_is_reported() -> None:
    answers = Answers(
        comment="x" * 5_000, priority=999, data=(DataItem("Phone", "1"), DataItem("Phone", "2"), DataItem("?", ""))
    )
    assert kinds(answers, replace(POLICY, collect_comments=False, collect_priority=False)) == [
        TextTooLong,
        PriorityNotCollected,
        MalformedValue,
        DataItemUnknown,
        DataItemRepeated,
        ValidationDataRequired,
        ValidationDataRequired,
    ]


def test_ten_thousand_unknown_items_get_an_answer_of_one_screen() -> None:
    data = tuple(DataItem(f"item {number}" * 100, "x" * 5_000) for number in range(10_000))
    broken = faults(replace(GOOD, data=(*GOOD.data, *data)))
    assert len(broken) == REPORTED_ITEMS
    assert sum(len(each.text) for each in broken) < 4_000


def test_ten_thousand_copies_of_one_item_are_one_fault() -> None:
    assert kinds(replace(GOOD, data=(*GOOD.data, *[DataItem("Phone", "1")] * 10_000))) == [DataItemRepeated]


def test_a_comment_with_two_faults_is_refused_for_both() -> None:
    check_comment("comments", "fine\r\n\t✓")
    with pytest.raises(RulesBroken) as refused:
        check_comment("comments", "\0" * (COMMENT_LIMIT_CHARACTERS + 1))
    assert [type(each) for each in refused.value.broken] == [TextTooLong, MalformedValue]


CHOICES = {
    "revocationreason": Choices(revocation_reason=RevocationReason.KEY_COMPROMISE),
    "revocationdelay": Choices(revocation_delay=timedelta(days=3)),
    "certificatetemplate": Choices(certificate_template="ContosoUser"),
}
OFFERS = {
    "revocationreason": Policy(revocation=RevocationSettings(allow_specify_reason=True)),
    "revocationdelay": Policy(revocation=RevocationSettings(allow_specify_delay=True)),
    "certificatetemplate": Policy(allow_specify_certificate_template=True),
}


@pytest.mark.parametrize("offered", OFFERS)
@pytest.mark.parametrize("chosen", CHOICES)
def test_a_choice_is_taken_where_it_is_offered_and_nowhere_else(chosen: str, offered: str) -> None:
    broken = faults(Answers(choices=CHOICES[chosen]), OFFERS[offered])
    assert [each.field for each in broken if isinstance(each, ChoiceNotOffered)] == ([] if chosen == offered else [chosen])
    assert len(broken) == (chosen != offered)


@pytest.mark.parametrize("reason", RevocationReason, ids=lambda each: each.name.lower())
def test_nobody_chooses_a_hold_the_end_of_one_or_the_fall_of_the_authority(reason: RevocationReason) -> None:
    answers = Answers(choices=Choices(revocation_reason=reason))
    held_back = {RevocationReason.CERTIFICATE_HOLD, RevocationReason.REMOVE_FROM_CRL, RevocationReason.CA_COMPROMISE}
    assert kinds(answers, OFFERS["revocationreason"]) == ([MalformedValue] if reason in held_back else [])


@pytest.mark.parametrize(
    ("delay", "fits"),
    [
        (timedelta(), True),
        (timedelta(days=3650), True),
        (timedelta(days=3650, microseconds=1), False),
        (-timedelta(microseconds=1), False),
    ],
)
def test_a_delay_lies_within_ten_years_to_come(delay: timedelta, fits: bool) -> None:
    answers = Answers(choices=Choices(revocation_delay=delay))
    assert kinds(answers, OFFERS["revocationdelay"]) == ([] if fits else [MalformedValue])

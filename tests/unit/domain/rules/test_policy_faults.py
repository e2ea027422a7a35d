"""What a policy may not say for its kind of request, who is missing to approve, and groups that hold each other."""

from dataclasses import replace
from datetime import timedelta
from uuid import uuid4

import pytest

from certwright.adapters.patterns import Re2Patterns
from certwright.domain.data_items import DataItemDefinition, DataItemOriginator, DataItemType
from certwright.domain.identities import EVERYONE, Group, GroupId, Principal, Sid
from certwright.domain.notifications import MailTemplate, NotificationRule, NotificationType
from certwright.domain.policies import Policy, TemporaryCards
from certwright.domain.request_types import RequestType
from certwright.domain.revocation import LONGEST_DELAY, RevocationReason, RevocationSettings
from certwright.domain.rules.policy_parties import (
    WITHOUT_AGENT,
    list_approver_faults,
    list_group_rings,
    list_policy_faults,
    list_separation_faults,
)
from worlds.contoso import AGENTS, APPROVERS, MANAGERS, POLICY, SUBSCRIBER

PLAIN = Policy(self_service=True)
BEHALF = replace(POLICY, self_service=False, enrollment_agent_required=True, approvals_needed=1)


def faults(policy: Policy, request_type: RequestType = RequestType.ENROLL) -> list[str]:
    return [each.text for each in list_policy_faults(policy, "here", request_type, Re2Patterns())]


def asking(**item: object) -> Policy:
    return replace(PLAIN, data_items=(DataItemDefinition(**{"name": "a", **item}),))  # type: ignore[arg-type]


@pytest.mark.parametrize("kind", sorted(WITHOUT_AGENT))
def test_no_enrollment_agent_executes_what_needs_none(kind: RequestType) -> None:
    assert ["no enrollment agent" in each for each in faults(replace(POLICY, enrollment_agent_required=True), kind)] == [True]


def test_keys_are_recovered_on_behalf_by_an_agent_for_another_with_answers_of_managers() -> None:
    kind = RequestType.RECOVER_ON_BEHALF
    asked = DataItemDefinition(name="a")
    assert faults(BEHALF, kind) == []
    assert "has to be required" in faults(replace(BEHALF, enrollment_agent_required=False), kind)[0]
    assert "self service" in faults(replace(BEHALF, self_service=True), kind)[0]
    assert "takes at least one approval" in faults(replace(BEHALF, approvals_needed=0), kind)[0]
    assert "only managers" in faults(replace(BEHALF, data_items=(asked,)), kind)[0]
    assert faults(replace(BEHALF, data_items=(replace(asked, originator=DataItemOriginator.MANAGER),)), kind) == []


@pytest.mark.parametrize("kind", RequestType)
def test_only_recover_says_whether_archived_certificates_are_issued_anew(kind: RequestType) -> None:
    found = [each for each in faults(replace(PLAIN, reissue_archived_certificates=True), kind) if "reissue" in each]
    assert found == [
        "here.reissue_archived_certificates: only recover has it: renew issues every certificate anew, copies share what is "
        "archived."
    ] * (kind is not RequestType.RECOVER)


@pytest.mark.parametrize("part", ["initiators", "approvers", "enrollment_agents"])
def test_everyone_is_no_party_of_a_policy(part: str) -> None:
    (fault,) = faults(replace(PLAIN, **{part: frozenset({EVERYONE, MANAGERS})}))  # type: ignore[arg-type]
    assert fault.startswith(f"here.{part}: everyone may not be named")


@pytest.mark.parametrize(
    "settings",
    [
        RevocationSettings(allow_specify_reason=True),
        RevocationSettings(allow_specify_delay=True),
        RevocationSettings(delay=timedelta(days=1)),
    ],
)
def test_a_hold_has_neither_a_reason_nor_a_delay_to_choose(settings: RevocationSettings) -> None:
    policy = replace(PLAIN, revocation=settings)
    assert faults(policy, RequestType.SUSPEND_OR_REINSTATE) == [
        "here.revocation: a hold counts at once, and has no reason to choose."
    ]
    assert faults(policy, RequestType.DISABLE) == []


@pytest.mark.parametrize(
    ("policy", "words"),
    [
        (replace(PLAIN, maximum_active_profiles=-1), "a limit may not be negative"),
        (replace(PLAIN, maximum_duplicates=-1), "a limit may not be negative"),
        (replace(PLAIN, temporary_cards=TemporaryCards(maximum_issued=-1)), "a limit may not be negative"),
        (replace(PLAIN, data_items=tuple(DataItemDefinition(name=str(each)) for each in range(101))), "no more than 100"),
        (asking(pattern="(a+"), "pattern: "),
        (asking(pattern=r"(a)\1"), "pattern: "),
        (asking(pattern="[0-9]{4}", default="12"), "here.data_items.a.default: it would not be accepted"),
        (asking(type=DataItemType.NUMBER, default="x", sensitive=True), "here.data_items.a.default: it would not be accepted"),
        (replace(PLAIN, revocation=RevocationSettings(delay=timedelta(seconds=-1))), "here.revocation.delay"),
        (
            replace(PLAIN, revocation_for_duplicates=RevocationSettings(delay=LONGEST_DELAY + timedelta(1))),
            "here.revocation_for_duplicates.delay",
        ),
        (replace(PLAIN, revocation=RevocationSettings(reason=RevocationReason.CERTIFICATE_HOLD)), "holds are for"),
        (replace(PLAIN, revocation=RevocationSettings(reason=RevocationReason.REMOVE_FROM_CRL)), "holds are for"),
    ],
)
def test_a_policy_that_cannot_be_followed_is_refused(policy: Policy, words: str) -> None:
    (fault,) = faults(policy)
    assert words in fault


def test_a_default_that_cannot_be_taken_is_not_told() -> None:
    (fault,) = faults(asking(type=DataItemType.NUMBER, default="hunter2", sensitive=True))
    assert "hunter2" not in fault


@pytest.mark.parametrize("pattern", ["(a+)+$", "[0-9]{4}", ""])
def test_patterns_that_other_engines_choke_on_are_taken(pattern: str) -> None:
    assert faults(asking(pattern=pattern)) == []


def test_as_many_people_as_approvals_are_wanted_and_who_is_switched_off_is_none() -> None:
    people = [Principal(replace(SUBSCRIBER.user, enabled=enabled), frozenset({APPROVERS})) for enabled in (True, True, False)]
    policy = Policy(self_service=True, approvals_needed=2, approvers=frozenset({APPROVERS}))
    assert list_approver_faults(policy, "here", people) == []
    (fault,) = list_approver_faults(replace(policy, approvals_needed=3), "here", people)
    assert "3 approvals are needed, and 2 people can give one" in fault.text


@pytest.mark.parametrize(
    ("people", "is_enough"),
    [
        (["i", "a", "e"], True),
        (["ia", "ae", "ei"], True),
        (["iae", "iae", "iae"], True),
        (["iae", "iae"], False),
        (["i", "ae", "i"], False),
        (["ia", "e", "e"], False),
        (["ie", "a", "a"], False),
        (["i", "a", ""], False),
        (["i", "a", "e off"], False),
    ],
)
def test_recovery_for_others_needs_an_initiator_an_approver_and_an_agent_who_differ(people: list[str], is_enough: bool) -> None:
    parts = {"i": MANAGERS, "a": APPROVERS, "e": AGENTS}
    known = [
        Principal(
            replace(SUBSCRIBER.user, enabled="off" not in each), frozenset(parts[part] for part in each[:3] if part in parts)
        )
        for each in people
    ]
    found = list_separation_faults(BEHALF, "here", known, takes_several=True)
    assert [each.text.partition(":")[0] for each in found] == ([] if is_enough else ["here.enrollment_agents"])
    assert list_separation_faults(BEHALF, "here", known, takes_several=False) == []


def make_groups(*holding: str) -> list[Group]:
    """Return groups out of texts like ``a>bc``: a holds b and c."""
    named = (each.partition(">") for each in holding)
    return [
        Group(id=GroupId(uuid4()), sid=Sid(name), name=name, members=frozenset(map(Sid, members))) for name, _, members in named
    ]


@pytest.mark.parametrize(
    ("holding", "rings"),
    [
        (["a>b", "b>c", "c>"], []),
        (["a>bc", "b>d", "c>d", "d>"], []),
        (["a>a"], ["a > a"]),
        (["a>b", "b>c", "c>a"], ["a > b > c > a"]),
        (["a>b", "b>a", "c>d", "d>c", "e>ac"], ["a > b > a", "c > d > c"]),
    ],
)
def test_each_ring_of_groups_is_named_once(holding: list[str], rings: list[str]) -> None:
    assert [each.text.partition("each other: ")[2] for each in list_group_rings(make_groups(*holding))] == [
        f"{ring}." for ring in rings
    ]


@pytest.mark.parametrize("to", [(), ("everybody",), ("Subject",), ("a@b, c@d",), ("subject", "Sam <sam@contoso.com>")])
def test_a_notification_goes_to_somebody_whom_mail_can_reach(to: tuple[str, ...]) -> None:
    rule = NotificationRule(type=NotificationType.DENY_REQUEST, to=to)
    (fault,) = faults(replace(PLAIN, notifications=(rule,)))
    assert "notifications.deny-request.to" in fault


def test_a_template_for_secrets_needs_nobody_else_to_be_told() -> None:
    own = MailTemplate(subject="s", text="t")
    rule = NotificationRule(type=NotificationType.DISTRIBUTE_SECRETS, to=(), template=own)
    assert faults(replace(PLAIN, notifications=(rule,))) == []


def test_subject_originator_approvers_and_addresses_can_be_told() -> None:
    rule = NotificationRule(type=NotificationType.DENY_REQUEST, to=("subject", "originator", "approvers", "sam@contoso.com"))
    assert faults(replace(PLAIN, notifications=(rule,))) == []
    assert "no more than" in faults(replace(PLAIN, notifications=(rule,) * 51))[0]

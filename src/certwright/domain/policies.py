"""Policies: for each kind of request, who may start, approve and run it, and what is asked of them.

Source: domain.md 2.8 and 2.9; field names that are marked there as proposals are ours.
"""

from dataclasses import dataclass, replace
from datetime import timedelta

from certwright.domain.data_items import DataItem, DataItemDefinition, list_text_faults
from certwright.domain.errors import (
    ChoiceNotOffered,
    MalformedValue,
    PriorityNotCollected,
    Refused,
    check_none_broken,
)
from certwright.domain.identities import Sid
from certwright.domain.notifications import NotificationRule
from certwright.domain.one_time_passwords import OneTimePasswordRules
from certwright.domain.request_types import RequestType
from certwright.domain.revocation import CHOOSABLE_REASONS, LONGEST_DELAY, RevocationReason, RevocationSettings

COMMENT_LIMIT_CHARACTERS = 4_000
LOWEST_PRIORITY = 255
"""Priority is a byte; 0 is the highest (domain.md 2.1)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PolicyDocument:
    """A document that is printed when a request is executed. Source: policy documents in domain.md 2.8."""

    name: str
    template: str = ""
    recipient: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class CardEnding:
    """What is done to a card when its life ends. Source: RetirePolicy and TemporaryCardsPolicy in domain.md 2.9."""

    block_admin_pin: bool = False
    block_user_pin: bool = False
    erase_card: bool = False
    reset_admin_pin: bool = False
    reset_user_pin: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class TemporaryCards:
    """What temporary cards may be. Shape: *maximum_issued* 0 is no limit. Source: TemporaryCardsPolicy in domain.md 2.9."""

    allow_kiosk_retirement: bool = False
    autoenroll_enabled: bool = False
    maximum_issued: int = 0
    validity: timedelta = timedelta(days=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    """The rules of one kind of request in one profile template.

    Shape: *initiators*, *approvers* and *enrollment_agents* are SIDs of users or groups; self service comes on top.
    The settings below *data_items* mean something only to the kinds of request that domain.md 2.9 lists them for; a limit
    of 0 is none. *renewal_period* is how long before the end of a certificate its renewal begins.
    """

    enabled: bool = True
    self_service: bool = False
    approvals_needed: int = 0
    initiators: frozenset[Sid] = frozenset()
    approvers: frozenset[Sid] = frozenset()
    enrollment_agents: frozenset[Sid] = frozenset()
    enrollment_agent_required: bool = False
    collect_comments: bool = True
    collect_priority: bool = True
    default_priority: int = 0
    data_items: tuple[DataItemDefinition, ...] = ()
    maximum_active_profiles: int = 0
    maximum_duplicates: int = 0
    reissue_archived_certificates: bool = False
    allow_specify_certificate_template: bool = False
    reuse_smartcard: bool = False
    renewal_period: timedelta = timedelta(days=30)
    notify_of_renewal: bool = False
    notifications: tuple[NotificationRule, ...] = ()
    documents: tuple[PolicyDocument, ...] = ()
    card_ending: CardEnding = CardEnding()
    temporary_cards: TemporaryCards = TemporaryCards()
    one_time_passwords: OneTimePasswordRules = OneTimePasswordRules()
    revocation: RevocationSettings = RevocationSettings()
    revocation_for_duplicates: RevocationSettings = RevocationSettings()


@dataclass(frozen=True, slots=True, kw_only=True)
class Choices:
    """What an initiator chooses where the policy offers it; None and empty where the policy is to decide.

    Shape: *certificate_template* is the common name of the one template that an OnlineUpdate is to renew.
    """

    revocation_reason: RevocationReason | None = None
    revocation_delay: timedelta | None = None
    certificate_template: str = ""


NO_CHOICES = Choices()


@dataclass(frozen=True, slots=True, kw_only=True)
class Answers:
    """What an initiator gives with a request; None where the policy's default is to hold."""

    comment: str = ""
    priority: int | None = None
    data: tuple[DataItem, ...] = ()
    choices: Choices = NO_CHOICES


_ENDING = frozenset(
    {RequestType.DISABLE, RequestType.RETIRE, RequestType.TEMPORARY_CARD_RETIRE, RequestType.TEMPORARY_CARD_DISABLE}
)


def describe_revocation(policy: Policy, request_type: RequestType) -> RevocationSettings:
    """Return the policy's revocation settings as what requests of that kind do, whatever the definition says.

    What ends a profile always revokes and disables. An update in place revokes what it replaces, and the profile goes on. A
    hold has one reason, and counts at once.

    Source: RevocationOptions in domain.md 2.9; its correction 7.
    """
    settings = policy.revocation
    if request_type in _ENDING:
        return replace(settings, revoke_old_certificates=True, disable_old_profile=True)
    if request_type is RequestType.ONLINE_UPDATE:
        return replace(settings, revoke_old_certificates=True, disable_old_profile=False)
    if request_type is RequestType.SUSPEND_OR_REINSTATE:
        return RevocationSettings(
            reason=RevocationReason.CERTIFICATE_HOLD,
            revoke_old_certificates=True,
            publish_base_crl=settings.publish_base_crl,
            publish_delta_crl=settings.publish_delta_crl,
        )
    return settings


def list_broken_by_answers(policy: Policy, answers: Answers, template_name: str) -> list[Refused]:
    """Return every way in which *answers*, apart from their data items, do not fit what *policy* collects.

    A comment is taken also where the policy asks for none. Source: create-request, example 3.
    """
    broken = list_text_faults("comment", answers.comment, COMMENT_LIMIT_CHARACTERS)
    if answers.priority is not None and not policy.collect_priority:
        broken.append(PriorityNotCollected(template_name))
    if answers.priority is not None and not 0 <= answers.priority <= LOWEST_PRIORITY:
        broken.append(MalformedValue("priority", f"a number from 0 to {LOWEST_PRIORITY} is wanted"))
    return broken + _list_broken_by_choices(policy, answers.choices, template_name)


def check_comment(field: str, comment: str) -> None:
    """Raise unless *comment* can go into the history.

    Errors: TextTooLong; MalformedValue.
    """
    check_none_broken(list_text_faults(field, comment, COMMENT_LIMIT_CHARACTERS))


def _list_broken_by_choices(policy: Policy, choices: Choices, template_name: str) -> list[Refused]:
    reason, delay, chosen = choices.revocation_reason, choices.revocation_delay, choices.certificate_template
    made = {
        "revocationreason": (reason is not None, policy.revocation.allow_specify_reason),
        "revocationdelay": (delay is not None, policy.revocation.allow_specify_delay),
        "certificatetemplate": (bool(chosen), policy.allow_specify_certificate_template),
    }
    broken: list[Refused] = [
        ChoiceNotOffered(field, template_name) for field, (is_made, is_offered) in made.items() if is_made and not is_offered
    ]
    if reason is not None and reason not in CHOOSABLE_REASONS:
        broken.append(MalformedValue("revocationreason", "this reason is not for people to give"))
    if delay is not None and not timedelta() <= delay <= LONGEST_DELAY:
        broken.append(MalformedValue("revocationdelay", f"from 0 to {LONGEST_DELAY.days} days are wanted"))
    return broken

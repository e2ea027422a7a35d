"""What is exported is read back as it was, and every fault of a file is told with its line."""

from dataclasses import replace
from datetime import timedelta
from importlib.resources import files

import pytest

from certwright.domain.errors import DefinitionInvalid
from certwright.domain.notifications import MailTemplate, NotificationRule, NotificationType
from certwright.domain.policies import CardEnding, Policy, PolicyDocument, TemporaryCards
from certwright.domain.profile_templates import ProfileTemplate
from certwright.domain.request_types import RequestType
from certwright.domain.revocation import RevocationReason, RevocationSettings
from certwright.formats.definition_encoding import encode_template
from certwright.formats.definition_schema import print_world_schema
from certwright.formats.definitions import parse_world

DEMO = (files("certwright.worlds") / "demo.toml").read_text("utf-8")
PEOPLE = DEMO[: DEMO.index("[[certificate_templates]]\n")]
WORLD = parse_world(DEMO)
NAMES = {each.sid: each.name for each in WORLD.groups}
FULL = Policy(
    self_service=True,
    renewal_period=timedelta(hours=36),
    notifications=(
        NotificationRule(type=NotificationType.CREATE_REQUEST, to=("approvers", "security@contoso.com")),
        NotificationRule(
            type=NotificationType.DISTRIBUTE_SECRETS,
            to=("subject",),
            template=MailTemplate(subject='"{{ comment }}"', text="one\ntwo\n\t{{ actor }}", html="<p>{{ actor }}</p>"),
        ),
    ),
    documents=(PolicyDocument(name='a "quoted"\n\x7f name', recipient="x"),),
    card_ending=CardEnding(erase_card=True),
    temporary_cards=TemporaryCards(maximum_issued=3, validity=timedelta(days=2)),
    revocation=RevocationSettings(reason=RevocationReason.KEY_COMPROMISE, delay=timedelta(minutes=5)),
)


@pytest.mark.parametrize("template", WORLD.templates, ids=lambda each: each.name)
def test_every_template_of_the_demo_world_is_read_back_as_it_was(template: ProfileTemplate) -> None:
    assert parse_world(PEOPLE + encode_template(template, NAMES)).templates == (template,)


def test_names_that_nobody_knows_are_written_as_identifiers() -> None:
    for template in WORLD.templates:
        assert parse_world('[domain]\nname = "X"\n' + encode_template(template, {})).templates == (template,)


def test_every_setting_of_a_policy_is_kept() -> None:
    template = replace(WORLD.templates[0], policies={RequestType.RENEW: FULL, RequestType.TEMPORARY_CARD_ENROLL: FULL})
    text = encode_template(template, NAMES)
    assert parse_world(PEOPLE + text).templates == (template,)
    assert text == encode_template(replace(template, policies=dict(reversed(template.policies.items()))), NAMES)


def test_a_template_without_policies_is_kept() -> None:
    template = replace(WORLD.templates[0], policies={})
    assert parse_world(PEOPLE + encode_template(template, NAMES)).templates == (template,)


@pytest.mark.parametrize(
    ("before", "after", "path"),
    [
        ("approvals_needed = 2", 'approvals_needed = "2"', "profile_templates[9].policies.enroll.approvals_needed"),
        ("approvals_needed = 2", "approvals = 2", "profile_templates[9].policies.enroll.approvals"),
        (
            "maximum_duplicates = 2",
            'initiatorz = ["x"]',
            "profile_templates[0].policies.duplicate.initiatorz",
        ),
        ('approvers = ["Approvers"]', 'approvers = ["x"]', "profile_templates.{}.policies.recover-on-behalf.approvers"),
    ],
)
def test_a_fault_is_told_with_file_and_line(before: str, after: str, path: str) -> None:
    line = DEMO[: DEMO.index(before)].count("\n") + 1
    with pytest.raises(DefinitionInvalid) as refused:
        parse_world(DEMO.replace(before, after, 1), "demo.toml")
    assert refused.value.where == f"demo.toml line {line}: " + path.format("Signing and Archived Encryption")


def test_a_file_that_is_no_toml_is_told_with_its_line() -> None:
    with pytest.raises(DefinitionInvalid, match=r"my\.toml: .*line 2"):
        parse_world("[domain]\nname = x", "my.toml")


def test_the_schema_knows_every_table() -> None:
    schema = print_world_schema()
    assert {"WorldTable", "PolicyTable", "DataItemTable"} <= schema["$defs"].keys()

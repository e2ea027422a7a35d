"""What is exported is read back as it was, and every fault of a file is told with its line."""

import tomllib
from dataclasses import replace
from datetime import timedelta
from importlib.resources import files
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from certwright.adapters.patterns import Re2Patterns
from certwright.application.stored_templates import list_template_faults
from certwright.domain.errors import DefinitionInvalid
from certwright.domain.grants import Grants, ObjectKind
from certwright.domain.identities import EVERYONE
from certwright.domain.notifications import MailTemplate, NotificationRule, NotificationType
from certwright.domain.policies import CardEnding, Policy, PolicyDocument, TemporaryCards
from certwright.domain.profile_templates import ProfileTemplate
from certwright.domain.request_types import RequestType
from certwright.domain.revocation import RevocationReason, RevocationSettings
from certwright.formats.definition_encoding import encode_templates
from certwright.formats.definition_explanations import EXPLANATIONS, KINDS
from certwright.formats.definition_identities import NothingKnown
from certwright.formats.definition_schema import print_templates_schema, print_world_schema
from certwright.formats.definitions import TemplatesDefinition, parse_templates, parse_world

DEMO = (files("certwright.worlds") / "demo.toml").read_text("utf-8")
WORLD = parse_world(DEMO)
NAMES = {each.sid: each.name for each in WORLD.groups}
SIDS = {name.lower(): sid for sid, name in NAMES.items()} | {"everyone": EVERYONE}
GRANTS = Grants(WORLD.grants)
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


def read(text: str) -> TemplatesDefinition:
    return parse_templates(text, "x.toml", NothingKnown(lambda name: SIDS.get(name.lower())))


@pytest.mark.parametrize("explained", [True, False])
@pytest.mark.parametrize("template", WORLD.templates, ids=lambda each: each.name)
def test_every_template_of_the_demo_world_is_read_back_as_it_was(template: ProfileTemplate, explained: bool) -> None:
    assert read(encode_templates((template,), NAMES, explained=explained)).templates == (template,)


def test_all_templates_are_read_back_with_their_rights() -> None:
    found = read(encode_templates(WORLD.templates, NAMES, GRANTS))
    kinds = (ObjectKind.PROFILE_TEMPLATE, ObjectKind.CERTIFICATE_TEMPLATE)
    assert found.templates == WORLD.templates
    assert set(found.grants) == {each for each in WORLD.grants if each.object_kind in kinds}
    assert len(found.places_of_rights) == 20


def test_that_nobody_has_a_right_is_stated_and_without_rights_nothing_is() -> None:
    template = WORLD.templates[0]
    nobody = read(encode_templates((template,), NAMES, Grants(())))
    assert nobody.grants == ()
    assert nobody.places_of_rights == (
        (ObjectKind.CERTIFICATE_TEMPLATE, "SoftwareUser"),
        (ObjectKind.PROFILE_TEMPLATE, str(template.id)),
    )
    assert read(encode_templates((template,), NAMES)).places_of_rights == ()


def test_names_that_nobody_knows_are_written_as_identifiers() -> None:
    for template in WORLD.templates:
        found = parse_templates(
            encode_templates((template,), {}), "x.toml", NothingKnown(lambda name: EVERYONE if name == "everyone" else None)
        )
        assert found.templates == (template,)


def test_every_setting_of_a_policy_is_kept() -> None:
    template = replace(WORLD.templates[0], policies={RequestType.RENEW: FULL, RequestType.TEMPORARY_CARD_ENROLL: FULL})
    text = encode_templates((template,), NAMES)
    assert read(text).templates == (template,)
    turned = replace(template, policies=dict(reversed(template.policies.items())))
    assert text == encode_templates((turned,), NAMES)


def test_a_template_without_policies_is_kept() -> None:
    template = replace(WORLD.templates[0], policies={})
    assert read(encode_templates((template,), NAMES)).templates == (template,)


def test_a_name_that_would_mean_two_certificates_is_not_written() -> None:
    first = WORLD.templates[0]
    (certificate,) = first.certificate_templates
    second = replace(WORLD.templates[1], certificate_templates=(replace(certificate, minor_version=7),))
    with pytest.raises(DefinitionInvalid, match="SoftwareUser: not all of these"):
        encode_templates((first, second), NAMES)


def test_each_key_and_each_kind_of_request_is_explained_in_the_file() -> None:
    policies = dict.fromkeys(RequestType, FULL)
    text = encode_templates((replace(WORLD.templates[0], policies=policies),), NAMES, GRANTS)
    tables = [line for line in text.splitlines() if " = " in line and not line.startswith(("#", " "))]
    assert all("  # " in line for line in tables)
    assert all(f"# {KINDS[each.name.lower().replace('_', '-')]}\n" in text for each in RequestType)


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


RULES = """
[[certificate_templates]]
common_name = "A.B"
oid = "1.2.3"
key.origin = "client"
key.archived = true
subject = "request"

[[profile_templates]]
id = "12bd5120-86a2-4ee1-8d05-131066871578"
name = "A.B"
certificate_templates = ["A.B"]
policies = {}

[[profile_templates]]
id = "22bd5120-86a2-4ee1-8d05-131066871578"
name = "A"
certificate_templates = ["A.B"]

[profile_templates.policies.Suspend_Or_Reinstate]
approvals_needed = 2
initiators = ["everyone"]
data_items = [
  # The first is right.
  { name = "a" },
  { name = "b.c", pattern = "(" },
]

[profile_templates.policies."renew"]
self_service = true
revocation = { delay = "4000 days" }

[[profile_templates.policies.enroll.data_items]]
name = "d"
type = "number"
default = "x"
"""


def test_faults_of_rules_have_a_line_and_a_key_too() -> None:
    definition = read(RULES)
    faults = definition.source.place(list_template_faults(definition.templates, Re2Patterns()))
    lines = {each.text.partition(": ")[2].partition(": ")[0]: each.text.partition(": ")[0] for each in faults}
    wanted = {
        "certificate_templates.A.B.extended_key_usages": "[[certificate_templates]]",
        "certificate_templates.A.B.key.origin": "key.origin",
        "certificate_templates.A.B.subject": "subject",
        "profile_templates.A.policies.suspend-or-reinstate.initiators": "initiators",
        "profile_templates.A.policies.renew.approvals_needed": '[profile_templates.policies."renew"]',
        "profile_templates.A.policies.renew.data_items": '[profile_templates.policies."renew"]',
        "profile_templates.A.policies.enroll.approvals_needed": "[[profile_templates.policies.enroll.data_items]]",
        "profile_templates.A.policies.enroll.data_items": "[[profile_templates]]",
        "profile_templates.A.policies.suspend-or-reinstate.approvals_needed": "approvals_needed",
        "profile_templates.A.policies.suspend-or-reinstate.data_items.b.c.pattern": '  { name = "b.c"',
        "profile_templates.A.policies.renew.revocation.delay": "revocation",
        "profile_templates.A.policies.enroll.data_items.d.default": "default",
        "profile_templates.A.policies.enroll.self_service": "[[profile_templates.policies.enroll.data_items]]",
    }
    assert lines.keys() == wanted.keys()
    texts = RULES.splitlines()
    found = {where: texts[int(place.removeprefix("x.toml line ")) - 1] for where, place in lines.items()}
    # A table that is nowhere opened has the line of the template.
    wanted["profile_templates.A.policies.enroll.self_service"] = "[[profile_templates]]"
    wanted["profile_templates.A.policies.enroll.approvals_needed"] = "[[profile_templates]]"
    assert {where: found[where].startswith(begin) for where, begin in wanted.items()} == dict.fromkeys(wanted, True)


@pytest.mark.parametrize(
    ("text", "where"),
    [
        ('[domain]\nname = "X"\n', "x.toml line 1: domain"),
        ("\n[service]\nrights = {}\n", "x.toml line 2: service"),
        ('[[users]]\naccount = "a"\n', "x.toml: users"),
        ("\ncolour = 1\n", "x.toml line 2: colour"),
    ],
)
def test_a_file_of_templates_has_nothing_else(text: str, where: str) -> None:
    with pytest.raises(DefinitionInvalid) as refused:
        read(text)
    assert refused.value.where == where


def test_a_world_file_begins_with_its_domain() -> None:
    with pytest.raises(DefinitionInvalid, match="certwright templates import"):
        parse_world(RULES, "x.toml")


def test_a_file_that_is_no_toml_is_told_with_its_line() -> None:
    with pytest.raises(DefinitionInvalid, match=r"my\.toml: .*line 2"):
        parse_world("[domain]\nname = x", "my.toml")


@pytest.mark.parametrize("schema", [print_world_schema(), print_templates_schema()], ids=lambda each: str(each["title"]))
def test_the_schemas_explain_every_key(schema: dict[str, Any]) -> None:
    tables = schema["$defs"]
    assert {"CertificateTemplateTable", "PolicyTable", "DataItemTable"} <= tables.keys()
    keys = {(name, key): value for name, table in tables.items() for key, value in table.get("properties", {}).items()}
    assert all(value["description"] for value in keys.values())


def test_nothing_is_explained_that_is_no_key() -> None:
    tables = print_world_schema()["$defs"] | print_templates_schema()["$defs"]
    assert {name: set(keys) for name, keys in EXPLANATIONS.items()} == {
        name: set(table["properties"]) for name, table in tables.items() if "properties" in table
    }


@pytest.mark.parametrize("text", [DEMO, encode_templates(WORLD.templates, NAMES, GRANTS)], ids=["world", "templates"])
def test_what_we_write_is_right_by_the_published_schema(text: str) -> None:
    schema = print_world_schema() if text is DEMO else print_templates_schema()
    Draft202012Validator.check_schema(schema)
    assert list(Draft202012Validator(schema).iter_errors(tomllib.loads(text))) == []
    faulty = tomllib.loads(text.replace("approvals_needed = 2", 'approvals_needed = "2"'))
    assert [error.json_path for error in Draft202012Validator(schema).iter_errors(faulty)] == [
        "$.profile_templates[9].policies.enroll.approvals_needed"
    ]

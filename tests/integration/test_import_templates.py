"""Templates alone: exported, changed, looked at, imported, in a real installation with people in it."""

import re
import shutil
from collections.abc import Iterator
from importlib.resources import files
from pathlib import Path

import pytest

from certwright.application.import_templates import ImportedTemplates, TemplateChange, import_templates, preview_changes
from certwright.application.load_world import load_world
from certwright.application.manage_templates import export_templates, export_version, withdraw_template
from certwright.bootstrap import Installation, open_installation
from certwright.bootstrap_creation import create_installation
from certwright.domain.errors import DefinitionInvalid, Refused, RulesBroken
from certwright.domain.events import Event, EventType
from certwright.domain.grants import Grant, ObjectKind, Right
from certwright.domain.identities import EVERYONE
from certwright.domain.profile_templates import ProfileTemplate
from certwright.domain.request_types import RequestType
from certwright.formats.definitions import parse_world

DEMO = (files("certwright.worlds") / "demo.toml").read_text("utf-8")
WORLD = parse_world(DEMO)
MANAGED = "Managed Software Certificate"


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return an installation with nobody in it, to copy."""
    folder = tmp_path_factory.mktemp("importing") / "data"
    folder.mkdir()
    # Curves are made in no time; which kind of key an authority has makes no difference here.
    (folder / "certwright.toml").write_text('[authority]\nroot_key = "p-256"\nissuing_key = "p-256"\n')
    create_installation(folder)
    return folder


@pytest.fixture
def installation(installed: Path, tmp_path: Path) -> Iterator[Installation]:
    with open_installation(shutil.copytree(installed, tmp_path / "data")) as opened:
        load_world(WORLD, "demo", operator="root", world=opened.world)
        yield opened


def bring_in(text: str, installation: Installation) -> ImportedTemplates:
    return import_templates(text, "my.toml", operator="alice", world=installation.world)


def preview(text: str, installation: Installation) -> tuple[TemplateChange, ...]:
    return preview_changes(text, "my.toml", operator="alice", world=installation.world)


def export(installation: Installation, *names: str) -> str:
    return export_templates(names, world=installation.world)


def look(installation: Installation) -> tuple[tuple[ProfileTemplate, ...], frozenset[Grant], int]:
    """Return everything that an import may change."""
    with installation.world.store.reading() as session:
        events = len(session.history.list_unsealed(1_000))
        return session.templates.list_versions(), frozenset(session.directory.load_grants()), events


def list_events(installation: Installation, *types: EventType) -> list[Event]:
    with installation.world.store.reading() as session:
        return [each for each in session.history.list_unsealed(1_000) if isinstance(each, Event) and each.type in types]


def list_refusals(text: str, installation: Installation) -> list[str]:
    """Return why *text* is not imported, after making sure that it changed nothing and that a preview says the same."""
    before = look(installation)
    told: list[list[str]] = []
    for attempt in (preview, bring_in):
        with pytest.raises(Refused) as refused:
            attempt(text, installation)
        broken = refused.value.broken if isinstance(refused.value, RulesBroken) else (refused.value,)
        told.append([each.text for each in broken])
    assert look(installation) == before
    assert told[0] == told[1]
    return told[0]


def test_what_one_installation_exports_another_one_with_the_same_people_imports(
    installation: Installation, installed: Path, tmp_path: Path
) -> None:
    text = export(installation)
    people = DEMO[: DEMO.index("[[certificate_templates]]\n")]
    with open_installation(shutil.copytree(installed, tmp_path / "other")) as other:
        load_world(parse_world(people), "people", operator="root", world=other.world)
        assert len(bring_in(text, other).templates) == 10
        versions, grants, _ = look(other)
        assert {each.id: each for each in versions} == {each.id: each for each in WORLD.templates}
        assert grants == frozenset(WORLD.grants)
        assert export(other) == text


def test_one_template_alone_gets_a_new_version_and_everything_else_stays(installation: Installation) -> None:
    versions, grants, _ = look(installation)
    text = export(installation, MANAGED).replace("approvals_needed = 2", "approvals_needed = 1")
    (imported,) = bring_in(text, installation).templates
    assert (imported.name, imported.version) == (MANAGED, 2)
    assert imported.policies[RequestType.ENROLL].approvals_needed == 1
    assert look(installation)[:2] == (
        tuple(sorted([*versions, imported], key=lambda each: (str(each.id), each.version))),
        grants,
    )


def test_the_same_file_again_changes_nothing_but_is_told(installation: Installation) -> None:
    versions, grants, events = look(installation)
    text = export(installation, MANAGED, "software certificate")
    assert preview(text, installation) == ()
    assert bring_in(text, installation).templates == ()
    assert look(installation) == (versions, grants, events + 1)
    (told,) = list_events(installation, EventType.TEMPLATES_IMPORTED)
    assert (told.actor, told.source, told.details["name"]) == ("alice", "command line", "my.toml")


def test_rights_become_those_that_the_file_states_where_it_states_some_and_each_change_is_told(
    installation: Installation,
) -> None:
    managed = next(each for each in WORLD.templates if each.name == MANAGED)
    _, before, _ = look(installation)
    loaded = len(list_events(installation, EventType.RIGHT_GRANTED))
    text = export(installation, MANAGED)
    lines = [line for line in text.splitlines() if not line.startswith("rights = ")]
    name = next(place for place, line in enumerate(lines) if line.startswith(f'name = "{MANAGED}"'))
    lines.insert(name, 'rights = { read = ["CORP\\\\manager", "everyone", "Subscribers"] }')
    bring_in("\n".join(lines), installation)

    place = (ObjectKind.PROFILE_TEMPLATE, str(managed.id))
    manager = next(each.sid for each in WORLD.users if each.account_name == "manager")
    subscribers = next(each.sid for each in WORLD.groups if each.name == "Subscribers")
    wanted = {Grant(*place, Right.READ, each) for each in (manager, EVERYONE, subscribers)}
    assert look(installation)[1] == {each for each in before if (each.object_kind, each.object_name) != place} | wanted
    given = list_events(installation, EventType.RIGHT_GRANTED)[loaded:]
    assert {each.details["trustee"] for each in given} == {"CORP\\manager", str(EVERYONE)}
    taken = list_events(installation, EventType.RIGHT_REVOKED)
    assert {(each.details["right"], each.details["trustee"]) for each in taken} == {
        *(("read", each) for each in ("Managers", "Approvers", "Help Desk")),
        ("enroll", "Subscribers"),
    }
    assert {(each.actor, each.details["place"]) for each in (*given, *taken)} == {("alice", f"profile-template {MANAGED}")}


@pytest.mark.parametrize("name", ["APPROVERS", "approver", "corp\\\\approver", "approver@corp.contoso.com"])
def test_people_are_those_of_the_directory_under_every_name(name: str, installation: Installation) -> None:
    text = export(installation, MANAGED).replace("approvals_needed = 2", "approvals_needed = 1")
    (imported,) = bring_in(text.replace('approvers = ["Approvers"]', f'approvers = ["{name}"]'), installation).templates
    approvers = {each.sid for each in WORLD.groups if each.name == "Approvers"}
    approver = {each.sid for each in WORLD.users if each.account_name == "approver"}
    assert imported.policies[RequestType.ENROLL].approvers == (approvers if name == "APPROVERS" else approver)


RECOVERY_BY_ONE = pytest.mark.parametrize(
    ("before", "after", "key", "words"),
    [
        ("approvals_needed = 1\n", "", "approvals_needed", "takes at least one approval"),
        ("approvals_needed = 1\n", "approvals_needed = 0\n", "approvals_needed", "takes at least one approval"),
        ('enrollment_agents = ["Help Desk"]', 'enrollment_agents = ["manager"]', "enrollment_agents", "by different ones"),
        ('approvers = ["Approvers"]', 'approvers = ["Help Desk"]', "enrollment_agents", "by different ones"),
    ],
)


@RECOVERY_BY_ONE
def test_recovery_by_one_person_is_not_imported(
    before: str, after: str, key: str, words: str, installation: Installation
) -> None:
    text = export(installation, "Signing and Archived Encryption")
    head, policy, rest = text.partition("[profile_templates.policies.recover-on-behalf]")
    changed = re.sub(rf"^{re.escape(before.strip())}.*\n", after.strip() + "\n", rest, count=1, flags=re.MULTILINE)
    assert changed != rest
    (refused,) = list_refusals(head + policy + changed, installation)
    assert f".policies.recover-on-behalf.{key}: " in refused
    assert words in refused


@RECOVERY_BY_ONE
def test_recovery_by_one_person_is_not_loaded(
    before: str, after: str, key: str, words: str, installation: Installation
) -> None:
    head, policy, rest = DEMO.partition("[profile_templates.policies.recover-on-behalf]")
    changed = head + policy + rest.replace(before, after, 1)
    assert changed != DEMO
    with pytest.raises(DefinitionInvalid, match=rf"\.policies\.recover-on-behalf\.{key}: .*{words}"):
        load_world(parse_world(changed), "demo", operator="root", world=installation.world)


THROUGH_AGENTS = pytest.mark.parametrize(
    ("approvals", "key", "words"),
    [
        ("", "approvals_needed", "takes at least one approval"),
        ('approvals_needed = 1\napprovers = ["Help Desk"]\n', "enrollment_agents", "by different ones"),
    ],
)


def recover_through_agents(text: str, approvals: str) -> str:
    """Return *text* with help desk instead of the subject at both ends of the policy that gives archived keys back."""
    head, policy, rest = text.partition("[profile_templates.policies.recover]\n")
    assert policy
    own = 'initiators = ["Help Desk"]\nenrollment_agent_required = true\nenrollment_agents = ["Help Desk"]\n'
    return head + policy + own + approvals + rest.replace("self_service = true\n", "", 1)


@THROUGH_AGENTS
def test_recovery_by_one_agent_is_not_imported(approvals: str, key: str, words: str, installation: Installation) -> None:
    text = export(installation, "Signing and Archived Encryption")
    (refused,) = list_refusals(recover_through_agents(text, approvals), installation)
    assert f".policies.recover.{key}: " in refused
    assert words in refused


@THROUGH_AGENTS
def test_recovery_by_one_agent_is_not_loaded(approvals: str, key: str, words: str, installation: Installation) -> None:
    start = DEMO.index('name = "Signing and Archived Encryption"')
    changed = DEMO[:start] + recover_through_agents(DEMO[start:], approvals)
    with pytest.raises(DefinitionInvalid, match=rf"\.policies\.recover\.{key}: .*{words}"):
        load_world(parse_world(changed), "demo", operator="root", world=installation.world)


@pytest.mark.parametrize(
    ("before", "after", "key", "words"),
    [
        ('approvers = ["Approvers"]', 'approvers = ["Nobody"]', "approvers", "there is no account or group Nobody"),
        ("approvals_needed = 2", "approvals_needed = 3", "approvals_needed", "3 approvals are needed, and 2 people can"),
        ("approvals_needed = 2", "approvals_needed = -1", "approvals_needed", "may not be negative"),
        ('approvers = ["Approvers"]', "approvers = []", "approvals_needed", "no approvers are named"),
        ('"[0-9]{4}"', '"([0-9]{4}"', "data_items.Cost Centre.pattern", "missing )"),
        ('"[0-9]{4}"', r'"(a)\\1"', "data_items.Cost Centre.pattern", "invalid escape"),
        ('default = "en"', 'default = "english"', "data_items.Language.default", "would not be accepted"),
        ('initiators = ["Managers"]', "initiators = []", "self_service", "nobody can start a request"),
    ],
)
def test_a_fault_of_a_rule_names_file_line_and_key(
    before: str, after: str, key: str, words: str, installation: Installation
) -> None:
    text = export(installation, MANAGED)
    # A key that is not there has the line of the table that it would stand in.
    line = text[: text.index("[profile_templates.policies.enroll]" if key == "self_service" else before)].count("\n") + 1
    line -= 2 if words == "no approvers are named" else 0
    (refused,) = list_refusals(text.replace(before, after, 1), installation)
    assert refused.startswith(f"my.toml line {line}: profile_templates.{MANAGED}.policies.enroll.{key}: ")
    assert words in refused


def test_faults_of_several_rules_are_told_at_once(installation: Installation) -> None:
    text = export(installation, MANAGED).replace('"[0-9]{4}"', '"("').replace('"60 days"', '"60 days"\ndefault_priority = 256')
    keys = [each.partition(": ")[2].partition(": ")[0].rpartition(".")[2] for each in list_refusals(text, installation)]
    assert keys == ["pattern", "default_priority"]


def test_an_auditor_does_not_become_an_approver_by_an_import(installation: Installation) -> None:
    text = export(installation, MANAGED).replace('approvers = ["Approvers"]', 'approvers = ["Approvers", "Auditors"]')
    (refused,) = list_refusals(text, installation)
    assert "these roles are for different people" in refused


def test_two_templates_are_not_called_the_same(installation: Installation) -> None:
    managed = next(each for each in WORLD.templates if each.name == MANAGED)
    text = export(installation, MANAGED).replace(str(managed.id), "00000000-0000-4000-8000-000000000001")
    (refused,) = list_refusals(text, installation)
    assert f"{MANAGED}.name: another template, {managed.id}, is called so" in refused


def test_a_certificate_template_is_changed_for_all_that_issue_it(installation: Installation) -> None:
    text = export(installation, "Strong Key P-256").replace('"StrongP256"', '"StrongP256"\nvalidity = "90 days"', 1)
    changed = bring_in(text, installation).templates
    assert [(each.name, each.version) for each in changed] == [("Strong Key P-256", 2), ("Strong Keys", 2)]
    days = [each.validity.days for template in changed for each in template.certificate_templates]
    assert days == [90, 365, 90, 365]
    assert len(export(installation)) > 0


def test_a_preview_shows_what_an_import_changes_and_changes_nothing(installation: Installation) -> None:
    before = look(installation)
    text = export(installation, MANAGED).replace("approvals_needed = 2", "approvals_needed = 1")
    (change,) = preview(text.replace('enroll = ["Subscribers"]', 'enroll = ["Managers"]'), installation)
    old, new = change.before.splitlines(), change.after.splitlines()
    assert (change.name, len(old)) == (MANAGED, len(new))
    assert [line for line, other in zip(old, new, strict=True) if line != other] == [
        'rights = { enroll = ["Subscribers"] }',
        'rights = { read = ["Approvers", "Help Desk", "Managers", "Subscribers"], enroll = ["Subscribers"] }',
        "approvals_needed = 2",
    ]
    assert look(installation) == before


def test_a_world_file_is_previewed_as_it_would_be_loaded(installation: Installation) -> None:
    before = look(installation)
    (change,) = preview(DEMO.replace("approvals_needed = 2", "approvals_needed = 1"), installation)
    assert (change.name, "approvals_needed = 1\n" in change.after) == (MANAGED, True)
    with pytest.raises(DefinitionInvalid, match=r"my\.toml line \d+: .*approvals_needed: 3 approvals"):
        preview(DEMO.replace("approvals_needed = 2", "approvals_needed = 3"), installation)
    assert look(installation) == before


def test_a_template_that_was_withdrawn_comes_back_as_it_was(installation: Installation) -> None:
    text = export(installation, MANAGED)
    withdraw_template(MANAGED, operator="root", world=installation.world)
    (change,) = preview(text, installation)
    assert (change.before, MANAGED in change.after) == ("", True)
    bring_in(text, installation)
    assert export(installation, MANAGED) == text


def test_an_older_version_is_exported_without_rights_and_its_import_leaves_them(installation: Installation) -> None:
    grants = look(installation)[1]
    text = export(installation, MANAGED)
    bring_in(text.replace("approvals_needed = 2", "approvals_needed = 1"), installation)
    old = export_version(MANAGED, 1, world=installation.world)
    assert "rights = " not in old
    (back,) = bring_in(old, installation).templates
    assert (back.version, back.policies[RequestType.ENROLL].approvals_needed) == (3, 2)
    assert look(installation)[1] == grants

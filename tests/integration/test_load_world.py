"""World files and passwords in a real installation."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from importlib.resources import files
from pathlib import Path

import pytest

from certwright.adapters.signin.argon2 import Argon2Hasher
from certwright.application.load_world import load_file, load_world, preview_file
from certwright.application.manage_people import switch_user
from certwright.application.set_password import set_password
from certwright.application.world_differences import Change
from certwright.bootstrap import Installation, open_installation
from certwright.bootstrap_creation import create_installation
from certwright.domain.errors import (
    ChangedMeanwhile,
    DefinitionInvalid,
    EscalationPath,
    MalformedValue,
    PasswordGuessable,
    PasswordTooShort,
    Refused,
    RulesBroken,
    UserNotFound,
)
from certwright.domain.events import Event, EventType
from certwright.domain.grants import Grant
from certwright.domain.profile_templates import (
    EMAIL_PROTECTION,
    CertificateTemplate,
    KeyOrigin,
    ProfileTemplate,
    SubjectSource,
    X509KeyUsage,
)
from certwright.domain.request_types import RequestType
from certwright.domain.rules.account_passwords import PasswordPolicy
from certwright.formats.definitions import WorldDefinition, parse_world

DEMO = (files("certwright.worlds") / "demo.toml").read_text("utf-8")
CHEAP = Argon2Hasher(passes=1, memory_kib=64, lanes=1)
"""The same hasher as in production, with parameters that cost nothing."""


@pytest.fixture(scope="module")
def demo() -> WorldDefinition:
    return parse_world(DEMO)


@pytest.fixture
def installation(tmp_path: Path) -> Iterator[Installation]:
    folder = tmp_path / "data"
    folder.mkdir()
    # Curves are made in no time; which kind of key an authority has makes no difference here.
    (folder / "certwright.toml").write_text('[authority]\nroot_key = "p-256"\nissuing_key = "p-256"\n')
    create_installation(folder)
    with open_installation(folder) as opened:
        yield opened


def list_events(installation: Installation, event_type: EventType) -> list[Event]:
    with installation.world.store.reading() as session:
        return [each for each in session.history.list_unsealed(1_000) if each.type is event_type]


def with_certificate_template(demo: WorldDefinition, template: CertificateTemplate) -> WorldDefinition:
    """Return the world with *template* in its first profile template."""
    first, *others = demo.templates
    return replace(demo, templates=(replace(first, certificate_templates=(template,)), *others))


def one_person(demo: WorldDefinition) -> WorldDefinition:
    """Return a world with the subscriber alone, who has another address."""
    subscriber = next(each for each in demo.users if each.account_name == "subscriber")
    return replace(demo, users=(replace(subscriber, email="sam@contoso.com"),), groups=(), grants=(), templates=())


def list_held(demo: WorldDefinition, installation: Installation) -> list[Grant]:
    """Return which rights of the demo somebody has."""
    with installation.world.store.reading() as session:
        grants = tuple(session.directory.load_grants())
    return [each for each in demo.grants if each in grants]


def list_refusals(definition: WorldDefinition, installation: Installation) -> list[Refused]:
    with pytest.raises(Refused) as refused:
        load_world(definition, "test", operator="root", world=installation.world)
    return list(refused.value.broken) if isinstance(refused.value, RulesBroken) else [refused.value]


def test_a_world_is_loaded_with_everything_in_it(demo: WorldDefinition, installation: Installation) -> None:
    loaded = load_world(demo, "demo", operator="root", world=installation.world)
    with installation.world.store.reading() as session:
        assert {each.id for each in session.directory.list_users()} == {each.id for each in demo.users}
        assert {each.name for each in session.directory.list_groups()} == {each.name for each in demo.groups}
        newest = session.templates.list_newest()
    assert {each.id: each for each in newest} == {each.id: each for each in demo.templates}
    assert (loaded.users, loaded.groups, len(loaded.templates)) == (10, 7, len(demo.templates))


def test_the_same_world_again_changes_nothing_but_is_told(demo: WorldDefinition, installation: Installation) -> None:
    load_world(demo, "demo", operator="root", world=installation.world)
    again = load_world(demo, "demo", operator="root", world=installation.world)
    assert (again.users, again.groups, again.templates) == (0, 0, ())
    assert len(list_events(installation, EventType.WORLD_LOADED)) == 2


def test_a_changed_template_gets_a_new_version_and_the_old_one_stays(demo: WorldDefinition, installation: Installation) -> None:
    load_world(demo, "demo", operator="root", world=installation.world)
    first, *others = demo.templates
    changed = replace(demo, templates=(replace(first, description="Something else."), *others))
    loaded = load_world(changed, "demo", operator="root", world=installation.world)
    assert [(each.id, each.version) for each in loaded.templates] == [(first.id, 2)]
    with installation.world.store.reading() as session:
        assert session.templates.get(first.id, 1) == first
        assert session.templates.get(first.id).description == "Something else."


def test_rights_that_a_world_does_not_name_stay(demo: WorldDefinition, installation: Installation) -> None:
    load_world(demo, "demo", operator="root", world=installation.world)
    loaded = load_world(one_person(demo), "one", operator="root", world=installation.world)
    assert [(each.change, each.kind, each.name, each.detail) for each in loaded.differences] == [
        (Change.CHANGED, "user", "CORP\\subscriber", "email: subscriber@contoso.com -> sam@contoso.com")
    ]
    assert list_held(demo, installation) == list(demo.grants)


def test_rights_and_members_become_those_of_a_world_that_replaces(demo: WorldDefinition, installation: Installation) -> None:
    load_world(demo, "demo", operator="root", world=installation.world)
    subscribers = next(each for each in demo.groups if each.name == "Subscribers")
    fewer = replace(demo, grants=(), groups=(replace(subscribers, members=frozenset()),))
    kept = load_world(fewer, "fewer", operator="root", world=installation.world)
    assert kept.differences == ()
    removed = load_world(fewer, "fewer", replaces=True, operator="root", world=installation.world)
    assert {each.change for each in removed.differences} == {Change.REMOVED}
    assert Counter(each.kind for each in removed.differences) == {"right": len(demo.grants), "member": 2}
    assert list_held(demo, installation) == []
    with installation.world.store.reading() as session:
        members = {each.name: len(each.members) for each in session.directory.list_groups()}
    assert (members["Subscribers"], members["Approvers"]) == (0, 2)


def test_a_disabled_account_stays_disabled(demo: WorldDefinition, installation: Installation) -> None:
    load_world(demo, "demo", operator="root", world=installation.world)
    switch_user("subscriber", enabled=False, operator="root", world=installation.world)
    for changed in (demo, one_person(demo)):
        for replaces in (False, True):
            loaded = load_world(changed, "again", replaces=replaces, operator="root", world=installation.world)
            assert loaded.kept_disabled == ("CORP\\subscriber",)
    with installation.world.store.reading() as session:
        (user,) = (each for each in session.directory.list_users() if each.account_name == "subscriber")
    assert (user.enabled, user.email) == (False, "sam@contoso.com")


def test_a_world_can_disable_an_account(demo: WorldDefinition, installation: Installation) -> None:
    load_world(demo, "demo", operator="root", world=installation.world)
    disabling = replace(demo, users=tuple(replace(each, enabled=False) for each in demo.users[:1]))
    (difference,) = load_world(disabling, "off", operator="root", world=installation.world).differences
    assert (difference.name, difference.detail) == ("CORP\\subscriber", "enabled: true -> false")


def test_a_preview_says_what_a_load_changes_and_changes_nothing(demo: WorldDefinition, installation: Installation) -> None:
    previewed = preview_file(DEMO, "demo", operator="root", world=installation.world)
    with installation.world.store.reading() as session:
        assert session.directory.list_users() == ()
        assert session.templates.list_newest() == ()
    assert list_events(installation, EventType.WORLD_LOADED) == []
    loaded = load_world(demo, "demo", operator="root", world=installation.world)
    assert previewed.differences == loaded.differences
    assert Counter(each.kind for each in loaded.differences) == {
        "user": len(demo.users),
        "group": len(demo.groups),
        "member": sum(len(each.members) for each in demo.groups),
        "right": len(demo.grants),
        "profile template": len(demo.templates),
    }


def test_what_was_shown_is_what_is_loaded(demo: WorldDefinition, installation: Installation) -> None:
    shown = preview_file(DEMO, "demo", operator="root", world=installation.world).differences
    load_world(one_person(demo), "one", operator="root", world=installation.world)
    with pytest.raises(ChangedMeanwhile):
        load_file(DEMO, "demo", expected=shown, operator="root", world=installation.world)
    with installation.world.store.reading() as session:
        assert len(session.directory.list_users()) == 1


def test_a_template_that_opens_an_escalation_path_is_not_loaded(demo: WorldDefinition, installation: Installation) -> None:
    open_to_all = replace(demo.templates[0].certificate_templates[0], subject=SubjectSource.REQUEST)
    broken = list_refusals(with_certificate_template(demo, open_to_all), installation)
    assert {each.path for each in broken if isinstance(each, EscalationPath)} == {"ESC1"}
    with installation.world.store.reading() as session:
        assert session.templates.list_newest() == ()


def test_a_key_that_only_signs_is_not_archived(demo: WorldDefinition, installation: Installation) -> None:
    template = demo.templates[0].certificate_templates[0]
    signing = replace(
        template,
        key=replace(template.key, origin=KeyOrigin.SERVER, archived=True),
        key_usages=frozenset({X509KeyUsage.DIGITAL_SIGNATURE}),
        extended_key_usages=(EMAIL_PROTECTION,),
    )
    (broken,) = list_refusals(with_certificate_template(demo, signing), installation)
    assert "only signs" in str(broken)


def test_a_key_of_the_client_cannot_be_archived(demo: WorldDefinition, installation: Installation) -> None:
    template = demo.templates[0].certificate_templates[0]
    (broken,) = list_refusals(
        with_certificate_template(
            demo, replace(template, key=replace(template.key, archived=True), extended_key_usages=(EMAIL_PROTECTION,))
        ),
        installation,
    )
    assert "that the server makes" in str(broken)


def test_a_key_of_a_size_that_is_not_certified_is_refused(demo: WorldDefinition, installation: Installation) -> None:
    template = demo.templates[0].certificate_templates[0]
    (broken,) = list_refusals(
        with_certificate_template(demo, replace(template, key=replace(template.key, bits=1024))), installation
    )
    assert "1024" in str(broken)


@pytest.mark.parametrize(
    ("change", "detail"),
    [
        ({"self_service": False, "initiators": frozenset()}, "nobody can start"),
        ({"approvals_needed": 1}, "no approvers"),
        ({"approvals_needed": -1}, "negative"),
        ({"enrollment_agent_required": True}, "none is named"),
        ({"default_priority": 256}, "a number from 0 to 255"),
    ],
)
def test_a_policy_that_waits_for_nobody_is_refused(
    change: dict[str, object], detail: str, demo: WorldDefinition, installation: Installation
) -> None:
    first, *others = demo.templates
    kind, policy = RequestType.ENROLL, first.policies[RequestType.ENROLL]
    faulty: ProfileTemplate = replace(first, policies={kind: replace(policy, **change)})  # type: ignore[arg-type]
    (broken,) = list_refusals(replace(demo, templates=(faulty, *others)), installation)
    assert isinstance(broken, DefinitionInvalid)
    assert detail in broken.detail
    assert broken.where.startswith("world file line ")


@pytest.mark.parametrize("account", ["subscriber", "CORP\\Subscriber", "subscriber@corp.contoso.com"])
def test_a_password_is_set_under_every_name_of_the_account(
    account: str, demo: WorldDefinition, installation: Installation
) -> None:
    load_world(demo, "demo", operator="root", world=installation.world)
    set_password(account, "correct horse battery", operator="root", world=installation.world, hasher=CHEAP)
    user = next(each for each in demo.users if each.account_name == "subscriber")
    with installation.world.store.reading() as session:
        stored = session.directory.find_password_hash(user.id)
    assert stored is not None
    assert CHEAP.is_match("correct horse battery", stored)
    (event,) = list_events(installation, EventType.PASSWORD_SET)
    assert event.subject_id == user.id
    assert "correct horse battery" not in str(event)


def test_an_unknown_account_gets_no_password(demo: WorldDefinition, installation: Installation) -> None:
    load_world(demo, "demo", operator="root", world=installation.world)
    with pytest.raises(UserNotFound):
        set_password("nobody", "correct horse battery", operator="root", world=installation.world, hasher=CHEAP)


@pytest.mark.parametrize(
    ("password", "refusal"),
    [
        ("", MalformedValue),
        ("x" * 1_001, MalformedValue),
        ("two lines of words\nlike this", MalformedValue),
        ("fourteen signs", PasswordTooShort),
        ("CORP-subscriber-2026", PasswordGuessable),
        ("password password", PasswordGuessable),
    ],
)
def test_a_password_that_nobody_could_type_or_everybody_guess_is_refused(
    password: str, refusal: type[Refused], demo: WorldDefinition, installation: Installation
) -> None:
    load_world(demo, "demo", operator="root", world=installation.world)
    with pytest.raises(refusal):
        set_password("subscriber", password, operator="root", world=installation.world, hasher=CHEAP)
    assert list_events(installation, EventType.PASSWORD_SET) == []


def test_the_settings_say_which_passwords_are_taken(installation: Installation) -> None:
    settings = installation.data / "certwright.toml"
    settings.write_text(f"{settings.read_text()}\n[passwords]\nminimum_characters = 8\nrefuse_names = false\n")
    with open_installation(installation.data) as opened:
        assert opened.world.passwords == PasswordPolicy(minimum_characters=8, refuses_names=False)

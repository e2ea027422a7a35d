"""World files and passwords in a real installation."""

from collections.abc import Iterator
from dataclasses import replace
from importlib.resources import files
from pathlib import Path

import pytest

from certwright.adapters.signin.argon2 import Argon2Hasher
from certwright.application.load_world import load_world
from certwright.application.set_password import set_password
from certwright.bootstrap import Installation, open_installation
from certwright.bootstrap_creation import create_installation
from certwright.domain.errors import DefinitionInvalid, EscalationPath, MalformedValue, Refused, RulesBroken, UserNotFound
from certwright.domain.events import Event, EventType
from certwright.domain.profile_templates import (
    EMAIL_PROTECTION,
    CertificateTemplate,
    KeyOrigin,
    ProfileTemplate,
    SubjectSource,
    X509KeyUsage,
)
from certwright.domain.request_types import RequestType
from certwright.formats.definitions import WorldDefinition, parse_world

CHEAP = Argon2Hasher(passes=1, memory_kib=64, lanes=1)
"""The same hasher as in production, with parameters that cost nothing."""


@pytest.fixture(scope="module")
def demo() -> WorldDefinition:
    return parse_world((files("certwright.worlds") / "demo.toml").read_text("utf-8"))


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


def test_rights_are_those_of_the_world_loaded_last(demo: WorldDefinition, installation: Installation) -> None:
    load_world(demo, "demo", operator="root", world=installation.world)
    load_world(replace(demo, grants=()), "demo", operator="root", world=installation.world)
    with installation.world.store.reading() as session:
        grants = session.directory.load_grants()
    held = [each for each in demo.grants if grants.find_trustees(each.object_kind, each.object_name, each.right)]
    assert held == []


def test_a_template_that_opens_an_escalation_path_is_not_loaded(demo: WorldDefinition, installation: Installation) -> None:
    open_to_all = replace(demo.templates[0].certificate_templates[0], subject=SubjectSource.REQUEST)
    broken = list_refusals(with_certificate_template(demo, open_to_all), installation)
    assert [each.path for each in broken if isinstance(each, EscalationPath)] == ["ESC1"]
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
    set_password(account, "correct horse", operator="root", world=installation.world, hasher=CHEAP)
    user = next(each for each in demo.users if each.account_name == "subscriber")
    with installation.world.store.reading() as session:
        stored = session.directory.find_password_hash(user.id)
    assert stored is not None
    assert CHEAP.is_match("correct horse", stored)
    (event,) = list_events(installation, EventType.PASSWORD_SET)
    assert event.subject_id == user.id
    assert "correct horse" not in str(event)


def test_an_unknown_account_gets_no_password(demo: WorldDefinition, installation: Installation) -> None:
    load_world(demo, "demo", operator="root", world=installation.world)
    with pytest.raises(UserNotFound):
        set_password("nobody", "correct horse", operator="root", world=installation.world, hasher=CHEAP)


@pytest.mark.parametrize("password", ["", "x" * 1_001, "two\nlines"])
def test_a_password_that_nobody_could_type_is_refused(password: str, installation: Installation) -> None:
    with pytest.raises(MalformedValue):
        set_password("subscriber", password, operator="root", world=installation.world, hasher=CHEAP)

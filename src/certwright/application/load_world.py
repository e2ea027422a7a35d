"""Load people, rights and templates that an administrator wrote down."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from certwright.application.world import World
from certwright.domain.errors import Refused, check_none_broken
from certwright.domain.events import EventType, tell_of_program
from certwright.domain.ports import Session
from certwright.domain.profile_templates import CertificateTemplate, ProfileTemplate
from certwright.domain.rules.archival import list_archival_faults
from certwright.domain.rules.escalation import list_escalation_paths
from certwright.domain.rules.key_definition import list_key_definition_faults
from certwright.domain.rules.policy_parties import list_policy_faults
from certwright.formats.definitions import WorldDefinition


@dataclass(frozen=True, slots=True, kw_only=True)
class LoadedWorld:
    """What a load changed. Shape: *users* and *groups* count those that are new or differ; *templates* have new versions."""

    users: int
    groups: int
    templates: tuple[ProfileTemplate, ...]


def load_world(definition: WorldDefinition, name: str, *, world: World) -> LoadedWorld:
    """Return what changed: nothing, when the same definition is loaded again. *name* is for the history.

    Grants become those of the definition; users and groups that it does not name stay as they are.

    Errors: EscalationPath, DefinitionInvalid, or RulesBroken with every one of them.
    """
    check_none_broken(list(_list_faults(definition)))
    with world.store.writing() as session:
        loaded = LoadedWorld(
            users=_save_users(definition, session),
            groups=_save_groups(definition, session),
            templates=tuple(_save_templates(definition.templates, session)),
        )
        session.directory.replace_grants(definition.grants)
        session.history.append(
            [
                tell_of_program(
                    EventType.WORLD_LOADED,
                    world.clock.now(),
                    name=name,
                    users=str(loaded.users),
                    groups=str(loaded.groups),
                    templates=" ".join(f"{each.id}/{each.version}" for each in loaded.templates),
                )
            ]
        )
    return loaded


def _list_faults(definition: WorldDefinition) -> Iterator[Refused]:
    for template in _list_certificate_templates(definition):
        yield from list_key_definition_faults(template)
        yield from list_archival_faults(template)
        yield from list_escalation_paths(template)
    for profile_template in definition.templates:
        for kind, policy in profile_template.policies.items():
            yield from list_policy_faults(policy, f"profile template {profile_template.name}, {kind.name.lower()}")


def _list_certificate_templates(definition: WorldDefinition) -> Iterable[CertificateTemplate]:
    """Return each certificate template once, however many profile templates use it."""
    return dict.fromkeys(each for template in definition.templates for each in template.certificate_templates)


def _save_users(definition: WorldDefinition, session: Session) -> int:
    present = {each.id: each for each in session.directory.list_users()}
    changed = [each for each in definition.users if present.get(each.id) != each]
    for user in changed:
        session.directory.save_user(user)
    return len(changed)


def _save_groups(definition: WorldDefinition, session: Session) -> int:
    present = {each.id: each for each in session.directory.list_groups()}
    changed = [each for each in definition.groups if present.get(each.id) != each]
    for group in changed:
        session.directory.save_group(group)
    return len(changed)


def _save_templates(templates: Iterable[ProfileTemplate], session: Session) -> Iterator[ProfileTemplate]:
    versions = {each.id: each.version for each in session.templates.list_newest()}
    for template in templates:
        saved = session.templates.save(template)
        if saved.version != versions.get(saved.id):
            yield saved

"""Load people, rights and templates that an administrator wrote down."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from certwright.application.role_separation import separate_roles
from certwright.application.world import World
from certwright.domain.data_items import Patterns
from certwright.domain.errors import DefinitionInvalid, Refused, RolesCombined, check_none_broken
from certwright.domain.events import EventType, tell_of_operator
from certwright.domain.policies import Policy
from certwright.domain.ports import Session
from certwright.domain.profile_templates import ProfileTemplate
from certwright.domain.request_types import RequestType
from certwright.domain.rules.archival import list_archival_faults
from certwright.domain.rules.escalation import list_escalation_paths
from certwright.domain.rules.key_definition import list_key_definition_faults
from certwright.domain.rules.policy_parties import list_approver_faults, list_group_rings, list_policy_faults
from certwright.formats.built_in_mails import make_sample_facts
from certwright.formats.definitions import WorldDefinition
from certwright.formats.mail_templates import check_mail_template


@dataclass(frozen=True, slots=True, kw_only=True)
class LoadedWorld:
    """What a load changed. Shape: *users* and *groups* count those that are new or differ; *templates* have new versions."""

    users: int
    groups: int
    templates: tuple[ProfileTemplate, ...]
    combined_roles: tuple[RolesCombined, ...] = ()


def load_world(definition: WorldDefinition, name: str, *, operator: str, world: World) -> LoadedWorld:
    """Return what changed: nothing, when the same definition is loaded again. *name* and *operator* are for the history.

    Grants become those of the definition; users and groups that it does not name stay as they are.

    Errors: EscalationPath, DefinitionInvalid, RolesCombined, or RulesBroken with every one of them.
    """
    check_none_broken(list(list_template_faults(definition.templates, world.patterns)))
    with world.store.writing() as session:
        users, groups = _save_users(definition, session), _save_groups(definition, session)
        check_none_broken(list_group_rings(session.directory.list_groups()))
        templates = tuple(_save_templates(definition.templates, session))
        session.directory.replace_grants(definition.grants)
        check_none_broken(list_people_faults(definition.templates, session))
        combined = separate_roles(session, operator=operator, world=world)
        loaded = LoadedWorld(users=users, groups=groups, templates=templates, combined_roles=combined)
        session.history.append(
            [
                tell_of_operator(
                    EventType.WORLD_LOADED,
                    operator,
                    world.clock.now(),
                    name=name,
                    users=str(loaded.users),
                    groups=str(loaded.groups),
                    templates=" ".join(f"{each.id}/{each.version}" for each in loaded.templates),
                )
            ]
        )
    return loaded


def list_template_faults(templates: Iterable[ProfileTemplate], patterns: Patterns) -> Iterator[Refused]:
    """Return everything wrong with profile templates and with the certificate templates in them, each told once."""
    known = tuple(templates)
    for template in dict.fromkeys(each for profile_template in known for each in profile_template.certificate_templates):
        yield from list_key_definition_faults(template)
        yield from list_archival_faults(template)
        yield from list_escalation_paths(template)
    for profile_template in known:
        for kind, policy in profile_template.policies.items():
            where = _name_policy(profile_template, kind)
            yield from list_policy_faults(policy, where, kind, patterns)
            yield from _list_mail_faults(policy, where)


def _list_mail_faults(policy: Policy, where: str) -> Iterator[Refused]:
    """Return which mails could not be written."""
    for rule in policy.notifications:
        if rule.template is not None:
            try:
                check_mail_template(rule.template, f"{where}.notifications.{rule.type}", make_sample_facts(rule.type))
            except DefinitionInvalid as fault:
                yield fault


def list_people_faults(templates: Iterable[ProfileTemplate], session: Session) -> list[Refused]:
    """Return which policies of *templates* need more people than the directory has for them."""
    found = (session.directory.find_principal(each.id) for each in session.directory.list_users())
    principals = [each for each in found if each is not None]
    return [
        fault
        for template in templates
        for kind, policy in template.policies.items()
        for fault in list_approver_faults(policy, _name_policy(template, kind), principals)
    ]


def _name_policy(template: ProfileTemplate, kind: RequestType) -> str:
    return f"profile template {template.name}, {kind.name.lower()}"


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

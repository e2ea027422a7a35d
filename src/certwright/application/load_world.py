"""Load people, rights and templates that an administrator wrote down."""

from dataclasses import dataclass

from certwright.application.role_separation import separate_roles
from certwright.application.stored_templates import (
    list_name_faults,
    list_people_faults,
    list_template_faults,
    replace_rights,
    save_templates,
    tell_versions,
)
from certwright.application.trustees import list_known_names
from certwright.application.world import World
from certwright.domain.errors import RolesCombined, check_none_broken
from certwright.domain.events import EventType, tell_of_operator
from certwright.domain.identities import Sid
from certwright.domain.ports import Session
from certwright.domain.profile_templates import ProfileTemplate
from certwright.domain.rules.policy_parties import list_group_rings
from certwright.formats.definitions import WorldDefinition


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

    Errors: EscalationPath, DefinitionInvalid, RolesCombined, or RulesBroken with every one of them; each names file, line and
            key where it is about one.
    """
    with world.store.writing() as session:
        return load_in_session(definition, name, operator=operator, session=session, world=world)


def load_in_session(definition: WorldDefinition, name: str, *, operator: str, session: Session, world: World) -> LoadedWorld:
    """Return what `load_world` does, in a session of the caller's. Errors: as there."""
    place = definition.source.place
    check_none_broken(place(list_template_faults(definition.templates, world.patterns)))
    users = _save_users(definition, operator, session, world)
    groups = _save_groups(definition, operator, session, world)
    check_none_broken(place(list_group_rings(session.directory.list_groups())))
    check_none_broken(place(list_name_faults(definition.templates, session)))
    templates = save_templates(definition.templates, session)
    replace_rights(definition.grants, operator, session, world)
    check_none_broken(place(list_people_faults(definition.templates, session)))
    combined = separate_roles(session, operator=operator, world=world)
    told = tell_of_operator(
        EventType.WORLD_LOADED,
        operator,
        world.clock.now(),
        name=name,
        users=str(users),
        groups=str(groups),
        templates=tell_versions(templates),
    )
    session.history.append([told])
    return LoadedWorld(users=users, groups=groups, templates=templates, combined_roles=combined)


def _save_users(definition: WorldDefinition, operator: str, session: Session, world: World) -> int:
    present = {each.id: each for each in session.directory.list_users()}
    changed = [each for each in definition.users if present.get(each.id) != each]
    now = world.clock.now()
    for user in changed:
        session.directory.save_user(user)
    session.history.append(
        [
            tell_of_operator(
                EventType.USER_CHANGED,
                operator,
                now,
                subject_id=each.id,
                account=each.nt4_name,
                enabled=str(each.enabled).lower(),
            )
            for each in changed
        ]
    )
    return len(changed)


def _save_groups(definition: WorldDefinition, operator: str, session: Session, world: World) -> int:
    present = {each.id: each for each in session.directory.list_groups()}
    changed = [each for each in definition.groups if present.get(each.id) != each]
    now = world.clock.now()
    for group in changed:
        session.directory.save_group(group)
    names = list_known_names(session)
    for group in changed:
        before = present[group.id].members if group.id in present else frozenset[Sid]()
        joined, left = (", ".join(sorted(names.get(each, each) for each in sids)) for sids in _compare(before, group.members))
        told = tell_of_operator(EventType.GROUP_CHANGED, operator, now, group=group.name, joined=joined, left=left)
        session.history.append([told])
    return len(changed)


def _compare(before: frozenset[Sid], after: frozenset[Sid]) -> tuple[frozenset[Sid], frozenset[Sid]]:
    """Return who came and who went."""
    return after - before, before - after

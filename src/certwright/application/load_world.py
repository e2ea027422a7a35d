"""Load people, rights and templates that an administrator wrote down.

A load adds and changes what the file names. Only a replacing one removes: members of its groups and rights that it does not
name. Accounts, groups and templates that it does not name always stay, and a disabled account stays disabled.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

from certwright.application.known_identities import KnownIdentities
from certwright.application.rehearsal import rehearse
from certwright.application.role_separation import separate_roles
from certwright.application.stored_templates import (
    list_grant_faults,
    list_name_faults,
    list_people_faults,
    list_template_faults,
    list_unused_faults,
    replace_rights,
    save_templates,
    tell_versions,
)
from certwright.application.trustees import list_known_names
from certwright.application.world import World
from certwright.application.world_differences import (
    Difference,
    list_group_differences,
    list_right_differences,
    list_template_differences,
    list_user_differences,
)
from certwright.domain.errors import ChangedMeanwhile, RolesCombined, check_none_broken
from certwright.domain.events import EventType, tell_of_operator
from certwright.domain.grants import Grant
from certwright.domain.identities import Group, Sid, User
from certwright.domain.ports import Session
from certwright.domain.profile_templates import ProfileTemplate
from certwright.domain.rules.policy_parties import list_group_rings
from certwright.formats.definitions import WorldDefinition, parse_world


@dataclass(frozen=True, slots=True, kw_only=True)
class LoadedWorld:
    """What a load changed.

    Shape: *users* and *groups* count those that are new or differ; *templates* have new versions; *differences* are all that
    was added, changed and removed; *kept_disabled* are accounts that the definition would enable, which a load never does.
    """

    users: int
    groups: int
    templates: tuple[ProfileTemplate, ...]
    differences: tuple[Difference, ...] = ()
    kept_disabled: tuple[str, ...] = ()
    combined_roles: tuple[RolesCombined, ...] = ()


def load_world(definition: WorldDefinition, name: str, *, replaces: bool = False, operator: str, world: World) -> LoadedWorld:
    """Return what changed: nothing, when the same definition is loaded again. *name* and *operator* are for the history.

    Shape: where it *replaces*, rights and the members of its groups are exactly those of the definition.
    Errors: EscalationPath, DefinitionInvalid, RolesCombined, or RulesBroken with every one of them; each names file, line and
            key where it is about one.
    """
    with world.store.writing() as session:
        return load_in_session(definition, name, replaces=replaces, operator=operator, session=session, world=world)


def load_file(
    text: str,
    name: str,
    *,
    replaces: bool = False,
    expected: tuple[Difference, ...] | None = None,
    operator: str,
    world: World,
) -> LoadedWorld:
    """Return what changed after the world file *text* was loaded, as `load_world` does.

    What the file leaves out is taken from the installation, and names are looked up there that it does not define; what is new
    gets identifiers. Shape: *expected* are the differences that were shown and agreed to.
    Errors: as there, and as `parse_world`; ChangedMeanwhile when the differences are not the expected ones any more.
    """
    with world.store.writing() as session:
        loaded = _load_text(text, name, replaces=replaces, operator=operator, session=session, world=world)
        if expected is not None and loaded.differences != expected:
            raise ChangedMeanwhile("installation")
        return loaded


def preview_file(text: str, name: str, *, replaces: bool = False, operator: str, world: World) -> LoadedWorld:
    """Return what `load_file` would change; nothing is. Errors: as there."""

    def load(session: Session) -> LoadedWorld:
        return _load_text(text, name, replaces=replaces, operator=operator, session=session, world=world)

    return rehearse(load, world)


def _load_text(text: str, name: str, *, replaces: bool, operator: str, session: Session, world: World) -> LoadedWorld:
    definition = parse_world(text, name, KnownIdentities(session, world))
    return load_in_session(definition, name, replaces=replaces, operator=operator, session=session, world=world)


def load_in_session(
    definition: WorldDefinition, name: str, *, replaces: bool = False, operator: str, session: Session, world: World
) -> LoadedWorld:
    """Return what `load_world` does, in a session of the caller's. Errors: as there."""
    loaded = store_definition(definition, replaces=replaces, operator=operator, session=session, world=world)
    told = tell_of_operator(
        EventType.WORLD_LOADED,
        operator,
        world.clock.now(),
        name=name,
        users=str(loaded.users),
        groups=str(loaded.groups),
        templates=tell_versions(loaded.templates),
    )
    session.history.append([told])
    return loaded


def store_definition(
    definition: WorldDefinition, *, replaces: bool = False, operator: str, session: Session, world: World
) -> LoadedWorld:
    """Return what changed, after everything of the definition was stored, with an event for each change.

    Errors: as `load_world`.
    """
    place = definition.source.place
    allowed = world.authority.issuer.certificate_policies
    check_none_broken(place(list_template_faults(definition.templates, world.patterns, allowed)))
    users = _save_users(definition.users, operator, session, world)
    groups = _save_groups(definition.groups, operator, session, world, replaces=replaces)
    check_none_broken(place(list_group_rings(session.directory.list_groups())))
    check_none_broken(place(list_name_faults(definition.templates, session)))
    check_none_broken(place(list_unused_faults(definition.other_certificate_templates, definition.templates, session)))
    templates = save_templates(definition.templates, session, definition.other_certificate_templates)
    # What shares a certificate template with the file has changed with it.
    check_none_broken(place(list_template_faults(templates, world.patterns, allowed)))
    check_none_broken(place(list_grant_faults(definition.grants, definition.templates, session)))
    rights = _save_rights(definition.grants, operator, session, world, replaces=replaces)
    check_none_broken(place(list_people_faults(definition.templates, session)))
    combined = separate_roles(session, operator=operator, world=world)
    disabled = {each.id for each in session.directory.list_users() if not each.enabled}
    return LoadedWorld(
        users=users.count,
        groups=groups.count,
        templates=templates,
        differences=(*users.differences, *groups.differences, *list_template_differences(templates), *rights),
        kept_disabled=tuple(each.nt4_name for each in definition.users if each.enabled and each.id in disabled),
        combined_roles=combined,
    )


@dataclass(frozen=True, slots=True)
class _Saved:
    count: int
    differences: tuple[Difference, ...]


def _save_users(defined: Iterable[User], operator: str, session: Session, world: World) -> _Saved:
    present = {each.id: each for each in session.directory.list_users()}
    merged = [_keep_disabled(each, present.get(each.id)) for each in defined]
    changed = [each for each in merged if present.get(each.id) != each]
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
    return _Saved(len(changed), tuple(list_user_differences(present, changed)))


def _keep_disabled(user: User, present: User | None) -> User:
    """Return *user*, disabled where the present account is: whoever disabled it had a reason that no file has to repeat."""
    return user if present is None or present.enabled else replace(user, enabled=False)


def _save_groups(defined: Iterable[Group], operator: str, session: Session, world: World, *, replaces: bool) -> _Saved:
    present = {each.id: each for each in session.directory.list_groups()}
    merged = [each if replaces else _add_members(each, present.get(each.id)) for each in defined]
    changed = [each for each in merged if present.get(each.id) != each]
    now = world.clock.now()
    for group in changed:
        session.directory.save_group(group)
    names = list_known_names(session)
    for group in changed:
        before = present[group.id].members if group.id in present else frozenset[Sid]()
        joined, left = (_tell_names(sids, names) for sids in (group.members - before, before - group.members))
        told = tell_of_operator(EventType.GROUP_CHANGED, operator, now, group=group.name, joined=joined, left=left)
        session.history.append([told])
    return _Saved(len(changed), tuple(list_group_differences(present, changed, names)))


def _add_members(group: Group, present: Group | None) -> Group:
    return group if present is None else replace(group, members=group.members | present.members)


def _tell_names(sids: Iterable[Sid], names: Mapping[Sid, str]) -> str:
    return ", ".join(sorted(names.get(each, each) for each in sids))


def _save_rights(
    defined: Iterable[Grant], operator: str, session: Session, world: World, *, replaces: bool
) -> tuple[Difference, ...]:
    before = tuple(session.directory.load_grants())
    after = tuple(dict.fromkeys(defined if replaces else (*before, *defined)))
    names = list_known_names(session) | {Sid(str(each.id)): each.name for each in session.templates.list_newest()}
    replace_rights(after, operator, session, world)
    return tuple(list_right_differences(before, after, names))

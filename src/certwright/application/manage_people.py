"""Change rights, accounts and groups one at a time; each change is an event, and none combines roles that are kept apart."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

from certwright.application.role_separation import separate_roles
from certwright.application.trustees import get_group, get_sid, get_user
from certwright.application.world import World
from certwright.domain.errors import GroupInUse, MalformedValue, RolesCombined, check_none_broken
from certwright.domain.events import EventType, tell_of_operator
from certwright.domain.grants import RIGHTS_ON, Grant, ObjectKind, Right
from certwright.domain.identities import EVERYONE, Group, GroupName, Sid, User
from certwright.domain.ports import Session
from certwright.domain.rules.escalation import list_everyone_faults
from certwright.domain.rules.policy_parties import list_group_rings


@dataclass(frozen=True, slots=True, kw_only=True)
class Changed:
    """Shape: *is_new* is false where everything was so already; *combined_roles* is what the settings let pass."""

    is_new: bool
    combined_roles: tuple[RolesCombined, ...] = ()


def grant_right(right: Right, kind: ObjectKind, place: str, trustee: str, *, operator: str, world: World) -> Changed:
    """Give *trustee*, an account or group, a right.

    Shape: *place* is a profile template's name or GUID, a certificate template's common name, an account or group, or empty
    for the service.
    Errors: MalformedValue for a right that means nothing there; UserNotFound and GroupNotFound; MalformedValue for an unknown
            template; EscalationPath for everyone, who may only read; RolesCombined.
    """

    def change(session: Session) -> bool:
        grant = _read_grant(right, kind, place, trustee, session)
        check_none_broken(list_everyone_faults([grant], {grant.object_name: place}))
        return session.directory.add_grant(grant)

    details = {"right": right.value, "place": f"{kind} {place}".strip(), "trustee": trustee}
    return _change(EventType.RIGHT_GRANTED, change, details, operator, world)


def revoke_right(right: Right, kind: ObjectKind, place: str, trustee: str, *, operator: str, world: World) -> Changed:
    """Take a right away. Shape and errors: as `grant_right`."""

    def change(session: Session) -> bool:
        return session.directory.remove_grant(_read_grant(right, kind, place, trustee, session))

    details = {"right": right.value, "place": f"{kind} {place}".strip(), "trustee": trustee}
    return _change(EventType.RIGHT_REVOKED, change, details, operator, world)


def switch_user(account: str, *, enabled: bool, operator: str, world: World) -> Changed:
    """Switch an account on or off; off, it signs in nowhere and nothing is issued to it. Errors: UserNotFound."""

    def change(session: Session) -> bool:
        user = get_user(account, session)
        session.directory.save_user(replace(user, enabled=enabled))
        return user.enabled != enabled

    return _change(EventType.USER_CHANGED, change, {"account": account, "enabled": str(enabled).lower()}, operator, world)


def change_member(group_name: str, member: str, *, is_member: bool, operator: str, world: World) -> Changed:
    """Put an account or group into a group, or take it out.

    Errors: GroupNotFound; UserNotFound; DefinitionInvalid for groups that would hold each other; RolesCombined.
    """

    def change(session: Session) -> bool:
        group, sid = get_group(group_name, session), get_sid(member, session)
        if not is_member:
            return session.directory.remove_member(group.id, sid)
        is_new = session.directory.add_member(group.id, sid)
        if sid in session.directory.list_sids_above(group.sid):
            # Only to say which groups hold each other is it worth while to read all of them.
            check_none_broken(list_group_rings(session.directory.list_groups()))
        return is_new

    details = {"group": group_name, "member": member, "is_member": str(is_member).lower()}
    return _change(EventType.GROUP_CHANGED, change, details, operator, world)


def delete_group(name: str, *, operator: str, world: World) -> GroupName:
    """Return the group, which is there no more; the accounts that were in it stay.

    Errors: GroupNotFound; GroupInUse while rights, policies or other groups name it.
    """
    with world.store.writing() as session:
        group = get_group(name, session)
        uses = [*_list_rights_with(group, session), *_list_policies_with(group, session)]
        uses += [f"the group {each} holds it" for each in session.directory.list_groups_of(group.sid)]
        if uses:
            raise GroupInUse(group.name, "; ".join(uses))
        session.directory.delete_group(group)
        told = tell_of_operator(EventType.GROUP_DELETED, operator, world.clock.now(), group=group.name, sid=group.sid)
        session.history.append([told])
    return group


def _list_rights_with(group: GroupName, session: Session) -> Iterator[str]:
    """Return, in words, which rights the group has, and which others have over it."""
    given = session.directory.list_grants_of([group.sid])
    over = session.directory.list_grants_on(ObjectKind.PRINCIPAL, group.sid)
    yield from (f"it has the right {each.right} on {_describe_object(each, session)}" for each in given)
    names = {**session.directory.name_sids(each.trustee for each in over), EVERYONE: "everyone"}
    for each in over:
        if each.trustee != group.sid:
            yield f"{names.get(each.trustee, each.trustee)} has the right {each.right} over it"


def _describe_object(grant: Grant, session: Session) -> str:
    name = grant.object_name
    if grant.object_kind is ObjectKind.SERVICE:
        return "the service"
    if grant.object_kind is ObjectKind.PRINCIPAL:
        name = session.directory.name_sids([Sid(name)]).get(Sid(name), name)
    elif grant.object_kind is ObjectKind.PROFILE_TEMPLATE:
        name = next((each.name for each in session.templates.list_newest() if str(each.id) == name), name)
    return f"{grant.object_kind} {name}"


def _list_policies_with(group: GroupName, session: Session) -> Iterator[str]:
    """Return, in words, which policies name the group: those that count, and older ones under which requests are open."""
    newest = {each.id: each.version for each in session.templates.list_newest()}
    for each in session.templates.list_versions():
        named = [
            kind
            for kind, policy in each.policies.items()
            if group.sid in policy.initiators | policy.approvers | policy.enrollment_agents
        ]
        is_newest = newest.get(each.id) == each.version
        if named and (is_newest or session.requests.count_open_of_template(each.id)):
            kinds = ", ".join(sorted(kind.name.lower().replace("_", "-") for kind in named))
            version = "" if is_newest else f", version {each.version} with open requests"
            yield f"the profile template {each.name}{version} names it for {kinds}"


def list_people(*, world: World) -> tuple[tuple[User, ...], tuple[Group, ...], tuple[Grant, ...]]:
    """Return all users, groups and rights."""
    with world.store.reading() as session:
        return session.directory.list_users(), session.directory.list_groups(), tuple(session.directory.load_grants())


def _change(
    event_type: EventType, change: Callable[[Session], bool], details: dict[str, str], operator: str, world: World
) -> Changed:
    with world.store.writing() as session:
        if not change(session):
            return Changed(is_new=False)
        session.history.append([tell_of_operator(event_type, operator, world.clock.now(), subject_id=None, **details)])
        return Changed(is_new=True, combined_roles=separate_roles(session, operator=operator, world=world))


def _read_grant(right: Right, kind: ObjectKind, place: str, trustee: str, session: Session) -> Grant:
    if right not in RIGHTS_ON[kind]:
        raise MalformedValue("right", f"on a {kind} it is one of {', '.join(sorted(RIGHTS_ON[kind]))}")
    return Grant(kind, _name_object(kind, place, session), right, get_sid(trustee, session))


def _name_object(kind: ObjectKind, place: str, session: Session) -> str:
    if kind is ObjectKind.SERVICE:
        return ""
    if kind is ObjectKind.PRINCIPAL:
        return get_sid(place, session)
    templates, wanted = session.templates.list_newest(), place.casefold()
    if kind is ObjectKind.PROFILE_TEMPLATE:
        known = {name: str(each.id) for each in templates for name in (each.name.casefold(), str(each.id))}
    else:
        names = [one.common_name for each in templates for one in each.certificate_templates]
        known = {each.casefold(): each for each in names}
    if wanted not in known:
        raise MalformedValue("place", f"there is no {kind} {place}")
    return known[wanted]
